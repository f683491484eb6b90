"""The slots of an update on this machine: built under the sanitizers on a model of a NOR flash, and run."""

import fcntl
import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "tests" / "update"


@functools.cache
def build() -> Path:
    """Builds this folder's programs; returns where they are. Safe to call from several processes."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (
            ["cmake", "-S", str(ROOT / "tests" / "update"), "-B", str(BUILD)],
            ["cmake", "--build", str(BUILD)],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    return BUILD


def run(program: str, *arguments: object) -> str:
    """What the program prints; it must end well."""
    done = subprocess.run(
        [build() / program, *map(str, arguments)], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
