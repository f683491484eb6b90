"""One image to the device and its results back, with as much in flight as the device has room for."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from squeezenet_mcu.convert.verify.engine_status import describe
from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.errors import DamagedError, LinkTimeoutError, RefusedError
from squeezenet_mcu.host_tools.link.exchange import PROBE_RESERVE, Exchange, Sent, Waiting
from squeezenet_mcu.host_tools.link.frame import OVERHEAD, encoded_size
from squeezenet_mcu.host_tools.link.messages import (
    Cost,
    Data,
    DataBlock,
    ErrorCode,
    Info,
    Refusal,
    Reply,
    Request,
    State,
    Status,
)

# Replies in a row, over so many seconds, that bring the image no further: the device must be faulty. Many
# replies alone do not tell (probes of a lossy line), nor does time alone (one burst of rows may take long).
_MAX_FRUITLESS = 8
_FRUITLESS_SECONDS = 6.0
_MOST_WINDOW = 1 << 16  # bytes in flight, whatever the device has room for: some thousand requests
_COST = "cost"  # the tag of RESULT; a READ's is its piece


class DeviceRestartedError(Exception):
    """The device no longer knows this image or session: it was reset, or has another host. Begin again."""


def refused(who: str, sent: Sent, refusal: Refusal) -> RefusedError:
    """The error for a request that `who`, a device or its port, refuses for good."""
    known = refusal.code in tuple(ErrorCode)
    name = ErrorCode(refusal.code).name.lower().replace("_", " ") if known else "unknown"
    return RefusedError(
        f"{who}: refused {sent.kind.name}: {name} ({refusal.code}, {refusal.detail}); "
        "flash firmware built from this checkout (make firmware, make flash)"
    )


class _Piece(NamedTuple):
    """`length` bytes of the results, from `offset` on."""

    what: int
    offset: int
    length: int


class Transfer:
    """Sends the bytes of one image and collects its cost, logits and probabilities."""

    def __init__(self, exchange: Exchange, info: Info, image: int, data: bytes, waiting: Waiting) -> None:
        """`image`: its number, never used before; `data`: int8 HWC; `waiting`: how long for all of it."""
        self._exchange = exchange
        self._info = info
        self._image = image
        self._data = data
        self._waiting = waiting
        self._window = min(info.window_bytes, _MOST_WINDOW)
        self._max_data = messages.max_row_data(info.max_frame)
        self._next = 0  # the first byte not sent, if nothing more gets lost
        self._sent = 0  # bytes from the start that were ever sent
        self._limit_row = 0
        self._rows_per_frame: int | None = None
        self._acknowledged = 0
        self._progressed()
        self._cost: Cost | None = None
        self._pieces: dict[_Piece, bytes] = {}
        self._wanted = self._list_wanted()

    def run(self) -> tuple[Cost, bytes, bytes]:
        """The image's cost, logits and probabilities (int8[classes] as bytes).

        Raises DeviceRestartedError where the image must be begun again, under a new number, and LinkError for
        a device that is silent, refuses the image, or makes no progress.
        """
        self._probe()
        while self._wanted:
            self._fill()
            self._take(*self._answer())
        assert self._cost is not None  # it was wanted
        return self._cost, self._collect(Data.LOGITS), self._collect(Data.PROBABILITIES)

    # Sending

    def _list_wanted(self) -> dict[object, tuple[Request, bytes]]:
        """The requests that fetch the results, by tag, in the order they are sent."""
        wanted: dict[object, tuple[Request, bytes]] = {_COST: (Request.RESULT, messages.begin(self._image))}
        step = messages.max_read_data(self._info.max_frame)
        for what in Data:
            for offset in range(0, self._info.classes, step):
                length = min(step, self._info.classes - offset)
                wanted[_Piece(what, offset, length)] = (
                    Request.READ,
                    messages.read(self._image, what, offset, length),
                )
        return wanted

    def _probe(self) -> None:
        """BEGIN starts the image, or else asks for its STATUS. Fits into the reserve, or else is not sent."""
        room = self._window + PROBE_RESERVE - self._exchange.bytes_in_flight
        payload = messages.begin(self._image)
        if encoded_size(OVERHEAD + len(payload)) <= room:
            self._exchange.send(Request.BEGIN, payload, self._image)

    def _fill(self) -> None:
        """Sends what may be sent: rows within the credit, then the requests for results."""
        while self._next < len(self._data):
            end = self._frame_end()
            if end <= self._next:
                return
            payload = messages.rows(self._image, self._next, self._data[self._next : end])
            if not self._has_room(payload):
                return
            self._exchange.send(Request.ROWS, payload, self._image, start=self._next, end=end)
            self._next = end
            self._sent = max(self._sent, end)
        asked = {sent.tag for sent in self._exchange.in_flight if sent.image == self._image}
        for tag, (kind, payload) in self._wanted.items():
            if tag not in asked and self._has_room(payload):
                self._exchange.send(kind, payload, self._image, tag=tag)

    def _has_room(self, payload: bytes) -> bool:
        size = encoded_size(OVERHEAD + len(payload))
        return self._exchange.bytes_in_flight + size <= self._window

    def _frame_end(self) -> int:
        """Where the next ROWS ends: whole rows, or a piece of a row that is longer than a frame.

        This is the division that the device's credit counts on. Not beyond the start: nothing may be sent.
        """
        row_bytes = self._info.row_bytes
        row, into_row = divmod(self._next, row_bytes)
        credit = self._limit_row - row
        if credit <= 0:
            return self._next
        if into_row or row_bytes > self._max_data:
            return min(self._next + self._max_data, (row + 1) * row_bytes)
        if self._rows_per_frame is None:
            # Half the credit a frame: one is on its way while the device works on the other.
            self._rows_per_frame = max(1, min(self._max_data // row_bytes, credit // 2))
        last = self._limit_row >= self._info.height
        waiting = any(
            sent.kind is Request.ROWS and sent.image == self._image for sent in self._exchange.in_flight
        )
        if credit < self._rows_per_frame and not last and waiting:
            return self._next  # more credit is coming: no small frames
        return (row + min(credit, self._rows_per_frame)) * row_bytes

    # Receiving

    def _answer(self) -> tuple[Sent, Reply]:
        schedule = self._waiting.schedule()
        if schedule:
            try:
                return self._exchange.answer(schedule, self._probe)
            except (LinkTimeoutError, DamagedError):
                if not self._waiting.over():
                    raise
        raise LinkTimeoutError(
            f"{self._exchange.name}: the device answered, but the image is not done after "
            f"{self._waiting.patience.whole:.3g} s; reset it and try again"
        )

    def _progressed(self) -> None:
        self._fruitless = 0
        self._progress = time.monotonic()

    def _take(self, sent: Sent, reply: Reply) -> None:
        if sent.image != self._image:
            return  # about the image before this one
        self._fruitless += 1
        since = time.monotonic() - self._progress
        if self._fruitless > _MAX_FRUITLESS and since > _FRUITLESS_SECONDS:
            raise LinkTimeoutError(
                f"{self._exchange.name}: the device answers, but takes nothing; reset it and try again"
            )
        handlers: dict[type, Callable[[Sent, Any], None]] = {
            Status: self._take_status,
            Cost: self._take_cost,
            DataBlock: self._take_data,
            Refusal: self._take_refusal,
        }
        handler = handlers.get(type(reply))
        if handler:
            handler(sent, reply)

    def _take_status(self, sent: Sent, status: Status) -> None:
        if (status.session, status.image) != (self._info.session, self._image):
            raise DeviceRestartedError
        if status.state is State.FAILED:
            row = status.next_byte // self._info.row_bytes
            raise RefusedError(
                f"{self._info.board}: the engine failed by row {row}: {describe(status.failure)}; "
                "flash firmware built from this checkout (make firmware, make flash)"
            )
        if status.next_byte > self._sent:
            raise self._lie(
                f"it has {status.next_byte:,} bytes of an image of which {self._sent:,} were sent"
            )
        self._limit_row = min(status.limit_row, self._info.height)
        if status.next_byte > self._acknowledged:
            self._acknowledged = status.next_byte
            self._progressed()
        # Where the device will be once it has all that is in flight: what follows a gap will be refused, so
        # sending goes on from the gap, without a state of its own for recovery.
        expected = status.next_byte
        for other in self._exchange.in_flight:
            if other.kind is Request.ROWS and other.image == self._image and other.start == expected:
                expected = other.end
        self._next = expected

    def _take_cost(self, sent: Sent, cost: Cost) -> None:
        if sent.tag == _COST and sent.tag in self._wanted and cost.image == self._image:
            if cost.sram_high_water > self._info.sram_total_bytes:
                total = self._info.sram_total_bytes
                raise self._lie(f"it used {cost.sram_high_water:,} bytes of SRAM; there are {total:,}")
            self._cost = cost
            del self._wanted[sent.tag]
            self._progressed()

    def _take_data(self, sent: Sent, block: DataBlock) -> None:
        piece = _Piece(block.what, block.offset, len(block.data))
        if piece == sent.tag and piece in self._wanted and block.image == self._image:
            self._pieces[piece] = block.data
            del self._wanted[piece]
            self._progressed()

    def _take_refusal(self, sent: Sent, refusal: Refusal) -> None:
        if refusal.code in (ErrorCode.NO_SESSION, ErrorCode.WRONG_IMAGE):
            raise DeviceRestartedError
        raise refused(self._info.board, sent, refusal)

    def _lie(self, what: str) -> DamagedError:
        return DamagedError(
            f"{self._exchange.name}: the device says that {what}; "
            "flash firmware of this checkout (make flash)"
        )

    def _collect(self, what: Data) -> bytes:
        return b"".join(data for piece, data in sorted(self._pieces.items()) if piece.what == what)
