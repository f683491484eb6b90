"""A convolution's weights as integers of so many bits, a scale for every output channel."""

import numpy as np

from convert.ptq.rewrite import Integers

_MAX_BIAS = 1 << 30  # half of int32's range: sums are added to it


def largest(bits: int) -> int:
    """The largest weight of `bits` bits, and minus the smallest: TensorFlow Lite wants them symmetric."""
    return (1 << (bits - 1)) - 1


def full_range(weights: np.ndarray, bias: np.ndarray, source_scale: np.float32, bits: int) -> np.ndarray:
    """float32 [out]: scales at which a channel's largest weight becomes the largest integer.

    A larger one where the channel's bias would not fit int32 (a channel of zeros has no largest weight).
    """
    peak = np.abs(weights).reshape(len(weights), -1).max(1) / largest(bits)
    least = np.maximum(np.abs(bias) / (np.float64(source_scale) * _MAX_BIAS), 1e-12)
    return np.maximum(peak, least).astype(np.float32)


def nearest(weights: np.ndarray, scales: np.ndarray, bits: int) -> np.ndarray:
    """float32 [out, ...] -> int8 [out, ...]: each weight to the nearest integer."""
    steps = weights / scales.reshape(-1, *[1] * (weights.ndim - 1))
    return np.clip(np.round(steps), -largest(bits), largest(bits)).astype(np.int8)


def integers(weights: np.ndarray, scales: np.ndarray, bias: np.ndarray, source_scale: np.float32) -> Integers:
    """Weights int8 and their scales, with the float bias [out] in steps of both scales."""
    step = (np.float32(source_scale) * scales).astype(np.float64)
    return Integers(weights, scales, np.clip(np.round(bias / step), -_MAX_BIAS, _MAX_BIAS).astype(np.int32))
