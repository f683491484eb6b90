"""Quantization-aware training that keeps zeros and clusters, checked in the .tflite."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files, litert, terminal
from squeezenet_mcu.common.tf import keras, tf
from squeezenet_mcu.model.compress import guarantees
from squeezenet_mcu.model.compress.constraints import keep_clusters, keep_positive, keep_zeros, make_positive
from squeezenet_mcu.model.network import keras_files, to_tflite
from squeezenet_mcu.model.network.tfmot import quantize_layer, tfmot
from squeezenet_mcu.model.train import runner
from squeezenet_mcu.model.train.divergence import DivergedError, Rate
from squeezenet_mcu.model.train.stage import TrainingStage
from squeezenet_mcu.model.train.stage_scores import int8_scorer

_CALIBRATION_BATCHES = 8
_CALIBRATION_BATCH = 64


def quantization_aware(pruned: Any, x: npt.NDArray[np.uint8], clusters: Collection[str] = ()) -> Any:
    """TFMOT's quantization-aware model of `pruned`, its ranges set from images x [n, h, w, c].

    `clusters`: names of the convolutions whose weights are clustered.

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
            if last.endswith("_min") and last != "kernel_min":
                variable.assign(low)
            elif last.endswith("_max") and last != "kernel_max":
                variable.assign(high)
    _set_ranges(aware, clusters)
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


def kernels_of(aware: Any) -> dict[str, Any]:
    """The kernel variable of every convolution of a quantization-aware model, by the convolution's name."""
    return {
        layer.layer.name: next(w for w in layer.trainable_weights if len(w.shape) == 4)
        for layer in aware.layers
        if isinstance(getattr(layer, "layer", None), keras.layers.Conv2D)
    }


def kept(source: Any, aware: Any, clusters: Collection[str]) -> list[Callable[[], None]]:
    """Constraints that keep in `aware` the zeros of `source`, and the clusters of the layers in `clusters`.

    TFMOT's schemes keep those of Conv2D -> BatchNormalization only, and both of no layer of a network without
    batch norm (v1.0, v1.1).
    """
    kernels = kernels_of(aware)
    return keep_positive(aware) + [
        (keep_clusters if layer.name in clusters else keep_zeros)(kernels[layer.name], layer.kernel.numpy())
        for layer in source.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]


def _set_ranges(aware: Any, clusters: Collection[str]) -> None:
    """Sets the ranges of all kernels, now and at every step of training: see _Ranges; of `clusters`,

    shared.
    """
    for layer in aware.layers:
        if not isinstance(getattr(layer, "layer", None), keras.layers.Conv2D):
            continue
        ranges = _Ranges(layer.layer.name in clusters)
        for kernel, _, variables in layer._weight_vars:
            ranges.set(kernel, variables)
        layer._weight_vars = [
            (kernel, ranges.of(q), variables) for kernel, q, variables in layer._weight_vars
        ]


@dataclass(frozen=True)
class _Ranges:
    """Ranges of a kernel's output channels [h, w, in, out], symmetric about 0.

    TFMOT's are each channel's own. That fails twice. A channel whose weights are all zero gets a scale of
    about 1e-9, at which its bias does not fit int32, and TFLite cuts it off without a word: so no range is
    less than a thousandth of the layer's widest. And of clusters, one centroid becomes another int8 value in
    every channel: so their channels share one range (`shared`). Batch norm's factors, kept positive, are no
    matter: the conversion folds them into the channels' scales.
    """

    shared: bool

    def set(self, kernel: Any, variables: dict[str, Any]) -> None:
        most = tf.reduce_max(tf.abs(kernel), axis=(0, 1, 2))
        widest = tf.reduce_max(most)
        most = tf.fill(most.shape, widest) if self.shared else tf.maximum(most, widest / 1024)
        variables["min_var"].assign(-most)
        variables["max_var"].assign(most)

    def of(self, quantizer: Any) -> Callable[..., Any]:
        """TFMOT's `quantizer` of weights, with these ranges."""

        def quantize(inputs: Any, training: bool, weights: dict[str, Any], **kwargs: Any) -> Any:
            if training:
                self.set(inputs, weights)
            return quantizer(inputs, False, weights, **kwargs)

        return quantize


def check_runs(tflite: bytes, name: str, rate: Rate) -> None:
    """DivergedError where LiteRT would end this program over what stage `name` has made: a dead network.

    A layer that gives the same for every image has a scale next to zero, which LiteRT's SOFTMAX refuses by
    abort().
    """
    if trouble := litert.trouble(tflite):
        raise DivergedError(
            f"{name}: LiteRT {trouble}: a layer gives the same for every image, as of a network that has "
            "learnt nothing; want one whose training accuracy is above guessing: more images, another "
            f"--seed, a model that starts from trained weights, like photos, or {rate.advice()}"
        )


def quantize(stage: TrainingStage) -> None:
    """Writes build/<model>/quantized.keras (dense.keras for the baseline) and its record. Raises UserError.

    With 0 epochs this is post-training quantization: the same network, ranges and checks, no training.
    """
    started = time.monotonic()
    source = keras_files.load(stage.input)
    make_positive(source)
    wanted = guarantees.made(source, stage.config, compressed=stage.name != "dense")
    clusters = {name for name, guarantee in wanted.items() if guarantee.values is not None}
    aware = quantization_aware(source, stage.train.x, clusters)
    history = []
    if stage.epochs:
        constraints = kept(source, aware, clusters)
        history = runner.train(stage, aware, stage.config.quantize.learning_rate, 0, constraints=constraints)
    tflite = to_tflite.to_int8_tflite(aware)
    check_runs(tflite, stage.name, Rate.of(stage.config, stage.name, stage.epochs))
    seen = guarantees.check(tflite, wanted, str(stage.output))
    to_tflite.check(tflite, str(stage.output))
    terminal.echo(guarantees.table(seen))
    score, of_test = int8_scorer(stage, tflite)
    figures = {
        "tflite_bytes": len(tflite),
        "tflite_sha256": files.sha256(tflite),
        "layers": guarantees.record(seen, wanted),
        **of_test,
    }
    runner.finish(stage, aware, history, started=started, figures=figures, score=score)
