"""Requests and their replies: sequence numbers, what is in flight, waiting, and giving up."""

import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.errors import DamagedError, LinkError, LinkTimeoutError, PortError
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.messages import Reply
from squeezenet_mcu.host_tools.link.transport import Transport

PROBE_RESERVE = 128  # bytes of its receive buffer that the device keeps for probes; wire.h has the same
MAX_PROBES = 8


@dataclass(frozen=True)
class Sent:
    """A request in flight. `image` and, for ROWS, the bytes [start, end) of it; `tag` is the sender's own."""

    kind: IntEnum  # Request, UploadRequest
    sequence: int
    size: int  # on the wire
    image: int = 0
    start: int = 0
    end: int = 0
    tag: object = None


def waits(first: float, total: float) -> list[float]:
    """Seconds to wait between probes, at most MAX_PROBES waits: doubling from `first`, `total` together."""
    schedule = [first * 2**i for i in range(MAX_PROBES)]
    kept = [wait for i, wait in enumerate(schedule) if sum(schedule[:i]) < total]
    kept[-1] = max(total - sum(kept[:-1]), 0.001)
    return kept


@dataclass(frozen=True)
class Patience:
    """Seconds to wait: `first` until the first probe, `silence` for one answer, `whole` for all of them."""

    first: float
    silence: float
    whole: float

    def begin(self) -> "Waiting":
        """Starts the clock."""
        return Waiting(self, time.monotonic() + self.whole)


@dataclass(frozen=True)
class Waiting:
    """Patience that began: no answer is waited for beyond `deadline`, of time.monotonic()."""

    patience: Patience
    deadline: float

    def over(self) -> bool:
        """True where no time is left."""
        return time.monotonic() >= self.deadline

    def schedule(self) -> list[float]:
        """Seconds to wait between probes for the next answer; empty where no time is left."""
        left = self.deadline - time.monotonic()
        return waits(self.patience.first, min(self.patience.silence, left)) if left > 0 else []


class Exchange:
    """Sends requests over a line and pairs the replies with them.

    The line keeps the order of what it delivers. So a reply proves that every request sent before it has left
    the device's receive buffer, answered or lost; this is what bounds the bytes in flight, losses or not.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._reader = FrameReader()
        # A random start: replies to another process's requests, still in some buffer, do not match ours.
        self._sequence = secrets.randbelow(1 << 16)
        self._in_flight: deque[Sent] = deque()
        self._arrived: deque[Frame] = deque()
        self._received_bytes = 0
        self._intact = 0
        self._echoes = 0
        self._strange = 0

    @property
    def name(self) -> str:
        """The line, for messages."""
        return self._transport.name

    @property
    def in_flight(self) -> tuple[Sent, ...]:
        """The requests whose fate is unknown, oldest first."""
        return tuple(self._in_flight)

    @property
    def bytes_in_flight(self) -> int:
        """Bytes on the wire of these; no more can be in the device's receive buffer."""
        return sum(sent.size for sent in self._in_flight)

    def send(
        self,
        kind: IntEnum,
        payload: bytes,
        image: int = 0,
        *,
        start: int = 0,
        end: int = 0,
        tag: object = None,
    ) -> None:
        """Sends one request, without waiting for its reply."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        data = Frame(kind, self._sequence, payload).encode()
        self._in_flight.append(Sent(kind, self._sequence, len(data), image, start, end, tag))
        self._transport.write(data)

    def reopen(self) -> bool:
        """Tries to open a line once more that went away; what was in flight is lost. False: it is no port."""
        reopen = getattr(self._transport, "reopen", None)
        if reopen is None:
            return False
        self._reader = FrameReader()
        self._in_flight.clear()
        self._arrived.clear()
        with contextlib.suppress(PortError):
            reopen()
        return True

    def receive(self, timeout: float) -> tuple[Sent, Reply] | None:
        """The next reply to a request in flight, with that request; None: `timeout` seconds brought none."""
        deadline = time.monotonic() + timeout
        while True:
            while self._arrived:
                match = self._match(self._arrived.popleft())
                if match:
                    return match
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            data = self._transport.read(left)
            self._received_bytes += len(data)
            self._arrived.extend(self._reader.feed(data))

    def answer(self, schedule: list[float], probe: Callable[[], None]) -> tuple[Sent, Reply]:
        """As `receive`, but between the waits of `schedule` asks again with `probe`; at last, LinkError."""
        self._received_bytes = self._intact = self._echoes = self._strange = 0  # of this silence
        for i, wait in enumerate(schedule):
            if i:
                probe()
            match = self.receive(wait)
            if match:
                return match
        kind, why = self._diagnosis()
        raise kind(f"{self.name}: no answer for {round(sum(schedule), 1):g} s; {why}")

    def _match(self, frame: Frame) -> tuple[Sent, Reply] | None:
        self._intact += 1
        index = next((i for i, sent in enumerate(self._in_flight) if sent.sequence == frame.sequence), None)
        if index is None:
            return None  # a duplicate, or meant for someone before us
        reply = messages.parse(frame)
        if reply is None:
            self._echoes += frame.type == self._in_flight[index].kind
            self._strange += frame.type != self._in_flight[index].kind
            return None
        for _ in range(index):
            self._in_flight.popleft()  # lost, or their replies were: order tells
        return self._in_flight.popleft(), reply

    def _diagnosis(self) -> tuple[type[LinkError], str]:
        """What the silence is, what it may mean, and what to do."""
        if self._echoes:
            return (
                DamagedError,
                "the line only echoes what it is sent; use the board's port, and unplug any loop-back",
            )
        if self._strange:
            return (
                DamagedError,
                "its replies are malformed; flash firmware built from this checkout (make flash)",
            )
        if self._received_bytes and not self._intact:
            return (
                DamagedError,
                f"the {self._received_bytes} bytes received are not this link's: "
                "check the baud rate, and flash this project's firmware (make flash)",
            )
        return (
            LinkTimeoutError,
            "check cable and port, reset the board, and see that it has this project's firmware (make flash)",
        )
