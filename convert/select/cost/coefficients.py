"""What each part of the kernels' work takes: coefficients.json, fitted by tools/costs to measured layers."""

import functools
import json
from pathlib import Path
from typing import Literal

from squeezenet_mcu.convert.select.cost.shape import Coefficients
from squeezenet_mcu.convert.target import Target

Unit = Literal["cycles", "instructions"]
FILE = Path(__file__).with_suffix(".json")


def key(cpu: str, family: str) -> str:
    """The name of a CPU's and a family's coefficients."""
    return f"{cpu} {family}"


@functools.cache
def _file() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def of(target: Target) -> Coefficients:
    """By part, in the target's unit."""
    return _file()[_key_of(target)]


def unit(target: Target) -> Unit:
    """What the coefficients count: cycles of the target's CPU, or instructions where those are not known."""
    return "instructions" if _key_of(target) == key("any", target.family) else "cycles"


def _key_of(target: Target) -> str:
    wanted = key(target.cpu, target.family)
    return wanted if wanted in _file() else key("any", target.family)
