"""Files: atomic writes, so that an interrupted run leaves no half-written output, and hashes."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path` (same suffix); on success it replaces `path`, else it goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # mkstemp makes it private; outputs are for everyone
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def clear(path: Path) -> None:
    """Before long work: removes an old `path` and makes its folder, so that failing leaves no old result.

    Raises OSError at once where it could not be written in the end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


def outputs(*paths: Path | None) -> list[Path]:
    """Those that are given, each cleared."""
    given = [path for path in paths if path is not None]
    for path in given:
        clear(path)
    return given


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path` atomically, making its folder."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8 to `path` atomically, making its folder."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON to `path` atomically, making its folder."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def sha256(data: bytes) -> str:
    """SHA-256 of `data`, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
