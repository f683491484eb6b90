"""Random changes to training images, a batch at a time in numpy. Imports no TensorFlow."""

import functools
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.model.settings.config import Train

Pixels = npt.NDArray[np.uint8]

_FIELD = 20  # bits of a packed channel: 255 * 32 * 32 takes 18


def augmented(x: Pixels, settings: Train, rng: np.random.Generator) -> Pixels:
    """Each image of x [n, h, w, c] changed at random as `settings` says; a new array of the same shape."""
    if settings.rotate or settings.zoom or settings.shear:
        x = _warped(x, settings, rng)
    elif settings.shift:
        x = _shifted(x, settings, rng)
    else:
        x = x.copy()
    if settings.flip:
        mirror = rng.random(len(x)) < 0.5
        x[mirror] = x[mirror, :, ::-1]
    if settings.brightness or settings.contrast:
        x = _relit(x, settings, rng)
    if settings.cutout:
        _cut_out(x, settings.cutout, rng)
    return x


def _padded(x: Pixels, border: int, pad: str) -> Pixels:
    mode: Literal["edge", "constant"] = "edge" if pad == "edge" else "constant"
    found: Pixels = np.pad(x, ((0, 0), (border, border), (border, border), (0, 0)), mode)
    return found


def _shifted(x: Pixels, settings: Train, rng: np.random.Generator) -> Pixels:
    n, height, width, _ = x.shape
    border = settings.shift
    rows = rng.integers(0, 2 * border + 1, (n, 1, 1)) + np.arange(height)[:, np.newaxis]
    columns = rng.integers(0, 2 * border + 1, (n, 1, 1)) + np.arange(width)
    found: Pixels = _padded(x, border, settings.pad)[np.arange(n)[:, np.newaxis, np.newaxis], rows, columns]
    return found


def _warped(x: Pixels, settings: Train, rng: np.random.Generator) -> Pixels:
    """Rotation, zoom and slant about the centre, then the shift: one bilinear look-up in 1/32 pixel steps."""
    n, height, width, channels = x.shape
    angle = np.deg2rad(rng.uniform(-settings.rotate, settings.rotate, (n, 1, 1))).astype(np.float32)
    scale = rng.uniform(1 - settings.zoom, 1 + settings.zoom, (n, 1, 1)).astype(np.float32)
    shift = rng.uniform(-settings.shift, settings.shift, (2, n, 1, 1)).astype(np.float32)
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    slant = (
        rng.uniform(-settings.shear, settings.shear, (n, 1, 1)).astype(np.float32) if settings.shear else 0
    )
    v = np.arange(height, dtype=np.float32)[:, np.newaxis] - (height - 1) / 2
    u = np.arange(width, dtype=np.float32) - (width - 1) / 2
    # One pixel of border all round; what would come from beyond it comes from it.
    row = np.clip(cos * v + sin * u + shift[0] + (height + 1) / 2, 0, height + 0.999)
    column = np.clip(
        cos * u - sin * v + slant * (cos * v + sin * u) + shift[1] + (width + 1) / 2, 0, width + 0.999
    )
    row32, column32 = (row * 32).astype(np.int32), (column * 32).astype(np.int32)
    top, left = row32 >> 5, column32 >> 5
    flat = _packed(_padded(x, 1, settings.pad)).reshape(-1)
    stride = width + 2
    at = (np.arange(n, dtype=np.int32)[:, np.newaxis, np.newaxis] * (height + 2) + top) * stride + left
    down, right = (row32 & 31).astype(np.int64), (column32 & 31).astype(np.int64)
    upper = flat.take(at) * (32 - right) + flat.take(at + 1) * right
    at += stride
    lower = flat.take(at) * (32 - right) + flat.take(at + 1) * right
    return _unpacked(upper * (32 - down) + lower * down + _packed(np.full(channels, 512)), channels)


def _packed(x: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """[..., 1 to 3 channels] -> [...]: the channels of a pixel in one integer, to be weighted together."""
    fields = (x[..., c].astype(np.int64) << (_FIELD * c) for c in range(x.shape[-1]))
    return functools.reduce(np.add, fields)


def _unpacked(sums: npt.NDArray[np.int64], channels: int) -> Pixels:
    """[...] of 1,024 times what `_packed` packs -> uint8 [..., channels]."""
    return np.stack([(sums >> (_FIELD * c + 10)) & 255 for c in range(channels)], -1).astype(np.uint8)


def _relit(x: Pixels, settings: Train, rng: np.random.Generator) -> Pixels:
    """x * (1 + contrast) about the image's mean, + brightness * 255."""
    shape = (len(x), 1, 1, 1)
    gain = 1 + rng.uniform(-settings.contrast, settings.contrast, shape).astype(np.float32)
    offset = 255 * rng.uniform(-settings.brightness, settings.brightness, shape).astype(np.float32)
    mean = x.mean((1, 2, 3), dtype=np.float32).reshape(shape)
    found: Pixels = np.clip((x - mean) * gain + mean + offset, 0, 255).astype(np.uint8)
    return found


def _cut_out(x: Pixels, side: int, rng: np.random.Generator) -> None:
    """Grays out one square of each image, in place; it may hang over the edge (DeVries and Taylor 2017)."""
    n, height, width, _ = x.shape
    top = rng.integers(-side // 2, height - side // 2, (n, 1))
    left = rng.integers(-side // 2, width - side // 2, (n, 1))
    rows = (np.arange(height) >= top) & (np.arange(height) < top + side)
    columns = (np.arange(width) >= left) & (np.arange(width) < left + side)
    x[rows[:, :, np.newaxis] & columns[:, np.newaxis, :]] = 127
