"""Reads a TOML table key by key: each by type and range, mistakes in one line, unknown keys rejected."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line

_MOST_BYTES = 1 << 16  # of a TOML; the largest here has 8 KB
_MOST_DOTS = 500  # in a line: a key takes time and memory by the square of its dots


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of the file `path`. UserError, in one line: it is no TOML, or far too long."""
    data = files.read_input(path, _MOST_BYTES, "want a TOML file")
    if (dots := max(line.count(b".") for line in data.split(b"\n"))) > _MOST_DOTS:
        raise UserError(f"{path}: {dots:,} dots in a line; want at most {_MOST_DOTS:,}")
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a TOML file: no text in UTF-8, by its byte {error.start:,}") from error
    except (ValueError, RecursionError) as error:  # of TOML, of a number of 5,000 digits
        raise UserError(f"{path}: not a TOML file: {one_line(str(error))}") from error


class Table:
    """A TOML table being read: every key is asked for once, by type and range; `close` rejects the others."""

    def __init__(self, path: Path, section: str, values: dict[str, Any]) -> None:
        self.path, self.section, self.values = path, section, values
        self.known: list[str] = []

    def fail(self, key: str, want: str) -> UserError:
        where = f"[{self.section}] " if self.section else ""
        seen = f"= {_shown(self.values[key])}" if key in self.values else "is missing"
        return UserError(f"{self.path}: {where}{key} {seen}; want {want}")

    def read(self, key: str, default: Any, want: str, fits: Callable[[Any], bool]) -> Any:
        """The value of `key`, or `default` where it is not None; UserError unless `fits` accepts it."""
        self.known.append(key)
        if key not in self.values and default is not None:
            return default
        if key not in self.values or not fits(self.values[key]):
            raise self.fail(key, want)
        return self.values[key]

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        found: int = self.read(
            key, default, f"a whole number from {low} to {high}", lambda v: within(v, low, high)
        )
        return found

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        def fits(value: Any) -> bool:
            return type(value) in (int, float) and low <= value <= high

        return float(self.read(key, default, f"a number from {low:g} to {high:g}", fits))

    def flag(self, key: str, default: bool) -> bool:
        found: bool = self.read(key, default, "true or false", lambda v: isinstance(v, bool))
        return found

    def choice(self, key: str, options: tuple[str, ...], default: str | None = None) -> str:
        want = "one of " + ", ".join(f'"{option}"' for option in options)
        found: str = self.read(key, default, want, lambda v: isinstance(v, str) and v in options)
        return found

    def text(self, key: str, default: str | None = None) -> str:
        found: str = self.read(key, default, "a string", lambda v: isinstance(v, str))
        return found

    def table(self, key: str, required: bool = False) -> "Table":
        section = f"{self.section}.{key}" if self.section else key
        values = self.read(
            key, None if required else {}, f"a table [{section}]", lambda v: isinstance(v, dict)
        )
        return Table(self.path, section, values)

    def close(self) -> None:
        for key in self.values:
            if key not in self.known:
                raise self.fail(key, "no such key; known here: " + ", ".join(self.known))


def within(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high  # bool is an int in Python, not here


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()  # as TOML has it
    text = f'"{value}"' if isinstance(value, str) else str(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."
