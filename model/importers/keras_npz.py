"""Keras-style .npz: <layer>/kernel [height, width, in, out] and <layer>/bias [out], floating point."""

import io
import math
import zipfile
from pathlib import Path

import numpy as np

from squeezenet_mcu.common.archives import npy, zips
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import shown
from squeezenet_mcu.model.importers.checks import Arrays, Shapes, layer_name

_HEADER = 4096  # more than the header of any plain array
_PARTS = ("kernel", "bias")


def load(path: Path, shapes: Shapes) -> dict[str, Arrays]:
    """Kernels (HWIO) and biases by layer; fire2/squeeze1x1 is fire2_squeeze1x1. Raises UserError."""
    found: dict[str, dict[str, np.ndarray]] = {}
    # The largest array that can be right, of float64; more is not read, whatever a zip unpacks to.
    most = 8 * max(map(math.prod, shapes.values())) + _HEADER
    try:
        archive = zips.opened(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UserError(f"{path}: not an .npz file ({_line(error)}); want {_wanted(shapes)}") from error
    with archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy").removesuffix(":0")
            layer, _, part = name.rpartition("/")
            if part not in _PARTS or not layer:
                raise UserError(f"{path}: array {shown(name)} is unknown; want {_wanted(shapes)}")
            if member.file_size > most:
                raise UserError(
                    f"{path}: array {shown(name)} unpacks to {member.file_size} bytes; want at most {most}"
                )
            if part in found.setdefault(layer_name(layer), {}):
                raise UserError(f"{path}: array {shown(name)} comes twice; want it once")
            found[layer_name(layer)][part] = _array(path, archive, member, name)
    for layer, arrays in found.items():
        missing = [part for part in _PARTS if part not in arrays]
        if missing:
            raise UserError(f"{path}: {shown(layer)} has no {missing[0]}; want {_wanted(shapes)}")
    return {layer: (arrays["kernel"], arrays["bias"]) for layer, arrays in found.items()}


def _array(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> np.ndarray:
    """One member as float32."""
    try:
        # All of it first: zipfile checks the CRC-32 only at a member's end.
        stream = io.BytesIO(archive.read(member))
        npy.header(stream)
        stream.seek(0)
        array = np.lib.format.read_array(stream, allow_pickle=False)
    except Exception as error:  # zipfile and numpy let through whatever a damaged file causes
        raise UserError(
            f"{path}: array {shown(name)} cannot be read ({_line(error)}); want a plain array"
        ) from error
    if stream.read(1):
        raise UserError(f"{path}: array {shown(name)} has bytes left over behind its {array.size} values")
    if array.dtype.kind != "f":
        raise UserError(f"{path}: array {shown(name)} is {array.dtype}; want floating point")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, which is refused
        return np.ascontiguousarray(array, np.float32)


def _wanted(shapes: Shapes) -> str:
    first = next(iter(shapes))
    return f"{first}/kernel, {first}/bias and so on for {len(shapes)} layers"


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 100 else text[:97] + "..."
