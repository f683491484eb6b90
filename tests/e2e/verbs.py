"""The verbs as a user types them, in a folder of their own: the repository's build/ is left alone."""

import os
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def run(
    folder: Path, package: str, *arguments: str, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """`python -m <package> <arguments>` with `folder` as the current folder."""
    environment = {**os.environ, "PYTHONPATH": str(REPO), "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, "-m", package, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=timeout,
    )  # fmt: skip


def succeed(folder: Path, package: str, *arguments: str, timeout: float = 600) -> str:
    """`run`, which must succeed; what it printed."""
    done = run(folder, package, *arguments, timeout=timeout)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def error_line(folder: Path, package: str, *arguments: str) -> str:
    """`run`, which must fail with status 1 and one line of error, no traceback; that line."""
    done = run(folder, package, *arguments)
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if ": error: " in line]
    assert len(lines) == 1, done.stderr[-2000:]
    return lines[0]
