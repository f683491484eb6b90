"""The flash drivers of real boards, on simulated registers: what the reference manual says, in its order.

Each expected record is the manual's sequence, with its section. A read is a look at a status or control
register; looks at one register in a row are one line, and the simulated flash is busy for a few of them.
"""

import subprocess
from pathlib import Path

import pytest

from squeezenet_mcu.host_tools.boards import board_toml

HERE = Path(__file__).parent / "flash"
FOLDERS = (HERE, HERE.parent / "start_up", board_toml.FOLDER, board_toml.FOLDER.parent)
FLAGS = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wno-unused-macros", *(f"-I{path}" for path in FOLDERS)]


@pytest.fixture(scope="module")
def common(tmp_path_factory):
    """What all drivers are linked with."""
    folder = tmp_path_factory.mktemp("common")
    sources = [HERE / "main.cc", HERE.parent / "start_up" / "cells.cc"]
    subprocess.run(["g++", *FLAGS, "-c", *sources], check=True, cwd=folder)
    return sorted(folder.glob("*.o"))


@pytest.fixture(scope="module")
def drivers(tmp_path_factory, common):
    """Runs an operation of a board's driver: its record, and whether it says that it is done."""
    built: dict[tuple[str, int], Path] = {}

    def run(name: str, operation: str, offset: int, size: int = 0, fails: bool = False, cores: int = 1):
        if (name, cores) not in built:
            built[name, cores] = build(name, cores, tmp_path_factory.mktemp(name), common)
        command = [built[name, cores], operation, hex(offset), str(size), str(int(fails))]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        lines = done.stdout.splitlines()
        assert not [line for line in lines if line.startswith("unsafe")], lines
        return lines[:-1], lines[-1] == "done"

    return run


def build(name: str, cores: int, folder: Path, common: list[Path]) -> Path:
    update = board_toml.load(name).update
    assert update is not None
    addresses = ", ".join(f"{slot.address:#x}u" for slot in update.slots)
    sizes = ", ".join(f"{slot.bytes}u" for slot in update.slots)
    (folder / "board_slots.h").write_text(
        "#pragma once\n#include <stdint.h>\nnamespace board {\n"
        f"constexpr int kSlotCount = {len(update.slots)};\n"
        f"constexpr uint32_t kSlotAddresses[] = {{{addresses}}};\n"
        f"constexpr uint32_t kSlotBytes[] = {{{sizes}}};\n}}\n"
    )
    program = folder / "driver"
    flash = board_toml.FOLDER / "flash" / f"{update.driver}.cc"
    sources = [HERE / f"{update.driver}.cc", flash, *common]
    options = [f"-I{folder}", f"-DSQUEEZE_CORES={cores}"]
    subprocess.run(["g++", *FLAGS, *options, *sources, "-o", program], check=True)
    return program


def words(address: int, count: int) -> list[str]:
    """The writes of the pattern 0, 1, 2, ... to the flash."""
    data = bytes(i & 0xFF for i in range(4 * count))
    return [
        f"write {address + at:08X} {int.from_bytes(data[at : at + 4], 'little'):08X}"
        for at in range(0, 4 * count, 4)
    ]


F4_UNLOCK = [  # RM0090, 3.6.1: not while BSY is set, then both keys
    "read 40023C0C", "read 40023C10", "write 40023C04 45670123", "write 40023C04 CDEF89AB",
    "write 40023C0C 000000F3", "read 40023C10",
]  # fmt: skip
F4_LOCK = ["read 40023C0C", "write 40023C10 80000000"]
F4_CACHES = [  # RM0090, 3.6.3, the note: reset while they are off
    "read 40023C00", "write 40023C00 00000000", "write 40023C00 00001800", "write 40023C00 00000000",
    "write 40023C00 00000000",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "offset", "sector"),
    [
        ("stm32f405", 0x4000, 1),
        ("stm32f405", 0x10000, 4),
        ("stm32f405", 0x80000, 8),
        ("stm32f405", 0xE0000, 11),
        ("nucleo_f446re", 0x40000, 6),
    ],
)
def test_stm32f4_erases_a_sector(drivers, name, offset, sector):
    """RM0090, 3.6.3: BSY is clear; SER and SNB; STRT; BSY is clear again."""
    record, done = drivers(name, "erase", offset)
    assert done
    chosen = 0x202 | sector << 3
    erase = [f"write 40023C10 {chosen:08X}", "read 40023C10", f"write 40023C10 {chosen | 1 << 16:08X}", "dsb"]
    assert record == F4_UNLOCK + erase + F4_LOCK + F4_CACHES


def test_stm32f4_programs_words(drivers):
    """RM0090, 3.6.4: BSY is clear; PG, with PSIZE of 32 bits; a word; BSY is clear; the next one."""
    record, done = drivers("stm32f405", "program", 0x80010, 12)
    assert done
    each = [line for word in words(0x08080010, 3) for line in (word, "dsb", "read 40023C0C")]
    assert record == [*F4_UNLOCK, "write 40023C10 00000201", *each, F4_LOCK[1]]


H7_UNLOCK = [  # RM0433, 4.5.1; the flags are cleared before an operation (4.3.9, 4.3.10)
    "read 52002110", "write 52002114 07EF0000", "read 5200210C", "write 52002104 45670123",
    "write 52002104 CDEF89AB", "read 5200210C",
]  # fmt: skip
H7_LOCK = ["read 52002110", "write 5200210C 00000000", "write 5200210C 00000001"]


def forgotten(address: int, size: int) -> list[str]:
    lines = [f"write E000EF5C {at:08X}" for at in range(address, address + size, 32)]
    return ["dsb", *lines, "dsb, isb"]


def test_stm32h7_erases_a_sector_of_the_second_bank(drivers):
    """RM0433, 4.3.10: flags cleared; unlocked; SER2 and SNB2; START2; QW2 is clear."""
    record, done = drivers("nucleo_h743zi", "erase", 0x1A0000)
    assert done
    erase = ["write 5200210C 00000524", "read 5200210C", "write 5200210C 000005A4", "dsb"]
    assert record == H7_UNLOCK + erase + H7_LOCK + forgotten(0x081A0000, 131072)


def test_stm32h7_programs_flash_words(drivers):
    """RM0433, 4.3.9: unlocked; PG2; eight words of one flash word; QW2 is clear; the next one."""
    record, done = drivers("nucleo_h743zi", "program", 0x100000, 64)
    assert done
    writes = words(0x08100000, 16)
    each = ["dsb, isb", *writes[:8], "dsb", "read 52002110", "dsb, isb", *writes[8:], "dsb", "read 52002110"]
    assert record == [*H7_UNLOCK, "write 5200210C 00000022", *each, *H7_LOCK[1:], *forgotten(0x08100000, 64)]


@pytest.mark.parametrize("fails", [False, True])
def test_stm32h7_reads_what_cannot_be_corrected_without_a_fault(drivers, fails):
    """RM0433, 4.3.12 and 4.9.6: DBECCERR2; bus faults are masked meanwhile (ARMv7-M, B1.5.14)."""
    record, done = drivers("nucleo_h743zi", "read", 0x100004, 8, fails)
    assert done != fails
    assert record == [
        "write 52002114 04000000", "read E000ED14", "cpsid f", "write E000ED14 00000100", "dsb, isb", "dsb",
        "read 52002110", "write E000ED14 00000000", "write E000ED28 0000FF00", "dsb, isb, cpsie f",
        "write 52002114 04000000",
    ]  # fmt: skip


def nvmc(mode: int) -> list[str]:
    return [f"write 4001E504 {mode:08X}", "dsb, isb", "read 4001E400"]


def test_nrf52840_erases_a_page(drivers):
    """Product specification 1.7, 4.3.3: EEN; ERASEPAGE; READY; then back to REN."""
    record, done = drivers("nano33ble", "erase", 0x7F000)  # offsets count from 0x1000
    assert done
    erase = ["write 4001E508 00080000", "dsb", "read 4001E400"]
    assert record == ["read 4001E400", *nvmc(2), *erase, *nvmc(0)]


def test_nrf52840_programs_words(drivers):
    """Product specification 1.7, 4.3.1: WEN; a word; READY; the next one; then back to REN."""
    record, done = drivers("nano33ble", "program", 0x7F010, 8)
    assert done
    each = [line for word in words(0x80010, 2) for line in (word, "dsb", "read 4001E400")]
    assert record == ["read 4001E400", *nvmc(1), *each, *nvmc(0)]


# As second_stage.cc sets it: four lines, in continuous read; or one.
SSI_QUAD = [
    "write 18000008 00000000", "write 18000014 00000004", "write 180000F0 00000001",
    "write 18000000 005F0300", "write 18000004 00000000", "write 180000F4 00002221",
    "write 18000010 00000001", "write 18000008 00000001",
    "write 18000060 000000EB", "write 18000060 000000A0", "read 18000028", "write 18000008 00000000",
    "write 180000F4 A0002022", "write 18000008 00000001",
]  # fmt: skip
SSI_SERIAL = [
    *SSI_QUAD[:3], "write 18000000 001F0300", "write 18000004 00000000", "write 180000F4 03000218",
    *SSI_QUAD[6:8],
]  # fmt: skip
# Datasheet 2.8.3.1.3: connect_internal_flash, flash_exit_xip, the operation, flash_flush_cache.
BEFORE, AFTER = ["call IF 0 0 0 0", "call EX 0 0 0 0"], ["call FC 0 0 0 0"]


def rom(call: str, ssi: list[str], cores: int) -> list[str]:
    work = ["interrupts off", *BEFORE, call, *AFTER, *ssi, "interrupts on"]
    return work if cores == 1 else ["core 1 held", *work, "core 1 launched"]


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("serial", [False, True])
def test_rp2040_has_the_boot_rom_do_it(drivers, cores, serial):
    """With interrupts off and core 1 held; afterwards the flash is read as it was before."""
    ssi = SSI_SERIAL if serial else SSI_QUAD
    record, done = drivers("rp2040", "erase", 0x100000, fails=serial, cores=cores)
    assert done
    assert without_look_ups(record) == rom("call RE 100000 1000 10000 D8", ssi, cores)
    record, done = drivers("rp2040", "program", 0x101000, 512, fails=serial, cores=cores)
    assert done
    pages = [rom(f"call RP {at:X} page 100", ssi, cores) for at in (0x101000, 0x101100)]
    assert without_look_ups(record) == pages[0] + pages[1]


def without_look_ups(record: list[str]) -> list[str]:
    """Nothing is looked up while the flash is away: the code would have to come from there."""
    away = False
    kept = []
    for line in record:
        away = {"interrupts off": True, "interrupts on": False}.get(line, away)
        if not line.startswith("read 180000F4") and (away or not line.startswith("read")):
            kept.append(line)
    assert not [line for line in kept if line.startswith(("read 00000014", "read 00000018"))]
    return kept


@pytest.mark.parametrize(("name", "offset"), [("stm32f405", 0x80000), ("nucleo_h743zi", 0x100000)])
@pytest.mark.parametrize("operation", ["erase", "program"])
def test_an_error_is_told_and_the_flash_is_locked_again(drivers, name, offset, operation):
    """Those of the other two tell none; what they wrote is read again (ProgramAndCheck)."""
    record, done = drivers(name, operation, offset, 0 if operation == "erase" else 64, fails=True)
    assert not done
    assert {F4_LOCK[1], H7_LOCK[2]} & set(record)
    assert len([line for line in record if line.startswith("write 08")]) in (0, 1, 8)  # the first one alone
