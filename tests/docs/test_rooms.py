"""The pictures of docs/architecture.md: up to date, and drawn from what the code imports."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TABLE = """
| `common/` | below all |
| `model/` | networks |
| `model/train/` | learns |
| `firmware_cpp/app/` | runs |
"""


def draw(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(REPO / "tools/docs/rooms.py"), "--root", str(root), *options]
    return subprocess.run(script, check=False, capture_output=True, text=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository of four rooms, whose pictures are drawn."""
    files = {
        "common/errors.py": "",
        "model/info.py": "from squeezenet_mcu.common.errors import UserError\n",
        "model/train/loop.py": "import json\n",
        "firmware_cpp/app/main.cc": "",
        "docs/architecture.md": TABLE,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert draw(tmp_path).returncode == 0
    return tmp_path


def test_the_committed_pictures_are_up_to_date():
    checked = draw(REPO, "--check")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_an_import_changes_the_picture(tree):
    assert draw(tree, "--check").returncode == 0
    (tree / "model/info.py").write_text("from squeezenet_mcu.model import train\n")
    checked = draw(tree, "--check")
    assert checked.returncode == 1
    assert "docs/rooms.svg: out of date" in checked.stderr
    assert draw(tree).returncode == 0
    assert "uses train" in (tree / "docs/rooms.svg").read_text()


def test_an_import_upwards_is_drawn_red(tree):
    assert "#d00000" not in (tree / "docs/rooms.svg").read_text()
    (tree / "common/errors.py").write_text("from squeezenet_mcu.model.train.loop import step\n")
    assert draw(tree).returncode == 0
    assert "#d00000" in (tree / "docs/rooms.svg").read_text()


def test_a_new_room_needs_its_line(tree):
    (tree / "model/network").mkdir()
    (tree / "model/network/squeezenet.py").write_text("")
    drawn = draw(tree)
    assert drawn.returncode == 1
    assert re.fullmatch(r"rooms.py: error: .*table of rooms lacks model/network\n", drawn.stderr)


def test_a_line_needs_its_room(tree):
    (tree / "docs/architecture.md").write_text(TABLE + "| `model/gone/` | was here |\n")
    assert "model/gone, which no folder is" in draw(tree).stderr
