"""A line that writes down every frame that passes, for people: TRACE=file."""

import contextlib
import struct
import time
from dataclasses import fields, is_dataclass
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line, printable
from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.frame import MAX_FRAME, Frame, decode
from squeezenet_mcu.host_tools.link.messages import Data, ErrorCode, Request, State
from squeezenet_mcu.host_tools.link.transport import Transport, change_rate

_HEADER = ": seconds, sender, message, fields"  # the end of the first line
_SHOWN = 16  # bytes of data in a line
_REPLIES = {
    0x81: "INFO", 0x82: "STATUS", 0x84: "RESULT", 0x85: "DATA", 0x89: "COUNTS", 0x8A: "SPEED",
    0x8B: "LAST_FAULT", 0xFF: "ERROR",
}  # fmt: skip
# What the fields of each request are, in the order of their payload; what follows is data.
_REQUESTS = {
    Request.HELLO: (messages._HELLO, ("version", "session")),
    Request.BEGIN: (messages._BEGIN, ("image",)),
    Request.ROWS: (messages._ROWS, ("image", "offset")),
    Request.RESULT: (messages._BEGIN, ("image",)),
    Request.READ: (messages._READ, ("image", "what", "offset", "length")),
    Request.SPEED: (messages._SPEED, ("baud",)),
}


def _may_be_trace(path: Path) -> bool:
    with path.open("rb") as file:
        begins = file.readline(100)
    return not begins or begins.rstrip(b"\r\n").endswith(_HEADER.encode())


class Trace:
    """A file of lines: seconds since it began, who sends, the message, its number, its fields.

    It is written as things happen, so that it also tells of a run that was killed.
    """

    def __init__(self, path: Path) -> None:
        """UserError where the file cannot be written, or one stands there that is no trace.

        An older trace is lost.
        """
        self._path = path
        try:
            if path.is_file() and not _may_be_trace(path):
                raise UserError(
                    f"TRACE: {path}: is there, and is no trace; want another name, or remove it first"
                )
            self._file: TextIO | None = open(  # noqa: SIM115  # as long as this object
                path, "w", encoding="ascii", errors="backslashreplace", buffering=1, opener=files.at_once
            )
            self._began = time.monotonic()
            self._file.write(f"# {time.strftime('%Y-%m-%d %H:%M:%S %z')}{_HEADER}\n")
        except OSError as error:
            raise UserError(
                f"TRACE: {path}: cannot be written ({one_line(str(error.strerror))}); want a file on a disk "
                "with room"
            ) from error

    def __enter__(self) -> "Trace":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, who: str, text: str) -> None:
        """One more line. A disk that is full meanwhile ends the trace, not the run."""
        if self._file is None:
            return
        try:
            self._file.write(f"{time.monotonic() - self._began:11.6f} {who:6} {printable(text)}\n")
        except OSError as error:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # it tries to write what is left
                file.close()
            with contextlib.suppress(OSError):  # it keeps a record, perhaps on the same disk
                notice(f"TRACE: {self._path}: ends here ({one_line(str(error.strerror))}); the run goes on")


class TracedLine:
    """A Transport over another one; what passes goes to a Trace, too."""

    def __init__(self, line: Transport, trace: Trace) -> None:
        self.name = line.name
        self._line = line
        self._trace = trace
        self._pieces = {"host": bytearray(), "device": bytearray()}
        trace.add("host", f"opened {line.name}")

    def write(self, data: bytes) -> None:
        """See Transport."""
        self._note("host", data)
        self._line.write(data)

    def read(self, timeout: float) -> bytes:
        """See Transport."""
        data = self._line.read(timeout)
        if data:
            self._note("device", data)
        return data

    def set_baudrate(self, baudrate: int) -> bool:
        """See change_rate()."""
        changed = change_rate(self._line, baudrate)
        self._trace.add("host", f"{baudrate} baud" if changed else f"{baudrate} baud: the port cannot")
        return changed

    def close(self) -> None:
        """See Transport."""
        self._trace.add("host", f"closed {self.name}")
        self._line.close()

    def _note(self, who: str, data: bytes) -> None:
        piece = self._pieces[who]
        *complete, rest = data.split(b"\0")
        for part in complete:
            piece += part
            if piece:
                self._trace.add(who, described(bytes(piece)))
            piece.clear()
        piece += rest
        if len(piece) > 2 * MAX_FRAME:
            self._trace.add(who, f"{len(piece)} bytes without an end: {_hex(bytes(piece))}")
            piece.clear()


def described(encoded: bytes) -> str:
    """One line about what stands between two delimiters: a message, or what is none."""
    frame = decode(encoded)
    if frame is None:
        return f"{len(encoded)} bytes that are no frame: {_hex(encoded)}"
    name, said = _request(frame) if frame.type < 0x80 else _reply(frame)
    return f"{name or f'type 0x{frame.type:02x}':7} #{frame.sequence:<5} {said}".rstrip()


def _request(frame: Frame) -> tuple[str, str]:
    if frame.type not in tuple(Request):
        return "", _hex(frame.payload)
    kind = Request(frame.type)
    layout, names = _REQUESTS.get(kind, (struct.Struct(""), ()))
    if len(frame.payload) < layout.size:
        return kind.name, f"malformed: {_hex(frame.payload)}"
    values = layout.unpack_from(frame.payload)
    said = " ".join(f"{name}={_named(name, value)}" for name, value in zip(names, values, strict=True))
    rest = frame.payload[layout.size :]
    return kind.name, f"{said} data={len(rest)} B: {_hex(rest)}" if rest else said


def _reply(frame: Frame) -> tuple[str, str]:
    name = _REPLIES.get(frame.type, "")
    reply = messages.parse(frame)
    if reply is None or not is_dataclass(reply):
        return name, f"malformed: {_hex(frame.payload)}"
    parts = []
    for field in fields(reply):
        value = getattr(reply, field.name)
        text = f"{len(value)} B: {_hex(value)}" if isinstance(value, bytes) else _named(field.name, value)
        parts.append(f"{field.name}={text}")
    return name, " ".join(parts)


def _named(field: str, value: Any) -> str:
    """A number's name where it has one."""
    kinds: dict[str, type[IntEnum]] = {"state": State, "what": Data, "code": ErrorCode}
    kind = kinds.get(field)
    return kind(value).name.lower() if kind and value in tuple(kind) else str(value)


def _hex(data: bytes) -> str:
    return data[:_SHOWN].hex(" ") + (" ..." if len(data) > _SHOWN else "")
