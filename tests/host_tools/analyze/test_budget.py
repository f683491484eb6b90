"""Budgets of analyze: exit status 1 and one sentence for what exceeds them; files that are not to be lost."""

import pytest

from squeezenet_mcu.common.paths import CONFIGS, ZOO
from squeezenet_mcu.host_tools.console import host_tools
from tests.host_tools.analyze.test_command import unsupported

DIGITS = ZOO / "digits" / "model.tflite"


@pytest.fixture(autouse=True)
def in_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def said(capsys, status, *words):
    assert host_tools(["analyze", *map(str, words)]) == status
    return capsys.readouterr()


@pytest.mark.parametrize(
    ("board", "limit", "value", "words"),
    [
        ("stm32f405", "--max-flash", "40K", "bytes of flash, "),
        ("stm32f405", "--max-sram", "9000", "bytes of SRAM, "),
        ("rp2040", "--max-ms", "10", "ms an image, "),
        ("nucleo_h743zi", "--max-ms", "10", "nobody knows the cycles of a Cortex-M7"),
    ],
)
def test_more_than_a_limit_is_one_sentence(capsys, board, limit, value, words):
    found = said(capsys, 1, "--model", "digits", "--board", board, limit, value)
    assert "wrote build/digits/analyze.json" in found.out, "the answer is there all the same"
    assert found.err.count("\n") == 1 and words in found.err and f"{limit} " in found.err
    assert "--optimize" not in found.err, "analyze has no such option"


def test_within_its_limits_it_ends_well(capsys):
    limits = ("--max-flash", "64K", "--max-sram", "32K", "--max-ms", "500")
    assert said(capsys, 0, "--model", "digits", "--board", "rp2040", *limits).err == ""


def test_a_budget_is_that_of_one_board(capsys):
    assert "want --board, too" in said(capsys, 1, "--model", "digits", "--max-ms", "10").err


def test_a_network_that_the_engine_does_not_take_keeps_no_budget(capsys, tmp_path):
    (tmp_path / "mine.tflite").write_bytes(unsupported())
    found = said(capsys, 1, "--tflite", "mine.tflite", "--board", "stm32f405", "--max-flash", "1M")
    assert "its bytes of flash are not known: our engine does not take the network" in found.err


def test_a_toml_of_a_shipped_name_is_not_the_shipped_network(capsys, tmp_path):
    own = tmp_path / "digits.toml"
    own.write_text((CONFIGS / "digits.toml").read_text() + "\n[budget]\nmax_ms = 1\n")
    assert "model/zoo ships another 'digits'" in said(capsys, 1, "--model", own).err


def test_the_answer_does_not_take_the_place_of_another_file(capsys, tmp_path):
    mine = tmp_path / "mine.tflite"
    mine.write_bytes(DIGITS.read_bytes())
    found = said(capsys, 1, "--tflite", mine, "--board", "rp2040", "--json", mine)
    assert "holds no JSON" in found.err
    assert mine.read_bytes() == DIGITS.read_bytes()
