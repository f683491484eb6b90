"""UF2, the file that a board's boot loader takes as a USB drive: https://github.com/microsoft/uf2."""

import struct
from pathlib import Path

PAYLOAD = 256  # bytes a block: what the RP2040's boot ROM wants (RP2040 datasheet 2.8.4.2)
FIRST_MAGIC, SECOND_MAGIC, LAST_MAGIC = 0x0A324655, 0x9E5D5157, 0x0AB16F30
HAS_FAMILY = 0x2000  # flag: the word at 28 is the family of the chip, not the file's size

_LOADABLE = 1  # ELF: p_type of a segment


def load_address(elf: Path) -> int:
    """Where the first byte of `objcopy -O binary` of an ELF (32-bit, little-endian) is loaded to."""
    content = elf.read_bytes()
    (start,) = struct.unpack_from("<I", content, 28)
    size, count = struct.unpack_from("<2H", content, 42)
    segments = [struct.unpack_from("<5I", content, start + i * size) for i in range(count)]
    found: int = min(load for kind, _, _, load, stored in segments if kind == _LOADABLE and stored)
    return found


def from_image(image: bytes, address: int, family: int) -> bytes:
    """The UF2 that puts `image` at `address` of the chips of `family`.

    `image` is filled up with zeros to whole blocks' payloads: a flash is written in pages of 256 bytes. What
    starts at a sector's start (4 KB) and has no gaps is safe from RP2040's erratum E14.

    ValueError: nothing to write, or an address that is not a page's.
    """
    if not image or address % PAYLOAD:
        raise ValueError(f"{len(image)} bytes at 0x{address:08x}: want some, at a multiple of {PAYLOAD}")
    count = -(-len(image) // PAYLOAD)
    return b"".join(
        struct.pack(
            "<8I476sI",
            *(FIRST_MAGIC, SECOND_MAGIC, HAS_FAMILY, address + number * PAYLOAD, PAYLOAD, number, count),
            family,
            image[number * PAYLOAD : (number + 1) * PAYLOAD],  # zeros after it, up to 476
            LAST_MAGIC,
        )
        for number in range(count)
    )
