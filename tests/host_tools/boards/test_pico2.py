"""The image for the Raspberry Pi Pico 2, as the RP2350's boot ROM reads it (datasheet, section 5.9)."""

import struct
import subprocess
from dataclasses import dataclass

import pytest

from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build
from tests.host_tools.selftest import selftest_device

BOARD = "pico2"
FLASH, FLASH_BYTES = 0x10000000, 4 * 1024 * 1024
SRAM, SRAM_BYTES = 0x20000000, 520 * 1024
START, END = 0xFFFFDED3, 0xAB123579
IMAGE_TYPE, LAST = 0x42, 0xFF
EXECUTABLE, SECURE, ARM, RP2350 = 1, 2, 0, 1  # picobin.h of the pico-sdk
SEARCHED = 4096  # bytes of the flash in which the ROM looks for the first block
EXCEPTIONS, INTERRUPTS, UART0, USBCTRL = 16, 52, 33, 14


@dataclass
class Block:
    """Between two markers: items (type, all of its bytes), and how far away the next block is."""

    at: int
    items: list[tuple[int, bytes]]
    next: int


def block_in(image: bytes) -> Block:
    """The one block of the first 4 KB, walked as the ROM does. ValueError: none, or what the ROM refuses."""
    starts = [
        at
        for at in range(0, min(len(image), SEARCHED), 4)
        if image[at : at + 4] == START.to_bytes(4, "little")
    ]
    if len(starts) != 1:
        raise ValueError(f"{len(starts)} blocks in the first {SEARCHED} bytes")
    at = starts[0]
    place, items = at + 4, []
    while True:
        kind = image[place]
        size = int.from_bytes(image[place + 1 : place + (3 if kind & 0x80 else 2)], "little")
        if kind == LAST:
            break
        items.append((kind, image[place : place + 4 * size]))
        place += 4 * size
    if size * 4 != place - at - 4 or image[place + 3] != 0:
        raise ValueError(f"the last item says {size} words, before it are {(place - at - 4) // 4}")
    following, end = struct.unpack_from("<iI", image, place + 4)
    if end != END or place + 12 > SEARCHED:
        raise ValueError(f"0x{end:08x} at {place + 8}: want the end marker, in the first {SEARCHED} bytes")
    return Block(at, items, following)


@pytest.fixture(scope="module")
def elf():
    return selftest_device.elf(BOARD)


@pytest.fixture(scope="module")
def image(elf, tmp_path_factory):
    path = tmp_path_factory.mktemp("pico2") / "image.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, path], check=True)
    return path.read_bytes()


def symbols(elf):
    listing = subprocess.run(["arm-none-eabi-nm", elf], check=True, capture_output=True, text=True).stdout
    return {name: int(value, 16) for value, _, name in map(str.split, listing.splitlines())}


def segments(elf):
    """(address at run time, load address, bytes stored, bytes in memory) of what an ELF loads or reserves."""
    lines = subprocess.run(
        ["arm-none-eabi-readelf", "-lW", elf], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    rows = (line.split() for line in lines)
    return [tuple(int(word, 16) for word in row[2:6]) for row in rows if row[:1] == ["LOAD"]]


def test_the_boot_rom_finds_a_secure_arm_image_that_is_alone(image):
    block = block_in(image)
    ((kind, content),) = block.items
    assert (kind, len(content)) == (IMAGE_TYPE, 4)
    (flags,) = struct.unpack("<H", content[2:])
    assert flags & 0xF == EXECUTABLE
    assert flags >> 4 & 3 == SECURE
    assert flags >> 8 & 7 == ARM
    assert flags >> 12 & 7 == RP2350
    assert flags >> 15 == 0, "try before you buy: the ROM would restart it after some seconds"
    assert block.next == 0, "a ring of one block"


def test_the_block_is_the_datasheets_smallest(image):
    """Section 5.9.5.1, word by word."""
    at = block_in(image).at
    words = struct.unpack("<5I", image[at : at + 20])
    assert words == (0xFFFFDED3, 0x10210142, 0x000001FF, 0x00000000, 0xAB123579)


def test_the_reader_of_blocks_refuses_what_the_rom_would(image):
    at = block_in(image).at
    for place in (at, at + 9, at + 16):  # start marker, size of the last item, end marker
        broken = bytearray(image)
        broken[place] ^= 2
        with pytest.raises(ValueError, match=r"blocks in|last item says|end marker"):
            block_in(bytes(broken))
    with pytest.raises(ValueError, match=r"^0 blocks in the first 4096 bytes"):
        block_in(bytes(SEARCHED) + image)


def test_the_vector_table_begins_the_image(image, elf):
    """Where no item says otherwise the ROM takes stack pointer and entry from there."""
    found = symbols(elf)
    assert found["vector_table"] == FLASH
    table = struct.unpack_from(f"<{EXCEPTIONS + INTERRUPTS}I", image)
    assert table[0] == found["linker_stack_top"]
    assert table[1] == found["ResetHandler"] | 1
    assert table[EXCEPTIONS + UART0] == table[EXCEPTIONS + USBCTRL] == found["UartHandler"] | 1
    assert all(entry & 1 and FLASH < entry < FLASH + len(image) for entry in table[1:])
    assert block_in(image).at == 4 * len(table), "nothing of the table is left out, nothing lies between"
    # VTOR takes multiples of the next power of two: 512 (ARMv8-M, DDI 0553, VTOR).
    assert FLASH % 512 == 0


def test_all_of_it_is_in_the_chips_flash_and_sram(elf):
    loaded = segments(elf)
    for run, load, stored, size in loaded:
        assert stored == 0 or FLASH <= load < load + stored <= FLASH + FLASH_BYTES
        in_flash = FLASH <= run < run + size <= FLASH + FLASH_BYTES
        assert in_flash or SRAM <= run < run + size <= SRAM + SRAM_BYTES
    assert min(load for _, load, stored, _ in loaded if stored) == FLASH
    board = board_toml.load(BOARD)
    assert (board.total("image"), board.total("data")) == (FLASH_BYTES, SRAM_BYTES)
    used = build.usage(elf)
    assert (used.flash_total, used.sram_total) == (FLASH_BYTES, SRAM_BYTES), "memory.ld's"
    assert symbols(elf)["linker_stack_limit"] == SRAM


def test_make_firmware_writes_the_uf2_beside_it(elf):
    board = board_toml.load(BOARD)
    build.write_images(board, elf)
    content = elf.with_suffix(".uf2").read_bytes()
    blocks = [content[at : at + 512] for at in range(0, len(content), 512)]
    fields = [struct.unpack("<8I", block[:32]) for block in blocks]
    assert {family for *_, family in fields} == {0xE48BFF59}  # rp2350-arm-s, in the pico-sdk's uf2.h
    assert [address for _, _, _, address, *_ in fields] == [FLASH + 256 * i for i in range(len(blocks))]
    memory = b"".join(block[32 : 32 + 256] for block in blocks)
    assert block_in(memory) == block_in(elf.with_suffix(".bin").read_bytes())
