"""tools/lint/sizes.py tells folders and files of a made-up tree that are too large, and no others."""

import subprocess
import sys
from pathlib import Path

import pytest

SIZES = Path(__file__).parents[2] / "tools" / "lint" / "sizes.py"


@pytest.fixture
def tree(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def write(tree, name, lines=1):
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x\n" * lines)


def run(tree):
    """Exit status and lines once git tracks all files of the tree."""
    subprocess.run(["git", "add", "-A"], cwd=tree, check=True)
    done = subprocess.run(
        [sys.executable, str(SIZES), str(tree)], check=False, capture_output=True, text=True
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_what_is_just_small_enough_passes(tree):
    for i in range(15):
        write(tree, f"code/file{i}.py", 400)
    write(tree, "code/inner/one.py")
    write(tree, "code/notes.md", 1000)
    assert run(tree) == (0, [])


def test_one_python_file_too_many(tree):
    for i in range(16):
        write(tree, f"code/file{i}.py")
    assert run(tree) == (1, ["code/: 16 Python files, at most 15"])


@pytest.mark.parametrize("suffix", ["py", "cc", "h", "c", "js", "sh"])
def test_one_line_too_many(tree, suffix):
    write(tree, f"code/long.{suffix}", 401)
    assert run(tree) == (1, [f"code/long.{suffix}: 401 lines, at most 400"])


def test_tests_may_be_long_and_many(tree):
    for i in range(16):
        write(tree, f"tests/file{i}.py", 401)
    assert run(tree) == (0, [])


def test_a_long_kernel_is_only_a_note(tree):
    write(tree, "firmware_cpp/engine/dsp/conv.cc", 151)
    write(tree, "firmware_cpp/engine/other.cc", 151)
    note = "note: firmware_cpp/engine/dsp/conv.cc: 151 lines, a kernel should have at most 150"
    assert run(tree) == (0, [note])


def test_what_git_does_not_track_is_not_counted(tree):
    write(tree, ".gitignore")
    (tree / ".gitignore").write_text("build/\n")
    write(tree, "build/made.c", 5000)
    assert run(tree) == (0, [])


def test_a_folder_outside_git_is_an_error(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SIZES), str(tmp_path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == f"sizes: {tmp_path}: not a git work tree\n"
