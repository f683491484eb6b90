"""The file of the Deep Compression authors: pruned weights as codebook indices and gaps.

Source: Han, Mao and Dally, "Deep Compression", arXiv:1510.00149, and github.com/songhan/SqueezeNet-Deep-
Compression, whose decode.py reads it. Little endian: uint32 count of stored entries of each layer; then for
each layer float32 codebook [256], float32 bias [out], uint8 index [count], and 4-bit gaps [count], the low
half of a byte first. An entry lies gap + 1 weights behind the one before, in Caffe's order (out, in, height,
width). Weights that no entry names are 0; an entry of index 0 is 0 too, a step across more than 16 zeros.
"""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.importers.checks import Arrays, Shapes

_CODES = 256


def load(path: Path, shapes: Shapes) -> dict[str, Arrays]:
    """Kernels (HWIO) and biases, layers in the order of `shapes`. Raises UserError."""
    data = path.read_bytes()
    header = 4 * len(shapes)
    if len(data) < header:
        raise UserError(
            f"{path}: {len(data)} bytes; want at least {header}, the counts of {len(shapes)} layers"
        )
    counts = np.frombuffer(data, "<u4", len(shapes)).tolist()
    for (name, shape), count in zip(shapes.items(), counts, strict=True):
        if count > math.prod(shape):
            raise UserError(
                f"{path}: {name}: {count} entries for {math.prod(shape)} weights; want at most as many: "
                "another network's, or damaged"
            )
    size = header + sum(
        4 * (_CODES + shape[3]) + count + (count + 1) // 2
        for shape, count in zip(shapes.values(), counts, strict=True)
    )
    if len(data) != size:
        raise UserError(
            f"{path}: {len(data)} bytes; want {size}, as its counts say: cut off, too long, damaged?"
        )
    offset = header
    found = {}
    for (name, shape), count in zip(shapes.items(), counts, strict=True):
        codebook = np.frombuffer(data, "<f4", _CODES, offset)
        offset += codebook.nbytes
        bias = np.frombuffer(data, "<f4", shape[3], offset).astype(np.float32)
        offset += bias.nbytes
        indices = np.frombuffer(data, np.uint8, count, offset)
        offset += count
        packed = np.frombuffer(data, np.uint8, (count + 1) // 2, offset)
        offset += packed.nbytes
        if codebook[0] != 0:
            raise UserError(f"{path}: {name}: codebook entry 0 is {codebook[0]}; want 0.0, the pruned weight")
        positions = _positions(packed, count)
        if count and positions[-1] >= math.prod(shape):
            raise UserError(
                f"{path}: {name}: an entry at position {positions[-1]}; want below {math.prod(shape)}, the "
                "number of its weights"
            )
        height, width, inputs, outputs = shape
        weights = np.zeros(math.prod(shape), np.float32)
        weights[positions] = codebook[indices]
        kernel = weights.reshape(outputs, inputs, height, width).transpose(2, 3, 1, 0)
        found[name] = np.ascontiguousarray(kernel), bias
    return found


def _positions(packed: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.int64]:
    """Where the entries lie, int64 [count], from their gaps, two to a byte."""
    gaps = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:count]
    return np.cumsum(gaps.astype(np.int64) + 1) - 1
