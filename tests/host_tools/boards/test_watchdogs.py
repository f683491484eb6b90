"""The watchdogs of real boards: what is written to their registers, in order, and what a reset was."""

import subprocess
from pathlib import Path

import pytest

from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.link.messages import RESET_CAUSES

HERE = Path(__file__).parent / "start_up"


def stm32(iwdg: int) -> dict[str, list[tuple[int, int]]]:
    """RM0090 section 21.3: start, unlock, prescaler 256, 1,000 ticks of 8 ms, feed."""
    start = [(iwdg, 0xCCCC), (iwdg, 0x5555), (iwdg + 4, 6), (iwdg + 8, 1000), (iwdg, 0xAAAA)]
    return {"start": start, "feed": [(iwdg, 0xAAAA)]}


def rp2(watchdog: int, psm: int, all_but_oscillators: int, tick: list, load: int) -> dict:
    """Off, what it resets, its tick of a microsecond, 8 s, on; it pauses where a debugger halts a core."""
    select, feed = (psm + 8, all_but_oscillators), (watchdog + 4, load)
    return {
        "start": [(watchdog, 0), select, *tick, feed, (watchdog, 0x4700_0000)],
        "feed": [feed],
        "restart": [select, (watchdog, 0x8000_0000)],
    }


F4 = (0x4002_3874, {0x0E00_0000: "power-on", 0x2400_0000: "watchdog", 0x1400_0000: "software",
                    0x0400_0000: "reset pin", 0: "unknown"})  # fmt: skip
RP2 = {1: "watchdog", 2: "software", 0: "unknown"}
# Writes; the register of the reset flags, and what some values of it mean; what is written there to forget.
CHIPS = {
    "stm32f405": (stm32(0x4000_3000), *F4),
    "nucleo_f446re": (stm32(0x4000_3000), *F4),
    "feather_f405": (stm32(0x4000_3000), *F4),
    "nucleo_h743zi": (
        stm32(0x5800_4800), 0x5802_44D0,
        {0x00E0_0000: "power-on", 0x0440_0000: "watchdog", 0x0140_0000: "software", 0x0040_0000: "reset pin"},
    ),
    "nano33ble": (
        {"start": [(0x4001_050C, 1), (0x4001_0504, 8 * 32768 - 1), (0x4001_0000, 1)],
         "feed": [(0x4001_0600, 0x6E52_4635)]},
        0x4000_0400, {1: "reset pin", 2: "watchdog", 4: "software", 0: "unknown"},
    ),
    "rp2040": (
        rp2(0x4005_8000, 0x4001_0000, 0x1FFFC, [(0x4005_802C, 0x20C)], 16_000_000), 0x4005_8008, RP2,
    ),
    "pico2": (
        rp2(0x400D_8000, 0x4001_8000, 0x01FF_FFF3, [(0x4010_8034, 12), (0x4010_8030, 1)], 8_000_000),
        0x400D_8008, RP2,
    ),
}  # fmt: skip


def run(program: Path, register: int, flags: int) -> dict[str, list]:
    """The writes of each part, by its name; of "cause" what it was, and then the writes that forget it."""
    done = subprocess.run(
        [program, f"{register:x}", f"{flags:x}"], capture_output=True, text=True, check=True
    )
    parts: dict[str, list] = {}
    name = "before"
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] != "cause":
            parts.setdefault(name, []).append((int(words[0], 16), int(words[1], 16)))
        else:
            name = words[0]
            parts[name] = [RESET_CAUSES[int(words[1])]] if name == "cause" else []
    return parts


# Those that share another one's code are in the long run.
EACH = [
    pytest.param(name, marks=pytest.mark.long) if name in ("nucleo_f446re", "feather_f405") else name
    for name in CHIPS
]


@pytest.mark.parametrize("board", EACH)
def test_the_registers_are_written_in_the_manuals_order(board, tmp_path):
    writes, register, causes = CHIPS[board]
    folder = board_toml.load(board).folder
    program = tmp_path / board
    subprocess.run(
        ["g++", "-std=c++17", "-O0", "-Wall", "-Wextra", "-Wno-unused-macros", "-Wno-unused-function",
         f"-I{HERE}", f"-I{board_toml.FOLDER}", f"-I{folder}", "-DSQUEEZE_CORES=1",
         HERE / "watchdog.cc", HERE / "cells.cc", folder / "board.cc", "-o", program],
        check=True,
    )  # fmt: skip
    for flags, cause in causes.items():
        found = run(program, register, flags)
        assert found.pop("cause") == [cause]
        forgotten = found.pop("before", [])
        assert all(address == register for address, _ in forgotten)
        assert forgotten or board in ("rp2040", "pico2")  # whose REASON is of the last reset alone
        assert found == writes


def test_every_real_board_has_one():
    """Those that no emulator of a machine without one plays."""
    with_one = {
        path.parent.name
        for path in board_toml.FOLDER.glob("*/board_config.h")
        if "#define BOARD_WATCHDOG" in path.read_text()
    }
    assert with_one == set(CHIPS)
    assert {name for name in board_toml.names() if board_toml.load(name).flash} <= with_one
