"""The part of MLPerf Tiny's runner that talks to a board: the same commands, replies taken as it takes them.

Written after mlcommons/tiny, benchmark/runner (May 2026): serial_device.py, device_under_test.py, script.py
and main.py. A command ends with "%". What comes is cut at "\\n", without "\\r" and "\\0"; the line that holds
"m-ready" ends a reply.
"""

import re
import statistics
import time
from dataclasses import dataclass, field

import serial

BYTES_A_COMMAND = 31  # of `db`, without an interface board between
LINE_TIMEOUT = 5.0  # seconds between two lines of a reply
INFER_TIMEOUT = 30.0  # the same for `infer`
LOOPS = 5  # of a throughput run that counts
LEAST_SECONDS = 10.0  # of such a run


class NoAnswerError(Exception):
    """What ends the runner: no line came in time."""


@dataclass
class Inference:
    """What the runner makes of a reply to `infer`. `results`: of the last vector; times in microseconds."""

    results: list[float] | None = None
    start: int | None = None
    end: int | None = None
    vectors: int = 0

    @property
    def elapsed(self) -> int:
        assert self.start is not None, "Incomplete time data"
        assert self.end is not None, "Incomplete time data"
        return self.end - self.start


@dataclass
class Runner:
    """A connection to a board that speaks the benchmark's commands. `url`: pyserial's.

    `patience`: times as long as the runner waits, for emulators on a busy machine.
    """

    url: str
    patience: float = 6.0
    said: list[str] = field(default_factory=list)  # every line, for a test that failed

    def __post_init__(self) -> None:
        self._port = serial.serial_for_url(self.url, 115200, timeout=0.1)
        self._pending = b""

    def close(self) -> None:
        self._port.close()

    def read_line(self, timeout: float) -> str:
        end = time.monotonic() + timeout * self.patience
        while b"\n" not in self._pending:
            if time.monotonic() > end:
                raise NoAnswerError(f"no line within {timeout * self.patience} s; before: {self.said[-5:]}")
            self._pending += self._port.read(max(1, self._port.in_waiting))
        line, _, self._pending = self._pending.partition(b"\n")
        text = line.decode().replace("\r", "").replace("\0", "")
        self.said.append(text)
        return text

    def command(self, text: str, timeout: float = LINE_TIMEOUT) -> list[str]:
        """The lines of the reply, that with m-ready last."""
        self._port.write(text.encode() + b"%")
        return self.reply(timeout)

    def reply(self, timeout: float = LINE_TIMEOUT) -> list[str]:
        lines = []
        while True:
            line = self.read_line(timeout)
            if line:
                lines.append(line)
            if "m-ready" in line:
                return lines

    def name(self) -> str | None:
        """What the board is called; None: it did not say so in a way that the runner understands."""
        return self._find(r"^m-(name)-dut-\[([^]]+)]$", self.command("name")).get("name")

    def profile(self) -> dict[str, str]:
        return self._find(r"^m-(model|profile)-\[([^]]+)]$", self.command("profile"))

    @staticmethod
    def _find(pattern: str, lines: list[str]) -> dict[str, str]:
        return {found[1]: found[2] for line in lines if (found := re.match(pattern, line))}

    def timestamp(self) -> int:
        (found,) = [m for line in self.command("timestamp") if (m := re.match(r"^m-lap-us-([0-9]+)$", line))]
        return int(found[1])

    def load(self, data: bytes) -> list[str]:
        """Sends an input; the reply to its last piece."""
        self.command(f"db load {len(data)}")
        lines: list[str] = []
        for at in range(0, len(data), BYTES_A_COMMAND):
            lines = self.command(f"db {data[at : at + BYTES_A_COMMAND].hex()}")
        return lines

    def infer(self, number: int, warmups: int) -> Inference:
        inference = Inference()
        for line in self.command(f"infer {number} {warmups}", INFER_TIMEOUT):
            if found := re.match(r"^m-results-\[([^]]+)\]$", line):
                inference.results = [float(part) for part in found[1].split(",") if part.strip()]
                inference.vectors += 1
            elif found := re.match(r"^m-lap-us-([0-9]+)$", line):
                if inference.start is None:
                    inference.start = int(found[1])
                else:
                    inference.end = int(found[1])
        return inference


def accuracy(answers: list[list[float]], classes: list[int]) -> float:
    """Per cent, as mode "a" reports it: each vector divided by its sum, the largest entry is the class."""
    normalized = [[value / sum(answer) for value in answer] for answer in answers]
    right = sum(max(range(len(a)), key=a.__getitem__) == c for a, c in zip(normalized, classes, strict=True))
    return 100 * right / len(classes)


def throughput(
    runner: Runner, images: list[bytes], number: int, warmups: int
) -> tuple[float, list[Inference]]:
    """The median of inferences a second, as mode "p" reports it, over one window for each image."""
    windows = []
    for image in images:
        runner.load(image)
        windows.append(runner.infer(number, warmups))
    return statistics.median(number / (window.elapsed / 1e6) for window in windows), windows
