"""The parts of a report that other tools measure; None: nobody has."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.terminal import printable
from squeezenet_mcu.host_tools.hardware.record import Check, Layer
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.profile import figures
from squeezenet_mcu.host_tools.selftest import command as selftest

_MOST_TEXT = 200  # characters; see record.Text
# The compiler's own name and version in an ELF's section .comment.
_GCC = re.compile(rb"GCC: \([^)\0]{0,60}\) (\d[\d.]{0,20})")


def text(said: str) -> str:
    """What a device or a tool said, as a report takes it: printable ASCII, not too long."""
    return re.sub(r"[^ -~]", "?", printable(said))[:_MOST_TEXT]


def compiler(elf: Path | None) -> str | None:
    """The compiler of the firmware, like "GCC 12.2.1"."""
    if elf is None or not elf.is_file():
        return None
    found = _GCC.search(elf.read_bytes())
    return f"GCC {found[1].decode()}" if found else None


def checks(board: str, found: list[selftest.Check]) -> list[Check]:
    """The self-test's results, as they come from it."""
    return [Check(text(check.what), text(check.seen), check.passed) for check in found]


def last_selftest(board: str) -> list[Check] | None:
    """The results of the last `make selftest` of a real board, which had another program in its flash."""
    path = selftest.results(board)
    if not path.is_file():
        return None
    fix = "run: make selftest"
    try:
        found: list[Check] = json_files.check(json_files.read(path, list, fix), list[Check], path, fix)
    except UserError:  # damaged: as if there were none
        return None
    return found


def layers(device: Device, image: npt.NDArray[np.int8], plan: list[dict[str, Any]]) -> list[Layer]:
    """What each layer of `image` takes, and what is between them. The firmware must watch its layers.

    `plan`: of the engine's model, its first line the input. UserError: the device has other layers.
    """
    profile = figures.measure(device, image, plan)
    return [Layer(text(layer.name), layer.count) for layer in profile.layers]


def line(device: Device, seconds: float, images: int) -> dict[str, float | None]:
    """What passed on the line: images a second, and what the link counts, where it does."""
    found: dict[str, float | None] = {
        "images_per_second": round(images / seconds, 3) if seconds > 0 else None
    }
    statistics: Any = getattr(device, "statistics", None)
    if statistics is not None:
        counted = statistics.as_json()
        found |= {
            name: float(value)
            for name, value in counted.items()
            if isinstance(value, int | float) and value >= 0
        }
        times = counted.get("round_trip_ms", {})
        found |= {f"round_trip_ms_{name}": float(value) for name, value in times.items()}
    return found
