"""What a firmware takes of flash and SRAM, before anything is compiled.

code_sizes.json holds the sizes of all pieces of code and data, measured once with the compilers of Debian
12 (code_table.py; `tools/code_sizes.py` makes it anew). A firmware's layout follows from them: the pieces
that its kernels reach lie one behind the other, each on a multiple of its alignment, as sections.ld has them.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.convert.network import ConvKernel
from squeezenet_mcu.host_tools.boards.board_toml import Board

TABLE = Path(__file__).with_name("code_sizes.json")
STACK_BYTES = 2048  # boards/common/sections.ld; boards/cortex_m/second_core.cc has as much for its core
_SECOND_CORE_CODE = 648  # of second_core.cc and the chip's part of it: on the RP2040, within 8 bytes
_BUILD_NOTE = 36  # the linker's build id, an ELF note: a section of its own, before the constants
CONVOLUTIONS = tuple(kernel.name.lower() for kernel in ConvKernel)
# RISC-V's linker makes a call shorter where the function that it calls is near, so the size of a piece
# depends a little on what lies between. The tests hold the figures to so many bytes.
INEXACT_BYTES = 48


@dataclass(frozen=True)
class CodeSizes:
    """Bytes of a firmware.

    `engine_code`: in flash, as bench counts it. `other_flash`: what else there is beside the engine and its
    model: our main function, link and board code, the C library, and what alignment leaves unused. `sram`:
    variables and the stack's reserve, beside the arena. `compiler`: of the table. `exact`: whether the
    firmware takes these bytes and no others, built with that compiler. RISC-V's is within INEXACT_BYTES,
    and one for two cores, too; of a board that is not in the table, `other_flash` and `sram` are those of
    another one with its CPU.
    """

    engine_code: int
    other_flash: int
    sram: int
    compiler: str
    exact: bool


@dataclass(frozen=True)
class _Piece:
    size: int
    alignment: int


def of(
    board: Board,
    kernels: Sequence[str],
    family: Family,
    model_bytes: int,
    arena_bytes: int,
    row_bytes: int,
    arena_apart: bool = False,
    cores: int = 1,
) -> CodeSizes:
    """The sizes of the firmware of a model.

    Args:
        board: for its CPU and its own code.
        kernels: as in engine.json.
        family: of the kernels.
        model_bytes: of the engine's model.
        arena_bytes: of the engine's arena.
        row_bytes: of a row of the input: width * channels.
        arena_apart: the arena lies in a memory of its own (board_model.arena_apart).
        cores: that share the work.

    Raises:
        UserError: there is no table for the board's CPU, the family or a kernel.
    """
    flags = " ".join(board.cpu_flags)
    cpu = _table()["cpus"].get(flags)
    if cpu is None:
        raise UserError(f"{board.name}: {TABLE.name} has no sizes for {flags}; run: make firmware")
    name, record = _board_record(board.name, flags)
    engine = cpu["engines"].get(f"{family} huffman" if "huffman" in kernels else family)
    if engine is None:
        raise UserError(f"{board.name}: its {board.cpu} runs no {family} kernels")
    layout = _Layout(record, engine, cpu["libraries"], kernels)
    parts = {"model": model_bytes, "arena": arena_bytes, "row": row_bytes}
    if arena_apart:
        parts["arena"] = 0
    code = sum(piece.size for output in ("text", "rodata") for piece in layout.engine(output))
    flash = layout.flash(parts)
    return CodeSizes(
        engine_code=code,
        other_flash=flash - code - model_bytes + (cores - 1) * _SECOND_CORE_CODE,
        sram=layout.variables(parts) - parts["arena"] + cores * STACK_BYTES,
        compiler=f"GCC {cpu['compiler']}",
        exact=name == board.name and board.architecture != "riscv" and cores == 1,
    )


def note(board: Board) -> str:
    """What belongs beside the sizes: "" where the board's compiler is the table's, or there is none here."""
    cpu = _table()["cpus"].get(" ".join(board.cpu_flags))
    program = shutil.which(f"{board.binutils}g++")
    if cpu is None or program is None:
        return ""
    said = subprocess.run([program, "-dumpfullversion"], capture_output=True, text=True, check=False)
    yours = said.stdout.strip()
    if not yours or yours == cpu["compiler"]:
        return ""
    return f"sizes of GCC {cpu['compiler']}; yours is {yours}, and makes other code"


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def _board_record(name: str, flags: str) -> tuple[str, dict[str, Any]]:
    """The board's own, or that of the first one with its CPU, and its name."""
    boards = _table()["boards"]
    found = name if name in boards else next(n for n in boards if boards[n]["cpu_flags"] == flags)
    return found, boards[found]


class _Layout:
    """The pieces of a firmware, in the order in which they lie in each output section."""

    def __init__(
        self,
        board: dict[str, Any],
        engine: dict[str, Any],
        libraries: list[list[Any]],
        kernels: Sequence[str],
    ) -> None:
        self._board = board
        self._engine = engine
        self._libraries = libraries
        self._kernels = set(kernels) - {"huffman"}
        names = engine["kernels"].split()
        if unknown := sorted(self._kernels.difference(names)):
            raise UserError(f"{TABLE.name}: no kernel {unknown[0]} of this family; want {', '.join(names)}")

    def _linked(self, reached_by: str) -> bool:
        return not reached_by or not self._kernels.isdisjoint(reached_by.split())

    def engine(self, output: str) -> list[_Piece]:
        """The engine's pieces. Those of conv_kernels.cc are the first in its library."""
        chosen = " ".join(name for name in CONVOLUTIONS if name in self._kernels)
        first = [_Piece(*piece) for piece in self._engine["dispatch"][chosen][output]]
        return first + [
            _Piece(size, alignment)
            for size, alignment, reached_by in self._engine[output]
            if self._linked(reached_by)
        ]

    def _compilers(self, output: str) -> list[_Piece]:
        reached = self._engine["libraries"]
        return [
            _Piece(size, alignment)
            for name, place, size, alignment in self._libraries
            if place == output
            and (name in self._board["libraries"] or (name in reached and self._linked(reached[name])))
        ]

    def _own(self, output: str, parts: dict[str, int]) -> list[_Piece]:
        return [
            _Piece(parts[size] if isinstance(size, str) else size, alignment)
            for size, alignment in self._board[output]
        ]

    def flash(self, parts: dict[str, int]) -> int:
        """Bytes of flash: vectors, code, build id, constants, what variables begin with: see sections.ld."""
        pieces = {
            output: [*self._own(output, parts), *self.engine(output), *self._compilers(output)]
            for output in ("text", "rodata")
        }
        code = _end(_end(0, self._own("vectors", parts)), pieces["text"])
        constants = _end(0 if self._board["apart"] else code, [_Piece(_BUILD_NOTE, 4)])
        end = _aligned(_end(constants, [_Piece(0, 16), *pieces["rodata"]]), 8)
        data = _aligned(_end(0, self._own("data", parts)), 4)
        return end + data + (code if self._board["apart"] else 0)

    def variables(self, parts: dict[str, int]) -> int:
        """Bytes of SRAM above the stack, without an arena that lies apart."""
        data = _aligned(_end(0, self._own("data", parts)), 4)
        return _aligned(_end(_aligned(data, 8), self._own("bss", parts)), 4)


def _aligned(address: int, alignment: int) -> int:
    return -(-address // alignment) * alignment


def _end(start: int, pieces: list[_Piece]) -> int:
    """Where a section ends that begins at `start` or, for the largest alignment in it, behind."""
    address = _aligned(start, max((piece.alignment for piece in pieces), default=1))
    for piece in pieces:
        address = _aligned(address, piece.alignment) + piece.size
    return address
