"""What a firmware takes of a board's memories, by the symbols that its linker script leaves."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.boards import board_toml


@dataclass(frozen=True)
class Usage:
    """Bytes, from the linker's own symbols. `sram_used`: variables, and the whole reserve of the stacks.

    `cores`: those that have a stack.
    """

    flash_used: int
    flash_total: int
    sram_static: int
    stack_reserve: int
    sram_total: int
    cores: int = 1

    @property
    def sram_used(self) -> int:
        """What the linker laid out."""
        return self.sram_static + self.stack_reserve


def usage(elf: Path) -> Usage:
    """Reads the sizes that sections.ld left in `elf`."""
    command: list[str | Path] = [f"{board_toml.binutils(elf)}nm", elf]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    values = {name: int(value, 16) for value, _, name in (line.split() for line in listing.splitlines())}
    stacks = [
        values[f"linker_{stack}_top"] - values[f"linker_{stack}_limit"] for stack in ("stack", "second_stack")
    ]
    return Usage(
        flash_used=values["linker_flash_used"],
        flash_total=values["linker_flash_total"],
        sram_static=values["linker_sram_static"],
        stack_reserve=sum(stacks),
        sram_total=values["linker_sram_total"],
        cores=sum(size > 0 for size in stacks),
    )


def show(console: Console, used: Usage, board: str, model: str) -> None:
    """Prints the table of memory."""
    table = Table(title=f"{model} on {board}")
    table.add_column("memory")
    for name in ("used", "of", "free"):
        table.add_column(name, justify="right")
    rows = (("flash", used.flash_used, used.flash_total), ("SRAM", used.sram_used, used.sram_total))
    for name, part, total in rows:
        table.add_row(name, f"{part:,} B", f"{total:,} B", f"{total - part:,} B")
    console.print(table)
    stacks = "a stack" if used.cores == 1 else f"{used.cores} stacks"
    console.print(f"SRAM: {used.sram_static:,} B of variables and {stacks} of {used.stack_reserve:,} B")
