"""What a firmware says when it faults: its FAULT line, LAST_FAULT after the restart, and the likely cause."""

import re
import struct
from dataclasses import dataclass

_LINE = re.compile(
    rb"FAULT exception=(?P<exception>[0-9a-f]{8})(?P<overflow> stack overflow)?"
    rb"(?P<registers>(?: [a-z]{2,5}=[0-9a-f]{8}){1,8})[\r\n\0]"
)
_MOST_LINE = 256  # bytes; the longest has 160
_WORDS = struct.Struct("<10I")
_OVERFLOW, _PC_KNOWN, _LR_FOUND = (
    1 << 0,
    1 << 1,
    1 << 2,
)  # firmware_cpp/boards/common/fault_record.h has the same
_CPUS = ("ARMv6-M", "ARMv7-M", "RISC-V")
_STATUS = {"ARMv6-M": (), "ARMv7-M": ("cfsr", "hfsr", "mmfar", "bfar"), "RISC-V": ("mtval",)}

_ILLEGAL = "illegal instruction: __builtin_trap(), or a damaged program"
# CFSR, ARMv7-M reference manual B3.2.15; the first bit that is set tells the most.
_OF_CFSR = {
    16: _ILLEGAL,
    17: "a jump to what is no Thumb code: a damaged function pointer or return address",
    18: "a damaged return from an exception",
    19: "a coprocessor instruction while the FPU is off",
    24: "unaligned access",
    25: "division by zero",
    9: "bus error at {bfar}",
    10: "bus error of a store some instructions before",
    8: "bus error: no memory where the next instruction should be",
    11: "bus error: the stack is damaged",
    1: "no access to {mmfar} is allowed",
    0: "a jump to where no instruction may be run",
    3: "no access to the stack: it is damaged",
}
_ADDRESS_VALID = {9: 1 << 15, 1: 1 << 7}
# mcause, privileged architecture 3.1.15; mtval is the address, or the instruction.
_OF_MCAUSE = {
    0: "a jump to an unaligned address",
    1: "bus error: no memory where the next instruction should be",
    2: _ILLEGAL,
    3: "breakpoint: __builtin_trap()",
    4: "unaligned access: a load from {mtval}",
    5: "bus error: a load from {mtval}",
    6: "unaligned access: a store to {mtval}",
    7: "bus error: a store to {mtval}",
}
_HARD_FAULT = 3
_FIRST_INTERRUPT = 16  # of the exceptions of a Cortex-M
_INTERRUPT = 1 << 31  # of mcause


@dataclass(frozen=True)
class Fault:
    """The registers of a fault.

    `cpu`: "ARMv6-M", "ARMv7-M" (v8-M, too) or "RISC-V"; `pc`: the instruction, None where a full stack left
    no room for it; `lr`: the return address, or after such an overflow the deepest one on the stack;
    `status`: names and values of the CPU's own registers; `number`: of the faults since power-on, 0: the
    line does not say.
    """

    cpu: str
    exception: int
    pc: int | None
    lr: int | None
    sp: int
    stack_overflow: bool
    status: tuple[tuple[str, int], ...] = ()
    number: int = 0

    @property
    def cause(self) -> str:
        """What it was, in words, as far as the CPU tells."""
        if self.stack_overflow:
            return "stack overflow"
        return self._riscv() if self.cpu == "RISC-V" else self._cortex_m()

    @property
    def registers(self) -> str:
        """All of them, for people: one line."""
        known = [
            ("exception", self.exception),
            ("pc", self.pc),
            ("lr", self.lr),
            ("sp", self.sp),
            *self.status,
        ]
        return " ".join(f"{name}={value:08x}" for name, value in known if value is not None)

    def _riscv(self) -> str:
        if self.exception & _INTERRUPT:
            return f"interrupt {self.exception & ~_INTERRUPT}, which nobody asked for"
        said = _OF_MCAUSE.get(self.exception, f"exception {self.exception}")
        return said.format(**self._addresses())

    def _cortex_m(self) -> str:
        if self.exception >= _FIRST_INTERRUPT:
            return f"interrupt {self.exception - _FIRST_INTERRUPT}, which nobody asked for"
        cfsr = dict(self.status).get("cfsr", 0)
        for bit, said in _OF_CFSR.items():
            if cfsr >> bit & 1:
                if bit in _ADDRESS_VALID and not cfsr & _ADDRESS_VALID[bit]:
                    return said.partition(" at ")[0].partition(" to ")[0]
                return said.format(**self._addresses())
        if self.cpu == "ARMv6-M" and self.exception == _HARD_FAULT:
            return "illegal instruction, unaligned access or bus error: this CPU does not tell which"
        return f"exception {self.exception}"

    def _addresses(self) -> dict[str, str]:
        return {name: f"0x{value:08x}" for name, value in self.status}


def from_line(line: bytes) -> Fault | None:
    """The fault of a FAULT line, with what ends it; None: it is none, or not a whole one."""
    found = _LINE.search(line)
    if not found:
        return None
    pairs = (pair.split("=") for pair in found["registers"].decode().split())
    values = {name: int(value, 16) for name, value in pairs}
    if "sp" not in values:
        return None
    cpu = "RISC-V" if "mtval" in values else "ARMv7-M" if "cfsr" in values else "ARMv6-M"
    return Fault(
        cpu,
        int(found["exception"], 16),
        values.get("pc"),
        values.get("lr"),
        values["sp"],
        found["overflow"] is not None,
        tuple((name, values[name]) for name in _STATUS[cpu] if name in values),
    )


def from_words(payload: bytes) -> Fault | None:
    """The fault of a LAST_FAULT reply; None: there was none. ValueError: it is no such reply."""
    if not payload:
        return None
    if len(payload) != _WORDS.size:
        raise ValueError(f"{len(payload)} bytes; want {_WORDS.size}")
    number, flags, exception, pc, lr, sp, *status = _WORDS.unpack(payload)
    if flags >> 8 >= len(_CPUS):
        raise ValueError(f"CPU {flags >> 8}; want less than {len(_CPUS)}")
    cpu = _CPUS[flags >> 8]
    pc_known = bool(flags & _PC_KNOWN)
    return Fault(
        cpu,
        exception,
        pc if pc_known else None,
        lr if pc_known or flags & _LR_FOUND else None,
        sp,
        bool(flags & _OVERFLOW),
        tuple(zip(_STATUS[cpu], status, strict=False)),
        number,
    )


class FaultWatch:
    """Finds a FAULT line in a stream of bytes. No frame holds one: LAST_FAULT has numbers, no text."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> Fault | None:
        """The fault that `data` completes the line of."""
        heard = self._tail + data
        begin = heard.rfind(b"FAULT ")
        self._tail = heard[begin : begin + _MOST_LINE] if begin >= 0 else heard[-len("FAULT") :]
        found = from_line(heard[begin:]) if begin >= 0 else None
        if found:
            self._tail = b""
        return found
