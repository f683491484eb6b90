"""PyTorch's .pth, a zip with a pickle and the values: the state dict of torchvision's SqueezeNets.

Source: PyTorch's torch.serialization (since 1.6), torchvision.models.squeezenet. The pickle is read as data
(pickled.py). Layers are numbered there: features.0 is conv1, each features.N with squeeze and expands
the next fire module, classifier.1 conv10.
"""

import math
import re
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.archives import zips
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line, shown
from squeezenet_mcu.model.importers import pickled
from squeezenet_mcu.model.importers.checks import Arrays, Shapes

_PICKLE = "data.pkl"
_WANTED = "torchvision's squeezenet1_1-b8a52dc0.pth, or torch.save(model.state_dict(), ...) of such a network"
_OLD = b"\x80\x02\x8a\x0a"  # how the format before PyTorch 1.6 begins: a pickle of a number of 10 bytes
_LAYER = re.compile(
    r"(?:features\.(\d{1,3})(?:\.(squeeze|expand1x1|expand3x3))?|(classifier\.1))\.(weight|bias)", re.ASCII
)


def load(path: Path, shapes: Shapes) -> dict[str, Arrays]:
    """Kernels (HWIO) and biases by layer. Raises UserError."""
    with path.open("rb") as stream:
        if stream.read(len(_OLD)) == _OLD:
            raise UserError(
                f"{path}: of PyTorch before 1.6, whose format is not read; want it saved anew: "
                "torch.save(torch.load(file, weights_only=True), file)"
            )
    # The largest storage that can be right; more is not read, whatever a zip unpacks to.
    most = 4 * max(map(math.prod, shapes.values()))
    try:
        with zips.opened(path) as archive:
            return _layers(_tensors(archive, most, 2 * len(shapes)))
    except UserError as error:
        raise UserError(f"{path}: {error}; want {_WANTED}") from None
    except Exception as error:  # zipfile lets through whatever a damaged file causes
        raise UserError(f"{path}: not a .pth file ({one_line(str(error), 100)}); want {_WANTED}") from error


def _tensors(archive: zipfile.ZipFile, most: int, count: int) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors of the state dict, at most `count` of at most `most` bytes each. UserError."""
    members = {member.filename: member for member in archive.infolist()}
    pickles = [name for name in members if name.rpartition("/")[2] == _PICKLE]
    if len(pickles) != 1:
        raise UserError(f"{len(pickles)} members {_PICKLE} in the zip")
    folder = pickles[0].removesuffix(_PICKLE)
    order = members.get(f"{folder}byteorder")
    if order is not None and _content(archive, order, 16) != b"little":
        raise UserError("its values are not little-endian")
    try:
        found = pickled.read(_content(archive, members[pickles[0]], pickled.MOST_BYTES))
    except ValueError as error:
        raise UserError(one_line(str(error), 300)) from None
    if len(found) > count:
        raise UserError(
            f"{len(found):,} tensors for {count // 2} layers of a kernel and a bias: another network's?"
        )
    arrays = {}
    for name, tensor in found.items():
        key = f"{folder}data/{tensor.storage.key}"
        if key not in members:
            raise UserError(f"{shown(name)}: its values, {shown(key)}, are not in the zip")
        values = _content(archive, members[key], most)
        size = math.prod(tensor.size)
        if len(values) != 4 * tensor.storage.count or tensor.offset + size > tensor.storage.count:
            raise UserError(
                f"{shown(name)}: {len(values):,} bytes of values; want {4 * tensor.storage.count:,}, and "
                f"{size:,} float32 in them from value {tensor.offset:,} on"
            )
        if size and tensor.stride != _packed_strides(tensor.size):
            raise UserError(
                f"{shown(name)} lies in memory in another order than its shape says: .contiguous()"
            )
        array = np.frombuffer(values, "<f4", size, 4 * tensor.offset)
        arrays[name] = array.astype(np.float32).reshape(tensor.size)
    return arrays


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    if member.file_size > most:
        raise UserError(
            f"{shown(member.filename)} unpacks to {member.file_size:,} bytes; at most {most:,} are read"
        )
    with archive.open(member) as stream:
        return stream.read()


def _packed_strides(size: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(size[axis + 1 :]) for axis in range(len(size)))


def _layers(tensors: dict[str, npt.NDArray[np.float32]]) -> dict[str, Arrays]:
    """PyTorch's names and OIHW as the network's names and HWIO."""
    parts = {name: _LAYER.fullmatch(name) for name in tensors}
    for name, match in parts.items():
        if match is None:
            raise UserError(f"{shown(name)} is no tensor of torchvision's SqueezeNets")
    places = sorted({int(m[1]) for m in parts.values() if m is not None and m[2]})
    fires = {place: f"fire{number}" for number, place in enumerate(places, 2)}
    found: dict[str, dict[str, npt.NDArray[np.float32]]] = {}
    for name, match in parts.items():
        assert match is not None
        layer = "conv10" if match[3] else "conv1"
        if match[2]:
            layer = f"{fires[int(match[1])]}_{'squeeze1x1' if match[2] == 'squeeze' else match[2]}"
        elif match[1] and int(match[1]):
            raise UserError(f"{shown(name)} is no tensor of torchvision's SqueezeNets")
        if match[4] in found.setdefault(layer, {}):
            raise UserError(f"{shown(name)}: {layer} comes twice")
        found[layer][match[4]] = tensors[name]
    for layer, arrays in found.items():
        if arrays.keys() != {"weight", "bias"} or arrays["weight"].ndim != 4:
            raise UserError(f"{layer} has {' and '.join(arrays)}; want a weight of 4 dimensions and a bias")
    return {
        layer: (np.ascontiguousarray(arrays["weight"].transpose(2, 3, 1, 0)), arrays["bias"])
        for layer, arrays in found.items()
    }
