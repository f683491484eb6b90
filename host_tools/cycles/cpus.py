"""The CPUs whose cycles are known: how each one's instructions are priced."""

from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.cycles import cortex_m0plus, cortex_m4, rp2040js
from squeezenet_mcu.host_tools.cycles.price import Timing

# By board.toml's `cpu`. Cortex-M7 and M55 run two instructions at a time, and their manuals have no table.
TIMINGS = {
    "Cortex-M4F": Timing(cortex_m4.block, cortex_m4.entry, "Arm 100166, tables 3-1 and 7-1"),
    "Cortex-M0+": Timing(cortex_m0plus.block, cortex_m0plus.entry, "Arm DDI 0484C, table 3-1"),
}


def of(board: Board) -> Timing | None:
    """How to price what runs on an emulated board; None: nobody knows, or it counts itself."""
    emulator = board.emulator
    qemu = emulator is not None and emulator.command[0].startswith("qemu-system-")
    return TIMINGS.get(board.cpu) if qemu else None


def counts_itself(board: Board) -> bool:
    """Whether the board's emulator counts cycles."""
    return board.emulator is not None and board.emulator.command[0] == rp2040js.PROGRAM
