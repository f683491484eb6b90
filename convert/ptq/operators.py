"""TensorFlow Lite's operators on float32 batches, [n, height, width, channels], by BLAS."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from squeezenet_mcu.convert.lowering.state import VALID
from squeezenet_mcu.convert.lowering.tflite_file import Op, Tensor

Pads = tuple[tuple[int, int], tuple[int, int]]


def pads(op: Op, source: Tensor, out: Tensor, kernel: tuple[int, int]) -> Pads:
    """Rows above and below, columns left and right, that the operator's padding adds."""
    if op.options.padding == VALID:
        return (0, 0), (0, 0)
    found = []
    for axis, stride in enumerate((op.options.strideH, op.options.strideW)):
        total = max((out.shape[1 + axis] - 1) * stride + kernel[axis] - source.shape[1 + axis], 0)
        found.append((total // 2, total - total // 2))
    return found[0], found[1]


def columns(x: np.ndarray, kernel: tuple[int, int], stride: tuple[int, int], around: Pads) -> np.ndarray:
    """Every window of x as a row: [n * height' * width', kernel height * kernel width * channels].

    x keeps its type; padding is 0.
    """
    if kernel == (1, 1) and stride == (1, 1):
        return x.reshape(-1, x.shape[3])
    if any(map(any, around)):
        x = np.pad(x, ((0, 0), *around, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, (1, 2))[:, :: stride[0], :: stride[1]]
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kernel[0] * kernel[1] * x.shape[3])


def pool(x: np.ndarray, op: Op, source: Tensor, out: Tensor) -> np.ndarray:
    """MAX_POOL_2D or AVERAGE_POOL_2D; padding takes no part. x keeps its type where the maximum is taken."""
    kernel = (op.options.filterHeight, op.options.filterWidth)
    around = pads(op, source, out, kernel)
    step, shape = (op.options.strideH, op.options.strideW), out.shape[1:3]
    is_max = op.name == "MAX_POOL_2D"
    low = (-np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min) if is_max else 0
    padded = np.pad(x, ((0, 0), *around, (0, 0)), constant_values=low)
    ones = np.pad(np.ones((1, *x.shape[1:3], 1), np.float32), ((0, 0), *around, (0, 0)))

    def windows(values: np.ndarray) -> Sequence[np.ndarray]:
        return [
            values[
                :,
                i : i + (shape[0] - 1) * step[0] + 1 : step[0],
                j : j + (shape[1] - 1) * step[1] + 1 : step[1],
            ]
            for i in range(kernel[0])
            for j in range(kernel[1])
        ]

    if is_max:
        found = windows(padded)
        result = found[0].copy()
        for window in found[1:]:
            np.maximum(result, window, out=result)
        return result
    total: Any = sum(windows(padded))
    mean: np.ndarray = total / sum(windows(ones))
    return mean
