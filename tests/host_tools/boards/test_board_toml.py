"""The settings of the boards, and what the linker makes of them."""

import subprocess

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build
from tests.host_tools.selftest import selftest_device

NAMES = board_toml.names()


def test_boards_are_the_folders_with_settings():
    assert set(NAMES) >= {"mps2_an386", "mps2_an500", "mps3_an547", "stm32f405"}
    assert sorted(path.parent.name for path in board_toml.FOLDER.glob("*/board.toml")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_complete(name):
    board = board_toml.load(name)
    assert board.name == name
    assert board.toolchain.is_file()
    assert board.cpu_flags[0].startswith(("-mcpu=cortex-m", "-march=rv32"))
    if board.emulator:
        assert "{elf}" in board.emulator.command
        assert any("{socket}" in part for part in board.emulator.command)
    assert [memory.use for memory in board.memories].count("data") == 1


def test_stm32f405_is_the_chip_not_the_emulated_machine():
    board = board_toml.load("stm32f405")
    assert board.memory("SRAM").bytes == 128 * 1024
    assert board.memory("FLASH").bytes == 1024 * 1024
    assert board.flash[0].command[0] == "openocd"


@pytest.mark.parametrize(
    ("name", "cpu", "flash", "sram"),
    [
        ("nucleo_f446re", "Cortex-M4F", 512, 128),
        ("nucleo_h743zi", "Cortex-M7", 2048, 128),
        ("nano33ble", "Cortex-M4F", 1024 - 64, 256),
    ],
)
def test_real_boards_are_those_of_their_data_sheets(name, cpu, flash, sram):
    board = board_toml.load(name)
    assert (board.cpu, board.kernel_family) == (cpu, "dsp")
    assert (board.total("image"), board.total("data")) == (flash * 1024, sram * 1024)
    assert board.flash
    assert board.baud == 115200


def test_unknown_board_lists_the_known_ones():
    with pytest.raises(UserError, match=f"^no board 'zx81'; boards: {', '.join(NAMES)}$"):
        board_toml.load("zx81")


GOOD = (board_toml.FOLDER / "rp2040" / "board.toml").read_text()
FAULTS = {
    "no TOML": ("title = ", None, "not a TOML file: Invalid value"),
    "bytes": ("\udcff", None, "not a TOML file: no text in UTF-8, by its byte 0"),
    "a bomb": ("x = " + "[" * 60_000, None, "not a TOML file: "),
    "nothing but a title": ('title = "x"\n', None, "the whole: cpu is missing"),
    "a number for a name": ('cpu = "Cortex-M0+"', "cpu = 7", "cpu = 7; want str"),
    "no such CPU": ('"cortex_m"', '"z80"', 'architecture = "z80"; want one of cortex_m, riscv'),
    "no such kernels": ('family = "v6m"', 'family = "neon"', "want one of portable, v6m, dsp, mve"),
    "a flag that is none": ('"-mthumb"', '"x; rm"', 'cpu_flags[1] = "x; rm"; want str matching'),
    "a memory of no bytes": ("bytes = 270_336", "bytes = 0", "memory[1].bytes = 0; want int >= 1"),
    "an address": ("0x20000000", "-1", "memory[1].address = -1; want int >= 0"),
    "another use": ('use = "data"', 'use = "ram"', 'use = "ram"; want one of image, data, arena'),
    "a key too many": ('buy = "', 'sell = "', "the whole: sell: no such key"),
    "a key too many, deep": ("baud = 115200", "baud = 115200\nparity = 1", "serial: parity: no such key"),
    "a USB id": ('"2e8a:000a"', '"2E8A"', 'serial.usb_id = "2E8A"; want str matching'),
    "a need": ('needs = "drive"', 'needs = "luck"', "want one of probe, port, usb, drive"),
    "half a cache": ("fill_bytes = 4\n", "", "clock.flash: want wait_states, code_lines and data_lines, or"),
    "a cache and buffers": ("ways = 2\n", "ways = 2\ncode_lines = 64\n", "clock.flash: want wait_states, "),
    "half a line": (
        "fill_bytes = 4",
        "fill_bytes = 3",
        "want whole lines in each way of the cache, and whole",
    ),
    "a way of no lines": ("ways = 2", "ways = 3", "clock.flash: want whole lines in each way of the cache"),
    "a driver": ('driver = "rp2040"', 'driver = "z80"', "update: driver 'z80': want one of nor_in_ram, nrf5"),
    "a slot too many": ('"two"', '"one"', "update: policy 'one' wants 1 in slots, has 2"),
    "slots that overlap": ("0x10180000", "0x1017F000", "the slots at 0x10100000 and 0x1017f000 overlap"),
    "a slot in SRAM": ("0x10180000", "0x20000000", "0x20000000 to 0x20080000 lies in SRAM, which holds no"),
    "a slot at the end": ("0x10180000", "0x10180100", "0x10180100 to 0x10200100 leaves no program in FLASH"),
    "a slot first": ("0x10100000", "0x10000100", "0x10000100 to 0x10080100 leaves no program in FLASH, 0x1"),
    "a table for a list": ("[[memory]]", "[[memories]]", "the whole: memories: no such key"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_settings_are_one_line(tmp_path, fault):
    seen, instead, message = FAULTS[fault]
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / "board.toml"
    text = seen if instead is None else GOOD.replace(seen, instead)
    assert text != GOOD
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError) as error:
        board_toml.load("mine", tmp_path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert str(error.value).isprintable()


def test_the_flash_is_behind_buffers_or_behind_a_cache():
    known = {name: clock.flash for name in NAMES if (clock := board_toml.load(name).clock) and clock.flash}
    assert {name for name, flash in known.items() if flash.cached} == {"rp2040"}
    assert known["stm32f405"].code_lines == 64
    assert known["rp2040"].source.startswith("RP2040 datasheet, section")


def test_a_board_that_takes_models_has_the_rest_for_its_program():
    pico, f446 = board_toml.load("rp2040"), board_toml.load("nucleo_f446re")
    assert pico.update is not None and [slot.end for slot in pico.update.slots] == [0x10180000, 0x10200000]
    assert pico.program_bytes() == (1 << 20) - 256
    assert f446.update is not None and f446.update.policy == "one"
    assert f446.program_bytes() == f446.total("image") // 2
    apart = board_toml.load("mps2_an386")
    assert apart.program_bytes() == apart.total("image")


def symbols(elf):
    listing = subprocess.run(
        [f"{board_toml.binutils(elf)}nm", elf], check=True, capture_output=True, text=True
    ).stdout
    return {name: int(value, 16) for value, _, name in map(str.split, listing.splitlines())}


@pytest.mark.parametrize("name", NAMES)
def test_linker_script_has_the_memories_of_the_settings(name):
    board = board_toml.load(name)
    elf = selftest_device.elf(name)
    used = build.usage(elf)
    assert used.flash_total == board.total("image")
    assert used.sram_total == board.total("data") + board.total("arena")
    found = symbols(elf)
    (data,) = [memory for memory in board.memories if memory.use == "data"]
    assert found["linker_stack_limit"] == data.address
    assert found["vector_table"] == board.memories[0].address


@pytest.mark.parametrize("name", NAMES)
def test_usage_is_what_the_sections_take(name):
    elf = selftest_device.elf(name)
    listing = subprocess.run(
        [f"{board_toml.binutils(elf)}size", "-A", elf], check=True, capture_output=True, text=True
    ).stdout
    sizes = {
        row[0]: int(row[1])
        for row in map(str.split, listing.splitlines())
        if len(row) == 3 and row[0][0] == "."
    }
    used = build.usage(elf)
    image = sum(sizes[section] for section in (".vectors", ".text", ".rodata", ".data"))
    gaps = 4 * 64  # the alignment of each section, at most a cache line
    assert image <= used.flash_used <= image + gaps
    variables = sizes[".data"] + sizes[".bss"]
    assert variables <= used.sram_static <= variables + 8
    assert used.stack_reserve == sizes[".stack"] + sizes.get(".second_stack", 0)
