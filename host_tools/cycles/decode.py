"""Thumb instructions as the tables of cycles want them: kind, registers, list length. Decoded by Capstone."""

import functools
from dataclasses import dataclass

import capstone
from capstone import arm

_BRANCHES = {arm.ARM_INS_B, arm.ARM_INS_CBZ, arm.ARM_INS_CBNZ}
_LOADS = {arm.ARM_INS_LDR, arm.ARM_INS_LDRB, arm.ARM_INS_LDRH, arm.ARM_INS_LDRSB, arm.ARM_INS_LDRSH}
_STORES = {arm.ARM_INS_STR, arm.ARM_INS_STRB, arm.ARM_INS_STRH}
_MULTIPLE = {
    arm.ARM_INS_LDM, arm.ARM_INS_LDMDB, arm.ARM_INS_STM, arm.ARM_INS_STMDB, arm.ARM_INS_PUSH, arm.ARM_INS_POP,
    arm.ARM_INS_VLDMIA, arm.ARM_INS_VLDMDB, arm.ARM_INS_VSTMIA, arm.ARM_INS_VSTMDB, arm.ARM_INS_VPUSH,
    arm.ARM_INS_VPOP,
}  # fmt: skip
_WITHOUT_BASE = {arm.ARM_INS_PUSH, arm.ARM_INS_POP, arm.ARM_INS_VPUSH, arm.ARM_INS_VPOP}
_PAIRS = {arm.ARM_INS_LDRD, arm.ARM_INS_STRD}


@dataclass(frozen=True)
class Instruction:
    """An instruction, without what does not matter for its time.

    Attributes:
        address: in memory. size: in bytes, 2 or 4.
        name: without condition and width: "ldr".
        kind: "load", "store", "multiple" (LDM, STM, PUSH, POP), "pair" (LDRD, STRD), "branch" (to an address
            in the instruction), "call" (BL), "jump" (to an address in a register), or "other".
        count: of registers that a "multiple" or "pair" moves.
        indexed: the address has a register as its offset.
        writes_pc: where it goes on depends on the instruction.
        address_registers: that make up its address.
        written: registers that it changes.
    """

    address: int
    size: int
    name: str
    kind: str
    count: int
    indexed: bool
    writes_pc: bool
    address_registers: frozenset[int]
    written: frozenset[int]


@functools.cache
def _decoder() -> capstone.Cs:
    decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    decoder.detail = True
    return decoder


def instructions(code: bytes, address: int) -> list[Instruction]:
    """Decodes `code`. What Capstone does not know becomes an "other" of its length."""
    found: list[Instruction] = []
    at = 0
    while at < len(code):
        before = at
        for raw in _decoder().disasm(code[at:], address + at):
            found.append(_reduced(raw))
            at += raw.size
        if at < len(code):  # an instruction of 32 bits begins with 0b11101, 0b1111 (ARMv7-M, A5.1)
            size = 4 if code[at + 1] >> 3 >= 0b11101 else 2
            found.append(_unknown(address + at, size))
            at += size
        assert at > before
    return found


def _unknown(address: int, size: int) -> Instruction:
    return Instruction(address, size, "?", "other", 0, False, False, frozenset(), frozenset())


def _reduced(raw: capstone.CsInsn) -> Instruction:
    written = frozenset(raw.regs_access()[1])
    writes_pc = arm.ARM_REG_PC in written
    memory = [operand.mem for operand in raw.operands if operand.type == arm.ARM_OP_MEM]
    registers = {m.base for m in memory} | {m.index for m in memory} - {0}
    count = 0
    if raw.id in _MULTIPLE:
        kind, based = "multiple", raw.id not in _WITHOUT_BASE
        count = len(raw.operands) - based
        if based:
            registers.add(raw.operands[0].reg)
    elif raw.id in _PAIRS:
        kind, count = "pair", 2
    elif raw.id in _LOADS:
        kind = "load"
    elif raw.id in _STORES:
        kind = "store"
    elif raw.id == arm.ARM_INS_BL:
        kind = "call"
    elif raw.id in _BRANCHES:
        kind = "branch"
    elif writes_pc or raw.id in (arm.ARM_INS_BX, arm.ARM_INS_BLX, arm.ARM_INS_TBB, arm.ARM_INS_TBH):
        kind = "jump"
    else:
        kind = "other"
    return Instruction(
        raw.address, raw.size, raw.insn_name() or "?", kind, count, any(m.index for m in memory),
        writes_pc or kind in ("branch", "call", "jump"), frozenset(registers), written,
    )  # fmt: skip
