"""A mistyped word is answered with the one that was meant, and with none where none is like it."""

import subprocess
import sys

import pytest

from squeezenet_mcu.common import cli
from squeezenet_mcu.common.command_line import models, nearest
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.boards import board_toml, market_names
from squeezenet_mcu.host_tools.firmware import flash
from squeezenet_mcu.model.settings import config

VARIABLES = ("MODEL", "BOARD", "DATA", "KERNEL_FAMILY", "MAX_FLASH", "IMAGE")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("MODLE", "MODEL"), ("BORD", "BOARD"), ("board", "BOARD"), ("MAXFLASH", "MAX_FLASH"),
        ("kernel-family", "KERNEL_FAMILY"), ("IMAGES", "IMAGE"),
        ("XYZZY", None), ("", None), ("BOARD" + "-" * 60, None),
    ],
)  # fmt: skip
def test_the_nearest_word(word, meant):
    assert nearest.nearest(word, VARIABLES) == meant
    said = subprocess.run(
        [sys.executable, "-I", nearest.__file__, word, *VARIABLES], capture_output=True, text=True, check=True
    )  # as the Makefile calls it, without the project's packages
    assert said.stdout == f"{meant or ''}\n"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("pico", "no board 'pico'; did you mean rp2040? boards: "),
        ("RP2040", "no board 'RP2040'; did you mean rp2040? boards: "),
        ("stm32f407", "no board 'stm32f407'; did you mean stm32f405? boards: "),
        ("nucleo-f446re", "no board 'nucleo-f446re'; did you mean nucleo_f446re? boards: "),
        ("Pico 2", "no board 'Pico 2'; did you mean pico2? boards: "),
        ("bluepill", "no board 'bluepill' here: its STM32F103 is a Cortex-M3 "),
        ("Blue-Pill", "no board 'Blue-Pill' here: its STM32F103 is a Cortex-M3 "),
        ("ESP32-S3", "no board 'ESP32-S3' here: an Xtensa CPU"),
        ("zx81", "no board 'zx81'; boards: "),
    ],
)
def test_a_board_by_what_a_shop_calls_it(typed, said):
    with pytest.raises(UserError) as error:
        board_toml.load(typed)
    assert str(error.value).startswith(said)
    assert str(error.value).endswith(", riscv_virt, rp2040, stm32f405")


def test_every_market_name_is_of_a_board_that_there_is_or_of_none():
    assert set(market_names.ALIASES.values()) <= set(board_toml.names())
    assert not set(market_names.ALIASES) & set(board_toml.names())


def test_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("build/flowers/manifest.json", "mine/pets.toml"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    assert models.did_you_mean_model("digts") == "; did you mean digits?"
    assert models.did_you_mean_model("flower") == "; did you mean flowers?"
    assert models.did_you_mean_model("mine/pet.toml") == "; did you mean mine/pets.toml?"
    assert models.did_you_mean_model("gtrsb.toml") == "; did you mean gtsrb?"
    assert models.did_you_mean_model("pets") == models.did_you_mean_model("xyzzy") == ""
    with pytest.raises(UserError, match=r'^model "digts" is unknown; did you mean digits\? want one of '):
        config.load("digts")
    with pytest.raises(UserError, match=r"^mine/pet.toml: no such file; did you mean mine/pets.toml\? want "):
        config.load("mine/pet.toml")
    with pytest.raises(UserError, match=r"manifest.json: missing; did you mean flowers\? run: make convert"):
        read_manifest(tmp_path / "build/flower")


def parser():
    made = cli.Parser(prog="tool")
    sub = made.add_subparsers(dest="command")
    build = sub.add_parser("build")
    build.add_argument("--optimize", choices=("speed", "flash"))
    build.add_argument("--model")
    return made


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["biuld"], "'build'); did you mean build? see --help"),
        (["build", "--optimize", "Speed"], "'flash'); did you mean speed? see --help"),
        (["build", "--optimise=speed"], "arguments: --optimise=speed; did you mean --optimize? see --help"),
        (["build", "--mdoel", "x"], "arguments: --mdoel x; did you mean --model? see --help"),
        (["build", "--xyzzy"], "arguments: --xyzzy; see --help"),
    ],
)
def test_verbs_options_and_their_values(words, said, capsys):
    with pytest.raises(SystemExit, match=r"^1$"):
        parser().parse_args(words)
    line = capsys.readouterr().err
    assert line.endswith(f"{said}\n") and line.count("\n") == 1


def test_a_verb_of_another_command_line(capsys):
    assert console.host_tools(["train", "--model", "x"]) == 1
    assert "train is a verb of python -m model; run: python -m model train --help" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=r"^1$"):
        console.main(["trian"])
    assert "did you mean train?" in capsys.readouterr().err


def test_a_tool():
    with pytest.raises(UserError, match=r"flashed by .*openocd.*; did you mean openocd\?$"):
        flash.flasher(board_toml.load("stm32f405"), "OpenOCD")
