"""The pictures that a watched device gets: of a folder, again and again, or of a page's camera."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.command_line.nearest import did_you_mean
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.data import folders, image_lists, pictures, sources
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.common.terminal import printable
from squeezenet_mcu.host_tools.classify import pictures as single
from squeezenet_mcu.host_tools.validate.inputs import Artefacts, load_pixels

CAMERA = "camera"
MOST = 1000  # pictures that are held; where there are more, these are spread evenly over all
_MOST_BYTES = 256 << 20  # of their pixels
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """One that goes in. `pixels`: uint8 [height, width, channels]; `image`: the int8 that the network gets.

    `label`: index of its class, -1 where it is unknown.
    """

    name: str
    label: int
    pixels: Pixels
    image: npt.NDArray[np.int8]


class Source(Protocol):
    """Where pictures come from. `name`: for people."""

    name: str
    camera: bool

    def take(self, seconds: float) -> Picture | None:
        """The next picture; None: none has come within so many seconds."""
        ...


class Folder:
    """Pictures that are held, one after the other, and again from the first."""

    camera = False

    def __init__(
        self, name: str, pixels: Pixels, labels: Sequence[int], names: Sequence[str], source: dict[str, Any]
    ) -> None:
        """`pixels`: uint8 [n, height, width, channels]; `source`: the manifest's "input"."""
        self.name = name
        self._pixels, self._labels, self._names, self._input = pixels, labels, names, source
        self._next = 0

    def __len__(self) -> int:
        return len(self._pixels)

    def take(self, seconds: float) -> Picture:
        """See Source; there always is one."""
        i = self._next
        self._next = (i + 1) % len(self._pixels)
        one = self._pixels[i : i + 1]
        return Picture(self._names[i], int(self._labels[i]), one[0], quantize_images(one, self._input)[0])


class Camera:
    """Frames that a page sends: the newest one, each is taken once."""

    camera = True

    def __init__(self, source: dict[str, Any]) -> None:
        """`source`: the manifest's "input"."""
        self.name = "the camera of a page"
        self._input = source
        self._shape = (source["height"], source["width"], source["channels"])
        self._frame: bytes | None = None
        self._count = 0
        self._changed = threading.Condition()

    @property
    def frame_bytes(self) -> int:
        """What a frame has: uint8 HWC, at the network's size."""
        return int(np.prod(self._shape))

    def offer(self, frame: bytes) -> bool:
        """A new frame, of any thread. False: it has not as many bytes as one has."""
        if len(frame) != self.frame_bytes:
            return False
        with self._changed:
            self._frame = bytes(frame)
            self._changed.notify_all()
        return True

    def take(self, seconds: float) -> Picture | None:
        """See Source."""
        with self._changed:
            if self._frame is None:
                self._changed.wait(seconds)
            frame, self._frame = self._frame, None
        if frame is None:
            return None
        self._count += 1
        pixels = np.frombuffer(frame, np.uint8).reshape(self._shape)
        image = quantize_images(pixels[np.newaxis], self._input)[0]
        return Picture(f"frame {self._count}", -1, pixels, image)


def of(artefacts: Artefacts, text: str | None) -> Folder | Camera:
    """What SOURCE=`text` names: "camera", a picture, a folder of pictures, or data as DATA= takes them.

    None: the model's own test images. UserError: there are none, or the network takes no pictures.
    """
    manifest = artefacts.manifest
    size = manifest["input"]
    if text == CAMERA and not Path(CAMERA).exists():
        if size["channels"] not in pictures.CHANNELS:
            raise UserError(
                f"{artefacts.model} takes images of {size['channels']} channels, which no camera has; want a "
                "network of 1, 3 or 4"
            )
        return Camera(size)
    most = max(1, min(MOST, _MOST_BYTES // (size["height"] * size["width"] * size["channels"])))
    if text is not None and _are_single(Path(text)):
        return _single(Path(text), manifest, most)
    if text is not None:
        _check_there(text)
    found, name = load_pixels(artefacts, text, most)
    for line in found.notices:
        notice(line)
    # Data are often sorted by class; a page is to show all of them soon. The same order each time.
    order = np.random.RandomState(0).permutation(len(found.x))
    names = [f"{printable(name)}, number {i + 1}" for i in order]
    return Folder(name, found.x[order], [int(label) for label in found.y[order]], names, size)


def _are_single(path: Path) -> bool:
    """Whether it is a picture, or a folder of pictures without any class."""
    if path.is_file():
        return pictures.is_read(path)
    if not path.is_dir() or (path / image_lists.LABELS_FILE).exists():
        return False
    return bool(folders.images_of(path)[0]) and not any(
        entry.is_dir() and not entry.name.startswith(".") for entry in path.iterdir()
    )


def _check_there(text: str) -> None:
    """UserError where `text` names nothing that has pictures."""
    path = Path(text)
    if sources.is_named(text) or path.suffix == ".npz":
        return
    if path.is_dir():
        if any(not entry.name.startswith(".") for entry in path.iterdir()):
            return
        found = "is empty;"
    else:
        hint = did_you_mean(text, (CAMERA, *sources.NAMES))
        found = "is no picture;" if path.exists() else f"no such pictures{hint or ';'}"
    raise UserError(
        f"{text}: {found} want a folder of pictures or of class folders, a picture, an .npz, camera, "
        "digits, cifar10 or random[:N]"
    )


def _single(path: Path, manifest: dict[str, Any], most: int) -> Folder:
    """Pictures of files, each by its name."""
    found = single.find([str(path)])
    for line in found.notices:
        notice(line)
    paths = found.paths[:most]
    if len(paths) < len(found.paths):
        notice(f"{path}: takes the first {most:,} of {len(found.paths):,} pictures")
    read = list(single.read_all(paths, manifest, lambda file, why: notice(f"{file}: left out: {why}")))
    if not read:
        raise UserError(f"{path}: none of its pictures can be read; want {', '.join(pictures.suffixes())}")
    pixels = np.stack([shown.pixels for shown in read])
    names = [printable(shown.path.name) for shown in read]
    return Folder(str(path), pixels, [-1] * len(read), names, manifest["input"])
