"""Text files that people bring: tables and lists of names, in what editors and spreadsheets write."""

import codecs
from pathlib import Path

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def lines_of(path: Path, most: int, want: str) -> list[str]:
    """The lines of a text in UTF-8, or in UTF-16 that begins with its mark, as Windows PowerShell writes it.

    Lines may end as on Windows, and a byte order mark may come first. UserError, which ends with `want`: it
    is no such text, or see files.read_input.
    """
    data = files.read_input(path, most, want)
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: no text in UTF-8 or UTF-16 ({error}); {want}") from None
    return text.splitlines()
