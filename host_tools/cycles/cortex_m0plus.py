"""Cycles of a Cortex-M0+'s instructions, without wait states.

From Arm's Cortex-M0+ Technical Reference Manual (DDI 0484C), table 3-1, with the multiplier that takes one
cycle, as the RP2040 has it.
"""

from collections.abc import Sequence

from squeezenet_mcu.host_tools.cycles.decode import Instruction
from squeezenet_mcu.host_tools.cycles.price import Price

_SLOW = {"mrs": 3, "msr": 3, "dmb": 3, "dsb": 3, "isb": 3, "wfe": 2, "wfi": 2}


def block(code: Sequence[Instruction]) -> Price:
    """What a run through `code` takes, and how much more where its last instruction branches."""
    return Price(sum(map(_cycles, code)), 1 if code[-1].kind == "branch" else 0)


def entry(first: Instruction) -> int:
    """A branch takes as long to any instruction."""
    del first
    return 0


def _cycles(now: Instruction) -> int:
    if now.kind == "multiple":
        # With PC 3 + N, of the others in the list: each word takes a cycle, and the branch one.
        return 1 + now.count + (1 if now.writes_pc else 0)
    if now.kind in ("load", "store", "jump"):
        return 2
    if now.kind == "call":
        return 3
    return _SLOW.get(now.name, 1)  # a branch: one more where it is taken
