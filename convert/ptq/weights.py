"""A convolution's weights as integers of so many bits, a scale for every output channel."""

import numpy as np

from squeezenet_mcu.convert.ptq.rewrite import Integers

_MAX_BIAS = 1 << 30  # half of int32's range: sums are added to it


def largest(bits: int) -> int:
    """The largest weight of `bits` bits, and minus the smallest: TensorFlow Lite wants them symmetric."""
    return (1 << (bits - 1)) - 1


# Scales are powers of two to this: so few different ones that they cost next to nothing in flash, and a
# channel's largest weight is at most 11 % below the largest integer.
_SCALES_AN_OCTAVE = 6
_BIAS_STEPS = 16  # of an output's step at least: finer ones change nothing but the bits that biases take
_MOST_BIAS_ZEROS = 7  # bits


def full_range(weights: np.ndarray, bias: np.ndarray, source_scale: np.float32, bits: int) -> np.ndarray:
    """float32 [out]: scales at which a channel's largest weight becomes the largest integer, or nearly.

    A larger one where the channel's bias would not fit int32 (a channel of zeros has no largest weight).
    """
    peak = np.abs(weights).reshape(len(weights), -1).max(1) / largest(bits)
    least = np.maximum(np.abs(bias) / (np.float64(source_scale) * _MAX_BIAS), 1e-12)
    exponent = np.ceil(np.log2(np.maximum(peak, least)) * _SCALES_AN_OCTAVE - 1e-6) / _SCALES_AN_OCTAVE
    found: np.ndarray = np.exp2(exponent).astype(np.float32)
    return found


def nearest(weights: np.ndarray, scales: np.ndarray, bits: int) -> np.ndarray:
    """float32 [out, ...] -> int8 [out, ...]: each weight to the nearest integer."""
    steps = weights / scales.reshape(-1, *[1] * (weights.ndim - 1))
    found: np.ndarray = np.clip(np.round(steps), -largest(bits), largest(bits)).astype(np.int8)
    return found


def integers(
    weights: np.ndarray, scales: np.ndarray, bias: np.ndarray, source_scale: np.float32, out_scale: np.float32
) -> Integers:
    """Weights int8 and their scales, with the float bias [out] in steps of both scales.

    Biases end with as many zero bits as a small part of the output's step leaves them.
    """
    step = (np.float32(source_scale) * scales).astype(np.float64)
    least = float(out_scale) / (float(step.max()) * _BIAS_STEPS)
    unit = 1 << int(np.clip(np.floor(np.log2(least)), 0, _MOST_BIAS_ZEROS))
    whole = np.clip(np.round(bias / (step * unit)), -(_MAX_BIAS // unit), _MAX_BIAS // unit) * unit
    return Integers(weights, scales, whole.astype(np.int32))
