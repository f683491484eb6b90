"""The lies of a board on the link: what it says at which stage, and how `validate` must end.

How: "exact", "NOT exact", or words of the one line. All answers of a run that ends "exact" are right.
"""

import itertools
import random
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from squeezenet_mcu.host_tools.link.frame import Frame
from squeezenet_mcu.host_tools.link.messages import Request
from tests.host_tools.liars.lying_board import (
    ERROR,
    INFO,
    STATUS,
    Board,
    Says,
    forever,
    hang_up,
    reply,
    slowly,
)

_RANDOM = random.Random(17)
HELLO, BEGIN, ROWS, RESULT, READ = (
    Request.HELLO, Request.BEGIN, Request.ROWS, Request.RESULT, Request.READ,
)  # fmt: skip
COUNTS, LAST_FAULT = Request.COUNTS, Request.LAST_FAULT
LINE = b"\0\r\nFAULT exception=00000003 pc=08001234 lr=08005679 sp=20000700\r\n\0"


@dataclass(frozen=True)
class Lie:
    """What is said, and the end of it. `first`: unasked, when the host connects."""

    ends: str
    says: Says
    board: Callable[[], Board] = Board
    first: Callable[[], Iterable[bytes]] = tuple


def right(board: Board, frame: Frame) -> Iterable[bytes]:
    return [board.right(frame)]


def at(kind: Request, says: Callable[[Board, Frame], Iterable[bytes]]) -> Says:
    """Right answers, but to `kind` this."""

    def answer(board: Board, frame: Frame) -> Iterable[bytes]:
        if frame.type != kind:
            return right(board, frame)
        board.take(frame)
        return says(board, frame)

    return answer


def later(says: Callable[[Board, Frame], Iterable[bytes]], images: int = 1) -> Says:
    """Right answers to `images` images, then this."""

    def answer(board: Board, frame: Frame) -> Iterable[bytes]:
        board.take(frame)
        return says(board, frame) if board.images > images else right(board, frame)

    return answer


def nothing(board: Board, frame: Frame) -> Iterable[bytes]:
    return []


def flood(data: bytes) -> Says:
    return lambda board, frame: forever(data)


def payload(kind: int, data: bytes) -> Says:
    return lambda board, frame: [reply(frame, kind, data)]


def cut(board: Board, frame: Frame) -> Iterator[bytes]:
    """Half of the right answer, then no connection."""
    return hang_up(board.right(frame)[:9])


def strangers(board: Board, frame: Frame) -> Iterator[bytes]:
    """Endless INFOs and STATUSes of other sessions, some with this request's sequence number."""
    return forever(board.info(frame, session=12345) + board.status(frame, session=12345, image=1))


def unknown_types(board: Board, frame: Frame) -> Iterator[bytes]:
    return forever(reply(frame, 0x90, b"what?") + reply(frame, 0x83, bytes(40)))


def too_long(board: Board, frame: Frame) -> Iterator[bytes]:
    """A frame of 100,000 bytes, then the right answer: the long one is dropped."""
    yield reply(frame, STATUS, _RANDOM.randbytes(100_000))
    yield board.right(frame)


def progress(of: Callable[[int], dict]) -> Says:
    """To BEGIN and ROWS an endless series of STATUSes: `of` their number."""

    def answer(board: Board, frame: Frame) -> Iterable[bytes]:
        if frame.type == HELLO:
            return right(board, frame)
        board.take(frame)
        board.lies += 1
        return [board.status(frame, **of(board.lies - 1))]

    return answer


def stuck(board: Board, frame: Frame) -> Iterable[bytes]:
    """Takes a byte, and wants the second one for ever: each time the host sends all that follows."""
    if frame.type == HELLO:
        return right(board, frame)
    board.take(frame)
    return [board.status(frame, next_byte=min(1, len(board.data)), state=1)]


def resets(change: Callable[[Board], None]) -> Says:
    """A reset at the second image's rows, and a `change` of what the board is."""

    def answer(board: Board, frame: Frame) -> Iterable[bytes]:
        if board.images == 2 and frame.type == ROWS and not board.lies:
            board.lies += 1
            board.session = 0
            change(board)
        return right(board, frame)

    return answer


def changed(**sizes) -> Says:
    return resets(lambda board: board.sizes.update(sizes))


def always_resets(board: Board, frame: Frame) -> Iterable[bytes]:
    if frame.type == ROWS:
        return [reply(frame, ERROR, struct.pack("<BI", 4, 0))]
    return right(board, frame)


def ends_at_each_stage(board: Board, frame: Frame) -> Iterator[bytes]:
    """Each answer comes just before patience ends; much later than the host may wait for all of it."""
    return itertools.chain(slowly(board.right(frame)[:4], 1.6), [board.right(frame)[4:]])


def board(**sizes) -> Callable[[], Board]:
    return lambda: Board(**sizes)


ESCAPES = b"\x1b]0;owned\x07\x1b[2J\n[red]x"
SILENT, DAMAGED, MALFORMED = "no answer for", "are not this link's", "its replies are malformed"
FRUITLESS, UNFINISHED = "answers, but takes nothing", "the device answered, but the image is not done after"
RESET = "the device was reset and now"
GONE = "the connection broke"
SAYS = "the device says"

LIES: dict[str, Lie] = {
    # Silence
    "silence at HELLO": Lie(SILENT, at(HELLO, nothing)),
    "silence at BEGIN": Lie(SILENT, at(BEGIN, nothing)),
    "silence at ROWS, which are taken": Lie("exact", at(ROWS, nothing)),
    "silence at RESULT": Lie(FRUITLESS, at(RESULT, nothing)),
    "silence at READ": Lie(FRUITLESS, at(READ, nothing)),
    "silence after an image": Lie(SILENT, later(nothing)),
    # Floods
    "zeros, unasked": Lie(DAMAGED, right, first=lambda: forever(b"\0")),
    "0xff, unasked": Lie(DAMAGED, right, first=lambda: forever(b"\xff")),
    "0xff at HELLO": Lie(DAMAGED, at(HELLO, flood(b"\xff"))),
    "zeros at ROWS": Lie(SILENT, at(ROWS, flood(b"\0"))),
    "0xff at RESULT": Lie(SILENT, at(RESULT, flood(b"\xff"))),
    "noise at READ": Lie(SILENT, at(READ, flood(_RANDOM.randbytes(4096)))),
    "zeros after an image": Lie(SILENT, later(flood(b"\0"))),
    "0xff after an image": Lie(DAMAGED, later(flood(b"\xff"))),
    "strangers at HELLO": Lie("not to this program's HELLO", at(HELLO, strangers)),
    "a stranger's INFO to each HELLO": Lie(
        "not to this program's HELLO", at(HELLO, lambda b, f: [b.info(f, session=12345)])
    ),
    "strangers at BEGIN": Lie(SILENT, at(BEGIN, strangers)),
    "strangers at READ": Lie(SILENT, at(READ, strangers)),
    "unknown types at HELLO": Lie(MALFORMED, at(HELLO, unknown_types)),
    "unknown types at ROWS": Lie(MALFORMED, at(ROWS, unknown_types)),
    "unknown types at RESULT": Lie(MALFORMED, at(RESULT, unknown_types)),
    # Wrong lengths
    "INFO too short": Lie(MALFORMED, at(HELLO, lambda b, f: [reply(f, INFO, bytes(20))])),
    "INFO too long": Lie(MALFORMED, at(HELLO, payload(INFO, bytes(900)))),
    "STATUS is empty": Lie(MALFORMED, at(BEGIN, payload(STATUS, b""))),
    "STATUS too long": Lie(MALFORMED, at(BEGIN, payload(STATUS, bytes(1000)))),
    "RESULT too short": Lie(FRUITLESS, at(RESULT, payload(0x84, b"abc"))),
    "DATA is empty": Lie(FRUITLESS, at(READ, payload(0x85, b""))),
    "frames too long, then right ones": Lie("exact", too_long),
    # Sizes in INFO
    "65,535 rows": Lie(SAYS, right, board(height=65_535)),
    "65,535 columns and channels": Lie(SAYS, right, board(width=65_535, channels=65_535)),
    "65,535 classes": Lie(SAYS, right, board(classes=65_535)),
    "no rows": Lie(MALFORMED, right, board(height=0)),
    "no classes": Lie(MALFORMED, right, board(classes=0)),
    "frames of 65,535": Lie(MALFORMED, right, board(max_frame=65_535)),
    "frames of 0": Lie(MALFORMED, right, board(max_frame=0)),
    "a window of 0": Lie(MALFORMED, right, board(window=0)),
    "a window of 64, true": Lie("exact", right, board(window=64)),
    "a window of 4 GB": Lie("exact", right, board(window=2**32 - 1)),
    "an arena of 4 GB": Lie(SAYS, right, board(arena=2**32 - 1)),
    "an unknown counter": Lie(MALFORMED, right, board(kind=200)),
    "a counter of 0 Hz": Lie("exact", right, board(hz=0)),
    "another model": Lie("the device runs model 070707", right, board(sha=b"\7" * 32)),
    "version 200": Lie("speaks version 200 of the link", right, board(version=200)),
    # The board's name
    "a shell's command for a name": Lie(
        " 'x; touch y `$('", right, board(sha=b"\7" * 32, name=b"x; touch y `$(")
    ),
    "escape sequences for a name": Lie("exact", right, board(name=ESCAPES)),
    "a name of 255 bytes": Lie(MALFORMED, right, board(name=b"\xff" * 255)),
    "no name": Lie("exact", right, board(name=b"")),
    # STATUS
    "progress without end": Lie("byte", progress(lambda n: {"next_byte": n, "state": 1})),
    "back and forth": Lie(FRUITLESS, progress(lambda n: {"next_byte": 11 * (n % 2), "state": 1})),
    "beyond the image": Lie("byte", progress(lambda n: {"next_byte": 2**32 - 1, "state": 1})),
    "back and forth, 4 GB window": Lie(
        FRUITLESS,
        stuck,
        board(window=2**32 - 1, max_frame=64),
    ),
    "no rows allowed": Lie(FRUITLESS, progress(lambda n: {"limit_row": 0, "next_byte": 0, "state": 1})),
    "ever fewer rows allowed": Lie(
        FRUITLESS, progress(lambda n: {"limit_row": max(0, 2 - n), "next_byte": 0, "state": 1})
    ),
    "4 billion rows allowed": Lie("exact", at(BEGIN, lambda b, f: [b.status(f, limit_row=2**32 - 1)])),
    "an unknown state": Lie(MALFORMED, at(BEGIN, lambda b, f: [b.status(f, state=77)])),
    "an unknown failure": Lie(
        "status 255, unknown", at(BEGIN, lambda b, f: [b.status(f, state=3, failure=255)])
    ),
    "a failure at byte 4 billion": Lie(
        "status 9, arena", at(ROWS, lambda b, f: [b.status(f, state=3, failure=9, next_byte=2**32 - 1)])
    ),
    "done at once": Lie(FRUITLESS, progress(lambda n: {"state": 2, "next_byte": 0})),
    # RESULT and DATA
    "a count of 2^64 - 1": Lie("exact", at(RESULT, lambda b, f: [b.cost(f, count=2**64 - 1)])),
    "4 GB of stack": Lie(
        "bytes of SRAM; there are", at(RESULT, lambda b, f: [b.cost(f, sram=2**32 - 1, stack=2**32 - 1)])
    ),
    "another image's RESULT": Lie(FRUITLESS, at(RESULT, lambda b, f: [b.cost(f, image=5)])),
    "RESULT to ROWS, which are taken": Lie("exact", at(ROWS, lambda b, f: [b.cost(f)])),
    "RESULT to all": Lie(
        FRUITLESS, lambda b, f: right(b, f) if f.type in (HELLO, BEGIN) else [b.cost(f, image=b.image)]
    ),
    "DATA at another offset": Lie(FRUITLESS, at(READ, lambda b, f: [b.piece(f, offset=2**32 - 1)])),
    "another image's DATA": Lie(FRUITLESS, at(READ, lambda b, f: [b.piece(f, image=5)])),
    "the other vector's DATA": Lie(FRUITLESS, at(READ, lambda b, f: [b.piece(f, what=1 - f.payload[4])])),
    "an unknown vector's DATA": Lie(FRUITLESS, at(READ, lambda b, f: [b.piece(f, what=255)])),
    "DATA too long": Lie(FRUITLESS, at(READ, lambda b, f: [b.piece(f, values=bytes(900))])),
    "wrong logits": Lie("NOT exact", at(READ, lambda b, f: [b.piece(f, values=bytes(10))])),
    "ERROR 99": Lie("unknown (99,", at(ROWS, payload(ERROR, struct.pack("<BI", 99, 2**32 - 1)))),
    # Faults
    "FAULT at ROWS": Lie("the firmware faulted at 0x08001234", at(ROWS, lambda b, f: [LINE])),
    "FAULT without end": Lie("the firmware faulted", right, first=lambda: forever(LINE)),
    "half of FAULT without end": Lie(DAMAGED, right, first=lambda: forever(LINE[1:40])),
    "FAULT with escape sequences": Lie("exact", at(ROWS, lambda b, f: [LINE.replace(b"lr=", ESCAPES)])),
    "after a fault, nothing of it": Lie(SILENT, at(LAST_FAULT, nothing), board(reset=5)),
    "after a fault, and refuses": Lie(
        "exact", at(LAST_FAULT, payload(ERROR, struct.pack("<BI", 2, 11))), board(reset=5)
    ),
    "after a fault, too few registers": Lie(
        MALFORMED, at(LAST_FAULT, payload(0x8B, bytes(39))), board(reset=5)
    ),
    "after a fault of no CPU": Lie(MALFORMED, at(LAST_FAULT, payload(0x8B, b"\xff" * 40)), board(reset=5)),
    "after a fault, true": Lie("exact", at(LAST_FAULT, payload(0x8B, bytes(40))), board(reset=5)),
    "after a fault, of which nothing is known": Lie("exact", right, board(reset=5)),
    "an unknown reset cause": Lie(MALFORMED, right, board(reset=77)),
    "features of the future": Lie("exact", right, board(features=2**32 - 1)),
    # The connection
    "no connection any more": Lie(GONE, right, first=lambda: hang_up(b"")),
    "cut in INFO": Lie(GONE, at(HELLO, cut)),
    "cut in DATA": Lie(GONE, at(READ, cut)),
    "cut after an image": Lie(GONE, later(cut)),
    # Resets
    "reset, same again": Lie("exact", resets(lambda board: None)),
    "reset, by the watchdog": Lie("exact", changed(reset=4)),
    "reset, another model": Lie(RESET, changed(sha=b"\7" * 32)),
    "reset, fewer classes": Lie(RESET, changed(classes=9)),
    "reset, more rows": Lie(RESET, changed(height=65_535)),
    "reset, other columns": Lie(RESET, changed(width=4, height=3)),
    "reset, another counter": Lie(RESET, changed(kind=0)),
    "reset at each ROWS": Lie("was reset 6 times during one image", always_resets),
    # Time
    "a byte a second": Lie("for 7 s", lambda b, f: slowly(b.right(f), 1)),
    "a byte a second from BEGIN on": Lie(
        SILENT, lambda b, f: right(b, f) if f.type == HELLO else slowly(b.right(f), 1)
    ),
    "each answer after 6.4 s": Lie(UNFINISHED, ends_at_each_stage),
}  # fmt: skip

# Of each kind one, for a quick run. The other lies are for the long one.
SAMPLE = (
    "zeros, unasked", "a stranger's INFO to each HELLO", "a name of 255 bytes", "progress without end",
    "reset, fewer classes", "DATA too long", "RESULT to all", "4 GB of stack", "wrong logits",
    "after a fault of no CPU", "reset, by the watchdog",
)  # fmt: skip
