"""make analyze CORES=2: boards with two cores share the work; what it takes is what the firmware takes."""

import json
from pathlib import Path

import pytest

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.analyze import fit, subject
from squeezenet_mcu.host_tools.bench import measure, networks
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.console import host_tools
from squeezenet_mcu.host_tools.firmware import build, code_sizes
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """build/ is made here."""
    monkeypatch.chdir(tmp_path)


def boards(capsys, cores):
    assert host_tools(["analyze", "--model", "digits", "--cores", str(cores), "--json", "answer.json"]) == 0
    content = json.loads(Path("answer.json").read_text())
    return {each["board"]: each for each in content["boards"]}, capsys.readouterr().out


def test_a_board_uses_the_cores_that_it_has(capsys):
    one, _ = boards(capsys, 1)
    two, out = boards(capsys, 2)
    assert {name: each["cores"] for name, each in two.items()} == {
        name: board_toml.load(name).cores for name in board_toml.names()
    }
    assert all(each["cores"] == 1 for each in one.values())
    assert two["rp2040"]["milliseconds"] < 0.55 * one["rp2040"]["milliseconds"]
    assert two["stm32f405"] == one["stm32f405"]
    assert "rp2040: two cores, without what they lose as they wait for one memory." in out


def test_a_board_with_one_core_is_refused(capsys):
    assert host_tools(["analyze", "--model", "digits", "--board", "stm32f405", "--cores", "2"]) == 1
    assert "--cores 2: stm32f405 has 1; boards with 2: " in capsys.readouterr().err


@pytest.mark.long
def test_a_firmware_for_two_cores_takes_what_was_said():
    networks.prepare(Console(quiet=True), "digits")
    pico, request = board_toml.load("rp2040"), ModelRequest(cores=2)
    built = measure.build("digits", "rp2040", request)
    linked = build.usage(built.firmware)
    found = subject.of_model("digits")
    manifest = {**found.manifest, **read_manifest(paths.BUILD / "digits")}
    said = fit.on(pico, manifest, found.maker, request)
    assert said.made.content == built.content and not said.code.exact
    assert said.sram_used == linked.sram_used
    assert abs(said.flash_used - linked.flash_used) <= code_sizes.INEXACT_BYTES
