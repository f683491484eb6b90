"""The Pico's emulator counts by marks and functions, and follows the chip's cache of the flash."""

import json
import subprocess
from pathlib import Path

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.cycles import cpus, plugin, price, rp2040js, symbols
from squeezenet_mcu.host_tools.cycles.symbols import Functions
from squeezenet_mcu.host_tools.emulate import emulator
from tests.host_tools.selftest import selftest_device

HERE = Path(__file__).parent
PICO = board_toml.load("rp2040")
START = 0x10100000  # behind what the selftest's firmware takes of the flash
SIZES = {"bytes": 16384, "ways": 2, "line": 8, "fill": 4}
WAY = SIZES["bytes"] // 2


def node(*words):
    script, folder = HERE / "rp2040_counts.mjs", PICO.folder / "emulator"
    command = [emulator.program(PICO.emulator), script, folder, *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def reads(*offsets, **other):
    """1 for each read that the flash has to answer, 0 for one that the cache answers."""
    return json.loads(node("cache", json.dumps(SIZES | other), json.dumps(offsets)))


def test_a_miss_reads_half_a_line():
    assert reads(0, 2, 4, 6, 0, 4) == [1, 0, 1, 0, 0, 0]
    assert reads(0, 2, 4, 6, 0, 4, fill=8) == [1, 0, 0, 0, 0, 0]


def test_two_lines_of_a_set_stay_and_a_third_makes_the_older_go():
    a, b, c = 0x40, 0x40 + WAY, 0x40 + 2 * WAY
    assert reads(a, b, a, b, a) == [1, 1, 0, 0, 0]
    assert reads(a, b, a, c, a, b) == [1, 1, 0, 1, 0, 1]  # b was used before a
    assert reads(a, b, b, c, b, a) == [1, 1, 0, 1, 0, 1]
    assert reads(a, a + 4, b, c, a + 4, a) == [1, 1, 1, 1, 1, 1]  # both halves have gone


def test_all_of_the_cache_is_used():
    whole = range(0, SIZES["bytes"], 4)
    assert sum(reads(*whole, *whole)) == len(whole)
    more = range(0, 2 * SIZES["bytes"], 4)  # four lines want the place of two, in turn
    assert sum(reads(*more, *more)) == 2 * len(more)


def link(folder, name, vectors, memory, *more):
    elf = folder / f"{name}.elf"
    script = folder / f"{name}.ld"
    text = (HERE / "ten_functions" / "memory.ld").read_text()
    script.write_text(
        text.replace("ORIGIN = 0x20000000, LENGTH = 16K", memory).replace("0x00000000", vectors)
    )
    flags = ("-mcpu=cortex-m0plus", "-mthumb", "-nostdlib", "-T", script, *more)
    subprocess.run(["arm-none-eabi-gcc", *flags, HERE / "ten_functions" / "flash.S", "-o", elf], check=True)
    return elf


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """flash.S in the Pico's flash: its ELF and its bytes."""
    elf = link(tmp_path_factory.mktemp("pico"), "flash", "0x101f0000", f"ORIGIN = {START:#x}, LENGTH = 16K")
    code = elf.with_suffix(".bin")
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "-j", ".text", elf, code], check=True)
    return elf, code


def counted(program, interrupts=0):
    """{(mark, function): Spent}"""
    elf, code = program
    functions = symbols.read(PICO, elf)
    listed = subprocess.run(["arm-none-eabi-nm", elf], capture_output=True, text=True, check=True).stdout
    at = {name: int(value, 16) for value, _, name in map(str.split, listed.splitlines())}
    place = {"start": START, "main": at["Main"] & ~1, "done": at["Done"] & ~1, "handler": at["Handler"] | 1}
    with rp2040js.counting(PICO, functions) as counting:
        (option,) = counting.arguments
        spec = option.removeprefix("--count=")
        node("run", selftest_device.elf("rp2040"), code, json.dumps(place), spec, interrupts)
        return counting.spent()


def by_mark(spent):
    found = {}
    for (mark, _), part in spent.items():
        total = found.setdefault(mark, price.Spent())
        total.instructions += part.instructions
        total.cycles += part.cycles
        total.waits += part.waits
    return found


@pytest.fixture(scope="module")
def plain(program):
    return counted(program)


def test_waits_are_the_lines_that_were_not_there(plain):
    """Code of 31 and of 128 lines of 16 bytes, and 64 and 512 bytes of data, each of them used twice."""
    miss = PICO.clock.flash.miss_cycles
    fills = {key: part.waits / miss for key, part in plain.items()}
    assert (fills[1, "Small"], fills[2, "Small"]) == (124, 0)
    assert (fills[3, "Large"], fills[4, "Large"]) == (512, 0)
    assert fills[5, "Read"] == 64 / 4 + 5  # and its ten instructions
    assert fills[6, "Read"] == 0
    assert fills[7, "Read"] == (512 - 64) / 4


def test_a_cycle_a_miss_is_board_toml_s_arithmetic():
    """8 clocks for address and mode, 4 to wait, 8 for the data, each of clk_sys / 4 (second_stage.cc)."""
    assert PICO.clock.flash.miss_cycles == ((24 + 8) // 4 + 4 + 32 // 4) * 4


def test_instructions_and_cycles_are_those_of_the_table(plain, tmp_path):
    """The same program in QEMU, by the plugin and the Cortex-M0+'s table: equal for every mark."""
    elf = link(tmp_path, "flash", "0x00000000", "ORIGIN = 0x20000000, LENGTH = 16K")
    machine = ("-M", "microbit", "-display", "none", "-monitor", "none", "-serial", "none")
    with plugin.counting(symbols.read(PICO, elf).marks(), None) as counting:
        command = ["qemu-system-arm", *machine, "-semihosting", "-icount", "shift=0", "-kernel", str(elf)]
        subprocess.run([*command, *counting.arguments], check=True, timeout=60, stdin=subprocess.DEVNULL)
        wanted = price.by(counting.blocks(), cpus.TIMINGS["Cortex-M0+"], lambda block: block.mark)
    seen = by_mark(plain)
    for mark in range(1, 8):
        assert seen[mark].instructions == wanted[mark].instructions
        assert seen[mark].cycles == wanted[mark].cycles
    assert seen[3].instructions > 1024


def test_functions_have_their_own(plain):
    assert plain[1, "Small"].instructions == 248
    assert plain[3, "Large"].instructions == plain[3, "Large"].cycles - 1 == 1024
    assert (1, "Large") not in plain


def test_interrupts_count_for_no_mark(program, plain):
    disturbed = counted(program, interrupts=6)
    assert disturbed[0, "Handler"].instructions == 6 * 12
    assert disturbed[0, "Handler"].cycles == 6 * (10 + 3 + 4)  # PUSH 3, POP with PC 4
    assert disturbed[0, "?"].cycles == 6 * 15  # to enter
    for mark in range(1, 8):
        seen, wanted = by_mark(disturbed)[mark], by_mark(plain)[mark]
        assert (seen.instructions, seen.cycles) == (wanted.instructions, wanted.cycles)


@pytest.mark.parametrize("content", [None, "", "[[1, 0, 3"])
def test_counts_that_are_not_there(tmp_path, content):
    path = tmp_path / "counts.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"counts\.json: the emulator left no counts"):
        rp2040js.read(path, Functions([], [], []), None)


def test_a_name_that_two_functions_have(tmp_path):
    path = tmp_path / "counts.json"
    path.write_text("[[1, 0, 5, 7, 1], [1, 1, 10, 20, 2], [1, -1, 1, 1, 0]]")
    found = rp2040js.read(path, Functions([0, 8], ["Same", "Same"], [8, 8]), PICO.clock.flash)
    assert found[1, "Same"] == price.Spent(15, 27, 3 * PICO.clock.flash.miss_cycles)
    assert found[1, "?"] == price.Spent(1, 1, 0)
