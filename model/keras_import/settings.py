"""The settings of one layer in a Keras file: read key by key, each of a known type and range.

A file is somebody's text. What is not asked for here is either known to change nothing in inference, or
refused with the layer's name.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import shown

MOST_NUMBER = 1 << 16  # of a side, a number of filters
_NEEDED = object()
# They matter to training, or say what the arrays and the inputs say too.
_NO_MATTER = frozenset({
    "name", "trainable", "dtype", "momentum", "renorm_momentum", "seed", "noise_shape", "rate", "batch_shape",
    "batch_input_shape", "shared_object_id", "build_config", "stddev", "input_shape", "input_dim",
    "input_dtype",
})  # fmt: skip
_ENDS = ("_initializer", "_regularizer", "_constraint")
_DTYPES = frozenset({
    "float32", "float16", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16", "uint8", "int32",
})  # fmt: skip


class Settings:
    """The table `config` of a layer of the file `path`; `close` refuses what was not read."""

    def __init__(self, path: Path, kind: str, table: Mapping[str, Any]) -> None:
        self.path, self.kind, self.table = path, kind, table
        self.name = str(table.get("name", kind))
        self._read: set[str] = set()

    def fail(self, what: str) -> UserError:
        """An error that names file and layer."""
        return UserError(f"{self.path}: layer {shown(self.name)} ({shown(self.kind)}): {what}")

    def get(self, key: str, default: Any = _NEEDED) -> Any:
        """The value of `key` as it is; `default` where it is missing or null."""
        self._read.add(key)
        value = self.table.get(key)
        if value is not None:
            return value
        if default is _NEEDED:
            raise self.fail(f"lacks {key}")
        return default

    def _wrong(self, key: str, want: str) -> UserError:
        return self.fail(f"{key} is {shown(self.table.get(key))}; want {want}")

    def integer(self, key: str, default: Any = _NEEDED, low: int = 1) -> int:
        """A whole number of a layer's size."""
        value = self.get(key, default)
        if type(value) is not int or not low <= value <= MOST_NUMBER:
            raise self._wrong(key, f"a whole number from {low} to {MOST_NUMBER:,}")
        return value

    def number(self, key: str, default: float) -> float:
        """A finite number."""
        value = self.get(key, default)
        if not _is_number(value):
            raise self._wrong(key, f"a number of at most {MOST_NUMBER:,}")
        return float(value)

    def maybe_number(self, key: str) -> float | None:
        """A finite number, or None where there is none."""
        return None if self.get(key, None) is None else self.number(key, 0.0)

    def numbers(self, key: str, default: Any = _NEEDED) -> list[float]:
        """A number, or lists of them, flattened; they may be packed as Keras packs arrays."""
        value = self.get(key, default)
        if isinstance(value, dict) and isinstance(value.get("config"), dict):
            value = value["config"].get("value")
        found = _flat(value)
        if not found or not all(_is_number(v) for v in found):
            raise self._wrong(key, "numbers")
        return [float(v) for v in found]

    def flag(self, key: str, default: bool) -> bool:
        """True or False."""
        value = self.get(key, default)
        if type(value) is not bool:
            raise self._wrong(key, "true or false")
        return value

    def choice(self, key: str, values: Sequence[str], default: Any = _NEEDED) -> str:
        """One of `values`."""
        value = self.get(key, default)
        if not isinstance(value, str) or value not in values:
            raise self._wrong(key, " or ".join(values))
        return value

    def pair(self, key: str, default: Any = _NEEDED) -> tuple[int, int]:
        """Two sizes, of height and width; one number stands for both."""
        value = self.get(key, default)
        value = [value, value] if type(value) is int else value
        if not isinstance(value, list | tuple) or len(value) != 2 or not all(_is_size(v) for v in value):
            raise self._wrong(key, "two whole numbers, of height and width")
        return value[0], value[1]

    def border(self, key: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows above and below, columns left and right."""
        value = self.get(key, 1)
        value = [value, value] if type(value) is int else value
        if isinstance(value, list | tuple) and len(value) == 2:
            value = [[v, v] if type(v) is int else v for v in value]
            if all(isinstance(v, list | tuple) and len(v) == 2 and all(map(_is_amount, v)) for v in value):
                (top, bottom), (left, right) = value
                return (top, bottom), (left, right)
        raise self._wrong(key, "rows above and below, columns left and right")

    def close(self) -> None:
        """UserError where channels come first, values are not floats, or a setting is not known here."""
        if self.get("data_format", "channels_last") != "channels_last":
            raise self._wrong("data_format", "channels_last")
        self._check_dtype()
        for key, value in self.table.items():
            known = key in self._read or key in _NO_MATTER or key.endswith(_ENDS)
            if not known and value not in (None, False, [], {}):
                raise self.fail(
                    f"{shown(key)} is {shown(value)}, which is not known here; want a plain layer"
                )

    def _check_dtype(self) -> None:
        value = self.table.get("dtype", "float32")
        if isinstance(value, dict):
            inner = value.get("config")
            plain = value.get("class_name") in ("DTypePolicy", "Policy") and isinstance(inner, dict)
            value = inner.get("name") if plain and isinstance(inner, dict) else value
        if value is not None and (not isinstance(value, str) or value not in _DTYPES):
            raise self._wrong("dtype", "float32")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= MOST_NUMBER  # not of NaN


def _is_size(value: Any) -> bool:
    return type(value) is int and 1 <= value <= MOST_NUMBER


def _is_amount(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST_NUMBER


def _flat(value: Any) -> list[Any]:
    waiting, found = [value], []
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, list | tuple):
            waiting = [*part, *waiting]
        else:
            found.append(part)
    return found
