"""Many pictures out of files: what is done to them, and what is left out, becomes a line for the user."""

import bisect
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.data import fits, pictures
from squeezenet_mcu.common.data.images import Form, Images, colour, spread
from squeezenet_mcu.common.errors import UserError

_SHOWN = 5
_MANY = 500  # images, of which reading takes long enough to show how far it is
_LOOKED_AT = 100  # images, to learn what shape most have
_NO_PLACES: Mapping[int, Path] = MappingProxyType({})


def settled(form: Form, paths: list[Path]) -> Form:
    """`form` with a fit: where nobody has said which, that of the pictures in `paths`."""
    if form.fit != fits.AS_THE_PICTURES_ARE:
        return form
    some = [paths[i] for i in spread(len(paths), _LOOKED_AT)]
    sizes = [size for size in map(pictures.size_of, some) if size is not None]
    return replace(form, fit=fits.of_pictures(*form.size[:2], sizes))


def read_files(
    root: Path,
    paths: list[Path],
    y: npt.NDArray[np.int64],
    form: Form,
    names: list[str],
    places: Mapping[int, Path] = _NO_PLACES,
    limit: int | None = None,
    keys: npt.NDArray[np.float64] | None = None,
) -> Images:
    """The images in `paths`, classes `y`; those that cannot be read are left out, see _check_unreadable.

    `limit`: so many of them, evenly spread. The next one takes the place of one that cannot be read.
    `keys` [n]: of the images, see Images.
    """
    channels = form.size[2]
    if channels not in pictures.CHANNELS:
        raise UserError(
            f"{root}: the model takes images of {channels} channels, which no picture has; want an .npz with "
            f"uint8 [n, h, w, {channels}]"
        )
    chosen = [int(i) for i in spread(len(paths), limit)]
    form = settled(form, [paths[i] for i in chosen])
    x = np.empty((len(chosen), *form.size), np.uint8)
    bad: dict[int, str] = {}
    read: list[int] = []
    strange: dict[int, str] = {}
    resized, recoloured, opaque = 0, 0, 0
    quiet = len(chosen) < _MANY or not sys.stdout.isatty()
    spare = _Spare(len(paths), chosen)
    for first in terminal.track(chosen, f"reading {root}", disable=quiet):
        i: int | None = first
        picture = None
        while i is not None and picture is None:
            path = paths[i]
            try:
                picture = pictures.read(path, *form.size, form.fit)
            except pictures.PictureError as error:
                bad[i] = f"{path} ({error})"
                # Where most of the files are bad, _check_unreadable has the word.
                i = spare.behind(i) if len(bad) <= max(_SHOWN, len(chosen) // 2) else None
        if i is None or picture is None:
            continue
        x[len(read)] = picture.pixels
        read.append(i)
        resized += picture.resized
        recoloured += picture.recoloured
        opaque += picture.opaque
        if picture.warning:
            strange[i] = f"{path}: {picture.warning}"
    notices = []
    if bad:
        tried = len(read) + len(bad)
        _check_unreadable(root, tried, bad, y, places)
        notices.append(f"{root}: {_unreadable(list(bad.values()), tried)}: left out")
    if strange:
        notices.append(
            f"{root}: read, but Pillow warns of {len(strange)} images: {next(iter(strange.values()))}"
        )
    if opaque:
        if opaque == len(read):
            raise UserError(
                f"{root}: no image has an alpha channel; the model takes RGBA (4 channels): want PNG, WebP "
                "or TIFF with one, or an .npz"
            )
        notices.append(f"{root}: {opaque} images without an alpha channel: taken for opaque ones")
    if recoloured:
        notices.append(f"{root}: turned {recoloured} images to {colour(channels)}")
    if resized:
        notices.append(f"{form.notice(root, resized)} (bilinear)")
    of_read = None if keys is None else keys[read]
    return Images(x[: len(read)], y[read], names, notices, places, form.fit, of_read)


class _Spare:
    """Of `count` files, those that are not `chosen`."""

    def __init__(self, count: int, chosen: list[int]) -> None:
        self._free = sorted(set(range(count)) - set(chosen))

    def behind(self, index: int) -> int | None:
        """The next one behind `index`, or the first of all; it is taken then. None where there is none."""
        if not self._free:
            return None
        return self._free.pop(bisect.bisect(self._free, index) % len(self._free))


def kinds(paths: Iterable[Path]) -> str:
    """How many of which extension: "10 .heic, 2 .cr2"; the most first."""
    counts = Counter(path.suffix.lower() for path in paths)
    return ", ".join(f"{count:,} {suffix}" for suffix, count in counts.most_common(_SHOWN))


def of_other_kinds(root: Path, paths: list[Path]) -> list[str]:
    """A notice where there are `paths`: pictures of kinds that are not read."""
    if not paths:
        return []
    hints = sorted(
        {f"{path.suffix.lower()} {pictures.advice(path)}" for path in paths if pictures.advice(path)}
    )
    also = f" ({'; '.join(hints)})" if hints else ""
    return [f"{root}: left out {len(paths):,} images of kinds that are not read: {kinds(paths)}{also}"]


def _unreadable(bad: list[str], count: int) -> str:
    shown = ", ".join(bad[:_SHOWN]) + (", ..." if len(bad) > _SHOWN else "")
    return f"{len(bad)} of {count} images cannot be read: {shown}"


def _check_unreadable(
    root: Path,
    tried: int,
    bad: Mapping[int, str],
    y: npt.NDArray[np.int64],
    places: Mapping[int, Path],
) -> None:
    """UserError where more than half of the images cannot be read, or of a class's in one of `places`."""
    fix = "; mend or remove them"
    for index, place in places.items():
        broken = [said for i, said in bad.items() if y[i] == index]
        count = int((y == index).sum())
        if len(broken) > 1 and 2 * len(broken) > count:  # one file stops nobody
            raise UserError(f"{place}: {_unreadable(broken, count)}{fix}")
    if 2 * len(bad) > tried:
        raise UserError(f"{root}: {_unreadable(list(bad.values()), tried)}{fix}")
