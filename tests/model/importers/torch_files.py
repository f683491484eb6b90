"""Writes .pth files as torch.save does, without PyTorch and Python's pickle: instruction by instruction."""

import io
import struct
import zipfile

import numpy as np

from squeezenet_mcu.model.importers import Arrays
from tests.model.importers.weight_files import oihw

FIRES = (3, 4, 6, 7, 9, 10, 11, 12)  # features.N of v1.1's fire2 to fire9
EMPTY = b"ccollections\nOrderedDict\n)R"


def name_of(layer: str, fires: tuple[int, ...] = FIRES) -> str:
    """fire2_squeeze1x1 -> features.3.squeeze, as torchvision calls it."""
    if layer in ("conv1", "conv10"):
        return "features.0" if layer == "conv1" else "classifier.1"
    fire, _, part = layer.partition("_")
    return f"features.{fires[int(fire.removeprefix('fire')) - 2]}.{part.replace('squeeze1x1', 'squeeze')}"


def text(value: str) -> bytes:
    """The instruction that pushes a text."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    """The instruction that pushes a whole number, the shortest there is."""
    if 0 <= value < 256:
        return b"K" + bytes([value])
    return b"M" + struct.pack("<H", value) if 0 <= value < 65536 else b"J" + struct.pack("<i", value)


def numbers(values: tuple[int, ...]) -> bytes:
    """The instructions that push a tuple."""
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    key: str, shape: tuple[int, ...], kind: str = "FloatStorage", **other: int | tuple[int, ...]
) -> bytes:
    """The instructions that push a tensor; `other`: count, offset, stride that are not as they should be."""
    packed = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    count, offset = other.get("count", int(np.prod(shape))), other.get("offset", 0)
    storage = (
        b"("
        + text("storage")
        + f"ctorch\n{kind}\n".encode()
        + text(key)
        + text("cpu")
        + number(count)
        + b"tQ"
    )
    arguments = (
        storage + number(offset) + numbers(shape) + numbers(other.get("stride", packed)) + b"\x89" + EMPTY
    )
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def state_dict(tensors: dict[str, bytes]) -> bytes:
    """The pickle of an OrderedDict of them, with the _metadata that a module's state dict has."""
    items = b"".join(text(name) + made for name, made in tensors.items())
    metadata = b"}" + text("_metadata") + EMPTY + text("features.0") + b"}" + text("version") + b"K\x01sssb"
    return b"\x80\x02" + EMPTY + b"q\x00(" + items + b"u" + metadata + b"."


def arrays(weights: dict[str, Arrays]) -> dict[str, np.ndarray]:
    """By torchvision's names, in OIHW."""
    found = {}
    for layer, (kernel, bias) in weights.items():
        found[f"{name_of(layer)}.weight"] = oihw(kernel)
        found[f"{name_of(layer)}.bias"] = bias
    return found


def zipped(pickle: bytes, values: list[bytes], **members: bytes) -> bytes:
    """The zip around a pickle; `members`: further ones, by name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickle)
        for number_, content in enumerate(values):
            archive.writestr(f"archive/data/{number_}", content)
        for name, content in {"version": b"3\n", **members}.items():
            archive.writestr(f"archive/{name}", content)
    return stream.getvalue()


def pth(weights: dict[str, Arrays], **members: bytes) -> bytes:
    """A .pth with these weights, as torch.save(model.state_dict(), ...) writes it."""
    named = arrays(weights)
    made = {name: tensor(str(i), array.shape) for i, (name, array) in enumerate(named.items())}
    return zipped(state_dict(made), [array.astype("<f4").tobytes() for array in named.values()], **members)
