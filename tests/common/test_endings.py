"""Disks that are full, pipes that are closed: one line, status 1, and nothing half-written."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import manifest
from squeezenet_mcu.common.paths import RECORDS, ROOT, ZOO
from squeezenet_mcu.model.importers import imported_model
from squeezenet_mcu.model.train import chain, records


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


EARLY = (
    "import resource, sys\n"
    "from squeezenet_mcu.common import cli\n"
    "from squeezenet_mcu.convert import command\n"
    "if sys.argv[1:] == ['full']: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    "status = cli.guarded(command.run, command.parser().parse_args(['--model', 'digits']), 'convert')\n"
    "assert 'tensorflow' not in sys.modules\n"
    "sys.exit(status)"
)


@pytest.mark.parametrize("disk", ["full", "not to be written on"])
def test_a_conversion_says_at_once_that_it_cannot_be_written(tmp_path, disk):
    """Not after a minute's work."""
    if disk != "full":
        (tmp_path / "build").write_text("in the place of the folder")
    done = run(EARLY.replace("sys.argv[1:]", "['full']" if disk == "full" else "[]"), tmp_path)
    assert done.returncode == 1
    why = "File too large" if disk == "full" else "Not a directory"
    assert done.stderr == f"convert: error: build/digits: {why}\n"
    assert not (tmp_path / "build/digits").exists() or not list((tmp_path / "build/digits").iterdir())


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


def test_a_full_device_is_named():
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        files.write_bytes(Path("/dev/full"), b"x")


def test_a_folder_that_is_not_to_be_written_in(tmp_path):
    code = (
        "import sys; from pathlib import Path; from squeezenet_mcu.common import cli, files\n"
        "sys.exit(cli.guarded(lambda args: files.write_bytes(Path('/proc/no.bin'), b'') or 0, None, 'put'))"
    )
    done = run(code, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("put: error: /proc/no.bin: ")
    assert done.stderr.count("\n") == 1


def test_a_device_is_written_to_and_stays_a_device(tmp_path):
    """`--json /dev/stdout`, say. As root, a file in its place would be missed by every program."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.clear(pipe)
    files.write_json(pipe, [1])
    assert os.read(reader, 100) == b"[\n  1\n]\n"
    os.close(reader)
    assert pipe.is_fifo()
    with pytest.raises(OSError, match="No such device or address"):  # nobody reads: it would wait for ever
        files.write_json(pipe, [1])
    with pytest.raises(OSError, match="Is a directory"):
        files.write_json(tmp_path, [1])
    with pytest.raises(OSError, match="Is a directory"):  # before the work
        files.clear(tmp_path)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "far").mkdir()
    link = tmp_path / "a.json"
    link.symlink_to(tmp_path / "far" / "b.json")
    for _ in range(2):
        files.clear(link)
        files.write_json(link, 7)
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    for write in (files.clear, lambda path: files.write_json(path, 7)):
        with pytest.raises(OSError, match="Too many levels of symbolic links"):
            write(loop)
    assert link.is_symlink()
    assert (tmp_path / "far" / "b.json").read_text() == "7\n"


def test_a_models_own_records_are_no_outputs(tmp_path, monkeypatch):
    """JSON=build/digits/train.json would take hours of training with it."""
    monkeypatch.chdir(tmp_path)
    stages = {f"{name}.json" for name in chain.OUTPUTS}
    assert {*stages, manifest.NAME, imported_model.RECORD, records.CHAIN} == {*RECORDS}
    (tmp_path / "build" / "toy").mkdir(parents=True)
    own = tmp_path / "build" / "toy" / "train.json"
    own.write_text("{}")
    (tmp_path / "link.json").symlink_to(own)
    for given in (own, Path("build/toy/train.json"), Path("link.json")):
        with pytest.raises(UserError, match=r"json: is a record that the model toy needs; want another name"):
            files.outputs(None, given)
    assert own.read_text() == "{}"
    other = Path("train.json")
    other.write_text("{}")
    assert files.outputs(other, Path("build/toy/evaluate.json")) and not other.exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which root makes no file, too")
def test_an_output_that_cannot_be_written_is_refused_before_the_work():
    with pytest.raises(FileNotFoundError) as raised:
        files.outputs(Path("/proc/figures.json"))
    assert raised.value.filename == "/proc/figures.json"
    assert files.outputs(Path("/dev/null")) == [Path("/dev/null")]  # written to, not replaced


@pytest.mark.parametrize("closed", [(1,), (2,), (0,), (0, 1, 2)])
def test_closed_streams(tmp_path, closed):
    """`>&-`: what is opened next must not become standard output, and all else goes on."""
    code = (
        "import sys; from pathlib import Path; from squeezenet_mcu.common import cli, terminal\n"
        "def show(args):\n"
        "    with open('new', 'w') as file:\n"
        "        terminal.echo('words'); terminal.Console().print('more'); terminal.error('wrong')\n"
        "        return 3 if file.fileno() > 2 else 4\n"
        "sys.exit(cli.guarded(show, None, 'show'))"
    )
    done = run(code, tmp_path, preexec_fn=lambda: [os.close(number) for number in closed])
    assert done.returncode == 3, done.stderr
    assert done.stderr == ("" if 2 in closed else "wrong\n")
    assert (tmp_path / "new").read_text() == ""


def test_what_nohup_ignores_stays_ignored(tmp_path):
    code = (
        "import os, signal, sys; from squeezenet_mcu.common import cli\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "sys.exit(cli.guarded(lambda args: os.kill(os.getpid(), signal.SIGHUP) or 5, None, 'train'))"
    )
    assert run(code, tmp_path).returncode == 5


@pytest.mark.parametrize("words", [["convert"], ["host_tools", "boards"], ["model", "info"]])
def test_ctrl_c_while_modules_are_imported(tmp_path, words):
    """No traceback, and not success: the signal's own end, or the command's."""
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", f"squeezenet_mcu.{words[0]}", *words[1:], "--help"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    said = ""
    while "squeezenet_mcu.common.start" not in said:  # from here on it is our program, not Python's start
        said += process.stderr.readline()
    time.sleep(0.15)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert "Traceback" not in said + rest
    assert process.returncode in (-signal.SIGINT, 130, 0)


INPUTS = {
    "a pipe": (os.mkfifo, "no ordinary file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "no ordinary file"),
    "a folder": (lambda path: path.mkdir(), "no ordinary file"),
    "nothing": (lambda path: None, "no such file"),
    "too much": (lambda path: path.write_bytes(bytes(5001)), "5,001 bytes; at most 5,000 are read"),
}


@pytest.mark.parametrize("what", INPUTS)
def test_files_that_are_brought(tmp_path, what):
    make, said = INPUTS[what]
    make(tmp_path / "x")
    with pytest.raises(UserError) as error:
        files.read_input(tmp_path / "x", 5000, "want a file")
    assert str(error.value) == f"{tmp_path / 'x'}: {said}; want a file"


def test_a_file_that_is_brought(tmp_path):
    (tmp_path / "x").write_bytes(bytes(5000))
    assert files.read_input(tmp_path / "x", 5000, "") == bytes(5000)
