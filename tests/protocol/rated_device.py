"""The fake device behind a UART with baud rates, and what such a UART makes of another rate, bit by bit."""

import random
import struct
import subprocess
import time
from collections.abc import Callable

from squeezenet_mcu.host_tools.link.faulty_line import Faults, FaultyLine
from tests.protocol.link_binaries import build

DEFAULT = 115_200
_NEAR = 0.04  # what a receiver bears that looks at the middle of each bit
HEIGHT = WIDTH = 28


def heard(data: bytes, sent_at: float, heard_at: float) -> bytes:
    """The bytes that a UART of one rate makes of `data` sent at another, 8N1, on a line that is idle else."""
    if abs(sent_at - heard_at) <= _NEAR * heard_at:
        return data
    bits = "".join(f"0{byte:08b}1"[0] + f"{byte:08b}"[::-1] + "1" for byte in data) + "1"
    step = sent_at / heard_at  # bits of the line in one of the receiver's

    def level(at: float) -> int:
        return int(bits[int(at)]) if at < len(bits) else 1

    out, at = bytearray(), 0
    while (start := bits.find("0", at)) >= 0:
        out.append(sum(level(start + (1.5 + i) * step) << i for i in range(8)))
        at = int(start + 9.5 * step)
        if level(at) == 0:  # no stop bit: the next byte begins after the line was idle
            at = bits.find("1", at)
    return bytes(out)


class RatedDevice:
    """The device (rated_device.cc), in a time that the caller tells it."""

    def __init__(self, knows_rates: bool = True) -> None:
        self._command = [str(build() / "rated_device"), *([] if knows_rates else ["no"])]
        self.resets = -1
        self._process: subprocess.Popen[bytes] | None = None
        self.reset()

    def reset(self) -> None:
        """Power off and on."""
        if self._process:
            self._process.kill()
            self._end()
        self.resets += 1
        self.baud = DEFAULT
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def step(self, milliseconds: int, received: bytes = b"") -> list[tuple[int, bytes]]:
        """Its loop runs once; what it sends, with the rate of each piece. `baud` is the rate then."""
        assert self._process and self._process.stdin and self._process.stdout
        header = struct.pack("<II", milliseconds & 0xFFFFFFFF, len(received))
        self._process.stdin.write(header + received)
        self._process.stdin.flush()
        sent: list[tuple[int, bytes]] = []
        (count,) = struct.unpack("<I", self._process.stdout.read(4))
        for _ in range(count):
            baud, size = struct.unpack("<II", self._process.stdout.read(8))
            if size == 0:
                self.baud = baud
                continue
            data = self._process.stdout.read(size)
            if sent and sent[-1][0] == baud:
                data = sent.pop()[1] + data
            sent.append((baud, data))
        return sent

    def close(self) -> None:
        """Ends it; a sanitizer would have said so."""
        assert self._process and self._process.stdin
        self._process.stdin.close()
        assert self._process.wait(10) == 0
        self._end()

    def _end(self) -> None:
        assert self._process and self._process.stdin and self._process.stdout
        self._process.wait(10)
        self._process.stdin.close()
        self._process.stdout.close()


class RatedLine:
    """A Transport to a RatedDevice whose time goes `faster` than ours; each end has a rate.

    `most_baud`: what the cable carries; faster bytes arrive as others. `port_rates`: those that our end can
    have; None: all. `on_request`, `on_reply`: what becomes of bytes on the way.
    """

    name = "rated line"

    def __init__(self, device: RatedDevice, faster: float = 10.0, most_baud: float = 1e9) -> None:
        self.device = device
        self.baudrate = DEFAULT
        self.most_baud = most_baud
        self.port_rates: set[int] | None = None
        self.on_request: Callable[[bytes], bytes] = lambda data: data
        self.on_reply: Callable[[bytes], bytes] = lambda data: data
        self.closed = False
        self._faster = faster
        self._began = time.monotonic()
        self._inbox = b""
        self._random = random.Random(1)

    def set_baudrate(self, baudrate: int) -> bool:
        if self.port_rates is not None and baudrate not in self.port_rates:
            return False
        self.baudrate = baudrate
        return True

    def write(self, data: bytes) -> None:
        data = self.on_request(data)
        self._step(self._carried(data, self.baudrate, self.device.baud))

    def read(self, timeout: float) -> bytes:
        deadline = time.monotonic() + timeout
        while not self._inbox and time.monotonic() < deadline:
            time.sleep(min(0.003, timeout))
            self._step(b"")
        data, self._inbox = self._inbox, b""
        return data

    def close(self) -> None:
        self.closed = True

    def another_host(self) -> None:
        """The one before is gone; who opens the port now finds the rate that ports have."""
        self.baudrate, self._inbox = DEFAULT, b""

    def _step(self, received: bytes) -> None:
        now = int(1000 * self._faster * (time.monotonic() - self._began))
        for baud, data in self.device.step(now, received):
            self._inbox += self._carried(self.on_reply(data), baud, self.baudrate)

    def _carried(self, data: bytes, sent_at: float, heard_at: float) -> bytes:
        if sent_at > self.most_baud:
            data = bytes(self._random.randrange(256) for _ in data)
        return heard(data, sent_at, heard_at)


class RatedFaultyLine(FaultyLine):
    """A RatedLine that also damages what passes."""

    def __init__(self, line: RatedLine, rate: float, seed: int) -> None:
        super().__init__(line, Faults({"drop": rate / 3, "flip": rate / 3, "insert": rate / 3}, seed))
