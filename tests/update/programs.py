"""The slots of an update on this machine: built under the sanitizers on a model of a NOR flash, and run."""

import subprocess
from pathlib import Path

from tests import host_programs


def build() -> Path:
    """Builds this folder's programs; returns where they are."""
    return host_programs.build("update")


def run(program: str, *arguments: object) -> str:
    """What the program prints; it must end well."""
    done = subprocess.run(
        [build() / program, *map(str, arguments)], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
