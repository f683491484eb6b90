"""A report of a board as JSON: what stands in it, and how one from a stranger is read.

Nothing in it is personal: no path, no name of a user, a host or a port, no serial number, no date.
"""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import Count, Sha256, one_of
from squeezenet_mcu.host_tools.link.messages import COUNTER_KINDS, RESET_CAUSES

FORMAT = 1
MOST_BYTES = 256 << 10  # of a report; one with 128 layers has 20 KB
_FIX = "want what `make report-hardware` writes"

Text = Annotated[str, Meta(max_length=200, pattern=r"\A[ -~]*\Z")]  # printable ASCII
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[A-Za-z0-9][\w.+-]*\Z")]
BuildId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]
Milliseconds = Annotated[float, Meta(ge=0, le=1e9)]
Figure = Annotated[float, Meta(ge=0, le=1e15)]


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    """Types and ranges are checked, and keys that it does not have are refused."""


class Check(_Table, frozen=True):
    """One of the selftest's."""

    what: Text
    seen: Text
    passed: bool


class Spent(_Table, frozen=True):
    """Of the device's counter, for one image."""

    min: Count
    mean: Count
    max: Count


class Predicted(_Table, frozen=True):
    """What the cycle model says of an image.

    `by`: "counted" (this firmware ran in an emulator) or "estimated" (from the kernels' formulas). Figures
    that it does not know are None. `layers`: of each, in the engine model's order: cycles, or
    instructions where `cycles` is None.
    """

    by: Annotated[str, one_of("counted", "estimated")]
    instructions: Count | None
    cycles: Count | None
    cycles_with_flash: Count | None
    layers: Annotated[list[Figure], Meta(max_length=128)] = []


class Layer(_Table, frozen=True):
    """Of an image, by the device's counter."""

    name: Text
    count: Count


class Memory(_Table, frozen=True):
    """Bytes, as the device says."""

    flash: Count
    flash_total: Count
    sram: Count
    sram_total: Count
    stack: Count


class Report(_Table, frozen=True):
    """A board, a firmware, and what came of some images. What nobody knows is None."""

    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)]
    project: Name  # version
    board: Name
    cpu: Text
    emulated: bool
    compiler: Text | None
    build_id: BuildId
    reset_cause: Annotated[str, one_of(*RESET_CAUSES)]
    last_fault: Text | None
    model: Name
    model_sha256: Sha256
    engine_sha256: Sha256
    counter: Annotated[str, one_of(*COUNTER_KINDS)]
    counter_hz: Annotated[int, Meta(ge=0, lt=1 << 32)]
    images: Annotated[int, Meta(ge=1, le=100_000)]
    compared_int8: Count
    differing_int8: Count
    count: Spent
    milliseconds: Milliseconds | None
    predicted: Predicted | None
    memory: Memory
    layers: Annotated[list[Layer], Meta(max_length=128)] | None
    selftest: Annotated[list[Check], Meta(max_length=50)] | None
    link: dict[Name, Figure | None] | None


def read(path: Path) -> Report:
    """A report, whoever wrote it. UserError: it is too large, no JSON, or not as it should be."""
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise UserError(f"{path}: {path.stat().st_size:,} bytes; want at most {MOST_BYTES:,}; {_FIX}")
    found = json_files.check(json_files.read(path, dict, _FIX), Report, path, _FIX)
    assert isinstance(found, Report)
    if found.link is not None and len(found.link) > 50:
        raise UserError(f"{path}: link has {len(found.link)} figures; want at most 50; {_FIX}")
    if found.differing_int8 > found.compared_int8:
        raise UserError(
            f"{path}: {found.differing_int8:,} of {found.compared_int8:,} int8 values differ; {_FIX}"
        )
    count = found.count
    if not count.min <= count.mean <= count.max:
        raise UserError(
            f"{path}: count has min {count.min:,}, mean {count.mean:,}, max {count.max:,}; want them in this "
            f"order; {_FIX}"
        )
    if found.milliseconds is not None and found.counter == "cycles" and found.counter_hz:
        wanted = count.mean / found.counter_hz * 1e3
        if abs(found.milliseconds - wanted) > 0.001 + 0.001 * wanted:  # it is rounded
            raise UserError(
                f"{path}: {found.milliseconds:,g} milliseconds; its counter says {wanted:,.3f}; {_FIX}"
            )
    return found


def as_json(report: Report) -> dict[str, object]:
    """For files.write_json. UserError: the device has said what nobody would believe."""
    plain = msgspec.to_builtins(report)
    try:
        msgspec.convert(plain, Report)
    except msgspec.ValidationError as error:
        said = str(error).replace("`", "")
        raise UserError(
            f"{report.board}: what the device says is out of range ({said}); flash it again: make flash"
        ) from error
    found: dict[str, object] = plain
    return found
