"""The two cores of the Pico's emulator: launch, FIFOs, events, and what each has for itself.

RP2040 datasheet 2.3.1 (SIO), 2.8.2 (launch of core 1).
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.cycles import rp2040js
from squeezenet_mcu.host_tools.cycles.symbols import Functions
from squeezenet_mcu.host_tools.emulate import emulator
from tests.host_tools.selftest import selftest_device

HERE = Path(__file__).parent
PICO = board_toml.load("rp2040")
START = 0x10100000  # behind what the selftest's firmware takes of the flash
STACK1 = 0x20005000
CACHE = {"bytes": 16384, "ways": 2, "line": 8, "fill": 4}
VALID, ROOM, OVERFLOW, UNDERFLOW = 1, 2, 4, 8  # of a FIFO's status


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """two_cores/program.S in the flash: its bytes' file, and {label: address}."""
    elf = tmp_path_factory.mktemp("two_cores") / "program.elf"
    flags = ("-mcpu=cortex-m0plus", "-mthumb", "-nostdlib", f"-Wl,-Ttext={START:#x},-e,done")
    subprocess.run(["arm-none-eabi-gcc", *flags, HERE / "two_cores" / "program.S", "-o", elf], check=True)
    code = elf.with_suffix(".bin")
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "-j", ".text", elf, code], check=True)
    listed = subprocess.run(["arm-none-eabi-nm", elf], capture_output=True, text=True, check=True).stdout
    return code, {name: int(value, 16) & ~1 for value, _, name in map(str.split, listed.splitlines())}


@pytest.fixture
def run(program):
    code, at = program

    def probe(label, stride=1, spec=None):
        places = {"start": START, "entry": at[label], "done": at["done"], "results": at["results"]}
        command = [emulator.program(PICO.emulator), HERE / "rp2040_cores.mjs", PICO.folder / "emulator"]
        command += [
            selftest_device.elf("rp2040"),
            code,
            json.dumps(places),
            str(stride),
            *([spec] if spec else []),
        ]
        return json.loads(
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
        )

    return probe


def sequence(at, entry):
    """What core 0 sends, and the ROM sends back."""
    return [0, 0, 1, at["vectors1"], STACK1, at[entry] | 1]


def sums(at, *words):
    """What the program `adder` makes of words on core 1."""
    return [(word + 1 + at["vectors1"] + STACK1) & 0xFFFFFFFF for word in words]


def test_core_1_starts_with_what_the_rom_was_told(run, program):
    at = program[1]
    found = run("words")
    assert found["done"]
    assert found["words"] == [0, *sequence(at, "adder"), *sums(at, 5, 0xFFFF0000, 7)]


def test_anything_wrong_begins_the_sequence_anew(run, program):
    at = program[1]
    seven, one, vectors, zero, *rest = run("wrong")["words"]
    assert (seven, one, vectors, zero) == (0, 1, 0x20001000, 0)
    assert rest == [*sequence(at, "adder"), *sums(at, 5)]


def test_a_fifo_holds_eight_words_and_tells_what_went_wrong(run):
    before, zero, empty, underflow, full, overflow, cleared, answer = run("full")["words"]
    assert (before, zero, empty) == (VALID | ROOM, 0, ROOM)  # the ROM's 0
    assert underflow == ROOM | UNDERFLOW
    assert (full, overflow) == (UNDERFLOW, UNDERFLOW | OVERFLOW)
    assert cleared == 0
    assert answer == 0  # the first of the words was not 1


def test_a_core_sleeps_until_the_other_sends_an_event(run):
    word, took = run("sleep", stride=100_000)["words"][-2:]
    assert word == 9
    # SUBS 1, BNE 2; the call that wakes core 1, and those around it, are a few more.
    assert 3000 < took < 3060
    assert run("sleep", stride=1)["words"][-2:] == [word, took]


def test_an_event_before_the_sleep_is_kept_once(run):
    found = run("event_before")
    assert found["words"] == [1]
    assert found["asleep"]


def test_each_core_has_its_own_divider(run):
    assert run("dividers")["words"][-2:] == [55 // 5, 100 // 7]


def test_the_cores_go_on_together_and_always_alike(run):
    found = run("race")
    assert found == run("race")
    assert 1000 <= found["words"][-1] < 2000
    assert 0 < found["apart"] <= 8  # a divider's 8 cycles would be the most that an instruction takes


def test_a_reset_gives_core_1_back_to_the_rom(run, program):
    at = program[1]
    words = run("reset")["words"]
    assert words[6:8] == [ROOM, 0]
    assert words[8:] == [*sequence(at, "adder"), *sums(at, 5)]


def test_each_core_has_its_own_interrupts(run):
    answer, enabled = run("interrupt")["words"][-2:]
    assert answer == 40 + 16 + 16  # SIO_IRQ_PROC1
    assert enabled == 0


def test_a_fault_in_core_1s_fault_handler_is_core_1s(run):
    assert run("fault")["lockUp"].startswith("core 1 has locked up: a fault in the fault handler, at pc=0x")


def test_the_counter_counts_core_0s_cycles_and_what_both_read(run, program, tmp_path):
    """Asleep it is in `pop`, as long as core 1 is at work; of core 1 it counts instructions and reads."""
    at = program[1]
    labels = sorted(("words", "done", "push", "pop", "launch", "sleep", "slow"), key=at.get)
    functions = Functions([at[label] for label in labels], labels, [0] * len(labels))
    spec, out = tmp_path / "spec.json", tmp_path / "counts.json"
    spec.write_text(
        json.dumps({"out": str(out), "marks": 0, "count": 1, "functions": functions.starts, "cache": CACHE})
    )
    found = run("sleep", stride=1000, spec=str(spec))
    spent = rp2040js.read(out, functions, PICO.clock.flash)
    uncounted = found["cycles"][0] - sum(part.cycles for part in spent.values())
    assert 0 <= uncounted < 6 * 40  # asleep while the ROM answers the words of the launch
    assert 3000 < spent[0, "pop"].cycles < 3600
    other = spent[0, rp2040js.CORE_1]
    assert 2000 < other.instructions < 2100
    assert other.cycles == 0
    # What core 0 has not run: `slow`, its constants, and no part of `pop` and `push`, which the cache has.
    size = at["event_before"] - at["slow"]
    assert 0 < other.waits / PICO.clock.flash.miss_cycles <= size / CACHE["fill"] + 1


def probe_of_selftest(what):
    """What the selftest's firmware prints in rp2040_probe.mjs."""
    command = [emulator.program(PICO.emulator), HERE / "rp2040_probe.mjs", PICO.folder / "emulator"]
    command += [selftest_device.elf("rp2040"), what]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)["said"]


def test_a_firmware_goes_on_without_a_core_1_that_does_not_answer():
    """It gives up within a second, and does all by itself: the result is core 1's, which ran nothing."""
    answers, result, cycles = map(int, probe_of_selftest("deaf").split()[1:])
    assert (answers, result) == (0, 0)
    assert 0 < cycles < 125_000_000


def test_a_fault_of_core_1_is_reported():
    """As one of core 0's is; the stack pointer is in core 1's stack."""
    said = probe_of_selftest("lost")
    assert "FAULT exception=00000003 pc=" in said
    pointer = int(re.search(r" sp=([0-9a-f]{8})", said).group(1), 16)
    listing = subprocess.run(
        ["arm-none-eabi-nm", selftest_device.elf("rp2040")], check=True, capture_output=True, text=True
    ).stdout
    at = {name: int(value, 16) for value, _, name in map(str.split, listing.splitlines())}
    assert at["linker_second_stack_limit"] < pointer < at["linker_second_stack_top"]
