"""How far int8 is from float: the share of equal classes, and accuracies side by side."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import litert
from squeezenet_mcu.common.preprocess import quantize_images

Outputs = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
_BATCH = 32
_MACS = 2_000_000_000  # about ten seconds of LiteRT's reference kernels
_LEAST, _MOST = 8, 100  # images


def keras_outputs(model: Any, divisor: float = 1.0) -> Outputs:
    """Of a Keras model of pixels / `divisor`: uint8 [n, height, width, channels] to float32 [n, classes]."""

    def run(x: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        parts = [
            model.predict_on_batch(x[i : i + _BATCH].astype(np.float32) / np.float32(divisor))
            for i in range(0, len(x), _BATCH)
        ]
        return np.concatenate(parts).reshape(len(x), -1)

    return run


def classes(outputs: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The class of each row, float or int8 [n, classes]."""
    found: npt.NDArray[np.int64] = outputs.argmax(axis=1)
    return found


def agreement(
    tflite: bytes,
    image: dict[str, Any],
    logits_tensor: int,
    macs: int,
    x: npt.NDArray[np.uint8],
    real: Outputs,
) -> tuple[int, int]:
    """On how many of how many images of x the int8 network names the float network's class.

    `image`: the manifest's entry of the input.
    """
    count = min(len(x), max(_LEAST, min(_MOST, _MACS // max(macs, 1))))
    reference = litert.Reference(tflite)
    inner = [reference.infer(v, logits_tensor)[0] for v in quantize_images(x[:count], image)]
    return int((classes(np.array(inner)) == classes(real(x[:count]))).sum()), count


def accuracy(real: Outputs, x: npt.NDArray[np.uint8], y: npt.NDArray[np.int64]) -> float:
    """Top-1 of the float network on the images that have a label."""
    chosen = y >= 0
    return float((classes(real(x[chosen])) == y[chosen]).mean())
