"""Which firmware runs: the build id that the linker leaves in the ELF, and the device says in INFO."""

from pathlib import Path

from squeezenet_mcu.common.paths import BUILD

BYTES = 8  # of the id, as INFO has it
_MOST_ELF = 64 << 20  # bytes
_MOST_FIRMWARES = 500  # that are looked at
# An ELF note: sizes of its name and of its descriptor, type NT_GNU_BUILD_ID, the name.
_NOTE = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0"


def of_elf(elf: Path) -> str | None:
    """The first 8 bytes of the build id of an ELF, in hexadecimal; None: it has none, or cannot be read."""
    try:
        if not elf.is_file() or elf.stat().st_size > _MOST_ELF:
            return None
        content = elf.read_bytes()
    except OSError:
        return None
    at = content.find(_NOTE)
    found = content[at + len(_NOTE) :][:BYTES] if at >= 0 else b""
    return found.hex() if len(found) == BYTES else None


def find(build_id: str, build: Path = BUILD) -> Path | None:
    """The firmware of this id in build/<model>/firmware/<board>/; None: it is none of them."""
    for count, elf in enumerate(sorted(build.glob("*/firmware/*/firmware.elf"))):
        if count == _MOST_FIRMWARES:
            break
        if of_elf(elf) == build_id:
            return elf
    return None
