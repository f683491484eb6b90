"""Quantization-aware training of the pruned network that keeps its zeros, checked in its .tflite."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from model import export, files, keras_files
from model import stage as stages
from model.pruning import zeros_record, zeros_table
from model.stage import Stage
from model.tf import keras
from model.tfmot import quantize_layer, tfmot

_CALIBRATION_BATCHES = 8
_CALIBRATION_BATCH = 64


def quantization_aware(pruned: Any, x: npt.NDArray[np.uint8]) -> Any:
    """TFMOT's quantization-aware model of `pruned`, its ranges set from images x [n, h, w, c].

    TFMOT starts every activation range at -6 to 6 and moves it by a thousandth a step: small networks train
    too few steps for that. So each range starts at what the float network shows: the mean, over batches, of
    the batch's extremes, where TFMOT's moving average would come to rest. The input's is 0 to 1, exactly:
    that makes the .tflite's input pixel - 128.
    """
    with tfmot.quantization.keras.quantize_scope():
        aware = tfmot.quantization.keras.quantize_apply(
            tfmot.quantization.keras.quantize_annotate_model(pruned),
            tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme(),
        )
    ranges = _activation_ranges(pruned, x)
    for layer in aware.layers:
        low, high = ranges.get(layer.name.removeprefix("quant_"), (0.0, 1.0))
        if isinstance(layer, quantize_layer.QuantizeLayer):
            low, high = 0.0, 1.0
        for variable in layer.non_trainable_weights:
            last = variable.name.rpartition("/")[2].partition(":")[0]
            if last.endswith("_min") and last != "kernel_min":  # a kernel's follows the kernel at every step
                variable.assign(low)
            elif last.endswith("_max") and last != "kernel_max":
                variable.assign(high)
    return aware


def _activation_ranges(model: Any, x: npt.NDArray[np.uint8]) -> dict[str, tuple[float, float]]:
    """For every layer of `model`: mean over batches of the smallest and of the largest output, 0 included."""
    layers = model.layers[1:]
    outputs = keras.Model(model.input, [layer.output for layer in layers])
    count = min(len(x), _CALIBRATION_BATCHES * _CALIBRATION_BATCH)
    chosen = x[np.arange(count) * len(x) // count]
    extremes = []
    for start in range(0, count, _CALIBRATION_BATCH):
        batch = chosen[start : start + _CALIBRATION_BATCH].astype(np.float32) / np.float32(255)
        values = outputs(batch, training=False)
        extremes.append([(float(np.min(v)), float(np.max(v))) for v in values])
    mean = np.mean(extremes, axis=0)
    return {
        layer.name: (min(float(low), 0.0), max(float(high), 0.0))
        for layer, (low, high) in zip(layers, mean, strict=True)
    }


def kept_zero(pruned: Any, aware: Any) -> list[tuple[Any, npt.NDArray[np.float32]]]:
    """The kernels of `aware` with the masks of `pruned`'s zeros.

    TFMOT's scheme keeps the zeros of Conv2D -> BatchNormalization only; the networks without batch norm
    (v1.0, v1.1) need this.
    """
    kernels = {}
    for layer in aware.layers:
        inner = getattr(layer, "layer", None)
        if isinstance(inner, keras.layers.Conv2D):
            kernels[inner.name] = next(w for w in layer.trainable_weights if len(w.shape) == 4)
    return [
        (kernels[layer.name], (layer.kernel.numpy() != 0).astype(np.float32))
        for layer in pruned.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]


def quantize(stage: Stage) -> None:
    """Writes build/<model>/quantized.keras and quantize.json. Raises UserError."""
    started = time.monotonic()
    pruned = keras_files.load(stage.folder / stages.OUTPUTS["prune"])
    promised = export.keras_zeros(pruned)
    aware = quantization_aware(pruned, stage.train.x)
    settings = stage.config.quantize
    history = stages.train(stage, aware, settings.learning_rate, 0, kept_zero=kept_zero(pruned, aware))
    tflite = export.to_int8_tflite(aware)
    wanted = {name: zeros.zeros for name, zeros in promised.items()}
    zeros = export.check(tflite, wanted, str(stage.output))
    print(zeros_table(zeros))
    before = {name: stages.read_record(stage.folder / f"{name}.json") for name in ("train", "prune")}
    figures = {
        "float_top1": before["train"].get("test_accuracy"),
        "pruned_top1": before["prune"].get("test_accuracy"),
        "int8_top1": round(_int8_accuracy(tflite, stage), 6),
        "tflite_bytes": len(tflite),
        "tflite_sha256": files.sha256(tflite),
        "zeros": zeros_record(zeros),
    }
    score = figures["int8_top1"]
    stages.finish(stage, aware, history, started=started, figures=figures, test_accuracy=lambda: score)


def _int8_accuracy(tflite: bytes, stage: Stage) -> float:
    return float(np.mean(export.predictions(tflite, stage.test.x) == stage.test.y))
