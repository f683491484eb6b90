"""Lines for tests of the link: one that damages what it carries, and ways to reach a device by a real URL."""

import contextlib
import os
import random
import select
import socket
import threading
import tty
from collections import deque
from collections.abc import Iterator

from squeezenet_mcu.host_tools.link.faulty_line import KINDS, Faults, FaultyLine
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.messages import Request
from tests.protocol.link_binaries import FakeDevice


class LossyLine:
    """A Transport to `device` that damages a share `rate` of the bytes each way, seeded (see FaultyLine).

    `kinds`: what it may do. `reset_rate`: how often a request meets a device that has just been reset;
    `reset_at`: the numbers of the requests that do, counted from 0.
    """

    def __init__(
        self, device: FakeDevice, *, seed: int, rate: float, kinds=KINDS, reset_rate=0.0, reset_at=()
    ) -> None:
        self.name = device.name
        self._device = device
        self._random = random.Random(seed)
        self.set(rate, kinds, seed)
        self._reset_rate = reset_rate
        self._reset_at = set(reset_at)
        self.written = 0

    def set(self, rate: float, kinds=KINDS, seed=0) -> None:
        """Other faults from now on."""
        self._line = FaultyLine(self._device, Faults(dict.fromkeys(kinds, rate / len(kinds)), seed))

    @property
    def damaged(self) -> int:
        return self._line.damaged

    def write(self, data: bytes) -> None:
        if self.written in self._reset_at or self._random.random() < self._reset_rate:
            self._device.reset()
        self.written += 1
        self._line.write(data)

    def read(self, timeout: float) -> bytes:
        return self._line.read(timeout)

    def close(self) -> None:
        self._line.close()


class WatchedLine:
    """A Transport that keeps count of what passes: ROWS frames, and how many of them were ever unanswered."""

    def __init__(self, device: FakeDevice) -> None:
        self.name = device.name
        self._device = device
        self._requests, self._replies = FrameReader(), FrameReader()
        self._unanswered: set[int] = set()
        self.rows_frames = 0
        self.most_unanswered = 0

    def write(self, data: bytes) -> None:
        for frame in self._requests.feed(data):
            if frame.type == Request.ROWS:
                self.rows_frames += 1
                self._unanswered.add(frame.sequence)
                self.most_unanswered = max(self.most_unanswered, len(self._unanswered))
        self._device.write(data)

    def read(self, timeout: float) -> bytes:
        data = self._device.read(timeout)
        for frame in self._replies.feed(data):
            self._unanswered.discard(frame.sequence)
        return data

    def close(self) -> None:
        self._device.close()


class TightLine:
    """A Transport that loses the ROWS frames numbered `lost`, hands the host one reply at a time, and keeps
    the most bytes that could have been in the device's receive buffer, as the replies so far let one know."""

    def __init__(self, device: FakeDevice, lost: set[int]) -> None:
        self.name = device.name
        self._device = device
        self._lost = lost
        self._requests, self._replies = FrameReader(), FrameReader()
        self._waiting: deque[Frame] = deque()
        self._in_flight: dict[int, int] = {}  # sequence number -> bytes, oldest first
        self._rows_frames = 0
        self.most_bytes = 0

    def write(self, data: bytes) -> None:
        (frame,) = self._requests.feed(data)
        # Probes have room of their own.
        self._in_flight[frame.sequence] = 0 if frame.type == Request.BEGIN else len(data)
        self.most_bytes = max(self.most_bytes, sum(self._in_flight.values()))
        if frame.type == Request.ROWS:
            self._rows_frames += 1
            if self._rows_frames - 1 in self._lost:
                return
        self._device.write(data)

    def read(self, timeout: float) -> bytes:
        self._waiting.extend(self._replies.feed(self._device.read(0 if self._waiting else timeout)))
        if not self._waiting:
            return b""
        reply = self._waiting.popleft()
        for sequence in list(self._in_flight):
            del self._in_flight[sequence]
            if sequence == reply.sequence:
                break
        return reply.encode()

    def close(self) -> None:
        self._device.close()


class Talker:
    """A line on which `answer(what was written)` can be read."""

    name = "talker"

    def __init__(self, answer) -> None:
        self._answer = answer
        self._pending = b""

    def write(self, data: bytes) -> None:
        self._pending += self._answer(data)

    def read(self, timeout: float) -> bytes:
        data, self._pending = self._pending, b""
        if not data:
            threading.Event().wait(timeout)
        return data

    def close(self) -> None:
        pass


def _pump(device: FakeDevice, end: int, stop: threading.Event) -> None:
    """Carries bytes between a file descriptor and the device until told to stop."""
    while not stop.is_set():
        ready, _, _ = select.select([end], [], [], 0)
        if ready:
            data = os.read(end, 4096)
            if not data:
                return  # the host has hung up
            device.write(data)
        data = device.read(0.002)
        if data:
            os.write(end, data)


@contextlib.contextmanager
def _pumping(device: FakeDevice, end: int) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=_pump, args=(device, end, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        device.close()


@contextlib.contextmanager
def on_socket(device: FakeDevice) -> Iterator[str]:
    """The device behind a TCP port, as an emulator offers it; gives the URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def serve() -> None:
            server.settimeout(0.05)
            while not stop.is_set():
                with contextlib.suppress(TimeoutError, ConnectionError):
                    connection, _ = server.accept()
                    with connection:
                        connection.settimeout(None)
                        _pump(device, connection.fileno(), stop)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()
            device.close()


@contextlib.contextmanager
def on_pty(device: FakeDevice) -> Iterator[str]:
    """The device behind a pseudo-terminal; gives its path."""
    end, other = os.openpty()
    tty.setraw(other)
    try:
        with _pumping(device, end):
            yield os.ttyname(other)
    finally:
        os.close(end)
        os.close(other)
