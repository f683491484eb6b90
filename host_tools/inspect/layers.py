"""Every layer of an image on a device against LiteRT: which differs first, and in which value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.inspect.expected import Map, crc
from squeezenet_mcu.host_tools.link.device import Result
from squeezenet_mcu.host_tools.link.watch import MapSeen, Watch, What


class Watches(Protocol):
    """A host_tools.link.device.Device, or what stands for one."""

    def infer_watched(
        self, image: npt.NDArray[np.int8], watch: Watch
    ) -> tuple[Result, list[tuple[int, ...]]]:
        """See Device."""
        ...


class Expects(Protocol):
    """An expected.Expected, or what stands for one."""

    maps: list[Map]

    def rows(self, image: npt.NDArray[np.int8]) -> dict[int, npt.NDArray[np.int8]]:
        """See Expected."""
        ...


@dataclass(frozen=True)
class Value:
    """The first int8 that differs. All count from 0; `channel`: of the layer's own."""

    image: int
    layer: str
    row: int
    column: int
    channel: int
    expected: int
    got: int

    def __str__(self) -> str:
        return (
            f"image {self.image}, layer {self.layer}, row {self.row}, column {self.column}, "
            f"channel {self.channel}: expected {self.expected}, got {self.got}"
        )


@dataclass
class Report:
    """What was compared. `differing`: the map of the first difference; `value`: what differs in it.

    `value` is None, with a `differing`, where the device did not make the difference a second time.
    """

    images: int = 0
    rows: int = 0
    values: int = 0
    differing: Map | None = None
    value: Value | None = None
    interrupted: bool = False
    layers: list[dict[str, Any]] = field(default_factory=list)  # of the last image

    @property
    def exact(self) -> bool:
        """True where there were images and no row differed."""
        return self.images > 0 and self.differing is None


def compare_all(
    device: Watches,
    expected: Expects,
    images: npt.NDArray[np.int8],
    on_image: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Compares images, int8 [n, height, width, channels], up to the first that differs, or to Ctrl-C."""
    report = Report()
    try:
        for number, image in enumerate(images):
            _compare(device, expected, image, number, report)
            on_image(report)
            if report.differing:
                break
    except KeyboardInterrupt:
        report.interrupted = True
    return report


def _compare(
    device: Watches, expected: Expects, image: npt.NDArray[np.int8], number: int, report: Report
) -> None:
    wanted = expected.rows(image)
    seen = [MapSeen(*entry) for entry in device.infer_watched(image, Watch(What.MAPS))[1]]
    _check_forms(expected.maps, seen)
    report.layers = []
    report.images += 1
    for of in expected.maps:
        entry: dict[str, Any] = {"layers": list(of.layers), "output": list(of.shape), "equal": None}
        report.layers.append(entry)
        if not of.known:
            continue
        rows = wanted[of.number]
        entry |= {"crc32": f"{seen[of.number].crc:08x}", "equal": seen[of.number].crc == crc(rows)}
        report.rows += len(rows)
        report.values += rows.size
        if not entry["equal"] and report.differing is None:
            report.differing = of
    if report.differing:
        report.value = _find(device, report.differing, wanted[report.differing.number], image, number)


def _check_forms(maps: list[Map], seen: list[MapSeen]) -> None:
    """UserError where the device's maps are not those of the .tflite as we lower it."""
    wanted = {of.number: of.shape for of in maps}
    found = {number: (of.height, of.width, of.channels) for number, of in enumerate(seen)}
    if wanted != found:
        differs = next(
            number for number in sorted(wanted.keys() | found) if wanted.get(number) != found.get(number)
        )
        raise UserError(
            f"the device's map {differs} is {found.get(differs)}, this checkout wants {wanted.get(differs)}: "
            "its firmware is of another checkout; flash it again: make flash INSPECT=1"
        )


def _find(
    device: Watches, of: Map, rows: npt.NDArray[np.int8], image: npt.NDArray[np.int8], number: int
) -> Value | None:
    """The first value of a map that differs: the image is sent again for its rows, then for a row's bytes."""
    row = _first_row(device, of, rows, image)
    if row is None:
        return None
    at, width, offset = rows[row], rows.shape[1], 0
    while offset < width:
        entries = device.infer_watched(image, Watch(What.BYTES, of.number, row, offset))[1]
        got = np.array([value for (value,) in entries], np.int8)
        differing = np.flatnonzero(got != at[offset : offset + len(got)])
        if len(differing):
            place = int(differing[0])
            index = offset + place
            column, channel = divmod(index, of.shape[2])
            layer, own = of.layer_at(channel)
            return Value(number, layer, row, column, own, int(at[index]), int(got[place]))
        offset += len(got)
    return None


def _first_row(
    device: Watches, of: Map, rows: npt.NDArray[np.int8], image: npt.NDArray[np.int8]
) -> int | None:
    row = 0
    while row < len(rows):
        entries = device.infer_watched(image, Watch(What.ROWS, of.number, row))[1]
        for seen, wanted in zip(entries, rows[row:], strict=False):
            if seen[0] != crc(wanted):
                return row
            row += 1
    return None
