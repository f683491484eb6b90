"""The start-up of real boards, on simulated registers: it never hangs, and knows its clock."""

import subprocess
from pathlib import Path

import pytest

from squeezenet_mcu.host_tools.boards import board_toml

HERE = Path(__file__).parent / "start_up"
# The chip's file, its clock when all goes well, and when that wait fails. Those for the oscillator
# itself do not fail here: without it no chip runs.
CHIPS = {
    "stm32f405": ("stm32f4", 168_000_000, {1: 16_000_000, 2: 16_000_000, 5: 16_000_000, 6: 16_000_000}),
    "nucleo_f446re": ("stm32f4", 180_000_000, dict.fromkeys(range(1, 7), 16_000_000)),
    "nucleo_h743zi": (
        "stm32h7",
        480_000_000,
        {**dict.fromkeys((2, 3, 4, 5, 6, 7, 8), 64_000_000), 9: 400_000_000},
    ),
    "nano33ble": ("nrf52", 64_000_000, {0: 64_000_000}),
    "pico2": (
        "rp2350",
        150_000_000,
        {1: 11_000_000, 2: 11_000_000, 3: 12_000_000, 4: 12_000_000, 5: 12_000_000},
    ),
}


# Of boards with two cores: the waits with which the second one is not there, and all others.
SECOND_CORE = {"pico2": ((6, 7, 8, 9), (-1, 1, 5))}


@pytest.fixture(scope="module", params=CHIPS)
def start_up(request, tmp_path_factory):
    """Runs the board's start-up with a wait that fails; what it printed, and the board's row of CHIPS."""
    chip = CHIPS[request.param]
    board = board_toml.load(request.param)
    folder = board.folder
    program = tmp_path_factory.mktemp("start_up") / request.param
    subprocess.run(
        ["g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Wno-unused-macros", f"-I{HERE}",
         f"-I{board_toml.FOLDER}", f"-I{folder}", f"-DSQUEEZE_CORES={board.cores}",
         HERE / "main.cc", HERE / "cells.cc", HERE / f"{chip[0]}.cc", folder / "board.cc", "-o", program],
        check=True,
    )  # fmt: skip

    def run(step: int) -> tuple[dict[str, int], list[str]]:
        done = subprocess.run([program, str(step)], check=True, capture_output=True, text=True, timeout=30)
        lines = done.stdout.splitlines()
        figures = dict(line.split() for line in lines if not line.startswith("unsafe"))
        return {k: int(v) for k, v in figures.items()}, [li for li in lines if li.startswith("unsafe")]

    return run, chip, request.param


def check(printed, hz):
    figures, unsafe = printed
    assert unsafe == []
    assert figures["believed"] == figures["actual"] == hz
    # Both ends may be off: 2 % here leaves the other as much.
    assert figures["baud"] == pytest.approx(115_200, rel=0.02)


def test_all_is_well(start_up):
    run, (_, hz, _), _ = start_up
    check(run(-1), hz)


def test_each_wait_may_fail(start_up):
    """Then the core stays on the oscillator that it has, and the serial port is right all the same."""
    run, (_, _, failing), _ = start_up
    for step, hz in failing.items():
        check(run(step), hz)


def test_a_second_core_that_does_not_answer_is_left_alone(start_up):
    """It is said to have started where it has, with these vectors, stack and entry, and nowhere else."""
    run, _, board = start_up
    silent, answering = SECOND_CORE.get(board, ((), ()))
    for step in (*silent, *answering):
        figures, unsafe = run(step)
        assert unsafe == []
        assert figures["said"] == figures["started"] == (step in answering)
