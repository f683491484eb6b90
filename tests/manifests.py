"""A whole manifest.json and engine.json, as the commands write them, of a network that there is not."""

from squeezenet_mcu.common import files


def manifest(tflite: bytes = b"the model", **changed):
    """Of "toy": 4 x 3 gray pixels, 10 classes, one convolution. `changed`: other values of its keys."""
    conv = {
        "layer": "conv1", "kind": "CONV_2D", "output": [4, 3, 10], "arena_offset": 0, "arena_bytes": 30,
        "ring_rows": 1, "macs": 120, "weights_bytes": 90, "entropy_bytes": 8, "kernel": "reference",
        "weights": 10, "encoding": "dense", "batch_rows": 1, "scratch_bytes": 0,
    }  # fmt: skip
    first = {
        "layer": "input", "kind": "INPUT", "output": [4, 3, 1], "arena_offset": 32, "arena_bytes": 9,
        "ring_rows": 3, "macs": 0, "weights_bytes": 0, "entropy_bytes": 0,
    }  # fmt: skip
    return {
        "model": "toy",
        "tflite_sha256": files.sha256(tflite),
        "engine_sha256": "e" * 64,
        "macs": 120,
        "weights_dense_bytes": 10,
        "weights_stored_bytes": 10,
        "tflite_bytes": len(tflite),
        "engine_model_bytes": 400,
        "flash_limits": {},
        "engine_sram_bytes": 48,
        "tflm_arena_bytes": None,
        "tflm_problem": None,
        "accuracy": None,
        "input": {
            "height": 4, "width": 3, "channels": 1, "scale": 1.0, "zero_point": -128, "preprocess": "byte",
        },
        "output": {
            "classes": 10, "tensor": 6, "logits_tensor": 5, "logits_scale": 0.1, "logits_zero_point": -128,
            "scale": 0.00390625, "zero_point": -128, "softmax": True,
        },
        "labels": [str(i) for i in range(10)],
        "inputs": {},
        "data": "",
        "fit": "resize",
        "float": None,
        "calibration": None,
        "weight_bits": None,
        "plan": [first, conv],
        "peak": [{"layer": "conv1", "bytes": 39}],
        "versions": {"python": "3.11.7"},
        "files": {},
    } | changed  # fmt: skip


def engine_record(**changed):
    """engine.json beside the firmware of manifest()'s network. `changed`: other values of its keys."""
    return {
        "made_from": {"target": {"optimize": "speed"}, "tflite_sha256": manifest()["tflite_sha256"]},
        "engine_sha256": "e" * 64,
        "arena_bytes": 48,
        "engine_model_bytes": 400,
        "weights_stored_bytes": 10,
        "kernels": ["reference"],
        "plan": manifest()["plan"],
        "peak": manifest()["peak"],
    } | changed
