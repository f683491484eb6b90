"""The selftest program in Python, for a socket, and the lies that it can tell."""

import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from squeezenet_mcu.host_tools.link.messages import RESET_CAUSES
from squeezenet_mcu.host_tools.selftest.device import RING_BYTES
from tests.host_tools.liars.lying_board import forever, hang_up, slowly

_WITH_NUMBER = "cewk"


class Program:
    """Answers each command as a sound stm32f405 does; see firmware_cpp/boards/selftest/main.cc."""

    def __init__(self) -> None:
        self._got = b""
        self._stack = 100
        self._lost = 0
        self._said_ready = False

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """The commands that `data` completes, and the right answers."""
        self._got += data
        found = []
        while answered := self._next():
            found.append(answered)
        return found

    def _next(self) -> tuple[str, bytes] | None:
        if not self._got:
            return None
        command, number, used = chr(self._got[0]), 0, 1
        if command in _WITH_NUMBER:
            if len(self._got) < 5:
                return None
            (number,), used = struct.unpack_from("<I", self._got, 1), 5
        payload = b""
        if command in "ew":
            payload = self._got[used : used + number]
            used += number
            if command == "w" and len(self._got) == 5:
                if self._said_ready:
                    return None
                self._said_ready = True
                return "w", b"ready\r\n"
            if len(payload) < number:
                return None
        self._got = self._got[used:]
        self._said_ready = False
        return command, self._answer(command, number, payload)

    def _answer(self, command: str, number: int, payload: bytes) -> bytes:
        if command == "e":
            return payload
        if command == "k":
            self._stack = max(self._stack, number + 40)
        if command == "w":
            self._lost += number - RING_BYTES
            return f"ring {RING_BYTES} 0 {self._lost}\r\n".encode()
        return {
            "n": b"stm32f405\r\n",
            "u": b"instructions 1 0\r\n",
            "c": f"count {2 * number + 10} 0\r\n".encode(),
            "r": f"ring 0 {RING_BYTES} {self._lost}\r\n".encode(),
            "m": f"memory 3000 {1 << 20} 2000 {self._stack} 4096 131072\r\n".encode(),
            "k": b"done\r\n",
            "x": b"sum 14\r\n",
            "f": b"\r\nFAULT exception=00000003 pc=08001234 lr=08005679 sp=20000700 cfsr=00010000\r\n",
            "l": f"reset {RESET_CAUSES.index('fault')} 1\r\n".encode(),
        }.get(command, b"")


# From a command and the right answer to what is said.
Says = Callable[[str, bytes], Iterable[bytes]]


@dataclass(frozen=True)
class Lie:
    """What is said, and words of the one line; "" where all checks must pass. `first`: unasked."""

    ends: str
    says: Says
    first: Callable[[], Iterable[bytes]] = tuple


def conversation(lie: Lie) -> Callable[[socket.socket], None]:
    def converse(connection: socket.socket) -> None:
        program = Program()
        for data in lie.first():
            connection.sendall(data)
        while received := connection.recv(4096):
            for command, answer in program.feed(received):
                for data in lie.says(command, answer):
                    connection.sendall(data)

    return converse


def right(command: str, answer: bytes) -> Iterable[bytes]:
    return [answer]


def to(commands: str, what: Callable[[bytes], Iterable[bytes]]) -> Says:
    """Right answers, but to these commands `what`, which is given the right one."""
    return lambda command, answer: what(answer) if command in commands else [answer]


def all_but_names(what: Callable[[bytes], Iterable[bytes]]) -> Says:
    return lambda command, answer: [answer] if command == "n" else what(answer)


def line(text: bytes) -> Callable[[bytes], Iterable[bytes]]:
    return lambda answer: [text + b"\r\n"]


FAILED, ENDLESS, SILENT = "checks failed: ", "it talks without an end", "no answer; is the selftest"
LIES: dict[str, Lie] = {
    "the truth": Lie("", right),
    "silence": Lie(SILENT, lambda command, answer: []),
    "silence but for the name": Lie(FAILED, all_but_names(lambda answer: [])),
    "zeros, unasked": Lie(ENDLESS, right, first=lambda: forever(b"\0")),
    "lines, unasked": Lie(ENDLESS, right, first=lambda: forever(b"stm32f405\r\n")),
    "0xff for the name": Lie(ENDLESS, to("n", lambda answer: forever(b"\xff"))),
    "zeros for the counter": Lie(FAILED, to("u", lambda answer: forever(b"\0"))),
    "a flood for the echo": Lie(FAILED, to("e", lambda answer: forever(b"e"))),
    "lines for the ring": Lie(FAILED, to("w", lambda answer: forever(b"ring 1 2 3\r\n"))),
    "another name, with escapes": Lie("its name", to("n", line(b"\x1b]0;owned\x07[red]x"))),
    "words for numbers": Lie("counter, counter repeats", to("u", line(b"x y z"))),
    "too few words": Lie("counter, counter repeats", to("u", line(b"instructions"))),
    "too many words": Lie("counter", to("u", line(b"instructions 1 0 0 0 0"))),
    "numbers of 400 digits": Lie("counter repeats", to("c", line(b"count " + b"9" * 400 + b" 0"))),
    "a number of 400 digits and a smaller one": Lie(
        "memory as linked", to("m", line(b"memory 1 2 3 4 5 " + b"9" * 400))
    ),
    "no memory at all": Lie("memory as linked, stack's high-water mark", to("m", line(b"memory"))),
    "half a byte": Lie("floating point", to("x", line(b"sum 1.5"))),
    "no fault": Lie("fault handler", to("f", lambda answer: [])),
    "half a fault": Lie("fault handler", to("f", line(b"FAULT exception=00000003 pc=0 cfsr=00010000"))),
    "no restart": Lie("restart after it", to("l", lambda answer: [])),
    "a restart for no reason that there is": Lie("restart after it", to("l", line(b"reset 99 1"))),
    "a line without an end": Lie("counter", to("u", lambda answer: [b"instructions 1 0"])),
    "a byte a second": Lie(FAILED, lambda command, answer: slowly(answer, 1)),
    "no connection any more": Lie("socket", right, first=lambda: hang_up(b"")),
    "cut in the counter": Lie("socket disconnected", to("u", lambda answer: hang_up(answer[:4]))),
    "cut in the echo": Lie("socket disconnected", to("e", lambda answer: hang_up(answer[:4]))),
}  # fmt: skip
SAMPLE = ("lines, unasked", "zeros for the counter", "words for numbers", "cut in the echo")
