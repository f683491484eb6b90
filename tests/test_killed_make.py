"""Where make is killed, so that it can hand on no signal, what it has started ends all the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from squeezenet_mcu.common.paths import FIRMWARE

ROOT = FIRMWARE.parent
PROGRAM = """
import os, time
from pathlib import Path
from squeezenet_mcu.common import start
start.begin()
Path("new").write_text(f"{os.getpid()} {os.environ.get('ENDS_WITH_MAKE')}")
Path("new").rename("started")
time.sleep(60)
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux does it")


def started(folder: Path) -> list[str]:
    until = time.monotonic() + 30
    while not (folder / "started").exists() and time.monotonic() < until:
        time.sleep(0.02)
    return (folder / "started").read_text().split()


def runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not runs(pid)


def test_python_ends_with_make(tmp_path):
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "program.py").write_text(PROGRAM)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec '{sys.executable}' program.py\n")
    python.chmod(0o755)
    for name in (".venv/.ready", "pyproject.toml", "setup.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    command = ["make", "-o", ".venv/.ready", "PYTHON=./python", "curves"]
    make = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pid = 0
    try:
        number, told = started(tmp_path)
        pid = int(number)
        assert told == "None", "its own children are told nothing"
        assert not ends(pid, 0.3)
        make.kill()
        assert ends(pid, 10), "it lives on"
    finally:
        make.kill()
        make.wait()
        if pid and runs(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_program_between_may_end(tmp_path):
    """Somebody's script may start a command and end before it."""
    script = f"echo \"$PPID\" > parent; ENDS_WITH_MAKE=$PPID '{sys.executable}' program.py & sleep 0.1"
    (tmp_path / "program.py").write_text(PROGRAM)
    subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True, timeout=60)
    pid = int(started(tmp_path)[0])
    try:
        assert not ends(pid, 0.5)
    finally:
        os.kill(pid, signal.SIGKILL)
