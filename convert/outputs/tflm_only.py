"""`convert --engine tflm`: what TensorFlow Lite Micro alone needs of a .tflite that our engine may not take.

Nothing is lowered and no engine model is made. All that is asked of the network is what the link needs: one
image in and one vector of classes out, int8 both (behind an edge's QUANTIZE, before an edge's DEQUANTIZE).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert import input_range
from squeezenet_mcu.convert.lowering.tflite_file import Tensor, TfliteFile
from squeezenet_mcu.convert.outputs import artefacts, c_array, settings_header, tflm_arena
from squeezenet_mcu.convert.outputs.tflm_operators import RESOLVER_METHODS

# What an earlier conversion for our engine left; beside a manifest for TFLM alone it would be of no model.
_OF_OUR_ENGINE = ("model.sqz", "model_sqz.c", "model_sqz.h")


@dataclass(frozen=True)
class TflmModel:
    """A checked .tflite. Its tensors, int8: `image` behind the input's edge, `output` before the output's."""

    file: TfliteFile
    image: Tensor
    logits: Tensor
    output: Tensor
    softmax: bool

    @property
    def classes(self) -> int:
        """Length of the output's vector."""
        return int(np.prod(self.output.shape))


def check(file: TfliteFile) -> TflmModel:
    """Finds input, logits and output.

    UserError: an operator that TFLM does not have, or other edges than an image in and a vector out.
    """
    for op in file.ops:
        if op.name not in RESOLVER_METHODS:
            raise file.op_error(op, file.tensors[op.outputs[0]], "TensorFlow Lite Micro does not have it")
    if len(file.inputs) != 1 or len(file.outputs) != 1:
        raise UserError(
            f"{file.path}: {len(file.inputs)} inputs, {len(file.outputs)} outputs; wanted 1 and 1"
        )
    makers = {tensor: op for op in file.ops for tensor in op.outputs}
    image = _behind_the_edge(file)
    output = file.tensors[file.outputs[0]]
    last = makers.get(output.index)
    if output.type_name != "INT8" and last is not None and last.name in ("DEQUANTIZE", "QUANTIZE"):
        output = file.tensors[last.inputs[0]]
        last = makers.get(output.index)
    if image.type_name != "INT8" or len(image.shape) != 4 or image.shape[0] != 1:
        raise UserError(f"{file.path}: input {image}; wanted int8 [1, height, width, channels]")
    if output.type_name != "INT8" or np.prod(output.shape) != output.shape[-1] or last is None:
        raise UserError(f"{file.path}: output {output}; wanted int8 [1, classes]")
    softmax = last.name == "SOFTMAX"
    logits = file.tensors[last.inputs[0]] if softmax else output
    for tensor in (image, logits, output):
        if not len(tensor.scale):
            raise UserError(f"{file.path}: {tensor}; wanted a scale and a zero point")
    return TflmModel(file, image, logits, output, softmax)


def _behind_the_edge(file: TfliteFile) -> Tensor:
    """The int8 tensor of the image: the input, or what a QUANTIZE makes of a float or uint8 input."""
    given = file.tensors[file.inputs[0]]
    users = [op for op in file.ops if given.index in op.inputs]
    if given.type_name != "INT8" and len(users) == 1 and users[0].name == "QUANTIZE":
        return file.tensors[users[0].outputs[0]]
    return given


def edge(model: TflmModel) -> input_range.Edge:
    """Of the same file, for the choice of --preprocess."""
    macs = sum(tflm_arena.macs(model.file, op) for op in model.file.ops)
    image, tensors = model.image, (model.output.index, model.logits.index)
    return input_range.Edge(model.file, image.hwc, float(image.scale[0]), image.zero_point, macs, *tensors)


def _manifest(
    model: TflmModel,
    name: str,
    labels: list[str],
    preprocess: str,
    origin: artefacts.Origin,
    arena: int | None,
) -> dict[str, Any]:
    """With the keys of our engine's manifest, None where they are of our engine."""
    file = model.file
    height, width, channels = model.image.hwc

    def quantization(tensor: Tensor) -> tuple[float, int]:
        return float(tensor.scale[0]), tensor.zero_point

    scale, zero_point = quantization(model.image)
    logits, output = quantization(model.logits), quantization(model.output)
    return {
        "model": name,
        "engine": "tflm",
        "tflite_sha256": files.sha256(file.content),
        "engine_sha256": None,
        "macs": sum(tflm_arena.macs(file, op) for op in file.ops),
        "weights_dense_bytes": tflm_arena.weights(file),
        "weights_stored_bytes": None,
        "tflite_bytes": len(file.content),
        "engine_model_bytes": None,
        "flash_limits": {},
        "engine_sram_bytes": None,
        "tflm_arena_bytes": arena,
        "accuracy": None,
        "input": {
            "height": height, "width": width, "channels": channels,
            "scale": scale, "zero_point": zero_point, "preprocess": preprocess,
            "edge": file.input_type,
        },
        "output": {
            "classes": model.classes, "tensor": model.output.index, "logits_tensor": model.logits.index,
            "logits_scale": logits[0], "logits_zero_point": logits[1],
            "scale": output[0], "zero_point": output[1], "softmax": model.softmax,
        },
        "labels": labels,
        "inputs": origin.files,
        "data": origin.data,
        "fit": origin.fit,
        "float": None,
        "calibration": None,
        "weight_bits": None,
        "plan": [{"kind": op.name} for op in file.ops],
        "peak": [],
        "versions": artefacts.versions(),
    }  # fmt: skip


def write(
    model: TflmModel, name: str, labels: list[str], preprocess: str, origin: artefacts.Origin, folder: Path
) -> dict[str, Any]:
    """Writes model.tflite, its C array, settings, golden pair, manifest into `folder`; returns the manifest.

    UserError: TFLM itself (its wheel, where it is installed) refuses the model.
    """
    content = model.file.content
    manifest = _manifest(model, name, labels, preprocess, origin, artefacts.tflm_arena(model.file))
    methods = tflm_arena.resolver_methods(model.file)
    header = settings_header.settings_header(manifest, methods, tflm_arena.int8_kernels(model.file))
    about = f"{name}: the .tflite, for TensorFlow Lite Micro; made by `make convert`, do not edit."
    array = c_array.c_array("g_model_tflite", content, about)
    outputs = {
        "model.tflite": content,
        "golden.npz": artefacts.golden_pair(content, manifest),
        "model_settings.h": header.encode(),
        "model_tflite.h": array[0].encode(),
        "model_tflite.c": array[1].encode(),
    }
    artefacts.publish(folder, outputs, manifest, _OF_OUR_ENGINE)
    return manifest
