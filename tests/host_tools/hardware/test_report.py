"""`report-hardware`: what stands in a report, what does not, and what is made of a stranger's."""

import getpass
import json
import os
import platform
import re
import shutil

import msgspec
import pytest

from squeezenet_mcu.common import cli
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import build_id
from squeezenet_mcu.host_tools.hardware import command, compare, parts, record
from squeezenet_mcu.host_tools.hardware.record import Report
from squeezenet_mcu.host_tools.selftest import command as selftest
from tests.host_tools.faults import faulty

BOARD = "stm32f405"
ID = "0123456789abcdef"


def report(**changed) -> dict:
    """A whole report, of a board that counts cycles."""
    return {
        "format": 1, "project": "0.2.0", "board": BOARD, "cpu": "Cortex-M4F", "emulated": False,
        "compiler": "GCC 12.2.1", "build_id": ID, "reset_cause": "power-on", "last_fault": None,
        "model": "digits", "model_sha256": "a" * 64, "engine_sha256": "b" * 64, "counter": "cycles",
        "counter_hz": 168_000_000, "images": 20, "compared_int8": 400, "differing_int8": 0,
        "count": {"min": 3_359_000, "mean": 3_360_000, "max": 3_361_000}, "milliseconds": 20.0,
        "predicted": {"by": "counted", "instructions": 2_000_000, "cycles": 3_192_000,
                      "cycles_with_flash": 3_427_200, "layers": [1_000_000.0, 2_192_000.0]},
        "memory": {"flash": 1, "flash_total": 2, "sram": 3, "sram_total": 4, "stack": 5},
        "layers": [{"name": "conv1", "count": 1_250_000}, {"name": "conv10", "count": 2_110_000},
                   {"name": "schedule, input rows", "count": 700}],
        "selftest": [{"what": "its name", "seen": BOARD, "passed": True}],
        "link": {"images_per_second": 2.5, "lost": 0.0},
    } | changed  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """Writes a report, changed; its path."""

    def write(**changed):
        path = tmp_path / "theirs.json"
        path.write_text(json.dumps(report(**changed)))
        return path

    return write


def run(*options: str) -> int:
    return cli.main("python -m host_tools", "test", [command], ["report-hardware", *options])


def test_how_far_the_model_is_off(written):
    rows = {row.what: row for row in compare.rows(record.read(written()))}
    assert list(rows) == ["cycles", "ms", "cycles, with the flash", "ms, with the flash"]
    assert rows["cycles"].off == pytest.approx(-0.05)
    assert rows["ms, with the flash"].off == pytest.approx(0.02)
    assert rows["ms"].real == pytest.approx(20.0)
    layers = compare.by_layer(record.read(written()))
    assert [(row.what, round(row.off, 3)) for row in layers] == [("conv1", -0.2), ("conv10", 0.039)]


def test_layers_are_compared_in_one_unit_alone(written):
    predicted = report()["predicted"]
    of_instructions = predicted | {"cycles": None, "cycles_with_flash": None}
    for changed in (
        {"counter": "instructions"},
        {"predicted": of_instructions},
        {"predicted": predicted | {"layers": [1.0] * 3}},
        {"layers": None},
    ):
        assert compare.by_layer(record.read(written(**changed))) == []
    both = {"counter": "instructions", "predicted": of_instructions}
    assert len(compare.by_layer(record.read(written(**both)))) == 2


def test_a_report_is_shown_with_a_line_for_the_table(written, capsys):
    assert run("--report", str(written())) == 0
    out = capsys.readouterr().out
    assert "-5.0%" in out
    assert re.search(r"conv10, cycles\W+2,110,000\W+2,192,000\W+3\.9%", out)
    assert re.search(r"schedule, input rows, cycles\W+700\W+\n", out)
    assert f"| {BOARD} | Cortex-M4F | digits | 20.00 | 20.40 | +2.0% | 0 of 400 | GCC 12.2.1 | {ID} |" in out


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"differing_int8": 3}, "3 of 400 int8 values DIFFER"),
        ({"selftest": None}, "without a self-test"),
        ({"selftest": [{"what": "counter", "seen": "", "passed": False}]}, "self-test FAILED: counter"),
        ({"emulated": True}, "says nothing of silicon"),
        ({"predicted": None}, "no prediction"),
        ({"last_fault": "stack overflow"}, "had faulted before: stack overflow"),
    ],
)
def test_what_a_reader_must_know(written, capsys, changed, said):
    assert run("--report", str(written(**changed))) == (1 if "differing_int8" in changed else 0)
    assert said in capsys.readouterr().out


def test_the_line_for_the_table_is_one_of_plain_cells(written, capsys):
    cpu = "M4 | x | ![i](http://evil/x.png) <b> `y` \\ [a](javascript:1) @all"
    assert run("--report", str(written(cpu=cpu, compiler="a|b"))) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.count("|") == 10
    assert not set("[]<>`\\!@:*#&") & set(line)


HOSTILE = {
    "escape sequences": {"board": "\x1b[2Jx"},
    "a table's cell more": {"cpu": "M4 \u2028 | x"},
    "a name for a path": {"model": "../../etc"},
    "a letter that is not ASCII": {"compiler": "GC\u0421 12"},
    "a count below 0": {"count": {"min": -1, "mean": 1, "max": 1}},
    "a huge number": {"count": {"min": 1, "mean": 10**400, "max": 1}},
    "not a number": {"milliseconds": float("nan")},
    "infinite": {"milliseconds": float("inf")},
    "a key more": {"user": "me"},
    "another format": {"format": 2},
    "too many layers": {"layers": [{"name": "x", "count": 1}] * 129},
    "too many figures of the link": {"link": {f"x{i}": 1.0 for i in range(51)}},
    "more differ than there are": {"differing_int8": 401},
    "no images": {"images": 0},
    "a list": {"predicted": []},
    "a mean above the most": {"count": {"min": 1, "mean": 3, "max": 2}},
    "milliseconds that its counter does not say": {"milliseconds": 19.0},
    "another build id": {"build_id": "0123"},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_report_is_one_line(written, capsys, what):
    path = written(**HOSTILE[what])
    assert run("--report", str(path)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and err.rstrip("\n").isprintable()
    assert str(path) in err


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b"{" + b" " * (300 << 10)])
def test_what_is_no_report_is_one_line(tmp_path, capsys, content):
    path = tmp_path / "theirs.json"
    path.write_bytes(content)
    assert run("--report", str(path)) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_key_that_is_missing_is_named(tmp_path):
    found = report()
    del found["engine_sha256"]
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(found))
    with pytest.raises(UserError, match="engine_sha256 is missing"):
        record.read(path)


def test_what_is_written_is_what_is_read(written):
    found = record.read(written())
    assert isinstance(found, Report)
    assert record.as_json(found) == report()


def test_what_a_device_says_beyond_belief_is_one_line(written):
    """Its counter, say: the report would be none that anybody could read."""
    found = msgspec.structs.replace(record.read(written()), count=record.Spent(1, 2**60, 2**64 - 1))
    with pytest.raises(UserError, match=rf"^{BOARD}: what the device says is out of range .*count"):
        record.as_json(found)


def test_the_compiler_is_read_from_the_elf(tmp_path):
    elf = tmp_path / "x.elf"
    elf.write_bytes(b"\x7fELF.comment\0GCC: (15:12.2.rel1-1) 12.2.1 20221205\0GCC: /home/me/x\0")
    assert parts.compiler(elf) == "GCC 12.2.1"
    elf.write_bytes(b"GCC: /home/me/x")
    assert parts.compiler(elf) is None


def test_a_report_of_an_emulated_board(tmp_path, monkeypatch, capsys):
    """From start to end; nothing of this machine or its user is in it."""
    made = faulty.network()
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "build" / "faulty"
    place = folder / "firmware" / BOARD / "firmware.elf"
    place.parent.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(made.tflite)
    (folder / "manifest.json").write_text(json.dumps(made.manifest))
    shutil.copyfile(faulty.elf(BOARD), place)
    kept = selftest.results(BOARD)
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps([{"what": "its name", "seen": BOARD, "passed": True}]))
    with emulator.running(BOARD, place) as url:
        assert run("--model", "faulty", "--port", url) == 0
    out = capsys.readouterr().out
    path = tmp_path / command.FOLDER / f"{BOARD}-faulty.json"
    assert f"wrote {command.FOLDER / path.name}" in out
    text = path.read_text()
    found = record.read(path)
    assert (found.board, found.images, found.differing_int8) == (BOARD, 20, 0)
    assert found.build_id == build_id.of_elf(place)
    assert found.compiler.startswith("GCC ")
    assert found.predicted.instructions == pytest.approx(found.count.mean, rel=0.01)
    assert found.selftest[0].passed
    for personal in (
        getpass.getuser(),
        platform.node(),
        url,
        "127.0.0.1",
        str(tmp_path),
        os.sep + "tmp",
        "socket",
    ):
        assert personal not in text
