"""Files: atomic writes, so that an interrupted run leaves no half-written output, and hashes."""

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD, RECORDS

_ROOM = 1 << 15  # bytes that a disk must have before long work: a full one lets files be made, empty ones


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path` (same suffix); on success it replaces `path`, else it goes.

    What `path` links to is replaced, not the link. A device or a pipe is not replaced, but written to.
    OSError of a full disk, a folder that is not to be written in, and the like: it names `path`.
    """
    if path.exists() and not path.is_file():
        with _to_device(path) as copy:
            yield copy
        return
    path = _target(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)  # mkstemp makes it private; outputs are for everyone
        temporary.replace(path)
    except OSError as error:  # of a full disk there is no name in it
        ours = error.filename is None or Path(str(error.filename)).name.startswith(f".{path.stem}.")
        if ours and error.errno is not None:
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _target(path: Path) -> Path:
    """What `path` links to. OSError of links that lead round in a circle."""
    try:
        return path.resolve() if path.is_symlink() else path
    except RuntimeError as error:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error


@contextlib.contextmanager
def _to_device(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / f"output{path.suffix}"
        content = (Path(folder) / f"output{path.suffix}").read_bytes()
        try:
            with open(path, "wb", opener=at_once) as stream:  # IsADirectoryError of a folder
                stream.write(content)
        except OSError as error:  # of a full device there is no name in it
            raise OSError(error.errno, error.strerror, str(path)) from error


def at_once(path: str, flags: int) -> int:
    """Opens a device or pipe. OSError of a pipe that nobody reads: to open it would wait for ever."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    os.set_blocking(handle, True)
    return handle


def read_input(path: Path, most: int, want: str) -> bytes:
    """The bytes of a file that somebody brings.

    UserError, which ends with `want`: there is none, it is a pipe or a device (which may never end), it has
    more than `most` bytes, or it may not be read.
    """
    if not path.is_file():
        raise UserError(f"{path}: {'no ordinary file' if path.exists() else 'no such file'}; {want}")
    try:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {want}") from None
    if len(data) > most:
        raise UserError(f"{path}: {path.stat().st_size:,} bytes; at most {most:,} are read; {want}")
    return data


def clear(path: Path) -> None:
    """Before long work: removes an old `path` and makes its folder, so that failing leaves no old result.

    Raises OSError at once where it could not be written in the end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    target = _target(path)
    if target.is_file():
        target.unlink()
    if not target.exists():  # a device or a pipe is not replaced
        try:
            check_folder(target.parent)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error


def check_folder(folder: Path) -> None:
    """Before long work: OSError where no file can be written in `folder`, or the disk is full.

    It leaves no folder behind that was not there.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(prefix=".room.", dir=folder, buffering=0) as file:
            file.write(bytes(_ROOM))
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(folder)) from error
    finally:
        for place in made:
            with contextlib.suppress(OSError):  # another process may have put something there
                place.rmdir()


def _may_be_json(path: Path) -> bool:
    with path.open("rb") as file:
        begins = file.read(64).lstrip()[:1]
    return begins in (b"", b"{", b"[")


def outputs(*paths: Path | None, inputs: Sequence[Path] = ()) -> list[Path]:
    """Those of JSON files that are given, each cleared. UserError: another file stands there, or a model's

    own record, or one of `inputs`, which are still to be read.
    """
    given = [path for path in paths if path is not None]
    read = {os.path.realpath(path) for path in inputs}
    for path in given:
        real = Path(os.path.realpath(path))
        if str(real) in read:
            raise UserError(f"{path}: is read by this very command; want another name")
        if real.name in RECORDS and real.is_file() and real.parent.parent == BUILD.resolve():
            raise UserError(f"{path}: is a record that the model {real.parent.name} needs; want another name")
        if path.is_file() and not _may_be_json(path):
            raise UserError(f"{path}: is there, and holds no JSON; want another name, or remove it first")
    for path in given:
        clear(path)
    return given


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path` atomically, making its folder."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_together(
    folder: Path, outputs: Mapping[str, bytes], record: str, stale: Sequence[str] = ()
) -> None:
    """Writes all of `outputs`, by file name, into `folder`, or none of them, where one cannot be written.

    `record`: the one that vouches for the others. It is replaced last, and the old one goes before the first;
    so do the files in `stale`.
    """
    with contextlib.ExitStack() as stack:  # which ends with what it began with
        for name in sorted(outputs, key=lambda name: name != record):
            stack.enter_context(replacing(folder / name)).write_bytes(outputs[name])
        for name in (record, *stale):
            (folder / name).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8 to `path` atomically, making its folder."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON to `path` atomically, making its folder."""
    write_bytes(path, as_json(value))


def as_json(value: Any) -> bytes:
    """`value` as write_json writes it.

    A file's name may hold bytes that are no UTF-8. No reader of JSON takes what Python has in their place, so
    each becomes a question mark.
    """
    text = json.dumps(value, indent=2)
    if r"\ud" in text:
        written = json.dumps(value, ensure_ascii=False).encode(errors="replace")
        text = json.dumps(json.loads(written), indent=2)
    return (text + "\n").encode()


def sha256(data: bytes) -> str:
    """SHA-256 of `data`, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
