"""A line as slow as a UART: each byte takes its time, each way, one after the other."""

import time
from collections import deque

from tests.protocol.link_binaries import FakeDevice


class PacedLine:
    """A Transport to `device` at `baud`, ten bits a byte."""

    def __init__(self, device: FakeDevice, baud: int) -> None:
        self.name = device.name
        self._device = device
        self._byte = 10 / baud
        self._queues: dict[str, deque[tuple[float, bytes]]] = {"out": deque(), "in": deque()}
        self._free = {"out": 0.0, "in": 0.0}  # when the line has carried all so far

    def _put(self, way: str, data: bytes) -> None:
        for start in range(0, len(data), 16):  # a UART's bytes come in small groups
            piece = data[start : start + 16]
            self._free[way] = max(self._free[way], time.monotonic()) + len(piece) * self._byte
            self._queues[way].append((self._free[way], piece))

    def _due(self, way: str) -> bytes:
        queue, data = self._queues[way], b""
        while queue and queue[0][0] <= time.monotonic():
            data += queue.popleft()[1]
        return data

    def write(self, data: bytes) -> None:
        self._put("out", data)
        self._flush()

    def _flush(self) -> None:
        if data := self._due("out"):
            self._device.write(data)

    def read(self, timeout: float) -> bytes:
        deadline = time.monotonic() + timeout
        while True:
            self._flush()
            if data := self._due("in"):
                return data
            now = time.monotonic()
            if now >= deadline:
                return b""
            times = [queue[0][0] for queue in self._queues.values() if queue]
            received = self._device.read(max(0.0, min([deadline, *times]) - now))
            if received:
                self._put("in", received)

    def close(self) -> None:
        self._device.close()
