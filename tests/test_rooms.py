"""What `make lint` checks of the rooms can fail: an arrow that goes up, and a circle of files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("common", "model", "convert", "host_tools")


@pytest.fixture
def rooms(tmp_path):
    """A folder with a copy of the package, to break."""
    for room in ROOMS:
        copy = tmp_path / "squeezenet_mcu" / room
        shutil.copytree(ROOT / room, copy, ignore=shutil.ignore_patterns("__pycache__", "zoo"))
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, ROOT / "tools/lint/check_imports.py"],
        capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("common/files.py", "from squeezenet_mcu.model.settings import config", "common.files"),
        ("model/train/chain.py", "from squeezenet_mcu.model.train import records", "model.train"),
        ("convert/network.py", "from squeezenet_mcu.convert.lowering import operators", "convert"),
    ],
)  # fmt: skip
def test_an_arrow_up_and_a_circle_are_found(rooms, file, line, said):
    path = rooms / "squeezenet_mcu" / file
    path.write_text(path.read_text() + f"\n{line}\n")
    done = lint(rooms)
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout


def test_the_rooms_keep_the_contracts(rooms):
    done = lint(rooms)
    assert done.returncode == 0, done.stdout + done.stderr
