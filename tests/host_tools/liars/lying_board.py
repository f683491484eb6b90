"""A board in Python that runs the toy network of tests.manifests, and ways to let it lie. For TCP sockets."""

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.messages import VERSION, Request
from tests.manifests import manifest
from tests.protocol.link_binaries import fake_answer

INFO, STATUS, RESULT, DATA, COUNTS, LAST_FAULT, ERROR = 0x81, 0x82, 0x84, 0x85, 0x89, 0x8B, 0xFF
# What is asked of the device, not of an image: the reply.
OF_THE_DEVICE = {Request.COUNTS: (COUNTS, bytes(12)), Request.LAST_FAULT: (LAST_FAULT, b"")}
IMAGE_BYTES, ROW_BYTES, CLASSES = 12, 3, 10
_STATUS = struct.Struct("<IIBBII")
_SHA = bytes.fromhex(manifest()["tflite_sha256"])
_SIZES = {
    "version": VERSION, "session": 0, "sha": _SHA,
    "height": 4, "width": 3, "channels": 1, "classes": CLASSES, "max_frame": 1024, "window": 1920,
    "arena": 1000, "static": 2000, "sram": 131_072, "flash": 3000, "flash_total": 1 << 20,
    "kind": 1, "hz": 168_000_000, "build": bytes(8), "engine": bytes(32), "reset": 0, "features": 0,
}  # fmt: skip


class HangUpError(Exception):
    """The device ends the connection."""


class Board:
    """Answers every request rightly, as docs/link.md has it. A lie changes what it says."""

    def __init__(self, **sizes) -> None:
        """`sizes`: what its INFO says of itself, right or not; `name`: the board's name, as bytes."""
        self.name = sizes.pop("name", b"fake")
        self.sizes = _SIZES | sizes
        self.session = self.image = 0
        self.images = 0  # begun
        self.lies = 0  # told: kept here, as two tests may tell the same lie in one process
        self.data = bytearray()

    def info(self, frame: Frame, **changed) -> bytes:
        values = self.sizes | {"session": self.session} | changed
        packed = struct.pack("<BI32s4HHI5IBI8s32sBI", *values.values()) + bytes([len(self.name)]) + self.name
        return reply(frame, INFO, packed)

    def status(self, frame: Frame, **changed) -> bytes:
        done = len(self.data) == IMAGE_BYTES
        values = {
            "session": self.session, "image": self.image, "state": 2 if done else 1, "failure": 0,
            "next_byte": len(self.data), "limit_row": 4,
        }  # fmt: skip
        return reply(frame, STATUS, _STATUS.pack(*(values | changed).values()))

    def cost(self, frame: Frame, image=None, count=7, sram=2077, stack=77) -> bytes:
        image = self.image if image is None else image
        return reply(frame, RESULT, struct.pack("<IQII", image, count, sram, stack))

    def answers(self) -> tuple[bytes, bytes]:
        """Logits and probabilities of the image that came."""
        image = np.frombuffer(bytes(self.data).ljust(IMAGE_BYTES, b"\0"), np.int8).reshape(4, 3, 1)
        logits, probabilities, _ = fake_answer(image, CLASSES)
        return logits.tobytes(), probabilities.tobytes()

    def piece(self, frame: Frame, image=None, what=None, offset=None, values=None) -> bytes:
        """DATA for the READ in `frame`."""
        asked, its_what, its_offset, length = struct.unpack("<IBIH", frame.payload)
        right = self.answers()[its_what][its_offset : its_offset + length]
        head = (asked if image is None else image, its_what if what is None else what)
        packed = struct.pack("<IBI", *head, its_offset if offset is None else offset)
        return reply(frame, DATA, packed + (right if values is None else values))

    def take(self, frame: Frame) -> None:
        """Lets a request change the board's state."""
        if frame.type == Request.HELLO:
            self.session = struct.unpack("<BI", frame.payload)[1]
            return
        if frame.type in OF_THE_DEVICE:
            return
        (image,) = struct.unpack_from("<I", frame.payload)
        if frame.type == Request.BEGIN and image != self.image:
            self.image, self.data, self.images = image, bytearray(), self.images + 1
        if frame.type == Request.ROWS:
            (offset,) = struct.unpack_from("<I", frame.payload, 4)
            if offset == len(self.data):
                self.data += frame.payload[8:]

    def right(self, frame: Frame) -> bytes:
        """Takes the request, and answers it rightly."""
        self.take(frame)
        if frame.type == Request.HELLO:
            return self.info(frame)
        if not self.session:
            return reply(frame, ERROR, struct.pack("<BI", 4, 0))
        if frame.type in OF_THE_DEVICE:
            return reply(frame, *OF_THE_DEVICE[frame.type])
        if frame.type == Request.RESULT and len(self.data) == IMAGE_BYTES:
            return self.cost(frame)
        if frame.type == Request.READ and len(self.data) == IMAGE_BYTES:
            return self.piece(frame)
        return self.status(frame)


def reply(frame: Frame, kind: int, payload: bytes) -> bytes:
    return Frame(kind, frame.sequence, payload).encode()


# What a board says to a frame: pieces, sent as they come; an endless iterator is a flood.
Says = Callable[[Board, Frame], Iterable[bytes]]


def forever(data: bytes) -> Iterator[bytes]:
    """A flood of `data`, 64 KiB at a time."""
    return itertools.repeat(data * (65_536 // len(data)))


def slowly(data: bytes, seconds: float) -> Iterator[bytes]:
    """A byte each `seconds`."""
    for byte in data:
        time.sleep(seconds)
        yield bytes([byte])


def hang_up(data: bytes) -> Iterator[bytes]:
    """`data`, then the end of the connection."""
    yield data
    raise HangUpError


@contextlib.contextmanager
def speaking(converse: Callable[[socket.socket], None]) -> Iterator[str]:
    """A TCP port whose callers `converse` talks to, one after the other; gives the URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError, ConnectionError, HangUpError):
                    connection, _ = server.accept()
                    with connection:
                        connection.settimeout(30)
                        converse(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stop.set()
            thread.join(60)


def conversation(board: Board, says: Says, first: Iterable[bytes] = ()) -> Callable[[socket.socket], None]:
    """A link's device: `first` unasked, then what `says` answers to each request."""

    def converse(connection: socket.socket) -> None:
        reader = FrameReader()
        for data in first:
            connection.sendall(data)
        while received := connection.recv(4096):
            for frame in reader.feed(received):
                for data in says(board, frame):
                    connection.sendall(data)

    return converse
