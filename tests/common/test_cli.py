"""Old spellings of options and of their values: they work for one version, with a notice."""

import argparse
import os
import subprocess
import sys

import pytest

from squeezenet_mcu.common import cli, start
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert import command
from squeezenet_mcu.host_tools.firmware import build


def firmware_parser():
    parser = cli.Parser(prog="firmware")
    build.add_arguments(parser)
    return parser


PARSERS = pytest.mark.parametrize(
    "parser", [pytest.param(command.parser, id="convert"), pytest.param(firmware_parser, id="firmware")]
)


@PARSERS
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (["--kernels", "dsp"], ["--kernel-family", "dsp"], "--kernels is now --kernel-family"),
        (["--encoding", "coded"], ["--encoding", "huffman"], "--encoding coded is now --encoding huffman"),
    ],
)
def test_an_old_spelling_does_what_the_new_one_does_and_says_so(parser, old, new, said, capsys):
    wanted = parser().parse_args(new)
    assert capsys.readouterr().err == ""
    assert parser().parse_args(old) == wanted
    line = capsys.readouterr().err
    assert line.startswith(f"note: {said}; ")
    assert line.count("\n") == 1 and "0.3.0" in line


@PARSERS
def test_help_shows_the_new_spelling_alone(parser):
    text = parser().format_help()
    assert "--kernel-family" in text and "huffman" in text
    assert "--kernels" not in text and "coded" not in text


@PARSERS
def test_a_wrong_value_of_an_old_spelling_is_one_line(parser, capsys):
    with pytest.raises(SystemExit, match=r"^1$"):
        parser().parse_args(["--kernels", "neon"])
    assert "argument --kernels: invalid choice: 'neon'" in capsys.readouterr().err


@PARSERS
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", ""], "--model: is empty"),
        (["--model="], "--model: is empty"),
        (["--model", "digits", "--flash-bytes", ""], "--flash-bytes: is empty"),
        ([""], "an argument: is empty"),
    ],
)
def test_an_empty_value_is_a_mistake(parser, words, said, capsys):
    """It is what an unset variable of a script leaves; another model would be converted."""
    with pytest.raises(SystemExit, match=r"^1$"):
        parser().parse_args(words)
    assert f"error: {said}; want a value" in capsys.readouterr().err


def test_an_error_is_one_line_of_readable_length(capsys):
    names = ["x" * 5000, "a\nb", "\x1b[31m"]
    assert cli.failed(UserError(f"{names}; want others {names[1]}{names[2]}"), "test") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.rstrip("\n").isprintable()
    assert said.startswith("test: error: ['xxx") and said.endswith("; want others a?b?[31m\n")
    assert len(said) < 900


TYPED = {
    "weight_bits": 9,
    "model": "my net.keras",
    "engine": "tflm",
    "calibration": None,
    "trust": False,
    "package": ["x"],
    "tflm_lib": None,
}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("--weight-bits 9: want 4 to 8", "WEIGHT_BITS=9: want 4 to 8"),
        ("--model my net.keras is a SavedModel", "MODEL=my net.keras is a SavedModel"),
        ("--engine tflm goes with --model; not", "ENGINE=tflm goes with MODEL=; not"),
        ("give a folder: CALIBRATION=folder (--calibration)", "give a folder: CALIBRATION=folder"),
        ("say TRUST=1 (--trust); a file", "say TRUST=1; a file"),
        ("--trust goes with it", "TRUST=1 goes with it"),
        ("--package cmake: would hide", "PACKAGE=cmake: would hide"),
        ("--engine tflm: no --tflm-lib (TFLM_LIB=); see", "ENGINE=tflm: no TFLM_LIB=; see"),
        ("run first: python -m model train --model a.toml", "run first: make train MODEL=a.toml"),
        ("no --other, --model-x, --weight", "no --other, --model-x, --weight"),
    ],
)
def test_under_make_an_error_names_its_variables(said, wanted, monkeypatch, capsys):
    def run(_):
        raise UserError(said)

    args = argparse.Namespace(**TYPED)
    monkeypatch.setattr(start, "by_make", lambda: True)
    assert cli.guarded(run, args, "convert") == 1
    assert capsys.readouterr().err == f"convert: error: {wanted}\n"


def test_make_is_seen_to_have_started_the_program():
    """By what the Makefile's RUN sets. Children of the program, and of pytest under make, are not meant."""
    words = [sys.executable, "-m", "squeezenet_mcu.convert", "--flash-bytes", "many"]
    for make, named in ((str(os.getpid()), "FLASH_BYTES="), ("0", "--flash-bytes"), ("", "--flash-bytes")):
        environment = os.environ | {"ENDS_WITH_MAKE": make}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and f'argument {named}: "many"' in done.stderr
        assert ("see make help" in done.stderr) == (named == "FLASH_BYTES=")


@pytest.mark.parametrize(
    ("ends", "said"),
    [(KeyboardInterrupt(), "\ntoy: interrupted\n"), (OSError(2, "none", "x"), "toy: error: x: none\n")],
)
def test_under_make_every_end_begins_with_the_verb(ends, said, monkeypatch, capsys):
    monkeypatch.setattr(start, "by_make", lambda: True)

    def run(_):
        raise ends

    assert cli.guarded(run, argparse.Namespace(), "python -m host_tools toy") in (1, 130)
    assert capsys.readouterr().err == said
