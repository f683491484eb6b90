"""Records of stages, a manifest and a .tflite as the real commands leave them, of no training."""

import math
from pathlib import Path

from squeezenet_mcu.common import files
from tests.manifests import manifest as whole_manifest

COUNTS = {"test": 1000, "validation": 300, "reserve": 500}
TOML = Path(__file__).with_name("settings") / "digits.toml"
VERSIONS = {"tensorflow": "2.21.0", "numpy": "2.4.6"}


def history(epochs, start, end):
    """Epochs whose loss and errors fall from `start` to `end`, ever slower."""
    entries = []
    for n in range(epochs):
        error = end + (start - end) * math.exp(-4 * n / max(epochs - 1, 1))
        entries.append(
            {
                "epoch": n + 1,
                "loss": round(2.5 * error + 0.01, 5),
                "accuracy": round(1 - error, 5),
                "images_per_s": 1000,
                "validation_accuracy": round(1 - 0.9 * error - 0.002 * (n % 3), 5),
            }
        )
    return entries


def accuracies(right):
    """A record's shares and counts: `right` images of the 1,000 for testing, as many of the others."""
    return {
        key: value
        for part, count in COUNTS.items()
        for key, value in (
            (f"{part}_accuracy", round(round(right * count / 1000) / count, 6)),
            (f"{part}_images", count),
        )
    }


def layers(settings, values, guaranteed=False):
    """Of every convolution: the zeros that the TOML asks for, `values` different weights."""
    found = {}
    for name, shape in settings.kernels.items():
        weights = math.prod(shape)
        zeros = math.floor(settings.prune.layers.get(name, settings.prune.sparsity) * weights)
        found[name] = {"weights": weights, "zeros": zeros + (7 if guaranteed else 0), "values": values}
        if guaranteed:
            limit = settings.cluster.clusters or None
            found[name]["guaranteed"] = {"zeros": zeros, "values": limit, "block": None}
    return found


def confusion(classes, count, wrong):
    """`count` images evenly over the classes, of which `wrong`, of class 1, are taken for class 3."""
    table = [[0] * classes for _ in range(classes)]
    for label in range(classes):
        table[label][label] = count // classes + (1 if label < count % classes else 0)
    table[1][1] -= wrong
    table[1][3] += wrong
    return table


def write(settings, folder):
    """Writes to `folder` what train, prune, cluster (if asked for), quantize, --dense and convert leave."""
    tflite, keras = settings.name.encode() * 4000, b"keras of " + settings.name.encode()
    own = {"train": settings.train, "prune": settings.prune, "quantize": settings.quantize}
    own |= {"cluster": settings.cluster} if settings.cluster.clusters else {}
    own |= {"dense": settings.quantize}
    figures = {
        "train": {},
        "prune": {"layers": layers(settings, 5000), "wanted": {}},
        "cluster": {"layers": layers(settings, settings.cluster.clusters)},
        "quantize": quantized(tflite, layers(settings, 30, guaranteed=True), settings, 15),
        "dense": quantized(b"baseline", layers(settings, 200), settings, 12),
    }
    right = {"train": 990, "prune": 988, "cluster": 987, "quantize": 985, "dense": 988}
    before = ""
    for number, (name, stage) in enumerate((n, own[n]) for n in right if n in own):
        output = files.sha256(keras if name == "quantize" else name.encode())
        record = {
            "model": settings.name,
            "stage": name,
            **accuracies(right[name]),
            "train_images": 3200,
            "parameters": 16_000,
            **figures[name],
            "epochs": stage.epochs,
            "seconds": 100.5 + number,
            "machine": "2 cores of a test",
            "input_sha256": files.sha256(b"train") if name == "dense" else before,
            "output_sha256": output,
            "fingerprint": "",
            "versions": VERSIONS,
            "history": history(stage.epochs, 0.9 if name == "train" else 0.06 / number, 0.02 / (number + 1)),
        }
        files.write_json(folder / f"{name}.json", record)
        before = output
    files.write_bytes(folder / "quantized.keras", keras)
    files.write_bytes(folder / "model.tflite", tflite)
    files.write_json(folder / "manifest.json", manifest(settings, tflite))


def quantized(tflite, found, settings, wrong):
    """What a record of int8 weights has more."""
    return {
        "tflite_bytes": len(tflite),
        "tflite_sha256": files.sha256(tflite),
        "layers": found,
        "confusion": confusion(settings.architecture.classes, COUNTS["test"], wrong),
    }


def manifest(settings, tflite):
    """The converter's manifest."""
    first, like = whole_manifest()["plan"]
    plan = [first | {"output": [28, 28, 1]}]
    for name, shape in settings.kernels.items():
        weights = math.prod(shape)
        plan.append(
            like
            | {
                "layer": name.replace("_", "/"),
                "output": [7, 7, shape[-1]],
                "macs": 49 * weights,
                "weights": weights,
            }
        )
    return whole_manifest(
        tflite,
        model=settings.name,
        macs=sum(row["macs"] for row in plan),
        weights_dense_bytes=sum(row.get("weights", 0) for row in plan),
        weights_stored_bytes=9876,
        engine_model_bytes=12_345,
        engine_sram_bytes=4704,
        tflm_arena_bytes=26_816,
        accuracy={"int8_top1": 0.985, "engine_top1": 0.985, "differing_values": 0, "test_images": 1000},
        plan=plan,
    )
