"""Runs this command as several processes of this machine, which train together. Imports no TensorFlow."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.distributed import machine, tf_config

MOST_WORKERS = 64
# The exit status of a process that ends because it lost another one: that one is to blame.
LOST = 75
_LAUNCHED = "MODEL_LAUNCHED"
_HOST = "127.0.0.1"
_POLL_S = 0.1
# How long the others may take to notice an end and to write what they hold, before they are killed.
_LEAVE_S = 5.0
_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)


def check_workers(workers: int | None, task: tf_config.Task | None) -> int:
    """How many processes are to train: `workers` (--workers; None: not given), or a cluster's, or 1."""
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise UserError(f"--workers {workers}: want a whole number from 1 to {MOST_WORKERS}")
    if task is None:
        return workers or 1
    if workers not in (None, task.workers):
        raise UserError(
            f"--workers {workers}, but {tf_config.VARIABLE} names {task.workers}; want one of the two only"
        )
    return task.workers


def launched() -> bool:
    """Whether `launch` started this process."""
    return _LAUNCHED in os.environ


def follow_launcher() -> None:
    """In a process that `launch` started: ends with the launcher, however that ends."""

    def follow() -> None:
        # The launcher holds the other end, and writes nothing. Not sys.stdin: its lock, held by this thread,
        # would abort Python's shutdown.
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within: Ctrl-C and SIGTERM end this process at once, without an exception. For the main thread."""
    kept = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def launch(name: str, workers: int, kept: Callable[[], str]) -> None:
    """Runs this command, with --only, as `workers` processes that know each other by TF_CONFIG.

    The chief's output passes through; that of the others, and all errors, show only when something fails.
    `kept()` says how far a training that ends early has come. Raises UserError when a process fails, and
    whatever interrupts: no process outlives this call.
    """
    with tempfile.TemporaryDirectory() as folder, _started(workers, Path(folder)) as processes:
        ids = [str(process.pid) for process in processes]
        terminal.echo(
            f"{name}: {workers} workers: processes {ids[0]} (chief), {', '.join(ids[1:])}", flush=True
        )
        try:
            number = _first_failure(processes)
        except KeyboardInterrupt:
            for process in processes:
                process.terminate()
            _wait(processes)
            if processes[0].poll() != 130:  # then it has not said so itself
                terminal.echo(f"{name}: interrupted; {kept()}", flush=True)
            raise
        if number is None:
            return
        _wait(processes)
        again = f"{kept()}, with any number of workers"
        raise UserError(_failure(name, number, processes[number], Path(folder) / str(number), again))


@contextlib.contextmanager
def _started(workers: int, folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    addresses = [f"{_HOST}:{port}" for port in free_ports(workers)]
    command = [sys.executable, *sys.orig_argv[1:], "--only"]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(workers):
            with (folder / str(number)).open("wb") as output:
                processes.append(
                    subprocess.Popen(
                        command,
                        env=_environment(addresses, number),
                        stdin=subprocess.PIPE,  # see follow_launcher
                        stdout=None if number == 0 else output,
                        stderr=output,
                        start_new_session=True,  # Ctrl-C comes to the launcher alone
                    )
                )
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def free_ports(count: int) -> list[int]:
    """So many TCP ports of this machine that nobody listens at, for now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((_HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def _environment(addresses: list[str], number: int) -> dict[str, str]:
    return os.environ | {
        tf_config.VARIABLE: tf_config.config_of(addresses, number),
        _LAUNCHED: "1",
        "TF_NUM_INTRAOP_THREADS": str(max(1, machine.cores() // len(addresses))),
        "PYTHONUNBUFFERED": "1",
        "no_grpc_proxy": f"{_HOST},localhost",
    }


def _first_failure(processes: list[subprocess.Popen[bytes]]) -> int | None:
    """The number of the process to blame once one has failed; None when all have ended well."""
    deadline = None
    while True:
        ended = {number: process.poll() for number, process in enumerate(processes)}
        failed = {number: status for number, status in ended.items() if status}
        # A signal comes from outside; a status of its own before one that another's end has caused.
        order = sorted(failed, key=lambda number: (failed[number] > 0, failed[number] == LOST))
        if order and failed[order[0]] != LOST:
            return order[0]
        if order:
            deadline = deadline or time.monotonic() + _LEAVE_S
            if time.monotonic() > deadline:
                return order[0]
        elif all(status == 0 for status in ended.values()):
            return None
        time.sleep(_POLL_S)


def _wait(processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _LEAVE_S
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _failure(name: str, number: int, process: subprocess.Popen[bytes], output: Path, again: str) -> str:
    """One line on how process `number` failed; what it left beside such a line of its own goes to stderr."""
    status = process.returncode
    who = f"worker {number}{' (the chief)' if number == 0 else ''}, process {process.pid},"
    if status in _FROM_OUTSIDE:
        return f"{who} was killed by {signal.Signals(-status).name}; {again}"
    lines = output.read_text(encoding="utf-8", errors="replace").splitlines()
    own = [found[1] for line in lines if (found := re.fullmatch(rf"(?:.* )?{name}: error: (.*)", line))]
    if own and status in (1, LOST):
        return own[-1]
    terminal.error("\n".join(lines))
    how = f"with status {status}" if status > 0 else f"by {signal.Signals(-status).name}"
    return f"{who} ended {how}, see above; {again}"
