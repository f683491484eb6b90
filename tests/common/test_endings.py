"""Disks that are full, pipes that are closed: one line, status 1, and nothing half-written."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.paths import ROOT, ZOO


def with_files_of(most: int):
    """For Popen: files cannot grow beyond so many bytes, which to a program is as a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def run(code: str, folder, **more) -> subprocess.CompletedProcess:
    """Python that has the project's modules, in `folder`."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
        stderr=subprocess.PIPE, check=False, **({"stdout": subprocess.PIPE} | more),
    )  # fmt: skip


CONVERT = (
    "import sys; from squeezenet_mcu.convert import command; from squeezenet_mcu.common import cli\n"
    "from squeezenet_mcu.convert.verify import host_engine; host_engine.build()\n"
    "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
    f"words = ['--tflite', {str(ZOO / 'digits' / 'model.tflite')!r}, '--model', 'full']\n"
    "sys.exit(cli.guarded(command.run, command.parser().parse_args(words), 'convert'))"
)
LINES = (
    "import sys; from squeezenet_mcu.common import cli, terminal\n"
    "show = lambda args: [terminal.echo('x' * 70) for _ in range(5000)] and 0\n"
    "sys.exit(cli.guarded(show, None, 'say'))"
)
TABLE = (
    "import sys; from squeezenet_mcu.common import cli, terminal\n"
    "show = lambda args: [terminal.Console().print('x' * 70) for _ in range(5000)] and 0\n"
    "sys.exit(cli.guarded(show, None, 'say'))"
)


def test_a_conversion_on_a_full_disk_leaves_nothing(tmp_path):
    """The C array of the .tflite takes more than 60,000 bytes; other files, which do not, go too."""
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "host").symlink_to(ROOT / "build" / "host")
    done = run(CONVERT, tmp_path)
    assert done.returncode == 1
    assert done.stderr == "convert: error: build/full/model_tflite.c: File too large\n"
    assert list((tmp_path / "build" / "full").iterdir()) == []


def test_files_of_one_kind_come_together_or_not_at_all(tmp_path):
    files.write_together(tmp_path, {"record": b"1", "a": b"1", "b": b"1"}, "record")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(OSError, match="File name too long"):
        files.write_together(tmp_path, {"record": b"2", "a": b"2", "x" * 300: b"", "b": b"2"}, "record")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    files.write_together(tmp_path, {"record": b"3", "a": b"3"}, "record", stale=("b",))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"record": b"3", "a": b"3"}


@pytest.mark.parametrize("says", [LINES, TABLE], ids=["lines", "a table"])
def test_nobody_reads_on(tmp_path, says):
    """As `| head -1` does."""
    reads, writes = os.pipe()
    os.close(reads)
    done = run(says, tmp_path, stdout=writes)
    os.close(writes)
    assert (done.returncode, done.stderr) == (1, "say: error: the output: Broken pipe\n")


@pytest.mark.parametrize("says", [LINES, TABLE], ids=["lines", "a table"])
def test_what_is_said_finds_no_room(tmp_path, says):
    with Path("/dev/full").open("w") as full:
        done = run(says, tmp_path, stdout=full)
    assert (done.returncode, done.stderr) == (1, "say: error: the output: No space left on device\n")


def test_a_full_disk_is_named_by_the_file(tmp_path):
    code = (
        "import sys; from pathlib import Path; from squeezenet_mcu.common import cli, files\n"
        "sys.exit(cli.guarded(lambda args: files.write_bytes(Path('a/b'), bytes(9000)) or 0, None, 'put'))"
    )
    done = run(code, tmp_path, preexec_fn=with_files_of(8192))
    assert (done.returncode, done.stderr) == (1, "put: error: a/b: File too large\n")
    assert list((tmp_path / "a").iterdir()) == []


def test_a_folder_that_is_not_to_be_written_in(tmp_path):
    code = (
        "import sys; from pathlib import Path; from squeezenet_mcu.common import cli, files\n"
        "sys.exit(cli.guarded(lambda args: files.write_bytes(Path('/proc/no.bin'), b'') or 0, None, 'put'))"
    )
    done = run(code, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("put: error: /proc/no.bin: ")
    assert done.stderr.count("\n") == 1
