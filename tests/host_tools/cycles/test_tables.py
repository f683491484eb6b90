"""Sequences counted by hand, with the manuals' own figures: Cortex-M4 (100166) and Cortex-M0+ (DDI 0484C)."""

import pytest

from squeezenet_mcu.host_tools.cycles import cortex_m0plus, cortex_m4, decode
from tests.host_tools.cycles.sequences import assembled

P = cortex_m4.REFILL

# (sequence, cycles, cycles more where its last instruction branches)
M4 = [
    # Section 3.3.2's own examples.
    ("ldr r0, [r1]; ldr r1, [r2]", 3, 0),
    ("ldr r0, [r1, r2]; str r0, [r3, #20]", 3, 0),
    ("ldr r0, [r1, r2]; str r1, [r3, r2]", 3, 0),
    ("ldr r0, [r1, r5]; ldr r1, [r2]; ldr r2, [r3, #4]", 4, 0),
    # The second address is what the first load brings: no overlap.
    ("ldr r0, [r1]; ldr r2, [r0]", 4, 0),
    # A store with an immediate offset is one cycle, with a register two; nothing overlaps behind a store.
    ("str r0, [r1, #4]", 1, 0),
    ("str r0, [r1, r2]", 2, 0),
    ("str r0, [r1, #4]; ldr r2, [r3]", 3, 0),
    # The register bank is not forwarded to an address: one cycle.
    ("add r1, r2, r3; ldr r0, [r1]", 4, 0),
    ("add r1, r2, r3; ldr r0, [r4]", 3, 0),
    ("subs r1, #4; ldmia r1, {r2, r3}", 5, 0),
    # 1 + N of several words; these do not overlap with what is around them.
    ("ldmia r0!, {r1, r2, r3}", 4, 0),
    ("ldmia r0!, {r1, r2}; ldr r3, [r4]", 5, 0),
    ("stmia r0!, {r1, r2, r3, r4}", 5, 0),
    ("push {r4, r5, r6, r7, lr}", 6, 0),
    ("pop {r4, r5}", 3, 0),
    ("ldrd r0, r1, [r2]", 3, 0),
    ("strd r0, r1, [r2]", 3, 0),
    # Table 3-1: one cycle for every multiplication, and for what else computes.
    ("mul r0, r1, r2; mla r0, r1, r2, r3; mls r0, r1, r2, r3", 3, 0),
    ("smull r0, r1, r2, r3; umull r0, r1, r2, r3; smlal r0, r1, r2, r3; umaal r0, r1, r2, r3", 4, 0),
    ("smlad r0, r1, r2, r3; smlald r0, r1, r2, r3; smmulr r0, r1, r2; smlabb r0, r1, r2, r3", 4, 0),
    ("sxtb16 r0, r1; uadd8 r0, r1, r2; pkhbt r0, r1, r2, lsl #16; ssat r0, #8, r1; sel r0, r1, r2", 5, 0),
    ("sdiv r0, r1, r2", cortex_m4.DIVIDE, 0),
    ("nop; movs r0, #1; cmp r0, #2; it eq; moveq r0, #3", 5, 0),
    # Table 7-1.
    ("vmov s0, r0; vadd.f32 s0, s1, s2; vmul.f32 s0, s1, s2", 3, 0),
    ("vmla.f32 s0, s1, s2; vdiv.f32 s0, s1, s2", 17, 0),
    ("vldr s0, [r0]; vstr s0, [r0]", 4, 0),
    ("vldmia r0!, {s0-s3}", 5, 0),
    # 1 + P where a branch is taken.
    ("subs r0, #1; bne 1b", 2, P),
    ("cbz r0, .+4", 1, P),
    ("b .+4", 1, P),
    ("bl 1b", 1, P),
    ("bx lr", 1, cortex_m4.REFILL_REGISTER),
    ("pop {r4, pc}", 3, cortex_m4.REFILL_REGISTER),
    ("ldr pc, [r0]", 2, cortex_m4.REFILL_REGISTER),
    ("tbb [pc, r0]", 2, cortex_m4.REFILL_REGISTER),
]  # fmt: skip

M0PLUS = [
    ("movs r0, #1; adds r0, r1, r2; muls r0, r1; lsls r0, r1, #3; rev r0, r1; sxtb r0, r1", 6, 0),
    ("ldr r0, [r1]; ldr r2, [r3]", 4, 0),  # nothing overlaps
    ("ldrb r0, [r1, r2]; ldrsh r0, [r1, r2]; str r0, [r1]; strb r0, [r1, r2]", 8, 0),
    ("ldmia r0!, {r1, r2, r3}", 4, 0),
    ("stmia r0!, {r1, r2}", 3, 0),
    ("push {r4, r5, lr}", 4, 0),
    ("pop {r4, r5}", 3, 0),
    ("pop {r4, r5, pc}", 5, 0),  # 3 + N, of those in the list beside PC
    ("subs r0, #1; bne 1b", 2, 1),
    ("b .+4", 1, 1),
    ("bl 1b", 3, 0),
    ("bx lr", 2, 0),
    ("blx r3", 2, 0),
    ("mov pc, r0", 2, 0),
    ("mrs r0, primask; dmb", 6, 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cpu", "timing", "table"), [("cortex-m4", cortex_m4, M4), ("cortex-m0plus", cortex_m0plus, M0PLUS)]
)
def test_sequences(cpu, timing, table, tmp_path):
    found = assembled(tmp_path, cpu, [text for text, _, _ in table])
    prices = [timing.block(code) for code in found]
    seen = [(text, p.run, p.branch) for (text, _, _), p in zip(table, prices, strict=True)]
    assert seen == table


def test_the_manual_s_ranges_hold():
    assert 2 <= cortex_m4.DIVIDE <= 12
    refills = (cortex_m4.REFILL, cortex_m4.REFILL_REGISTER)
    assert all(1 <= p + more <= 3 for p in refills for more in (0, cortex_m4.REFILL_STRADDLING))


def test_a_long_instruction_across_two_words_is_entered_late(tmp_path):
    def entries(address):
        found = assembled(tmp_path, "cortex-m4", ["add.w r8, r9, r10", "adds r0, r1"], address)
        return [cortex_m4.entry(code[0]) for code in found], [cortex_m0plus.entry(code[0]) for code in found]

    assert entries(0) == ([0, 0], [0, 0])
    assert entries(2) == ([1, 0], [0, 0])


def test_what_is_no_instruction_has_its_length():
    found = decode.instructions(bytes.fromhex("00de") + bytes.fromhex("00ffffff") + bytes.fromhex("7047"), 0)
    assert sum(i.size for i in found) == 8
    assert found[-1].name == "bx"
