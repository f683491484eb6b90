"""The C++ end of the link on this machine: built under the sanitizers, called, run as a device on pipes."""

import contextlib
import os
import select
import struct
import subprocess
from pathlib import Path

import numpy as np

from tests import host_programs


def build() -> Path:
    """Builds fake_device and link_functions; returns their folder."""
    return host_programs.build("protocol")


class LinkFunctions:
    """Calls into firmware_cpp/protocol; see link_functions.cc."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [build() / "link_functions"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def call(self, operation: str, data: bytes) -> bytes:
        assert self._process.stdin and self._process.stdout and self._process.stderr
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(struct.pack("<BI", ord(operation), len(data)) + data)
            self._process.stdin.flush()
        header = self._process.stdout.read(4)
        assert len(header) == 4, self._process.stderr.read().decode()  # a sanitizer's report
        return self._process.stdout.read(struct.unpack("<I", header)[0])

    def close(self) -> None:
        assert self._process.stdin and self._process.stderr
        self._process.stdin.close()
        errors = self._process.stderr.read().decode()
        assert self._process.wait(10) == 0, errors


class FakeDevice:
    """The fake device as a line of its own (a Transport): pipes to a process that can be reset."""

    name = "fake device"
    program = "fake_device"

    def __init__(self, **options: int) -> None:
        self._command = [
            str(build() / self.program),
            *(f"{name}={value}" for name, value in options.items()),
        ]
        self.resets = 0
        self.peak = self.dropped = 0
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()

    def reset(self) -> None:
        """Power off and on: whatever it knew, had received or was sending is gone."""
        self.process.kill()
        self._close_pipes()
        self.resets += 1
        self._start()

    def read(self, timeout: float) -> bytes:
        ready, _, _ = select.select([self._out], [], [], timeout)
        if not ready:
            return b""
        data = os.read(self._out, 4096)
        assert data, self._stderr()  # it has died: a sanitizer's report
        return data

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._in, data) :]

    def close(self) -> None:
        """Ends it and checks that it ended well; `peak` and `dropped` tell of its receive buffer."""
        if self.process.stdin is None or self.process.stdin.closed:
            return
        self.process.stdin.close()
        os.set_blocking(self._out, True)
        while os.read(self._out, 65536):
            pass
        report = self._stderr()
        assert self.process.wait(10) == 0, report
        self._close_pipes()
        self.peak, self.dropped = (int(part.partition("=")[2]) for part in report.split())

    def _stderr(self) -> str:
        assert self.process.stderr
        return self.process.stderr.read().decode()

    def _close_pipes(self) -> None:
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


def fake_answer(image: np.ndarray, classes: int = 10) -> tuple[np.ndarray, np.ndarray, int]:
    """What FakeApplication answers to an image: logits, probabilities (int8 [classes]) and the count."""
    mask, value = (1 << 64) - 1, 0xCBF29CE484222325
    for byte in image.tobytes():
        value = (value ^ byte) * 0x100000001B3 & mask
    count, outputs = value, []
    for _ in range(2 * classes):
        value = (value ^ 1) * 0x100000001B3 & mask
        outputs.append(value >> 56)
    answers = np.array(outputs, np.uint8).view(np.int8)
    return answers[:classes], answers[classes:], count


def assert_right(result, image: np.ndarray) -> None:
    """The device's answer to `image` is the right one, in every value."""
    logits, probabilities, count = fake_answer(image, len(result.logits))
    assert np.array_equal(result.logits, logits)
    assert np.array_equal(result.probabilities, probabilities)
    assert result.count == count


def random_images(count: int, height: int = 4, width: int = 3, channels: int = 1) -> np.ndarray:
    """Seeded int8 images; many zeros among them, which COBS treats apart."""
    generator = np.random.RandomState(0)
    images = generator.randint(-128, 128, (count, height, width, channels)).astype(np.int8)
    images[generator.rand(*images.shape) < 0.2] = 0
    return images
