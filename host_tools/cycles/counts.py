"""What the plugin has counted: how often each block of code ran, for each mark that the firmware called."""

from dataclasses import dataclass
from pathlib import Path

from squeezenet_mcu.common.errors import UserError

_FIELDS = 10


@dataclass(frozen=True)
class Block:
    """Code that runs from its first instruction to its last, and how often it did.

    Attributes:
        mark: what the counts belong to: the number of the mark that was called last (0 from the start).
        start: address of the first instruction.
        code: the instructions' bytes.
        instructions: how many there are.
        runs: how often the block ran.
        left: how often a branch that was taken ended it.
        entered: how often a branch that was taken led to it.
        jumped: lines of the flash that were read because a branch led to them.
        next: other lines of instructions that were read.
        data: lines of the flash that its loads had to read.
    """

    mark: int
    start: int
    code: bytes
    instructions: int
    runs: int
    left: int
    entered: int
    jumped: int = 0
    next: int = 0
    data: int = 0


def read(path: Path) -> list[Block]:
    """The blocks in a file of qemu_plugin/block_counts.c. UserError: there is none, or it ends early."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: QEMU's plugin left no counts ({error}); is QEMU 7.2 or newer?") from error
    if not lines or lines[-1] != "end":
        raise UserError(f"{path}: the counts end early; is the disk full?")
    return [_block(path, line) for line in lines[:-1]]


def _block(path: Path, line: str) -> Block:
    words = line.split()
    if len(words) != _FIELDS:
        raise UserError(f"{path}: {len(words)} fields in a line, want {_FIELDS}; run it again")
    mark, start, instructions, *numbers = map(int, words[:-1])
    return Block(mark, start, bytes.fromhex(words[-1]), instructions, *numbers)
