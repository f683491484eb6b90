"""The Raspberry Pi Pico: its second stage, and the emulator that plays it."""

import json
import subprocess
import time
from pathlib import Path

import pytest
import serial

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import build, uf2
from tests.host_tools.selftest import selftest_device

BOARD = "rp2040"
PROBE = Path(__file__).with_name("rp2040_probe.mjs")
STAGE_BYTES = 256
CYCLES_PER_SECOND = 125_000_000


@pytest.fixture(scope="module")
def elf():
    return selftest_device.elf(BOARD)


def probe(elf, *arguments):
    board = board_toml.load(BOARD)
    command = [emulator.program(board.emulator), PROBE, board.folder / "emulator", elf, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def symbol(elf, part):
    """Address of the symbol that has `part` in its name."""
    listing = subprocess.run(["arm-none-eabi-nm", elf], check=True, capture_output=True, text=True).stdout
    (address,) = [line.split()[0] for line in listing.splitlines() if part in line.split()[-1]]
    return address


def crc32(content: bytes) -> int:
    """RP2040 datasheet 2.8.1.3.1: polynomial 04C11DB7h, from all ones, nothing reflected or inverted."""
    crc = 0xFFFFFFFF
    for byte in content:
        for bit in range(7, -1, -1):
            out = crc >> 31 ^ byte >> bit & 1
            crc = (crc << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if out else 0)
    return crc


# The second stage


def test_second_stage_has_the_crc_that_the_boot_rom_wants(elf, tmp_path):
    assert crc32(b"123456789") == 0x0376E6E7  # CRC-32/MPEG-2 in the catalogue of parametrised CRC algorithms
    path = tmp_path / "stage.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "-j", ".second_stage", elf, path], check=True)
    stage = path.read_bytes()
    assert len(stage) == STAGE_BYTES
    stored, wanted = int.from_bytes(stage[-4:], "little"), crc32(stage[:-4])
    assert f"0x{stored:08X}" == f"0x{wanted:08X}"  # the last word of second_stage.cc


def check_start(found, elf):
    """As from reset: RP2040 datasheet 2.4, ARMv6-M B1.5.5."""
    assert found["ssienr"] == 1
    assert (found["baudr"], found["rxsampldly"], found["crtlr1"]) == (4, 1, 0)
    assert found["VTOR"] == 0x10000100
    assert found["SP"] == int(symbol(elf, "linker_stack_top"), 16)
    assert found["PC"] == int(symbol(elf, "ResetHandler"), 16) & ~1


def test_the_picos_flash_is_read_on_four_lines(elf):
    found = probe(elf, "boot", "ef4015", "02")
    check_start(found, elf)
    # Quad, 32-bit frames, EEPROM read. Mode A0h instead of a command, 32 bits of address and mode, 4 cycles.
    assert found["crtlr0"] == 2 << 21 | 31 << 16 | 3 << 8
    assert found["spictlr0"] == 0xA0 << 24 | 4 << 11 | 8 << 2 | 2
    assert found["sent"] == [0x9F, 0x9F, 0x35, 0x35, 0xEB, 0xA0]


@pytest.mark.parametrize(
    ("identification", "status2", "why"),
    [("ef4015", "00", "QE clear"), ("c84015", "02", "not Winbond"), ("ffffff", "ff", "no answer")],
    ids=["QE clear", "another maker", "no answer"],
)
def test_any_other_flash_is_read_as_all_can_be(elf, identification, status2, why):
    found = probe(elf, "boot", identification, status2)
    check_start(found, elf)
    # One line, 32-bit frames, EEPROM read. Command 03h, 24 bits of address.
    assert found["crtlr0"] == 31 << 16 | 3 << 8, why
    assert found["spictlr0"] == 0x03 << 24 | 2 << 8 | 6 << 2, why
    assert not set(found["sent"]) & {0xEB, 0xA0, 0x06, 0x31}, why  # nothing that changes the flash's mode


# The emulator


def test_cycles_are_those_of_the_core(elf):
    """SUBS 1, BNE 2 when taken, else 1, BX 2 (DDI 0484C table 3-1); beside the firmware's own count."""
    few, some, many = 1000, 1_000_000, 4_500_000
    found = {n: probe(elf, "spin", symbol(elf, "Spin"), n) for n in (few, some, many)}
    cycles = {n: one["cycles"] for n, one in found.items()}
    counts = {n: int(one["said"].split()[1]) for n, one in found.items()}
    for n in found:
        print(f"{n:,} turns: core.cycles {cycles[n]:,}, the firmware's counter {counts[n]:,}")
    assert (cycles[few], cycles[some]) == (3 * few + 1, 3 * some + 1)
    assert 0 < cycles[many] - (3 * many + 1) < 400  # meanwhile SysTick's handler ran once,
    assert counts[many] - counts[few] == 3 * (many - few)  # which the firmware does not count
    assert counts[some] - counts[few] == 3 * (some - few)


def test_boots_a_uf2(elf, tmp_path):
    image, path = tmp_path / "image.bin", tmp_path / "selftest.uf2"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, image], check=True)
    path.write_bytes(
        uf2.from_image(image.read_bytes(), uf2.load_address(elf), board_toml.load(BOARD).uf2_family)
    )
    with emulator.running(BOARD, path) as url:
        device = selftest_device.SelftestDevice(url)
        assert device.ask("n") == [BOARD]
        device.close()


def patched(elf, path, address, content):
    """A copy of `elf` with other bytes at a load address in the flash."""
    load = uf2.load_address(elf)
    listing = subprocess.run(
        ["arm-none-eabi-readelf", "-lW", elf], check=True, capture_output=True, text=True
    ).stdout
    for row in (line.split() for line in listing.splitlines()):
        if row[:1] == ["LOAD"]:
            offset, _, start, size = (int(word, 16) for word in row[1:5])
            if start <= address < start + size:
                whole = bytearray(elf.read_bytes())
                at = offset + address - start
                whole[at : at + len(content)] = content
                path.write_bytes(whole)
                return path
    raise AssertionError(f"0x{address:08x} is not in {elf}, which begins at 0x{load:08x}")


def test_a_second_stage_that_the_boot_rom_refuses(elf, tmp_path):
    broken = patched(elf, tmp_path / "broken.elf", 0x10000004, b"\0")
    with (
        pytest.raises(
            UserError, match=r"^node ended with status 1: second stage: CRC-32 is 0x\w{8}, the boot"
        ),
        emulator.machine(BOARD, broken) as machine,
    ):
        machine.wait()
        serial.serial_for_url(machine.url)


def test_a_fault_in_the_fault_handler_locks_the_core_up(elf, tmp_path):
    # The hard fault's vector leads to nowhere.
    broken = patched(elf, tmp_path / "broken.elf", 0x1000010C, (0x30000001).to_bytes(4, "little"))
    with (
        pytest.raises(UserError, match=r"^node ended with status 1: the core has locked up: "),
        emulator.machine(BOARD, broken) as machine,
    ):
        device = selftest_device.SelftestDevice(machine.url)
        device.line.write(b"f")
        machine.wait()
        device.ask("n")


def test_lines_close_and_open_and_wait_for_their_turn(elf):
    with emulator.running(BOARD, elf) as url:
        first = selftest_device.SelftestDevice(url)
        first.ask("k", 1200)
        other = serial.serial_for_url(url, timeout=0.3)
        other.write(b"m")
        assert other.readline() == b""
        assert first.ask("n") == [BOARD]
        first.close()
        other.timeout = 20
        assert int(other.readline().split()[4]) > 1200  # the same machine, and nothing was lost
        other.close()


def cpu_seconds(process):
    """Of a process, user and system: proc(5)."""
    words = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / 100


def test_asleep_it_keeps_the_walls_time_and_takes_none_of_the_hosts(elf):
    with emulator.machine(BOARD, elf) as machine:
        device = selftest_device.SelftestDevice(machine.url)
        spent = cpu_seconds(machine.pid)
        (start,) = device.numbers("t")
        began = time.monotonic()
        time.sleep(1.0)
        (end,) = device.numbers("t")
        waited = time.monotonic() - began
        assert cpu_seconds(machine.pid) - spent < 0.3
        device.close()
    assert 0.9 < (end - start) / CYCLES_PER_SECOND < waited + 0.2


# The flash's driver, of a firmware that takes new models


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """An ELF with the driver in it, although nobody calls it."""
    keep = {"UPDATE": "ON", "CMAKE_EXE_LINKER_FLAGS": "-Wl,-u,_ZN5board11UpdateFlashEv"}
    folder = tmp_path_factory.mktemp("driver")
    return build.compile_target(board_toml.load(BOARD), folder, "selftest", keep)


def test_the_driver_writes_the_flash_that_it_does_not_run_from(driver):
    """The real code: it reads nothing from the flash while that is away, and leaves it as it was."""
    erase, program = (
        int(symbol(driver, f"5flash12_GLOBAL__N_1{name}"), 16) for name in ("5Erase", "7Program")
    )
    from_flash = 0x10000000
    calls = [[erase, 0, 0x101000], [program, 0, 0x101100, from_flash, 512]]
    found = probe(driver, "flash", json.dumps(calls))
    assert found["returned"] == [1, 1]
    assert found["calls"] == ["IF", "EX", "RE", "FC"] + 2 * ["IF", "EX", "RP", "FC"]
    assert not found["away"]
    assert (found["crtlr0"], found["spictlr0"], found["baudr"], found["ssienr"]) == (
        0x5F0300,
        0xA0002022,
        4,
        1,
    )
    slot, code = bytes.fromhex(found["slot"]), bytes.fromhex(found["program"])
    assert slot[4096:8192] == b"\xff" * 256 + code[:512] + b"\xff" * (4096 - 768)
    assert slot[:4096] == slot[8192:] == b"\xa5" * 4096  # as they were
