"""Each board's start-up, UART, counter, memory marks and fault handler, in the emulator."""

import dataclasses
import time

import msgspec
import pytest

from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.link.messages import RESET_CAUSES
from squeezenet_mcu.host_tools.selftest.device import RING_BYTES as RING
from squeezenet_mcu.host_tools.selftest.device import SelftestDevice
from tests.host_tools.selftest import selftest_device

EXACT = "stm32f405"  # its emulated timer ticks once an instruction
CYCLES = "rp2040"  # its emulator counts cycles


# Of those that share their start-up, UART and timer's code one is in `make test`.
TWINS = ("mps2_an386", "mps2_an500", "mps2_an505")
BOARDS = [pytest.param(b, marks=pytest.mark.long) if b in TWINS else b for b in board_toml.emulated()]


@pytest.fixture(scope="module", params=BOARDS)
def board(request):
    return request.param


@pytest.fixture(scope="module")
def device(board):
    with selftest_device.booted(board) as running:
        yield running


def test_name(device, board):
    assert device.ask("n") == [board]


def test_unit_of_the_counter(device, board):
    steps = {"stm32f405": 1, "mps2_an386": 40, "mps2_an500": 40, "mps2_an505": 50, "mps3_an547": 32}
    steps |= {"mps2_an521": 50, "riscv_virt": 100}
    unit = ["cycles", "1", "125000000"] if board == CYCLES else ["instructions", str(steps[board]), "0"]
    assert device.ask("u") == unit


def test_counter_is_exact_to_its_step(device, board):
    """Of 2 million turns of SUBS and BNE over 1 million: instructions, or a Cortex-M0+'s cycles, 1 and 2."""
    step = int(device.ask("u")[1])
    turn = 3 if board == CYCLES else 2
    counts = [device.numbers("c", n)[0] for n in (1_000_000, 1_000_000, 2_000_000)]
    first, second, double = counts
    assert abs(second - first) <= (0 if step == 1 else step)
    assert abs(double - first - turn * 1_000_000) <= (0 if step == 1 else step)


def test_interrupts_do_not_count(device, board):
    """The same loop costs the same while bytes arrive and SysTick fires (every 2^24 of its ticks)."""
    iterations = 6_000_000 if board == CYCLES else 100_000_000
    quiet, came = device.numbers("c", iterations)
    assert came == 0
    busy, came = device.numbers("c", iterations, bytes(1000))
    assert came > 100
    if board in (EXACT, CYCLES):
        assert busy == quiet
    else:
        # A coarse counter sees each interrupt to a step, right only on average; each costs over 50.
        assert abs(busy - quiet) < 10 * came


def test_echo_loses_nothing(device):
    data = bytes((7 * i + i // 256) % 256 for i in range(RING))
    for size in (1, 2, 255, RING - 5):
        assert device.echo(data[:size]) == data[:size]


def test_ring_counts_what_it_holds_and_what_it_loses(device):
    assert device.numbers("r") == [0, RING, 0]
    for size, state in ((1000, [1000, RING - 1000, 0]), (RING, [RING, 0, 0]), (RING + 52, [RING, 0, 52])):
        assert device.withheld(size) == state
    assert device.numbers("r") == [0, RING, 52]


def test_memory_figures_are_those_of_the_elf(device, board):
    used = build.usage(selftest_device.elf(board))
    flash_used, flash_total, static, _, reserve, total = device.numbers("m")
    assert (flash_used, flash_total) == (used.flash_used, used.flash_total)
    assert (static, reserve, total) == (used.sram_static, used.stack_reserve, used.sram_total)


def test_stack_mark_is_the_deepest_byte(device):
    before = device.numbers("m")[3]
    assert 0 < before < 1000
    marks = []
    for depth in (800, 1200, 400):
        assert device.ask("k", depth) == ["done"]
        marks.append(device.numbers("m")[3])
    assert 800 < marks[0] < 800 + before
    assert marks[1] - marks[0] == 400
    assert marks[2] == marks[1]


def test_the_second_core_works_beside_the_first(device, board):
    if board_toml.load(board).cores == 1:
        pytest.skip("one core")
    rounds = 1_000_000
    (alone,) = device.numbers("c", rounds)[:1]
    stack = device.numbers("m")[3]
    for again in (rounds, rounds):
        answers, result, both = device.numbers("s", again)
        assert (answers, result) == (1, again + 14)
        if board == CYCLES:
            assert alone < both < alone + alone // 100
    assert 600 <= device.numbers("m")[3] - stack < 700


def test_floating_point_and_vectors_are_on(device):
    assert device.numbers("x") == [14]  # 0.5 * (0 + 1 + ... + 7)


def test_counter_outlives_32_bits():
    with selftest_device.booted(EXACT) as device:
        (start,) = device.numbers("t")
        time.sleep(2**32 / 1e9 + 0.3)  # asleep, the emulated machine keeps the wall clock's time
        (end,) = device.numbers("t")
    assert 2**32 < end - start < 2**33


# Of each architecture: exception 3 is the hard fault, and CFSR says undefined instruction; mcause 2 is an
# illegal instruction, 7 a store that was not allowed.
FAULTS = {
    "cortex_m": (("f", None, "00000003", "cfsr=00010000"), ("k", 5000, "00000003", "stack overflow")),
    "riscv": (("f", None, "00000002", "mtval="), ("k", 5000, "00000007", "stack overflow")),
}
AFTER_A_FAULT = RESET_CAUSES.index("fault")
# One of each architecture in `make test`.
EACH = [
    b if b in (EXACT, "riscv_virt") else pytest.param(b, marks=pytest.mark.long)
    for b in board_toml.emulated()
]


@pytest.mark.parametrize("board", EACH)
def test_after_a_fault_the_board_restarts_and_says_so(board):
    """And after the fourth one in a row it does so only when somebody asks: it may come with each restart."""
    with selftest_device.booted(board) as device:
        assert device.restarted() == [0, 0]
        for number, (command, argument, exception, report) in enumerate(
            2 * FAULTS[board_toml.load(board).architecture], start=1
        ):
            # ARMv6-M tells no causes.
            wanted = "pc=" if report.startswith("cfsr") and board == CYCLES else report
            said = device.fault(command, argument)
            assert said.startswith(f"FAULT exception={exception} ")
            assert wanted in said
            if number == 4:
                time.sleep(0.5)
                device.line.reset_input_buffer()
                device.line.write(b"?")
                assert device.line.read_until(b"\n").strip(b"\0\r\n") == b""
                assert device.line.readline().decode().strip() == said
            assert device.restarted() == [AFTER_A_FAULT, number]
            device.settle()
        assert device.ask("n") == [board]


def test_f446_boots_where_its_sibling_is_emulated(monkeypatch):
    """QEMU has no STM32F446, but its STM32F405 has the same USART2, and no clock that ever gets ready.

    So the start-up waits for each clock in vain, and must go on with the oscillator it has.
    """
    real, sibling = board_toml.load("nucleo_f446re"), board_toml.load("stm32f405").emulator
    at = sibling.command.index("-serial")
    command = (*sibling.command[:at], "-serial", "null", *sibling.command[at:])
    lent = dataclasses.replace(real, emulator=msgspec.structs.replace(sibling, command=command))
    monkeypatch.setattr(board_toml, "load", lambda _name: lent)
    with selftest_device.booted("nucleo_f446re") as device:
        assert device.ask("n") == ["nucleo_f446re"]
        assert device.numbers("m")[5] == 128 * 1024
        data = bytes(range(256)) * 4
        assert device.echo(data) == data
        assert device.numbers("x") == [14]


def test_emulator_in_real_time_counts_microseconds(board, monkeypatch):
    """Without -icount the emulated clock is the wall's: its figures must not pass for instructions."""
    elf = selftest_device.elf(board)
    real = board_toml.load(board)
    if "-icount" not in real.emulator.command:
        pytest.skip(f"{real.emulator.command[0]}'s clock is never the wall's while the core works")
    command = tuple(part for part in real.emulator.command if part not in ("-icount", "shift=0"))
    assert len(command) == len(real.emulator.command) - 2
    hasty = dataclasses.replace(real, emulator=msgspec.structs.replace(real.emulator, command=command))
    monkeypatch.setattr(board_toml, "load", lambda _name: hasty)
    with emulator.running(board, elf) as url:
        device = SelftestDevice(url)
        assert device.ask("u") == ["microseconds", "1", "1000000"]
        (start,) = device.numbers("t")
        time.sleep(0.5)
        (end,) = device.numbers("t")
        device.line.close()
    assert 450_000 < end - start < 20_000_000
