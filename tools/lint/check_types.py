"""Runs mypy, as mypy.ini says, over the four rooms: `python tools/lint/check_types.py`; exits as mypy does.

The package squeezenet_mcu has no folder of its own in a checkout: pyproject.toml maps its parts to the rooms.
mypy does not read that map, so it gets a folder of links that looks like the package.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("common", "model", "convert", "host_tools")


def main() -> int:
    """Makes the links where they are missing, and runs mypy."""
    lint = ROOT / "build" / "lint"
    package = lint / "squeezenet_mcu"
    package.mkdir(parents=True, exist_ok=True)
    for room in ROOMS:
        link = package / room
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(ROOT / room, target_is_directory=True)
    parts = [argument for room in ROOMS for argument in ("-p", f"squeezenet_mcu.{room}")]
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "mypy.ini", *parts],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(lint)},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
