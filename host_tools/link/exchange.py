"""Requests and their replies: sequence numbers, what is in flight, waiting, and giving up."""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.adaptive import Loss, RoundTrip, Statistics
from squeezenet_mcu.host_tools.link.errors import DamagedError, FaultError, LinkError, LinkTimeoutError
from squeezenet_mcu.host_tools.link.faults import FaultWatch
from squeezenet_mcu.host_tools.link.frame import OVERHEAD, Frame, FrameReader, encoded_size
from squeezenet_mcu.host_tools.link.messages import Reply, Request
from squeezenet_mcu.host_tools.link.transport import Transport

PROBE_RESERVE = 128  # bytes of its receive buffer that the device keeps for probes; wire.h has the same
MAX_PROBES = 8  # that always fit into it; more are sent where the window has room
_MOST_BETWEEN = 0.5  # seconds between probes: one that is lost must not cost much of the patience
_ANSWER = 28  # bytes on the wire of a usual answer


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
    at: float = 0.0  # of time.monotonic()


def waits(first: float, total: float, most: float = _MOST_BETWEEN) -> Iterator[float]:
    """Seconds to wait between probes: doubling from `first` up to `most`, all `total` together."""
    wait, left = first, total
    while left > 0:
        yield min(wait, left)
        left -= wait
        wait = max(first, min(2 * wait, most))


@dataclass(frozen=True)
class Patience:
    """Seconds to wait: `silence` for one answer, `whole` for all of them; `first` until the first probe, as
    long as no round trip is measured."""

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

    def silence(self) -> float:
        """Seconds to wait for the next answer; 0 where no time is left."""
        return max(0.0, min(self.patience.silence, self.deadline - time.monotonic()))


class Exchange:
    """Sends requests over a line and pairs the replies with them.

    The line keeps the order of what it delivers. So a reply proves that every request sent before it has left
    the device's receive buffer, answered or lost; this is what bounds the bytes in flight, losses or not.
    """

    def __init__(self, transport: Transport) -> None:
        self.loss = Loss()
        self.round_trip = RoundTrip()
        self.statistics = Statistics()
        # Told before each probe: seconds of silence so far, and how many are borne at most.
        self.on_silence: Callable[[float, float], None] = lambda silent, patience: None
        # Told as an image goes in: its number, and how many bytes of it the device has acknowledged.
        self.on_progress: Callable[[int, int], None] = lambda image, acknowledged: None
        self.use(transport)
        # A random start: replies to another process's requests, still in some buffer, do not match ours.
        self._sequence = secrets.randbelow(1 << 16)
        self._received_bytes = 0
        self._listening_since = 0.0
        self._intact = 0
        self._echoes = 0
        self._strange = 0

    def use(self, transport: Transport) -> None:
        """From now on over this line; what was in flight on another one is lost."""
        self._transport = transport
        self._reader = FrameReader()
        self._faults = FaultWatch()
        self._in_flight: deque[Sent] = deque()
        self._arrived: deque[Frame] = deque()

    def forget(self) -> None:
        """What was in flight can be answered no more: it went out at another baud rate."""
        self._in_flight.clear()
        self._arrived.clear()
        self._reader = FrameReader()

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

    def resume(self) -> None:
        """Nobody has listened for a while: how long the answers to come have taken says nothing."""
        self._listening_since = time.monotonic()

    def first_wait(self, unmeasured: float) -> float:
        """Seconds of silence until the first probe; `unmeasured`: where no round trip is measured."""
        return self.round_trip.wait(unmeasured, hurry=self.loss.bad)

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
        sent = Sent(kind, self._sequence, len(data), image, start, end, tag, time.monotonic())
        self._in_flight.append(sent)
        self.statistics.requests += 1
        self.statistics.bytes_sent += len(data)
        self._transport.write(data)

    def receive(self, timeout: float) -> tuple[Sent, Reply] | None:
        """The next reply to a request in flight, with that request; None: `timeout` seconds brought none.

        FaultError: the device says that its program has faulted.
        """
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
            self.statistics.bytes_received += len(data)
            if fault := self._faults.feed(data):
                raise FaultError(self.name, fault)
            self._arrived.extend(self._reader.feed(data))

    def answer(
        self, silence: float, probe: Callable[[], None], first: float, most: float = _MOST_BETWEEN
    ) -> tuple[Sent, Reply]:
        """As `receive`, but waits for `silence` seconds, and asks again with `probe`; at last, LinkError.

        `first`: seconds until the first probe; the next ones come after twice as long each, up to `most`.
        """
        self._received_bytes = self._intact = self._echoes = self._strange = 0  # of this silence
        began = time.monotonic()
        for i, wait in enumerate(waits(first, silence, most)):
            if i:
                self.on_silence(time.monotonic() - began, silence)
                self.statistics.probes += 1
                probe()
            match = self.receive(wait)
            if match:
                return match
        kind, why = self._diagnosis()
        raise kind(f"{self.name}: no answer for {round(silence, 1):g} s; {why}")

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
            lost = self._in_flight.popleft()  # it was, or its reply: order tells
            if lost.kind in (Request.HELLO, Request.SPEED):
                # A board that boots hears nothing, nor one at another rate: that says nothing about the line.
                continue
            self.statistics.lost += 1
            self.loss.add(lost.size + _ANSWER, lost=True)
        sent = self._in_flight.popleft()
        if sent.at >= self._listening_since:
            seconds = time.monotonic() - sent.at
            self.round_trip.add(seconds)
            self.statistics.timed(seconds)
        self.statistics.answers += 1
        self.loss.add(sent.size + encoded_size(OVERHEAD + len(frame.payload)), lost=False)
        return sent, reply

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
