"""Cycles of a Cortex-M4's instructions, without wait states.

From Arm's Cortex-M4 Processor Technical Reference Manual (100166), table 3-1 and section 3.3.2, "Load/store
timings", and table 7-1 for the floating-point unit. Where the manual has a range, DIVIDE and REFILL say what
is taken.
"""

from collections.abc import Sequence

from squeezenet_mcu.host_tools.cycles.decode import Instruction
from squeezenet_mcu.host_tools.cycles.price import Price

DIVIDE = 7  # 2 to 12, by how many bits the quotient has
# P, the cycles to fill the pipeline again: 1 to 3, by the target's place and by how early it is known.
REFILL = 1  # the branch has the target in it
REFILL_REGISTER = 2  # the target comes out of a register or of memory
REFILL_STRADDLING = 1  # more, where the target is an instruction of 32 bits across two words

_SLOW = {
    "sdiv": DIVIDE, "udiv": DIVIDE, "tbb": 2, "tbh": 2, "mrs": 2, "msr": 2, "cps": 2, "vldr": 2, "vstr": 2,
    "vdiv": 14, "vsqrt": 14, "vmla": 3, "vmls": 3, "vnmla": 3, "vnmls": 3, "vfma": 3, "vfms": 3, "vfnma": 3,
    "vfnms": 3,
}  # fmt: skip


def block(code: Sequence[Instruction]) -> Price:
    """What a run through `code` takes, and how much more where its last instruction branches."""
    cycles, last = 0, None
    for instruction in code:
        cycles += _cycles(instruction, last)
        last = instruction
    return Price(cycles, _refill(code[-1]))


def entry(first: Instruction) -> int:
    """What a branch to `first` takes more than one to an instruction in one word."""
    return REFILL_STRADDLING if first.size == 4 and first.address % 4 == 2 else 0


def _cycles(now: Instruction, before: Instruction | None) -> int:
    if now.kind == "load":
        base = 2
        # Behind a load, its address phase runs beside the load's data phase.
        if before is not None and before.kind == "load" and not now.address_registers & before.written:
            base = 1
    elif now.kind == "store":
        base = 2 if now.indexed else 1
        if before is not None and before.kind == "load" and not now.address_registers & before.written:
            base = 1
    elif now.kind in ("multiple", "pair"):
        base = 1 + now.count
    else:
        base = _SLOW.get(now.name, 1)
    return base + _waits_for_address(now, before)


def _waits_for_address(now: Instruction, before: Instruction | None) -> int:
    """An address that the instruction before has computed is not forwarded: one cycle."""
    computed = before is not None and before.kind == "other" and bool(now.address_registers & before.written)
    return 1 if computed and now.kind in ("load", "store", "multiple", "pair") else 0


def _refill(last: Instruction) -> int:
    if not last.writes_pc:
        return 0
    return REFILL if last.kind in ("branch", "call") else REFILL_REGISTER
