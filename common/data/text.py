"""Text files that people bring: tables and lists of names, in what editors and spreadsheets write."""

import codecs
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # where str.splitlines ends a line


@dataclass(frozen=True)
class Most:
    """How large a text may be: its bytes, its lines, the characters of a line."""

    size: int
    lines: int
    line: int


def lines_of(path: Path, most: Most, want: str) -> list[str]:
    """The lines of a text in UTF-8, or in UTF-16 that begins with its mark, as Windows PowerShell writes it.

    Lines may end as on Windows, and a byte order mark may come first. UserError, which ends with `want`: it
    is no such text, it is larger than `most`, or see files.read_input.
    """
    text = _text(path, most.size, want)
    # Counted before they are made: millions of empty lines take fifty times the memory of the file.
    ends = sum(map(text.count, _ENDS)) - text.count("\r\n")
    lines = ends + (not text.endswith(tuple(_ENDS)) and bool(text))
    if lines > most.lines:
        raise UserError(f"{path}: {lines:,} lines; want at most {most.lines:,}")
    found = text.splitlines()
    for number, line in enumerate(found, 1):
        if len(line) > most.line:
            raise UserError(
                f"{path}:{number}: {len(line):,} characters in a line; want at most {most.line:,}"
            )
    return found


def _text(path: Path, most: int, want: str) -> str:
    data = files.read_input(path, most, want)
    try:
        return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: no text in UTF-8 or UTF-16, by its byte {error.start:,}; {want}") from None


def names_no_class(name: str) -> bool:
    """Whether `name` holds what a class's name may not: an engine's model has a name a line, in UTF-8."""
    return any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name)
