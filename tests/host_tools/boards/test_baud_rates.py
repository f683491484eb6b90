"""Baud rates of real boards: which ones they say that they can have, and what they write for them."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from squeezenet_mcu.host_tools.boards import board_toml

HERE = Path(__file__).parent / "start_up"
DEFAULT = 115_200


@dataclass(frozen=True)
class Chip:
    """`idle`: the register that says when the last bit has left; bits that are set then, and clear ones.

    `rates`: what is asked for, and what is answered. `writes`: to change to 921,600, in order.
    """

    file: str
    idle: tuple[int, int, int]
    rates: dict[int, int]
    writes: list[tuple[int, int]]


def stm32f4(usart: int, hz: int, **rates: int) -> Chip:
    """RM0090 section 30.6: TC, BRR."""
    found = {rate: hz // round(hz / rate) for rate in (230_400, 460_800, 921_600, 1_000_000)}
    found |= {int(name.strip("b")): answer for name, answer in rates.items()}
    return Chip("stm32f4", (usart, 1 << 6, 0), found, [(usart + 8, round(hz / 921_600))])


UART0 = 0x4000_2000  # of an nRF52840
CHIPS = {
    # 84 MHz, of which a bit takes at least 16 cycles. 5,094,000 would be 3 % off.
    "stm32f405": stm32f4(0x4001_1000, 84_000_000, b5250000=5_250_000, b5094000=0, b5500000=0),
    "nucleo_f446re": stm32f4(0x4000_4400, 45_000_000, b2812500=2_812_500, b3000000=0),
    # RM0433 section 48.7: UE off, BRR, all but UE, UE; 64 MHz.
    "nucleo_h743zi": Chip(
        "stm32h7",
        (0x4000_481C, 1 << 6, 0),
        {460_800: 64_000_000 // 139, 921_600: 64_000_000 // 69, 4_000_000: 4_000_000, 4_300_000: 0},
        [(0x4000_4800, 0), (0x4000_480C, 69), (0x4000_4800, 0x2000_002C), (0x4000_4800, 0x2000_002D)],
    ),
    # Product specification 1.7, section 6.33: BAUDRATE has these values; it is off meanwhile.
    "nano33ble": Chip(
        "nrf52",
        (UART0 + 0x11C, 1, 0),
        {230_400: 231_884, 250_000: 250_000, 460_800: 470_588, 921_600: 941_176, 1_000_000: 1_000_000,
         500_000: 0, 921_000: 0, 2_000_000: 0},
        [(UART0 + 0x500, 0), (UART0 + 0x524, 0x0EBED000), (UART0 + 0x108, 0), (UART0 + 0x11C, 0),
         (UART0 + 0x480, 0xF), (UART0 + 0x500, 4), (UART0 + 0x304, 4), (UART0 + 8, 1), (UART0, 1)],
    ),
    # PL011: 150 MHz / 16, divided by 64ths: 10 and 11 of them. Off, the divider, LCR_H, on.
    "pico2": Chip(
        "rp2350",
        (0x4007_0018, 0, 1 << 3),
        {460_800: 600_000_000 // 1302, 921_600: 600_000_000 // 651, 9_375_000: 9_375_000, 10_000_000: 0},
        [(0x4007_0030, 0), (0x4007_0024, 10), (0x4007_0028, 11), (0x4007_002C, 0x70), (0x4007_0030, 0x301)],
    ),
    # DDI 0479D table 4-2: 20 MHz, divided by 16 or more.
    "mps2_an505": Chip(
        "cmsdk",
        (0x5020_0004, 0, 1 << 0),
        {460_800: 20_000_000 // 43, 1_000_000: 1_000_000, 1_250_000: 1_250_000, 921_600: 20_000_000 // 22,
         1_350_000: 0},
        [(0x5020_0010, 22)],
    ),
}  # fmt: skip
# What nobody can have.
NEVER = (0, 1, 9600, DEFAULT - 1, 12_000_001, (1 << 32) - 1)


@dataclass
class Asked:
    """What came of asking for one rate."""

    answer: int
    chip: int
    writes: list[tuple[int, int]] = field(default_factory=list)
    waited: bool = False
    baud: int = 0


def ask(board: str, folder: Path, rates: list[int]) -> list[Asked]:
    chip = CHIPS[board]
    own = board_toml.load(board).folder
    options = ["g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Wno-unused-macros", "-Wno-unused-function",
               f"-I{HERE}", f"-I{board_toml.FOLDER}", f"-I{own}", "-DSQUEEZE_CORES=1"]  # fmt: skip
    simulated, program = folder / "chip.o", folder / board
    names = ["-DRead=ReadChip", "-DWrite=WriteChip"]
    subprocess.run([*options, *names, "-c", HERE / f"{chip.file}.cc", "-o", simulated], check=True)
    sources = [HERE / "baud.cc", HERE / "cells.cc", own / "board.cc", board_toml.FOLDER / "common/uart.cc"]
    subprocess.run([*options, *sources, simulated, "-o", program], check=True)
    words = [*(f"{number:x}" for number in chip.idle), *map(str, rates)]
    done = subprocess.run([program, *words], capture_output=True, text=True, check=True, timeout=20)
    found: list[Asked] = []
    for line in done.stdout.splitlines():
        name, *numbers = line.split()
        if name == "rate":
            assert int(numbers[0]) == rates[len(found)]
            found.append(Asked(*map(int, numbers[1:])))
        elif name == "waited":
            found[-1].waited = numbers == ["1"]
        elif name == "baud":
            found[-1].baud = int(numbers[0])
        else:
            assert name != "unsafe", line
            found[-1].writes.append((int(name, 16), int(numbers[0], 16)))
    return found


@pytest.mark.parametrize("board", CHIPS)
def test_rates(board, tmp_path):
    chip = CHIPS[board]
    # There and back: from each of them the default is right again.
    rates = [rate for asked in chip.rates for rate in (asked, DEFAULT)] + [*NEVER]
    found = ask(board, tmp_path, rates)
    for rate, asked in zip(rates, found, strict=True):
        if rate in NEVER:
            assert asked.answer == 0 and not asked.writes, rate
            continue
        if rate != DEFAULT:
            assert asked.answer == chip.rates[rate], rate
        if asked.answer == 0:
            assert not asked.writes, rate
            continue
        assert asked.answer == asked.chip == pytest.approx(rate, rel=0.025)
        assert asked.waited, f"{rate}: the rate changed before the last bit had left"
        assert asked.baud == pytest.approx(rate, rel=0.025)
        if rate == 921_600:
            assert asked.writes == chip.writes


def test_a_board_without_the_hook_has_its_one_rate(tmp_path):
    """A board of somebody's own, as docs/porting.md has it: uart.cc answers 0 for it."""
    source = tmp_path / "mine.cc"
    source.write_text("""
#include <stdio.h>
#include "board.h"
#include "common/hooks.h"
namespace board {
void UartInit() {}
void UartPut(uint8_t) {}
bool UartPoll(uint8_t*) { return false; }
uint32_t UartOverruns() { return 0; }
}
int main() {
  printf("%u %u", board::UartBaudRate(921600, true), board::UartBaudRate(board::kUartBaud, false));
}
""")
    (tmp_path / "board_config.h").write_text("")
    program = tmp_path / "mine"
    uart = board_toml.FOLDER / "common/uart.cc"
    subprocess.run(
        ["g++", "-std=c++17", f"-I{tmp_path}", f"-I{board_toml.FOLDER}", source, uart, "-o", program],
        check=True,
    )
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "0 0"
