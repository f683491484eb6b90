"""The boards: what firmware_cpp/boards/<board>/board.toml says about each."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

from msgspec import Meta, Struct

from squeezenet_mcu.common.command_line.nearest import did_you_mean
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import one_of
from squeezenet_mcu.common.formats.toml_table import read_toml
from squeezenet_mcu.common.kernel_families import FAMILIES, Family
from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.host_tools.boards import market_names

FOLDER = FIRMWARE / "boards"
_EXAMPLE = "see firmware_cpp/boards/stm32f405/board.toml"


@dataclass(frozen=True)
class Architecture:
    """A family of CPUs: firmware_cpp/cmake/<its name>.cmake, firmware_cpp/boards/<its name>/.

    `prefix`: of its tools' names; `packages`: Debian's, with them; `machine`: e_machine of its ELF files.
    """

    prefix: str
    packages: str
    machine: int


ARCHITECTURES = {
    "cortex_m": Architecture(
        "arm-none-eabi-", "gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib", 40
    ),
    "riscv": Architecture(
        "riscv64-unknown-elf-", "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf", 243
    ),
}


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of board.toml: msgspec checks its types and ranges, and refuses keys that it does not have."""


class Memory(_Table, frozen=True):
    """One memory, named as in the linker script.

    `use`: "image" (program and model), "data" (variables), or "arena" (the engine's, if not there).
    """

    name: Annotated[str, Meta(pattern=r"\A\w+\Z")]
    use: Annotated[str, one_of("image", "data", "arena")]
    address: Annotated[int, Meta(ge=0, lt=1 << 32)]
    bytes: Annotated[int, Meta(ge=1, le=1 << 32)]


class Tool(_Table, frozen=True):
    """A program of the host that serves the board: its command, and the Debian package that has it.

    `command` has placeholders: {elf}, and for an emulator {socket}, the file descriptor of a listening TCP
    socket that it is to connect the UART to, and {folder}, the board's. `usb`: more words for an emulator
    that has the board's own USB, too; {usb}: the same for the serial port that this is.
    """

    package: str
    command: tuple[str, ...]
    usb: tuple[str, ...] = ()


class Flasher(_Table, frozen=True):
    """A way to write the firmware to the board, under the name that TOOL= takes.

    `needs`: "probe" (a debug probe on USB), "port" (a serial port, PORT=), "usb" (a boot loader on USB) or
    "drive" (a boot loader that shows a drive for UF2 files: we copy, no command needed).
    `package`: the command line that installs it. `prepare`: what to do to the board first.
    `usb`: what must be plugged in, one of "vendor:product" patterns or words of the product's name; of a
    drive, words of its INFO_UF2.TXT. `command`: with placeholders {elf}, {bin}, {uf2}, {port}, and
    {readback}, a file it fills with what the flash then holds, {bytes} of it. `read`: the command that does
    so, if not `command` itself. Without {readback} the tool verifies by itself.
    """

    tool: str
    needs: Annotated[str, one_of("probe", "port", "usb", "drive")]
    package: str
    command: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    usb: tuple[str, ...] = ()
    prepare: str = ""


class _Serial(_Table, frozen=True):
    baud: Annotated[int, Meta(ge=1, le=100_000_000)]
    pins: str
    wiring: str = ""
    usb_id: Annotated[str, Meta(pattern=r"\A([0-9a-f]{4}:[0-9a-f]{4})?\Z")] = ""


class FlashTiming(_Table, frozen=True):
    """How the CPU waits for the flash that the program is in: what host_tools/cycles makes of it.

    Of two kinds; `line_bytes` and `source` (the manual) are needed for both.
    Buffers beside the flash: `wait_states`: cycles for a line that is not at hand, at `clock.hz`; a line is
    what one read gives; `code_lines`, `data_lines`: that the chip keeps, of instructions and of data.
    A cache: of `cache_bytes` and `ways`; a miss costs `miss_cycles` at `clock.hz` and reads `fill_bytes` of a
    line. The line of a set that was used longest ago makes room.
    """

    line_bytes: Annotated[int, Meta(ge=4, le=256)]
    source: str
    wait_states: Annotated[int, Meta(ge=0, le=64)] = 0
    code_lines: Annotated[int, Meta(ge=0, le=4096)] = 0
    data_lines: Annotated[int, Meta(ge=0, le=4096)] = 0
    cache_bytes: Annotated[int, Meta(ge=0, le=1 << 20)] = 0
    ways: Annotated[int, Meta(ge=0, le=16)] = 0
    fill_bytes: Annotated[int, Meta(ge=0, le=256)] = 0
    miss_cycles: Annotated[int, Meta(ge=0, le=10_000)] = 0

    def __post_init__(self) -> None:
        """msgspec makes a message for the user of a ValueError."""
        buffers = (self.code_lines, self.data_lines)
        cache = (self.cache_bytes, self.ways, self.fill_bytes, self.miss_cycles)
        of_buffers = all(buffers) and not any(cache)
        of_a_cache = all(cache) and not any((*buffers, self.wait_states))
        if not of_buffers and not of_a_cache:
            raise ValueError(
                "want wait_states, code_lines and data_lines, "
                "or cache_bytes, ways, fill_bytes and miss_cycles"
            )
        if self.cached and (
            self.line_bytes % self.fill_bytes or self.cache_bytes % (self.ways * self.line_bytes)
        ):
            raise ValueError("want whole lines in each way of the cache, and whole fills in a line")

    @property
    def cached(self) -> bool:
        """A cache, and not buffers."""
        return self.cache_bytes > 0


class Clock(_Table, frozen=True):
    """`hz`: of the CPU, as our start-up sets it; `flash`: where it is known how the CPU waits for it."""

    hz: Annotated[int, Meta(ge=1_000_000, le=2_000_000_000)]
    flash: FlashTiming | None = None


class Slot(_Table, frozen=True):
    """A part of the flash that holds a model: whole sectors of it."""

    address: Annotated[int, Meta(ge=0, lt=1 << 32)]
    bytes: Annotated[int, Meta(ge=1, le=1 << 32)]

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.address + self.bytes


class Update(_Table, frozen=True):
    """Where new models go, of a firmware that takes them (docs/update.md); CMake reads it, too.

    `driver`: of the flash, firmware_cpp/boards/flash/<driver>.cc. `policy`: "two", the one that runs stays
    while the other one is written; "one", the linked model runs meanwhile.
    """

    driver: Annotated[str, Meta(pattern=r"\A[a-z0-9_]+\Z")]
    policy: Annotated[str, one_of("one", "two")]
    slots: tuple[Slot, ...]

    def __post_init__(self) -> None:
        """msgspec makes a message for the user of a ValueError."""
        drivers = sorted(path.stem for path in (FOLDER / "flash").glob("*.cc"))
        if self.driver not in drivers:
            raise ValueError(f"driver {self.driver!r}: want one of {', '.join(drivers)}")
        wanted = 1 if self.policy == "one" else 2
        if len(self.slots) != wanted:
            raise ValueError(f"policy {self.policy!r} wants {wanted} in slots, has {len(self.slots)}")
        first, last = self.slots[0], self.slots[-1]
        if wanted == 2 and first.address < last.end and last.address < first.end:
            raise ValueError(f"the slots at {first.address:#010x} and {last.address:#010x} overlap")


class _Uf2(_Table, frozen=True):
    family: Annotated[int, Meta(ge=0, lt=1 << 32)]


class _Settings(_Table, frozen=True):
    """board.toml, whole."""

    title: str
    cpu: str
    architecture: Annotated[str, one_of(*ARCHITECTURES)]
    cpu_flags: tuple[Annotated[str, Meta(pattern=r"\A-[\w=.,+-]+\Z")], ...]
    kernel_family: Annotated[str, one_of(*FAMILIES)]
    memory: Annotated[tuple[Memory, ...], Meta(min_length=1)]
    serial: _Serial
    cores: Annotated[int, Meta(ge=1, le=2)] = 1
    clock: Clock | None = None
    emulator: Tool | None = None
    flash: tuple[Flasher, ...] = ()
    uf2: _Uf2 | None = None
    update: Update | None = None
    buy: str = ""

    def __post_init__(self) -> None:
        """msgspec makes a message for the user of a ValueError."""
        for slot in self.update.slots if self.update else ():
            for memory in self.memory:
                _check_place(slot, memory)


def _check_place(slot: Slot, memory: Memory) -> None:
    """ValueError: not in a memory of the program, behind its beginning, nor outside of all memories."""
    end = memory.address + memory.bytes
    if slot.end <= memory.address or slot.address >= end:
        return
    where = f"[update]: the slot {slot.address:#010x} to {slot.end:#010x}"
    if memory.use != "image":
        raise ValueError(f"{where} lies in {memory.name}, which holds no program; want a part of the flash")
    if not (memory.address < slot.address and slot.end <= end):
        raise ValueError(
            f"{where} leaves no program in {memory.name}, {memory.address:#010x} to {end:#010x}; "
            "want a part of it behind the program"
        )


@dataclass(frozen=True)
class Board:
    """A board's settings. `architecture`: a key of ARCHITECTURES. `kernel_family`: what its CPU runs best.
    `cores`: that a firmware can use; it uses one unless it is asked for more.

    `emulator` may be None; `flash` is empty for a board that is nothing but its emulator, the default first.
    `clock`: None where board.toml does not say it. `update`: None for a board that takes no new models.
    `uf2_family`: what its boot loader wants in a UF2; None: takes none. `wiring`: how to connect the serial
    cable; `buy`: where. Both may be empty. `usb_id`: "vendor:product" of the serial port that the board's own
    USB is, too; "": it is none.
    """

    name: str
    title: str
    cpu: str
    architecture: str
    cpu_flags: tuple[str, ...]
    kernel_family: Family
    cores: int
    memories: tuple[Memory, ...]
    baud: int
    pins: str
    clock: Clock | None
    emulator: Tool | None
    flash: tuple[Flasher, ...]
    wiring: str
    buy: str
    usb_id: str
    uf2_family: int | None
    update: Update | None
    folder: Path

    @property
    def toolchain(self) -> Path:
        """CMake's toolchain file, which wants BOARD_DIR."""
        return FIRMWARE / "cmake" / f"{self.architecture}.cmake"

    @property
    def binutils(self) -> str:
        """What the names of its compiler and its binary utilities begin with."""
        return ARCHITECTURES[self.architecture].prefix

    @property
    def compiler_packages(self) -> str:
        """Debian packages of its compiler and libraries."""
        return ARCHITECTURES[self.architecture].packages

    def total(self, use: str) -> int:
        """Bytes of the memories of this use."""
        return sum(memory.bytes for memory in self.memories if memory.use == use)

    def program_bytes(self) -> int:
        """What a firmware that takes new models has for itself and its own model: up to the first slot."""
        slots = self.update.slots if self.update else ()
        found = 0
        for memory in self.memories:
            if memory.use == "image":
                inside = [slot.address - memory.address for slot in slots if slot.address >= memory.address]
                found += min([memory.bytes, *inside])
        return found

    def milliseconds(self, cycles: float) -> float | None:
        """Of so many cycles at its clock; None: board.toml does not say the clock."""
        return None if self.clock is None else cycles / self.clock.hz * 1000

    def memory(self, name: str) -> Memory:
        """The memory of this name. KeyError: there is none."""
        return {memory.name: memory for memory in self.memories}[name]


def names(folder: Path = FOLDER) -> list[str]:
    """The boards there are, sorted."""
    return sorted(path.parent.name for path in folder.glob("*/board.toml"))


def binutils(elf: Path) -> str:
    """What the names of the binary utilities for `elf` begin with. ValueError: of no architecture here."""
    with elf.open("rb") as stream:
        machine = int.from_bytes(stream.read(20)[18:], "little")  # System V ABI, ELF header: e_machine
    for architecture in ARCHITECTURES.values():
        if architecture.machine == machine:
            return architecture.prefix
    raise ValueError(f"{elf}: ELF machine {machine} is no board's")


def emulated() -> list[str]:
    """The boards that an emulator plays, sorted."""
    return [name for name in names() if load(name).emulator]


def name_of(board: str) -> str:
    """A board's name: of a folder given as a path, the folder's."""
    return Path(board).resolve().name if _is_path(board) else board


def load(name: str, folder: Path = FOLDER) -> Board:
    """Reads a board's settings.

    Args:
        name: of a folder in `folder`, or the path of a board's folder elsewhere (with a slash in it).
        folder: of the boards.

    Raises:
        UserError: no such board (the known ones are listed), or a faulty file.
    """
    if _is_path(name):
        path = Path(name).resolve() / "board.toml"
        if not path.is_file():
            raise UserError(f"{path}: no such file; want the folder of a board (docs/porting.md)")
    elif name in names(folder):
        path = folder / name / "board.toml"
    else:
        raise UserError(unknown(name, names(folder)))
    found = json_files.check(read_toml(path), _Settings, path, _EXAMPLE)
    return _board(name_of(name), found, path.parent)


def unknown(name: str, known: Sequence[str]) -> str:
    """What is wrong with `name`, none of the boards `known`: with the one that was meant, or why not."""
    plain = re.sub(r"[-_\s]", "", name.casefold())
    none = {re.sub(r"\s", "", other): why for other, why in market_names.NOT_HERE.items()}.get(plain)
    hint = f" here: {none}" if none else did_you_mean(name, known, market_names.ALIASES)
    return f"no board {name!r}{hint}{'' if hint.endswith('?') else ';'} boards: {', '.join(known)}"


def _is_path(name: str) -> bool:
    return "/" in name or os.sep in name


def _board(name: str, found: _Settings, folder: Path) -> Board:
    return Board(
        name=name,
        title=found.title,
        cpu=found.cpu,
        architecture=found.architecture,
        cpu_flags=found.cpu_flags,
        kernel_family=cast(Family, found.kernel_family),
        cores=found.cores,
        memories=found.memory,
        baud=found.serial.baud,
        pins=found.serial.pins,
        clock=found.clock,
        emulator=found.emulator,
        flash=found.flash,
        wiring=found.serial.wiring,
        buy=found.buy,
        usb_id=found.serial.usb_id,
        uf2_family=None if found.uf2 is None else found.uf2.family,
        update=found.update,
        folder=folder,
    )
