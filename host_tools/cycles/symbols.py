"""The functions of a firmware: which one an address belongs to."""

import bisect
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.programs import missing_program
from squeezenet_mcu.host_tools.boards.board_toml import ARCHITECTURES, Architecture, Board, binutils

MARKS = "board_marks"
_LINE = re.compile(r"(?P<address>[0-9a-f]+) (?:(?P<size>[0-9a-f]+) )?(?P<kind>\S) (?P<name>.+)")
_LINKER = "linker_"  # names of places, not of functions
_CODE = "tTwW"  # nm's letters for functions


@dataclass(frozen=True)
class Functions:
    """Addresses and names (C++ ones as they are written) of an ELF's functions, and the size of each."""

    starts: list[int]
    names: list[str]
    sizes: list[int]

    def of(self, address: int) -> str:
        """The function that the instruction at `address` is in."""
        at = bisect.bisect_right(self.starts, address) - 1
        return self.names[at] if at >= 0 else "?"

    def holding(self, address: int) -> str:
        """As of, but "" where the address is in none of them: behind the code, or in a gap."""
        at = bisect.bisect_right(self.starts, address) - 1
        if at < 0:
            return ""
        # Hand-written assembler may give no size: such a function ends where the next one begins.
        following = self.starts[at + 1] if at + 1 < len(self.starts) else self.starts[at]
        end = self.starts[at] + self.sizes[at] if self.sizes[at] else following
        inside = address < end and not self.names[at].startswith(_LINKER)
        return self.names[at] if inside else ""

    def marks(self) -> tuple[int, int]:
        """Address and number of the firmware's marks; numbers of 0 where it has none."""
        if MARKS not in self.names:
            return 0, 0
        at = self.names.index(MARKS)
        return self.starts[at], self.sizes[at] // 2


def read(board: Board, elf: Path) -> Functions:
    """The functions of a board's firmware. UserError: the tool chain is missing, or the file is no ELF."""
    return _read(ARCHITECTURES[board.architecture], elf)


def read_elf(elf: Path) -> Functions:
    """As read, for whoever knows no board. ValueError: of no architecture here."""
    prefix = binutils(elf)
    return _read(next(tools for tools in ARCHITECTURES.values() if tools.prefix == prefix), elf)


def _read(tools: Architecture, elf: Path) -> Functions:
    command = [f"{tools.prefix}nm", "--demangle", "--numeric-sort", "--print-size", str(elf)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise missing_program(command[0], tools.packages) from None
    if done.returncode != 0:
        raise UserError(f"{elf}: {done.stderr.strip() or command[0] + ' failed'}")
    starts, names, sizes = [], [], []
    for line in done.stdout.splitlines():
        found = _LINE.match(line)
        if found and found["kind"] in _CODE:
            starts.append(int(found["address"], 16) & ~1)
            names.append(found["name"])
            sizes.append(int(found["size"] or "0", 16))
    return Functions(starts, names, sizes)
