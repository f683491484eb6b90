"""What the linker's map says of a firmware: each piece of code and data, in the order in which they lie."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENGINE = "libsqueeze_engine.a"  # the file name of the engine's library
OUTPUTS = (".vectors", ".text", ".rodata", ".data", ".bss", ".arena")
_OUTPUT = re.compile(r"^(\.\S+)(?:\s|$)")
_INPUT = re.compile(r"^ (\.\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$")
# [Nr] Name Type Addr Off Size ES Flg Lk Inf Al
_HEADER = re.compile(
    r"\s+\[\s*\d+\] (\S+)\s+[A-Z]\w+\s+[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) \w\w\s+(\w*)\s+\d+\s+\d+\s+(\d+)$"
)
_MEMBER = re.compile(r"^(.*)\((.*)\)$")


@dataclass(frozen=True)
class Piece:
    """An input section that was linked. `output`: the section of sections.ld; `file`: as the map names it."""

    output: str
    section: str
    file: str
    size: int
    alignment: int

    @property
    def library(self) -> str:
        """The file name of the archive that it comes from; empty for an object."""
        found = _MEMBER.match(self.file)
        return Path(found[1]).name if found else ""

    @property
    def name(self) -> str:
        """Library or object, and section: the same in every build."""
        found = _MEMBER.match(self.file)
        return f"{self.library}({found[2]}){self.section}" if found else f"{self.file}{self.section}"


def read(path: Path, tree: Path, prefix: str) -> list[Piece]:
    """The pieces of a map. `tree`: the folder of the link; `prefix`: of the binary utilities' names."""
    text = path.read_text(encoding="utf-8")
    text = text[text.index("Linker script and memory map") :]
    # A long name has a line of its own.
    text = re.sub(r"^( ?\.\S+)\n\s+(?=0x)", r"\1 ", text, flags=re.MULTILINE)
    found = []
    output = ""
    known: dict[str, dict[tuple[str, str], int]] = {}
    for line in text.splitlines():
        if begins := _OUTPUT.match(line):
            output = begins[1]
        elif (piece := _INPUT.match(line)) and output in OUTPUTS and int(piece[3], 16):
            section, _, size, file = piece.groups()
            place = _MEMBER.sub(r"\1", file)
            if place not in known:
                known[place] = _alignments(tree / place, prefix)
            found.append(Piece(output, section, file, int(size, 16), known[place][_member(file), section]))
    return found


def _member(file: str) -> str:
    found = _MEMBER.match(file)
    return found[2] if found else ""


def sections(path: Path, prefix: str) -> list[tuple[str, int, int]]:
    """Name, size and alignment of the sections of an object that take memory, in their order."""
    return [(name, size, alignment) for _, name, size, alignment in _headers(path, prefix) if size]


def _alignments(path: Path, prefix: str) -> dict[tuple[str, str], int]:
    """By member ("" of an object) and section. Of several of one name, the largest."""
    found: dict[tuple[str, str], int] = {}
    for member, name, _, alignment in _headers(path, prefix):
        found[member, name] = max(alignment, found.get((member, name), 1))
    return found


def _headers(path: Path, prefix: str) -> list[tuple[str, str, int, int]]:
    command = [f"{prefix}readelf", "--section-headers", "--wide", str(path)]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = []
    member = ""
    for line in listing.splitlines():
        if line.startswith("File: "):
            member = _member(line.removeprefix("File: "))
        elif fields := _HEADER.match(line):
            name, size, flags, alignment = fields.groups()
            if "A" in flags:
                found.append((member, name, int(size, 16), max(int(alignment), 1)))
    return found
