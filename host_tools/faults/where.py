"""Where in a firmware a fault was: the function's name, by the ELF that runs on the device."""

import contextlib
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.cycles import symbols
from squeezenet_mcu.host_tools.firmware import build_id
from squeezenet_mcu.host_tools.link.errors import FaultError
from squeezenet_mcu.host_tools.link.faults import Fault
from squeezenet_mcu.host_tools.link.messages import Info

_MOST_NAME = 100  # characters of a function's
_LOADABLE = 1  # ELF: p_type of a segment
_UDF = 0xDE00  # Thumb: UDF with any number, which is what __builtin_trap() becomes


def function(fault: Fault, elf: Path) -> str:
    """The function that `fault` was in, "" where nobody knows: without its tool chain, say.

    Where the program was in none, because a damaged pointer was called, say: the one that it came from.
    """
    if fault.pc is None and fault.lr is None:
        return ""
    try:
        functions = symbols.read_elf(elf)
    except (UserError, ValueError, OSError):
        return ""

    def name(address: int) -> str:
        return terminal.one_line(functions.holding(address & ~1), _MOST_NAME)

    if fault.pc is not None and (found := name(fault.pc)):
        return found
    if fault.lr is None:
        return ""
    caller = name(fault.lr)  # of a jump to where no code is, too
    return f"{caller} or what it calls" if caller else ""


def cause(fault: Fault, elf: Path) -> str:
    """In words; where the CPU does not tell, but the instruction in `elf` does, that."""
    if fault.cpu == "ARMv6-M" and not fault.stack_overflow and fault.exception == 3 and fault.pc is not None:
        half = _half_word(elf, fault.pc)
        if half is not None and half & 0xFF00 == _UDF:
            return "illegal instruction: __builtin_trap()"
    return fault.cause


def _half_word(elf: Path, address: int) -> int | None:
    """What the ELF (32 bits, little-endian) has at an address; None: nothing, or it is damaged."""
    try:
        content = elf.read_bytes()
        (start,) = struct.unpack_from("<I", content, 28)
        size, count = struct.unpack_from("<2H", content, 42)
        for i in range(count):
            kind, offset, begin, _, stored = struct.unpack_from("<5I", content, start + i * size)
            if kind == _LOADABLE and begin <= address <= begin + stored - 2:
                (found,) = struct.unpack_from("<H", content, offset + address - begin)
                return int(found)
    except (OSError, struct.error):
        pass
    return None


def explained(error: FaultError, elf: Path | None) -> FaultError:
    """`error` with the function's name, as far as `elf`, the firmware that runs, tells it."""
    if elf is None or not elf.is_file():
        return error
    where = function(error.fault, elf)
    pc = error.fault.pc
    place = f"{where} (0x{pc:08x})" if where and pc is not None else where
    return FaultError(error.who, error.fault, place, cause(error.fault, elf))


@contextlib.contextmanager
def named(elf_of: Callable[[], Path | None]) -> Iterator[None]:
    """Has a FaultError that comes from within name the function, and says the registers in a notice.

    `elf_of`: the firmware that runs, as far as it is known by then.
    """
    try:
        yield
    except FaultError as error:
        raise told(error, elf_of()) from error


def told(error: FaultError, elf: Path | None) -> FaultError:
    """As explained, and says the registers in a notice."""
    notice(f"registers: {error.fault.registers}")
    return explained(error, elf)


def restarted(info: Info, fault: Fault | None, ours: Path | None = None) -> str:
    """What a device says of its last restart, for people: "" where nothing is remarkable.

    `fault`: that it restarted after; `ours`: see firmware.
    """
    if info.reset_cause == "watchdog":
        return f"{info.board}: its watchdog has restarted it: the program hung"
    if info.reset_cause != "fault":
        return ""
    if fault is None:
        return f"{info.board}: it has restarted after a fault"
    elf = firmware(info, ours)
    where = function(fault, elf) if elf else ""
    place = f" in {where}" if where else ""
    said = cause(fault, elf) if elf else fault.cause
    return f"{info.board}: it has restarted after a fault{place}: {said}; registers: {fault.registers}"


def firmware(info: Info, ours: Path | None = None) -> Path | None:
    """The ELF that runs on the device, by its build id: `ours`, or one in build/; None: neither."""
    return by_build_id(info.build_id, ours)


def by_build_id(wanted: str, ours: Path | None = None) -> Path | None:
    """As firmware, of a build id."""
    if ours is not None and build_id.of_elf(ours) == wanted:
        return ours
    return build_id.find(wanted)
