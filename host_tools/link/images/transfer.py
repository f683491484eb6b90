"""One image to the device and its results back, with as much in flight as the device has room for."""

import itertools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from squeezenet_mcu.convert.verify.engine_status import describe
from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.adaptive import LOSSY_FRAMES
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

    def __init__(self, image: int | None = None) -> None:
        """`image`: the one that it has instead; None: it knows no session, or does not say."""
        self.image = image


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

    def __init__(
        self, exchange: Exchange, info: Info, image: int, data: bytes, waiting: Waiting, limit_row: int = 0
    ) -> None:
        """`image`: its number, never used before; `data`: int8 HWC; `waiting`: how long for all of it.

        `limit_row`: the rows below it may be sent at once, as this device granted for an image before.
        """
        self.image = image
        self.waiting = waiting
        self.first_limit_row = limit_row  # what the device grants as the image begins
        self.begun = False  # the device has said so
        self._exchange = exchange
        self._info = info
        self._data = data
        self._window = min(info.window_bytes, _MOST_WINDOW)
        self._max_data = messages.max_row_data(info.max_frame)
        self._next = 0  # the first byte not sent, if nothing more gets lost
        self._sent = 0  # bytes from the start that were ever sent
        self._limit_row = limit_row
        self._acknowledged = 0
        self._progressed()
        self._cost: Cost | None = None
        self._pieces: dict[_Piece, bytes] = {}
        self._wanted = self._list_wanted()

    @property
    def done(self) -> bool:
        """Whether all results are in."""
        return not self._wanted

    @property
    def only_results_to_come(self) -> bool:
        """Whether the device has all rows, and has been asked for all results that are still missing."""
        if self._acknowledged < len(self._data):
            return False
        return self._asked().issuperset(self._wanted)

    def results(self) -> tuple[Cost, bytes, bytes]:
        """The image's cost, logits and probabilities (int8[classes] as bytes); only where it is done."""
        assert self._cost is not None
        return self._cost, self._collect(Data.LOGITS), self._collect(Data.PROBABILITIES)

    def promote(self, waiting: Waiting) -> None:
        """Its turn has come: the clocks start again."""
        self.waiting = waiting
        self._progressed()

    # Sending

    def _list_wanted(self) -> dict[object, tuple[Request, bytes]]:
        """The requests that fetch the results, by tag, in the order they are sent."""
        wanted: dict[object, tuple[Request, bytes]] = {_COST: (Request.RESULT, messages.begin(self.image))}
        step = messages.max_read_data(self._info.max_frame)
        for what in Data:
            for offset in range(0, self._info.classes, step):
                length = min(step, self._info.classes - offset)
                wanted[_Piece(what, offset, length)] = (
                    Request.READ,
                    messages.read(self.image, what, offset, length),
                )
        return wanted

    def ask_again(self) -> None:
        """After silence: BEGIN; on a line that loses much what the device wants next goes before it."""
        if self.begun and self._exchange.loss.bad:
            if self._acknowledged < len(self._data):
                self._next = self._acknowledged
                self._send_rows()
            else:
                self._ask_more_than_once(1)
        self.probe()

    def probe(self) -> None:
        """BEGIN starts the image, or else asks for its STATUS. Fits into the reserve, or else is not sent."""
        room = self._window + PROBE_RESERVE - self._exchange.bytes_in_flight
        payload = messages.begin(self.image)
        if encoded_size(OVERHEAD + len(payload)) <= room:
            self._exchange.send(Request.BEGIN, payload, self.image)

    def fill(self) -> None:
        """Sends what may be sent: rows within the credit, then the requests for results."""
        while self._next < len(self._data):
            if self._crowded() or not self._send_rows():
                return
        asked = self._asked()
        for tag, (kind, payload) in self._wanted.items():
            if tag not in asked and self._has_room(payload):
                self._exchange.send(kind, payload, self.image, tag=tag)
        if self._exchange.loss.bad:
            self._ask_more_than_once(LOSSY_FRAMES - len(self._exchange.in_flight))

    def _send_rows(self) -> bool:
        """Sends the next rows that may be sent. False: none may be."""
        end = self._frame_end()
        if end <= self._next:
            return False
        payload = messages.rows(self.image, self._next, self._data[self._next : end])
        if not self._has_room(payload):
            return False
        self._exchange.send(Request.ROWS, payload, self.image, start=self._next, end=end)
        self._next = end
        self._sent = max(self._sent, end)
        return True

    def _ask_more_than_once(self, times: int) -> None:
        """On a line that loses frames: asks for what is wanted again and again."""
        for tag, (kind, payload) in itertools.islice(itertools.cycle(self._wanted.items()), max(0, times)):
            if not self._has_room(payload):
                return
            self._exchange.send(kind, payload, self.image, tag=tag)

    def _crowded(self) -> bool:
        """Whether so much is in flight that more would be wasted: what follows a lost frame is refused."""
        return not self._exchange.loss.clean and len(self._exchange.in_flight) >= LOSSY_FRAMES

    def _asked(self) -> set[object]:
        return {sent.tag for sent in self._exchange.in_flight if sent.image == self.image}

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
        most = self._exchange.loss.best_data(self._max_data)
        if into_row or row_bytes > most:
            return min(self._next + most, (row + 1) * row_bytes)
        # Half the credit a frame: one is on its way while the device works on the other.
        rows_per_frame = max(1, min(most // row_bytes, self.first_limit_row // 2))
        last = self._limit_row >= self._info.height
        waiting = any(
            sent.kind is Request.ROWS and sent.image == self.image for sent in self._exchange.in_flight
        )
        if credit < rows_per_frame and not last and waiting:
            return self._next  # more credit is coming: no small frames
        return (row + min(credit, rows_per_frame)) * row_bytes

    # Receiving

    def _progressed(self) -> None:
        self._fruitless = 0
        self._progress = time.monotonic()

    def take(self, sent: Sent, reply: Reply) -> None:
        """What the device answers about this image.

        Raises DeviceRestartedError where the image must be begun again, under a new number, and LinkError for
        a device that refuses the image, or makes no progress.
        """
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
        if (status.session, status.image) != (self._info.session, self.image):
            raise DeviceRestartedError
        self.begun = True
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
        self.first_limit_row = self.first_limit_row or self._limit_row
        if status.next_byte > self._acknowledged:
            self._acknowledged = status.next_byte
            self._progressed()
            self._exchange.on_progress(self.image, self._acknowledged)
        # Where the device will be once it has all that is in flight: what follows a gap will be refused, so
        # sending goes on from the gap, without a state of its own for recovery.
        expected = status.next_byte
        for other in self._exchange.in_flight:
            if other.kind is Request.ROWS and other.image == self.image and other.start == expected:
                expected = other.end
        self._next = expected

    def _take_cost(self, sent: Sent, cost: Cost) -> None:
        if sent.tag == _COST and sent.tag in self._wanted and cost.image == self.image:
            if cost.sram_high_water > self._info.sram_total_bytes:
                total = self._info.sram_total_bytes
                raise self._lie(f"it used {cost.sram_high_water:,} bytes of SRAM; there are {total:,}")
            self._cost = cost
            del self._wanted[sent.tag]
            self._progressed()

    def _take_data(self, sent: Sent, block: DataBlock) -> None:
        piece = _Piece(block.what, block.offset, len(block.data))
        if piece == sent.tag and piece in self._wanted and block.image == self.image:
            self._pieces[piece] = block.data
            del self._wanted[piece]
            self._progressed()

    def _take_refusal(self, sent: Sent, refusal: Refusal) -> None:
        if refusal.code in (ErrorCode.NO_SESSION, ErrorCode.WRONG_IMAGE):
            if refusal.code == ErrorCode.WRONG_IMAGE and not self.begun:
                self._begin_again()
                return
            raise DeviceRestartedError(refusal.detail if refusal.code == ErrorCode.WRONG_IMAGE else None)
        raise refused(self._info.board, sent, refusal)

    def _begin_again(self) -> None:
        """BEGIN got lost: the device still has the image before, and refuses the rows of this one."""
        self._next = 0
        if not any(
            sent.kind is Request.BEGIN and sent.image == self.image for sent in self._exchange.in_flight
        ):
            self.probe()

    def _lie(self, what: str) -> DamagedError:
        return DamagedError(
            f"{self._exchange.name}: the device says that {what}; "
            "flash firmware of this checkout (make flash)"
        )

    def _collect(self, what: Data) -> bytes:
        return b"".join(data for piece, data in sorted(self._pieces.items()) if piece.what == what)
