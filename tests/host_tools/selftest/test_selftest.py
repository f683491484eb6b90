"""The verb that brings a board up: it passes on a sound board, and says what a faulty one gets wrong."""

import argparse
import dataclasses

import msgspec
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.selftest import command as selftest
from tests.host_tools.selftest import selftest_device

BOARD = "stm32f405"


def verb(*options):
    parser = argparse.ArgumentParser()
    selftest.add_arguments(parser)
    return selftest.run(parser.parse_args(["--board", BOARD, *options]))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The program that other tests have built, instead of one more build."""
    elf = selftest_device.elf(BOARD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build, "compile_target", lambda *_: elf)


def test_a_sound_board_passes(capsys):
    assert verb() == 0
    printed = capsys.readouterr().out
    assert printed.count(" ok ") == 10
    assert "all 10 checks passed" in printed
    assert "illegal instruction" in printed
    assert "exception=00000003" in printed
    assert "answers again, after: fault" in printed


def test_build_prints_the_path_and_boots_nothing(capsys):
    assert verb("--build") == 0
    assert capsys.readouterr().out == f"wrote {selftest_device.elf(BOARD)}\n"


def test_what_a_faulty_board_gets_wrong_is_named(monkeypatch, capsys):
    """Settings of another chip: another name, and a flash of another size."""
    real = board_toml.load(BOARD)
    memories = tuple(msgspec.structs.replace(m, bytes=m.bytes // 2) for m in real.memories)
    other = dataclasses.replace(real, name="other", memories=memories)
    monkeypatch.setattr(board_toml, "load", lambda _name: other)
    with pytest.raises(UserError, match=r"^other: 2 of 10 checks failed: its name, memory as linked$"):
        verb()
    assert capsys.readouterr().out.count("FAILED") == 2


def test_a_line_without_a_board_is_told():
    with pytest.raises(UserError, match=r"^/dev/no-such-port: "):
        verb("--port", "/dev/no-such-port")
