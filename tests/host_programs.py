"""C++ programs of the tests, built on this machine by the CMakeLists.txt of their folder."""

import fcntl
import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@functools.cache
def build(folder: str) -> Path:
    """Builds the programs of tests/`folder`; returns where they are. Safe to call from several processes."""
    place = ROOT / "build" / "tests" / folder
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (
            ["cmake", "-S", str(ROOT / "tests" / folder), "-B", str(place)],
            ["cmake", "--build", str(place)],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    return place
