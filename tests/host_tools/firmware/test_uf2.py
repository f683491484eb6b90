"""UF2 files, read back by a reader of the specification's own words (github.com/microsoft/uf2)."""

import itertools
import struct
import subprocess

import pytest

from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import uf2
from tests.host_tools.selftest import selftest_device

FAMILY = 0xE48BFF56
# Of each board that takes UF2 files: the family, and where its first sections begin.
BOARDS = {"rp2040": (FAMILY, {0x10000000, 0x10000100}), "pico2": (0xE48BFF59, {0x10000000})}


def read(content: bytes, wanted: int = FAMILY) -> dict[int, bytes]:
    """Every block's payload by its address, each block checked. `wanted`: the family."""
    assert len(content) % 512 == 0
    count = len(content) // 512
    parts = {}
    for number in range(count):
        block = content[512 * number : 512 * (number + 1)]
        first, second, flags, address, size, index, blocks, family = struct.unpack("<8I", block[:32])
        assert (first, second) == (0x0A324655, 0x9E5D5157)
        assert struct.unpack("<I", block[508:]) == (0x0AB16F30,)
        assert flags == 0x00002000  # a family; for the main flash, no file container, no checksum
        assert (index, blocks, family) == (number, count, wanted)
        assert (size, address % 256) == (256, 0)
        assert not any(block[32 + size : 508])
        parts[address] = block[32 : 32 + size]
    return parts


def binary(elf, folder):
    path = folder / "image.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, path], check=True)
    return path.read_bytes()


def loaded_sections(elf):
    """(load address, bytes) of the sections that an ELF loads."""
    listing = subprocess.run(["arm-none-eabi-objdump", "-h", elf], check=True, capture_output=True, text=True)
    lines = listing.stdout.splitlines()
    content = elf.read_bytes()
    for line, flags in itertools.pairwise(lines):
        if "LOAD" in flags.replace(",", "").split():
            size, _, load, offset = (int(word, 16) for word in line.split()[2:6])
            yield load, content[offset : offset + size]


def test_the_boards_that_take_uf2_files():
    assert {name for name in board_toml.names() if board_toml.load(name).uf2_family} == set(BOARDS)


@pytest.mark.parametrize("board", BOARDS)
def test_every_byte_of_the_program_and_nothing_else(board, tmp_path):
    family, first = BOARDS[board]
    elf = selftest_device.elf(board)
    image = binary(elf, tmp_path)
    assert board_toml.load(board).uf2_family == family
    parts = read(uf2.from_image(image, uf2.load_address(elf), family), family)
    assert min(parts) == 0x10000000
    assert sorted(parts) == list(range(0x10000000, 0x10000000 + 256 * len(parts), 256))
    memory = b"".join(parts[address] for address in sorted(parts))
    assert memory[: len(image)] == image
    assert not any(memory[len(image) :])
    sections = list(loaded_sections(elf))
    assert {load for load, _ in sections} >= first
    for load, content in sections:
        assert memory[load - 0x10000000 :][: len(content)] == content


def test_last_block_is_filled_up_with_zeros():
    parts = read(uf2.from_image(b"\xff" * 257, 0x10000000, FAMILY))
    assert parts == {0x10000000: b"\xff" * 256, 0x10000100: b"\xff" + bytes(255)}


@pytest.mark.parametrize(("image", "address"), [(b"", 0x10000000), (b"x", 0x10000080)])
def test_what_no_flash_takes(image, address):
    with pytest.raises(ValueError, match=f"^{len(image)} bytes at 0x{address:08x}: "):
        uf2.from_image(image, address, FAMILY)
