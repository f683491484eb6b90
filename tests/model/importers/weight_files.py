"""Writes weights as others do, from kernels HWIO and biases: each format once more, the other way round."""

import struct
from pathlib import Path

import numpy as np

from squeezenet_mcu.model.importers import Arrays, Shapes

# A network of every kind of kernel, small enough for thousands of files.
SHAPES = {
    "conv1": (3, 3, 3, 4),
    "fire2_squeeze1x1": (1, 1, 4, 2),
    "fire2_expand1x1": (1, 1, 2, 3),
    "fire2_expand3x3": (3, 3, 2, 3),
    "conv10": (1, 1, 6, 5),
}


def random_weights(shapes: Shapes, seed: int = 0, density: float = 1.0) -> dict[str, Arrays]:
    """Weights of which about the share `density` is not zero, each layer's from 255 values."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in shapes.items():
        values = rng.normal(0, np.sqrt(2 / np.prod(shape[:3])), 255).astype(np.float32)
        kernel = np.where(rng.random(shape) < density, rng.choice(values, shape), 0).astype(np.float32)
        weights[name] = kernel, rng.normal(size=shape[3]).astype(np.float32)
    return weights


def authors_name(name: str) -> str:
    """fire2_squeeze1x1 -> fire2/squeeze1x1, as Caffe and the .npz files have it."""
    return name.replace("_", "/")


def oihw(kernel: np.ndarray) -> np.ndarray:
    return kernel.transpose(3, 2, 0, 1)


def same(one: dict[str, Arrays], other: dict[str, Arrays]) -> None:
    assert list(one) == list(other)
    for name, pair in one.items():
        for a, b in zip(pair, other[name], strict=True):
            assert a.dtype == b.dtype == np.float32
            np.testing.assert_array_equal(a, b)


def net_layer(kernel: np.ndarray, bias: np.ndarray) -> tuple[int, bytes]:
    """A layer of a Deep Compression file: how many entries, and its bytes."""
    flat = oihw(kernel).ravel().tolist()
    values = sorted({value for value in flat if value})
    codes = {value: i for i, value in enumerate(values, 1)} | {0.0: 0}
    indices, gaps = [], []
    gap = 0
    for value in flat:
        if value or gap == 15:  # a zero where 15 gap before it: a filler
            indices.append(codes[value])
            gaps.append(gap)
            gap = 0
        else:
            gap += 1
    halves = [*gaps, 0][: len(gaps) + len(gaps) % 2]
    packed = bytes(low | high << 4 for low, high in zip(halves[::2], halves[1::2], strict=True))
    codebook = np.zeros(256, "<f4")
    codebook[1 : 1 + len(values)] = values
    return len(indices), codebook.tobytes() + bias.astype("<f4").tobytes() + bytes(indices) + packed


def net(weights: dict[str, Arrays]) -> bytes:
    """A Deep Compression file."""
    layers = [net_layer(*pair) for pair in weights.values()]
    return struct.pack(f"<{len(layers)}I", *(count for count, _ in layers)) + b"".join(b for _, b in layers)


def npz(path: Path, weights: dict[str, Arrays], **changes: np.ndarray | None) -> Path:
    """A Keras-style .npz; `changes`: arrays by name, with _ for /, None for none."""
    arrays = {}
    for name, (kernel, bias) in weights.items():
        arrays |= {f"{authors_name(name)}/kernel": kernel, f"{authors_name(name)}/bias": bias}
    for name, array in changes.items():
        arrays[authors_name(name)] = array
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def caffemodel(weights: dict[str, Arrays], v1: bool = False) -> bytes:
    """A .caffemodel, by protobuf, with layers without weights in it, as Caffe writes them."""
    from squeezenet_mcu.model.importers.caffe import NetParameter

    message = NetParameter(name=b"SqueezeNet")
    layers = message.layers if v1 else message.layer
    layers.add(name=b"data")
    for name, (kernel, bias) in weights.items():
        layer = layers.add(name=authors_name(name).encode())
        for array in (oihw(kernel), bias):
            blob = layer.blobs.add(data=array.ravel().tolist())
            if v1:
                dims = (1,) * (4 - array.ndim) + array.shape
                blob.num, blob.channels, blob.height, blob.width = dims
            else:
                blob.shape.dim.extend(array.shape)
        layers.add(name=b"relu_" + layer.name)
    return message.SerializeToString()


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def caffemodel_by_hand(weights: dict[str, Arrays], packed: bool, v1: bool) -> bytes:
    """The same without protobuf, from caffe.proto's numbers, with fields in it that the importer skips."""
    out = _field(1, b"by hand") + _field(102, b"a field of the future")
    for name, (kernel, bias) in weights.items():
        blobs = b""
        for array in (oihw(kernel), bias):
            floats = [struct.pack("<f", value) for value in array.ravel().tolist()]
            if packed:
                blob = _field(5, b"".join(floats))
            else:
                blob = b"".join(_varint(5 << 3 | 5) + value for value in floats)
            blob += _field(6, struct.pack("<2f", 1, 2))  # diff
            if v1:
                dims = (1,) * (4 - array.ndim) + array.shape
                blob += b"".join(_varint(i << 3) + _varint(dim) for i, dim in enumerate(dims, 1))
            else:
                dims = b"".join(map(_varint, array.shape))
                blob += _field(7, _field(1, dims))
            blobs += _field(6 if v1 else 7, blob)
        title, kind = (4, 5) if v1 else (1, 2)
        layer = _field(title, authors_name(name).encode()) + blobs
        layer += _varint(kind << 3) + _varint(4) if v1 else _field(kind, b"Convolution")
        out += _field(2 if v1 else 100, layer)
    return out
