"""A device that takes new models, in Python: it speaks the messages, and may lie in any of them."""

import hashlib
import struct
import threading

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.upload import delta
from squeezenet_mcu.host_tools.link.upload_messages import (
    Manifest,
    UploadReason,
    UploadRequest,
    UploadState,
)

_MANIFEST_AT = 1


class FakeDevice:
    """A line (a Transport). `running`: its model's bytes; `lies`: by reply type, what changes a payload."""

    name = "fake"

    def __init__(self, running: bytes, **lies) -> None:
        self.running = running
        self.new = bytearray()
        self.manifest: Manifest | None = None
        self.state = UploadState.IDLE
        self.refuse = UploadReason.NONE
        self.lies = lies
        self.seen: list[int] = []  # types of the requests
        self._session = 0
        self._reader = FrameReader()
        self._pending = b""

    def read(self, timeout: float) -> bytes:
        """See Transport."""
        data, self._pending = self._pending, b""
        if not data:
            threading.Event().wait(timeout)
        return data

    def close(self) -> None:
        """See Transport."""

    def write(self, data: bytes) -> None:
        """See Transport."""
        for frame in self._reader.feed(data):
            self.seen.append(frame.type)
            kind, payload = self._answer(frame)
            lie = self.lies.get(f"x{kind:02x}")
            if lie:
                payload = lie(payload)
            if payload is not None:
                self._pending += Frame(kind, frame.sequence, payload).encode()

    def _answer(self, frame: Frame) -> tuple[int, bytes]:
        handlers = {
            0x01: self._hello,
            UploadRequest.OFFER: self._offer,
            UploadRequest.HASHES: self._hashes,
            UploadRequest.COPY: self._copy,
            UploadRequest.DATA: self._data,
            UploadRequest.FINISH: self._finish,
        }
        if frame.type not in handlers:
            return 0xFF, struct.pack("<BI", 2, frame.type)
        return handlers[frame.type](frame.payload)

    def _hello(self, payload: bytes) -> tuple[int, bytes]:
        self._session = struct.unpack("<BI", payload)[1]
        if self.state is UploadState.DONE:  # it has restarted
            self.running, self.state = bytes(self.new), UploadState.IDLE
        sizes = (28, 28, 1, 10, 1024, 1920, 4704, 1000, 100_000, 1000, 100_000, 0, 0)
        return 0x81, messages._INFO.pack(
            messages.VERSION, self._session, bytes(32), *sizes, bytes(8), bytes(32), 0, 0, 4
        ) + b"fake"

    def _offer(self, payload: bytes) -> tuple[int, bytes]:
        if not payload:
            digest = hashlib.sha256(self.running).digest()
            numbers = (len(self.running), 0xFF, 2, 65_536, 0, 4704, 3 << 24, 1)
            return 0x92, struct.pack("<32sIBBIIIII8sI8s", digest, *numbers, bytes(8), 0, bytes(8))
        self.manifest = Manifest.parse(payload[_MANIFEST_AT:])
        if self.refuse:
            self.state = UploadState.REFUSED
        elif self.state is not UploadState.RECEIVING:
            self.state, self.new = UploadState.RECEIVING, bytearray()
        return self._status()

    def _hashes(self, payload: bytes) -> tuple[int, bytes]:
        block, first = struct.unpack("<HI", payload)
        blocks = [self.running[i : i + block] for i in range(0, len(self.running) - block + 1, block)]
        pairs = [struct.pack("<I", delta.weak(b)) + delta.strong(b) for b in blocks[first : first + 100]]
        return 0x91, payload + b"".join(pairs)

    def _in_place(self, payload: bytes) -> bool:
        return len(payload) > 4 and int.from_bytes(payload[4:8], "little") == len(self.new)

    def _copy(self, payload: bytes) -> tuple[int, bytes]:
        pieces = payload[8:] if self._in_place(payload) else b""
        while pieces:
            length, source, count = struct.unpack_from("<IIH", pieces)
            self.new += self.running[source : source + length] + pieces[10 : 10 + count]
            pieces = pieces[10 + count :]
        return self._status()

    def _data(self, payload: bytes) -> tuple[int, bytes]:
        if self._in_place(payload):
            self.new += payload[8:]
        return self._status()

    def _finish(self, payload: bytes) -> tuple[int, bytes]:
        self.state = UploadState.DONE
        return self._status()

    def _status(self) -> tuple[int, bytes]:
        assert self.manifest is not None
        numbers = (self.manifest.id, self.state, self.refuse, len(self.new), 0, 0)
        return 0x90, struct.pack("<IBBIII", *numbers)
