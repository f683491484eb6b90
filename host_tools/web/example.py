"""The example of a page: the model's golden pair, an input and what LiteRT answered when it was converted."""

import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files, preprocess
from squeezenet_mcu.common.archives import npy, zips
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.convert.verify import exactness
from squeezenet_mcu.host_tools.validate.inputs import Artefacts

_FILE = "golden.npz"
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Example:
    """int8 [height * width * channels], [classes], [classes].

    `pixels`: bytes [height * width * channels], RGB, that become `input`; None of random values, no picture.
    """

    input: bytes
    logits: bytes
    probabilities: bytes
    pixels: bytes | None


def load(artefacts: Artefacts) -> Example:
    """Of build/<model>/golden.npz. UserError: it is missing, damaged, or of another conversion."""
    manifest = artefacts.manifest
    path, fix = artefacts.folder / _FILE, f"run: make convert MODEL={artefacts.model}"
    content = files.read_input(path, _MOST_BYTES, fix)
    found, wanted = files.sha256(content), manifest["files"].get(_FILE)
    if found != wanted:
        raise UserError(f"{path}: SHA-256 is {found}, the manifest has {wanted}; {fix}")
    size = manifest["input"]
    shape = (size["height"], size["width"], size["channels"])
    classes = (manifest["output"]["classes"],)
    try:
        with zips.opened(content) as archive:
            image, logits, probabilities = (
                _array(archive, name, want)
                for name, want in (("input", shape), ("logits", classes), ("probabilities", classes))
            )
    except Exception as error:  # zipfile and numpy let through whatever a damaged file causes
        raise UserError(f"{path}: no golden pair of this model: {one_line(str(error))}; {fix}") from error
    pixels = None if _is_synthetic(image) else pixels_of(image, size)
    return Example(image.tobytes(), logits.tobytes(), probabilities.tobytes(), pixels)


def _array(archive: zipfile.ZipFile, name: str, want: tuple[int, ...]) -> npt.NDArray[np.int8]:
    """ValueError, before memory is taken: another type or shape."""
    member = f"{name}.npy"
    with archive.open(member) as stream:
        shape, dtype = npy.header(stream)
    if dtype != np.int8 or shape != want:
        raise ValueError(f"{name} is {dtype} {list(shape)}; want int8 {list(want)}")
    with archive.open(member) as stream:  # numpy knows in which order the values lie
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False), np.int8)


def _is_synthetic(image: npt.NDArray[np.int8]) -> bool:
    """Whether `convert` had no image, and took noise."""
    return bool((image == exactness.sample_images(image.shape, 1)[0]).all())


def pixels_of(image: npt.NDArray[np.int8], source: dict[str, Any]) -> bytes | None:
    """Pixels that become `image`, int8 [height, width, channels]; None where no pixels do.

    `source`: see common.preprocess.quantize_images.
    """
    channels = image.shape[2]
    table = preprocess.tables(channels, source)
    pixels = np.empty(image.shape, np.uint8)
    for channel, byte in enumerate(preprocess.byte_of(source["preprocess"], channels)):
        values = np.zeros(256, np.uint8)
        values[table[channel].astype(np.int16) + 128] = np.arange(256)
        pixels[:, :, byte] = values[image[:, :, channel].astype(np.int16) + 128]
    same = preprocess.quantize_images(pixels[np.newaxis], source)[0]
    return pixels.tobytes() if (same == image).all() else None
