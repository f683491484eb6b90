"""What a network may take at most, and how well it must do: [budget] of a TOML, and options that beat it."""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from squeezenet_mcu.common import sizes
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.toml_table import Table

_MOST_MS = 1e9


@dataclass(frozen=True)
class Limit:
    """`value`: bytes, milliseconds or a share; `said`: how and where the user gave it."""

    value: float
    said: str


@dataclass(frozen=True)
class Budget:
    """The limits: bytes of flash and SRAM, milliseconds an image, share of images. None: there is none."""

    max_flash: Limit | None = None
    max_sram: Limit | None = None
    max_ms: Limit | None = None
    min_accuracy: Limit | None = None


@dataclass(frozen=True)
class Figures:
    """What a network takes, and how well it does. `what`: which one, and on which board.

    A text in place of a number: why it is not known. None: a command does not look at it. `optimize`: what
    the firmware's model was made for; None: the command has no such option.
    """

    what: str
    flash: int | str | None = None
    sram: int | str | None = None
    ms: float | str | None = None
    accuracy: float | str | None = None
    optimize: str | None = "speed"


KEYS = tuple(field.name for field in fields(Budget))
_WANTED = {
    "max_flash": sizes.WANT,
    "max_sram": sizes.WANT,
    "max_ms": "a number of milliseconds over 0",
    "min_accuracy": "a share over 0 and at most 1: 0.97 for 97 %",
}
_HELP = {
    "max_flash": ("BYTES", "fail if the firmware takes more flash: 48000, 64K, 1M"),
    "max_sram": (
        "BYTES",
        "fail if the firmware takes more SRAM, with the whole reserve of the stack: 48000, 64K, 1M",
    ),
    "max_ms": ("MS", "fail if an image takes more milliseconds, or nobody knows how many"),
    "min_accuracy": ("SHARE", "fail if less than this share of the images (0.97) is classified right"),
}


def read(table: Table) -> Budget:
    """The table [budget] of a TOML. UserError for a bad value or an unknown key."""
    found = {key: _read(table, key) for key in KEYS}
    table.close()
    return Budget(**found)


def _read(table: Table, key: str) -> Limit | None:
    def fits(value: Any) -> bool:
        of_size = key in ("max_flash", "max_sram")
        if isinstance(value, bool) or not isinstance(value, (int, str) if of_size else (int, float)):
            return False
        try:
            _parse(key, str(value))
        except UserError:
            return False
        return True

    value = table.read(key, "", _WANTED[key], fits)
    if value == "" and key not in table.values:
        return None
    number = _parse(key, str(value))
    return Limit(number, f"[budget] {key} = {_shown(key, number)} in {table.path.name}")


def _parse(key: str, text: str) -> float:
    """The value of a limit. UserError: it is none."""
    if key in ("max_flash", "max_sram"):
        return sizes.parse(text)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= (_MOST_MS if key == "max_ms" else 1):  # not a number: false
        raise UserError(f'"{text}": want {_WANTED[key]}')
    return value


def _shown(key: str, value: float) -> str:
    return f"{value:,.0f}" if key in ("max_flash", "max_sram") else f"{value:g}"


def add_arguments(parser: argparse.ArgumentParser, keys: Iterable[str] = KEYS) -> None:
    """The options --max-flash, --max-sram, --max-ms and --min-accuracy, or those of `keys`."""
    for key in keys:
        metavar, text = _HELP[key]
        parser.add_argument(_option(key), type=_type(key), metavar=metavar, help=text)


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _type(key: str) -> Callable[[str], float]:
    def parsed(text: str) -> float:
        try:
            return _parse(key, text)
        except UserError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parsed


def of(args: argparse.Namespace, own: Budget | None = None) -> Budget:
    """The options' limits, and of a model's `own`, those that no option gives."""
    found = {}
    for key in KEYS:
        value = getattr(args, key, None)
        said = f"{_option(key)} {_shown(key, value)}" if value is not None else ""
        found[key] = getattr(own or Budget(), key) if value is None else Limit(value, said)
    return Budget(**found)


def check(budget: Budget, figures: Figures) -> list[str]:
    """A sentence for each limit that is exceeded, and for each whose figure is not known."""
    network = "a smaller network"
    lines = [
        _over(budget.max_flash, figures, figures.flash, ("bytes of flash", "flash"), [network]),
        _over(budget.max_sram, figures, figures.sram, ("bytes of SRAM", "sram"), ["a smaller input"]),
        _over(budget.max_ms, figures, figures.ms, ("ms an image", "speed"), [network, "a faster board"]),
        _under(budget.min_accuracy, figures.what, figures.accuracy),
    ]
    return [line for line in lines if line]


def _unknown(limit: Limit, what: str, unit: str, why: str) -> str:
    return f"{what}: its {unit} are not known: {why}; so it does not meet {limit.said}"


def _over(
    limit: Limit | None, figures: Figures, value: float | str | None, words: tuple[str, str], fixes: list[str]
) -> str:
    unit, goal = words
    if limit is None or value is None:
        return ""
    if isinstance(value, str):
        return _unknown(limit, figures.what, unit, value)
    if value <= limit.value:
        return ""
    number = ",.3f" if unit.startswith("ms") else ",.0f"
    excess = f"{value:{number}} {unit}, {value - limit.value:{number}} more than {limit.said}"
    if figures.optimize not in (None, goal):
        fixes = [*fixes, f"--optimize {goal}"]
    return f"{figures.what} takes {excess}; take {' or '.join(fixes)}"


def _under(limit: Limit | None, what: str, value: float | str | None) -> str:
    if limit is None or value is None:
        return ""
    if isinstance(value, str):
        return f"{what}: its accuracy is not known: {value}; so it does not meet {limit.said}"
    if value >= limit.value:
        return ""
    points = (limit.value - value) * 100
    said = f"{value:.2%} right, {points:.2f} points less than {limit.said}"
    return f"{what} has {said}; train longer or compress less"


def enforce(budget: Budget, figures: Figures) -> None:
    """UserError where `check` finds something."""
    if lines := check(budget, figures):
        raise UserError("; ".join(lines))
