"""Firmware that takes new models: its driver is linked, and its program cannot reach into the slots."""

import shutil

import pytest

from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build

WITH_SLOTS = [name for name in board_toml.names() if board_toml.load(name).update]
SLOTS = "slots = [{ address = 0x08080000"


def link(board, folder):
    return build.compile_target(board, folder, "selftest", {"UPDATE": "ON"})


def test_a_program_in_a_slot_does_not_link(tmp_path):
    """An error of one line, that names the table."""
    mine = tmp_path / "mine"
    shutil.copytree(board_toml.FOLDER / "stm32f405", mine)
    text = (mine / "board.toml").read_text()

    board = board_toml.load(str(mine))
    assert link(board, tmp_path / "fine").is_file()
    (mine / "board.toml").write_text(text.replace(SLOTS, "slots = [{ address = 0x08000000"))
    with pytest.raises(build.BuildError, match=r"the program with its model reaches into the slots of \[upd"):
        link(board, tmp_path / "wrong")


@pytest.mark.long
def test_half_a_sector_does_not_compile(tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(board_toml.FOLDER / "stm32f405", mine)
    text = (mine / "board.toml").read_text()
    (mine / "board.toml").write_text(text.replace(SLOTS, "slots = [{ address = 0x08070000"))
    with pytest.raises(build.BuildError, match=r"a slot is not whole sectors of the flash"):
        link(board_toml.load(str(mine)), tmp_path / "build")


@pytest.mark.long
@pytest.mark.parametrize("name", WITH_SLOTS)
def test_each_board_with_slots_links(tmp_path, name):
    assert link(board_toml.load(name), tmp_path).is_file()
