"""What `validate` says of an image's cycles on an emulated board."""

import contextlib
import dataclasses
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.bench import measure, networks
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.cycles import symbols
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.validate import cost
from squeezenet_mcu.host_tools.validate.cost import Cost
from tests.host_tools.validate.toy import run, set_sha

M4 = board_toml.load("stm32f405")
COST = Cost(1_976_358, 3_289_386, 3_433_948, 19.58, 20.44)
LINE = (
    "19.6 ms an image at 168 MHz: 3.29 M cycles, 1.98 M instructions; "
    "20.4 ms with its flash, by a model (docs/cycles.md)"
)


@pytest.mark.parametrize("name", ["stm32f405", pytest.param("rp2040", marks=pytest.mark.long)])
def test_the_work_on_an_image_is_what_the_firmware_s_own_counter_sees(name, monkeypatch, tmp_path):
    """Neither the link nor an interrupt is in it: as bench counts the same network, which hears nothing."""
    monkeypatch.chdir(tmp_path)
    networks.prepare(Console(quiet=True), networks.SMALL_NET)
    built = measure.build(networks.SMALL_NET, name, ModelRequest())
    shape = HostEngine((tmp_path / "build" / networks.SMALL_NET / "model.sqz").read_bytes()).input_shape
    image = measure.pseudo_image(built.content, shape)
    board = board_toml.load(name)
    found = cost.of_one_image(name, board, built.firmware, image, Device)
    with emulator.running(name, built.firmware) as place, Device(place) as device:
        count = device.infer(image).count
    if name == "rp2040":  # whose own counter leaves out a cycle of each PUSH with LR
        assert count < found.cycles < 1.01 * count
    else:
        assert found.instructions == pytest.approx(count, rel=1e-3)
    in_bench = measure.run(name, built.bench).profile.total
    assert found.instructions == pytest.approx(in_bench.instructions, rel=1e-3)
    # Another program has its loops at other addresses, and a branch to half of a word takes a cycle more.
    assert found.cycles == pytest.approx(in_bench.cycles, rel=3e-3)
    assert found.cycles < found.cycles_with_flash < 1.5 * found.cycles
    assert found.milliseconds == pytest.approx(found.cycles / board.clock.hz * 1000, abs=1e-3)


def test_of_two_cores_it_says_what_is_not_in_it():
    said = cost.line(dataclasses.replace(COST, cores=2), M4)
    assert said == f"{LINE}; 2 cores, whose waits for each other at the memory (contention) no model has"


def test_no_cost_where_nobody_has_a_table(tmp_path):
    board = board_toml.load("mps2_an500")  # a Cortex-M7
    assert cost.of_one_image("mps2_an500", board, tmp_path / "none.elf", None, Device) is None


def test_the_line_says_what_is_known():
    assert cost.line(COST, M4) == LINE
    plain = dataclasses.replace(COST, cycles_with_flash=None, milliseconds_with_flash=None)
    assert cost.line(plain, M4) == f"{LINE.partition(';')[0]} (docs/cycles.md)"
    unclocked = dataclasses.replace(M4, clock=None)
    without = dataclasses.replace(plain, milliseconds=None)
    assert cost.line(without, unclocked) == ("3.29 M cycles, 1.98 M instructions an image (docs/cycles.md)")


@pytest.fixture
def emulated(build, url, same_model, monkeypatch):
    """A toy's firmware for a board, which the fake device plays."""
    set_sha(build, "5a" * 32)
    elf = build / "firmware" / "stm32f405" / "firmware.elf"
    elf.parent.mkdir(parents=True)
    elf.write_bytes(b"")
    monkeypatch.setattr(
        "squeezenet_mcu.host_tools.firmware.board_model.made_for", lambda *_: {"engine_sha256": "0" * 64}
    )
    booted = SimpleNamespace(url=url, usb_url="", pid=0)
    monkeypatch.setattr(emulator, "machine", lambda board, elf, usb=False: contextlib.nullcontext(booted))
    return build


def validated(capsys):
    """What was printed, and the report's cost."""
    assert run("--board", "stm32f405", "--limit", "3", "--json", "report.json") == 0
    return capsys.readouterr().out, json.loads(Path("report.json").read_text())["cost"]


def test_validate_prints_it_and_has_it_in_its_report(emulated, capsys, monkeypatch):
    seen = []
    monkeypatch.setattr(cost, "of_one_image", lambda *given: seen.append(given) or COST)
    printed, reported = validated(capsys)
    assert LINE in printed
    assert printed.index(LINE) < printed.index("validate: exact")
    assert reported == {
        "instructions": 1976358, "cycles": 3289386, "cycles_with_flash": 3433948,
        "milliseconds": 19.58, "milliseconds_with_flash": 20.44, "cores": 1,
    }  # fmt: skip
    (board, hardware, elf, image, _) = seen[0]
    assert (board, hardware.name, elf.name, image.shape) == (
        "stm32f405",
        "stm32f405",
        "firmware.elf",
        (4, 3, 1),
    )


def test_what_counting_needs_may_be_missing(emulated, capsys, monkeypatch):
    """The answers were compared all the same."""

    def without(*_):
        raise UserError("gcc is not installed; run: sudo apt-get install gcc")

    monkeypatch.setattr("squeezenet_mcu.host_tools.cycles.plugin.build", without)
    monkeypatch.setattr(
        "squeezenet_mcu.host_tools.cycles.symbols.read", lambda *_: symbols.Functions([], [], [])
    )
    printed, reported = validated(capsys)
    assert "note: no cycles: gcc is not installed; run: sudo apt-get install gcc\n" in printed
    assert "validate: exact" in printed
    assert reported is None


def test_a_light_host_may_have_no_capstone(emulated, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("squeezenet_mcu.host_tools.cycles")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "capstone", None)
    printed, reported = validated(capsys)
    assert "note: no cycles: needs the Python package capstone, which is not installed; run: pip" in printed
    assert reported is None


def test_a_device_at_a_port_is_not_counted(build, url, same_model, capsys, monkeypatch):
    """A real board's time is what it takes."""
    set_sha(build, "5a" * 32)
    monkeypatch.setattr(cost, "of_one_image", lambda *_: pytest.fail("counted"))
    assert run("--port", url, "--limit", "3") == 0
    assert "cycles, " not in capsys.readouterr().out
