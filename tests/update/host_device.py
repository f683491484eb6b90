"""The whole firmware with UPDATE=1 on this machine, as a line (a Transport): tests/update/host_board."""

import contextlib
import fcntl
import functools
import os
import select
import subprocess
from pathlib import Path

from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.host_tools.link.errors import PortError
from squeezenet_mcu.host_tools.signing import monocypher
from tests.update import tuned

ROOT = FIRMWARE.parent
BUILD = ROOT / "build" / "tests" / "host_board"
SECTOR, SLOT = 4096, 65536  # bytes, as host_board.cc has them
CUT = 9  # exit status of a process whose power went


@functools.cache
def build() -> Path:
    """Builds firmware and firmware_signed, digits linked in; their folder. For several processes at once."""
    BUILD.mkdir(parents=True, exist_ok=True)
    _, public = monocypher.key_pair(tuned.SEED)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tuned.write_sources(tuned.digits(), BUILD / "model")
        source = ROOT / "tests" / "update" / "host_board"
        options = {
            "MODEL_DIR": BUILD / "model",
            "UPDATE_KEY": public.hex(),
            "MONOCYPHER_DIR": monocypher.sources(),
        }
        for command in (
            ["cmake", "-G", "Ninja", "-S", source, "-B", BUILD, *(f"-D{k}={v}" for k, v in options.items())],
            ["cmake", "--build", BUILD, "--target", "firmware", "firmware_signed"],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    return BUILD


class HostDevice:
    """The device on pipes. Its flash is a file; the process may lose its power at any operation on it."""

    name = "host device"

    def __init__(
        self, flash: Path, cut_at: int = 0, half: int = 0, *, slots: int = 2, signed: bool = False
    ) -> None:
        """`cut_at`: the operation, counted from 1, at which the power goes; `half`: see host_board.cc."""
        self.flash = flash
        self._command = [str(build() / ("firmware_signed" if signed else "firmware")), str(flash)]
        self._slots = slots
        self.cuts = 0  # so often the power went
        self._start(cut_at, half)

    def _start(self, cut_at: int, half: int) -> None:
        self.process = subprocess.Popen(
            [*self._command, str(cut_at), str(half), str(self._slots)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        assert self.process.stdin and self.process.stdout
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()

    def reset(self) -> None:
        """Power off and on."""
        self.process.kill()
        self._restart()

    def _restart(self) -> None:
        self.process.wait(10)
        self._close_pipes()
        self._start(0, 0)

    def read(self, timeout: float) -> bytes:
        """See Transport. Where the power has gone, it comes back."""
        ready, _, _ = select.select([self._out], [], [], timeout)
        if not ready:
            return b""
        data = os.read(self._out, 4096)
        if not data:
            self._after_end()
        return data

    def write(self, data: bytes) -> None:
        """See Transport."""
        while data:
            try:
                data = data[os.write(self._in, data) :]
            except BrokenPipeError:
                self._after_end()
                return

    def _after_end(self) -> None:
        status = self.process.wait(10)
        assert self.process.stderr
        said = self.process.stderr.read().decode()
        assert status == CUT, f"{status}: {said}"  # a sanitizer's report, or a rule of the flash
        self.cuts += 1
        self._restart()

    def close(self) -> None:
        """Ends the process, which must have been well until then."""
        if self.process.stdin is None or self.process.stdin.closed:
            return
        self.process.stdin.close()
        with contextlib.suppress(OSError):
            while os.read(self._out, 65536):
                pass
        assert self.process.stderr
        said = self.process.stderr.read().decode()
        assert self.process.wait(10) in (0, CUT), said
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


class Stopping:
    """A line that breaks for good after so many writes, as when the host's cable is pulled."""

    def __init__(self, line: HostDevice, writes: int) -> None:
        self.name = line.name
        self._line = line
        self._left = writes

    def read(self, timeout: float) -> bytes:
        """See Transport."""
        return self._line.read(timeout)

    def write(self, data: bytes) -> None:
        """See Transport."""
        if self._left == 0:
            raise PortError("pulled")
        self._left -= 1
        self._line.write(data)

    def close(self) -> None:
        """The device goes on."""
