"""`boards`: the table of what each model takes of each board, and what it says of models that do not fit."""

import argparse
import json
from pathlib import Path

import pytest

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build as firmware
from squeezenet_mcu.host_tools.studies import board_table
from tests.manifests import engine_record

ARENA = {"arena_bytes": 5000, "engine_model_bytes": 60_000}


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def built(monkeypatch):
    """firmware.build() writes what the table reads; "huge" fits no board with 128 KB."""

    def build(board, model):
        sram = board_toml.load(board).total("data")
        if model == "huge" and sram < 256 * 1024:
            raise firmware.DoesNotFitError(f"huge does not fit {board}: 7,000 bytes too many", {"SRAM": 7000})
        elf = paths.BUILD / model / "firmware" / board / "firmware.elf"
        (elf.parent / "model").mkdir(parents=True)
        (elf.parent / "model/engine.json").write_text(json.dumps(engine_record(**ARENA)))
        return elf

    monkeypatch.setattr(firmware, "build", build)
    monkeypatch.setattr(
        firmware, "usage", lambda _elf: firmware.Usage(70_000, 1_000_000, 9000, 2048, 131_072)
    )


def run(*words):
    parser = argparse.ArgumentParser()
    board_table.add_arguments(parser)
    return board_table.run(parser.parse_args(words))


def test_every_board_has_its_row(built, capsys):
    assert run("--model", "digits") == 0
    rows = json.loads(board_table.RESULTS.read_text())
    assert [row["board"] for row in rows] == board_toml.names()
    assert rows[0] == {
        "model": "digits", "board": board_toml.names()[0],
        "flash_bytes": 70_000, "flash_total_bytes": 1_000_000,
        "sram_bytes": 11_048, "sram_total_bytes": 131_072, **ARENA,
    }  # fmt: skip
    printed = capsys.readouterr().out
    assert printed.count("70,000") == printed.count("11,048") == len(board_toml.names())


def test_what_does_not_fit_says_the_bytes_missing(built, capsys):
    chosen = ("--board", "stm32f405", "--board", "nano33ble")
    assert run("--model", "huge", "--model", "digits", *chosen, "--json", "table.json") == 1
    rows = json.loads(board_table.RESULTS.read_text())
    assert rows == json.loads(Path("table.json").read_text())
    failed = [row for row in rows if "failure" in row]
    assert [(row["model"], row["board"], row["missing"]) for row in failed] == [
        ("huge", "stm32f405", {"SRAM": 7000})
    ]
    assert len(rows) == 4
    printed = capsys.readouterr().out
    assert "by 7,000" in printed
    assert "huge does not fit stm32f405: 7,000 bytes too many" in printed


def test_an_error_that_is_no_overflow_ends_it(built, monkeypatch):
    def fail(_board, _model):
        raise UserError("build.log: the build failed")

    monkeypatch.setattr(firmware, "build", fail)
    with pytest.raises(UserError, match="the build failed"):
        run("--model", "digits")
    assert not board_table.RESULTS.exists()


def test_models_are_the_converted_ones():
    with pytest.raises(UserError, match=r"^build: no converted model; run: make convert MODEL=digits$"):
        board_table.converted()
    for name in ("gtsrb", "digits", "of_ones_own"):
        (paths.BUILD / name).mkdir(parents=True)
        (paths.BUILD / name / "manifest.json").touch()
    assert board_table.converted() == ["digits", "gtsrb"]


def test_a_wrong_board_is_known_before_the_work(built):
    with pytest.raises(UserError, match=r"^no board 'zx81'"):
        run("--model", "digits", "--board", "zx81")
