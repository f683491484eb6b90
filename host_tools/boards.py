"""The boards: what firmware_cpp/boards/<board>/board.toml says about each."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.target import FAMILIES, Family
from model.errors import UserError

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware_cpp"
FOLDER = FIRMWARE / "boards"


@dataclass(frozen=True)
class Memory:
    """One memory, named as in the linker script. `use`: "image" (program and model) or "data" (variables)."""

    name: str
    use: str
    address: int
    bytes: int


@dataclass(frozen=True)
class Tool:
    """A program of the host that serves the board: its command, and the Debian package that has it.

    `command` has placeholders: {elf}, and for an emulator {socket}, the file descriptor of a listening TCP
    socket that it is to connect the UART to.
    """

    package: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """A board's settings. `kernels`: what its CPU runs best. `emulator` and `flash` may be None."""

    name: str
    title: str
    cpu: str
    cpu_flags: tuple[str, ...]
    kernels: Family
    memories: tuple[Memory, ...]
    baud: int
    pins: str
    emulator: Tool | None
    flash: Tool | None
    folder: Path

    @property
    def toolchain(self) -> Path:
        """CMake's toolchain file."""
        return self.folder / "toolchain.cmake"

    def total(self, use: str) -> int:
        """Bytes of the memories of this use."""
        return sum(memory.bytes for memory in self.memories if memory.use == use)

    def memory(self, name: str) -> Memory:
        """The memory of this name. KeyError: there is none."""
        return {memory.name: memory for memory in self.memories}[name]


def names(folder: Path = FOLDER) -> list[str]:
    """The boards there are, sorted."""
    return sorted(path.parent.name for path in folder.glob("*/board.toml"))


def load(name: str, folder: Path = FOLDER) -> Board:
    """Reads a board's settings. UserError: no such board (the known ones are listed), or a faulty file."""
    if name not in names(folder):
        raise UserError(f"no board {name!r}; boards: {', '.join(names(folder))}")
    path = folder / name / "board.toml"
    try:
        return _board(name, tomllib.loads(path.read_text(encoding="utf-8")), path.parent)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: {error}") from error
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: missing or unknown key {error}; see boards/stm32f405/board.toml") from error


def _board(name: str, table: dict[str, Any], folder: Path) -> Board:
    return Board(
        name=name,
        title=table["title"],
        cpu=table["cpu"],
        cpu_flags=tuple(table["cpu_flags"]),
        kernels=_family(table["kernels"]),
        memories=tuple(Memory(**memory) for memory in table["memory"]),
        baud=table["serial"]["baud"],
        pins=table["serial"]["pins"],
        emulator=_tool(table.get("emulator")),
        flash=_tool(table.get("flash")),
        folder=folder,
    )


def _family(name: str) -> Family:
    if name not in FAMILIES:
        raise KeyError(f"kernels = {name!r}, not one of {', '.join(FAMILIES)}")
    return name


def _tool(table: dict[str, Any] | None) -> Tool | None:
    return Tool(table["package"], tuple(table["command"])) if table else None
