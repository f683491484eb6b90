// Programs for the two cores of the emulated RP2040, one at each label that test_rp2040_cores.py names. Core 0
// begins there with r7 at `results`, and leaves words there for the test; it ends at `done`.
.syntax unified
.cpu cortex-m0plus
.thumb

.equ SIO, 0xD0000000
.equ CPUID, 0x00
.equ ST, 0x50
.equ WR, 0x54
.equ RD, 0x58
.equ DIVIDEND, 0x60
.equ DIVISOR, 0x64
.equ QUOTIENT, 0x70
.equ PSM, 0x40010000
.equ FRCE_OFF, 0x4
.equ PROC1, 1 << 16
.equ STACK1, 0x20005000
.equ SYSTICK, 0xE000E010
.equ NVIC_ENABLE, 0xE000E100

.macro label name
.global \name
.thumb_func
\name:
.endm

.text
.balign 256
.global vectors1
vectors1:
.word STACK1
.word done, done
.word faults
.rept 12
.word done
.endr
.rept 32
.word handler1
.endr

label done
    b done

// The word in r0 to the other core. r4: SIO, here and below.
label push
    ldr r1, [r4, #ST]
    lsrs r1, r1, #2
    bcc push
    str r0, [r4, #WR]
    sev
    bx lr

// r0: a word of the other core's.
label pop
    ldr r1, [r4, #ST]
    lsrs r1, r1, #1
    bcs 1f
    wfe
    b pop
1:  ldr r0, [r4, #RD]
    bx lr

// To `results`, one behind the other.
label keep
    stmia r7!, {r0}
    bx lr

label drain
    ldr r1, [r4, #ST]
    lsrs r1, r1, #1
    bcc 1f
    ldr r0, [r4, #RD]
    b drain
1:  bx lr

// Core 1 goes to r6; each answer of its ROM is kept.
label launch
    mov r8, lr
    ldr r5, =sequence
1:  ldr r0, [r5]
    cmp r0, #0
    bne 2f
    bl drain
    movs r0, #0
2:  bl push
    bl pop
    bl keep
    adds r5, #4
    ldr r1, =sequence_end
    cmp r5, r1
    bne 1b
    mov r0, r6
    bl push
    bl pop
    bl keep
    bx r8

.macro start core1
    ldr r4, =SIO
    ldr r6, =\core1
    bl launch
.endm

.macro exchange word
    ldr r0, =\word
    bl push
    bl pop
    bl keep
.endm

label words
    ldr r4, =SIO
    ldr r0, [r4, #CPUID]
    bl keep
    start adder
    exchange 5
    exchange 0xFFFF0000
    exchange 7
    b done
.ltorg

// Core 1: each word back, with its VTOR, stack pointer and CPUID added.
label adder
    ldr r4, =SIO
1:  bl pop
    ldr r1, [r4, #CPUID]
    adds r0, r0, r1
    ldr r1, =0xE000ED08
    ldr r1, [r1]
    adds r0, r0, r1
    add r0, sp
    bl push
    b 1b
.ltorg

// A 7 where the ROM waits for 1; a 0 where it waits for the stack pointer; then as it should be.
label wrong
    ldr r4, =SIO
    bl drain
    exchange 7
    exchange 1
    exchange 0x20001000
    exchange 0
    start adder
    exchange 5
    b done
.ltorg

// The ROM sleeps while nobody sends an event, so that words wait in the FIFO. From its reset on it takes a moment.
label full
    ldr r4, =SIO
    movs r0, #100
1:  subs r0, #1
    bne 1b
    ldr r0, [r4, #ST]
    bl keep
    ldr r0, [r4, #RD]
    bl keep
    ldr r0, [r4, #ST]
    bl keep
    ldr r0, [r4, #RD]
    ldr r0, [r4, #ST]
    bl keep
    movs r5, #8
1:  str r5, [r4, #WR]
    subs r5, #1
    bne 1b
    ldr r0, [r4, #ST]
    bl keep
    str r5, [r4, #WR]
    ldr r0, [r4, #ST]
    bl keep
    movs r0, #0xFF
    str r0, [r4, #ST]
    ldr r0, [r4, #ST]
    bl keep
    sev
    bl pop
    bl keep
    b done
.ltorg

// Core 0 sleeps until core 1, which is at work for 3 * 1000 cycles, sends a word; its SysTick tells how long.
label sleep
    start slow
    ldr r5, =SYSTICK
    ldr r0, =0xFFFFFF
    str r0, [r5, #4]
    str r0, [r5, #8]
    movs r0, #5
    str r0, [r5]
    movs r0, #0
    bl push
    ldr r6, [r5, #8]
    bl pop
    ldr r5, [r5, #8]
    bl keep
    subs r0, r6, r5
    bl keep
    b done

label slow
    ldr r4, =SIO
    bl pop
    ldr r0, =1000
1:  subs r0, #1
    bne 1b
    movs r0, #9
    bl push
2:  wfe
    b 2b
.ltorg

// An event that came before is not lost, and only one is kept.
label event_before
    ldr r4, =SIO
    sev
    sev
    wfe
    movs r0, #1
    bl keep
    wfe
    b done

label dividers
    start divides
    movs r0, #100
    str r0, [r4, #DIVIDEND]
    movs r0, #7
    str r0, [r4, #DIVISOR]
    exchange 1
    ldr r0, [r4, #QUOTIENT]
    bl keep
    b done

label divides
    ldr r4, =SIO
    bl pop
    movs r0, #55
    str r0, [r4, #DIVIDEND]
    movs r0, #5
    str r0, [r4, #DIVISOR]
    movs r0, #0
    ldr r0, [r4, #QUOTIENT]
    bl push
1:  wfe
    b 1b
.ltorg

// Both add to the same word, a thousand times each, without a lock: what they lose is always the same.
label race
    start races
    movs r0, #0
    bl push
    bl add_a_lot
    bl pop
    ldr r0, =results + 0x100
    ldr r0, [r0]
    bl keep
    b done

label races
    ldr r4, =SIO
    bl pop
    bl add_a_lot
    movs r0, #0
    bl push
1:  wfe
    b 1b

label add_a_lot
    ldr r0, =results + 0x100
    ldr r2, =1000
1:  ldr r3, [r0]
    adds r3, #1
    str r3, [r0]
    subs r2, #1
    bne 1b
    bx lr
.ltorg

// Core 1 never comes back; its reset gives it to the ROM again, which sends a 0 by itself.
label reset
    start lost
    ldr r2, =PSM
    ldr r3, =PROC1
    str r3, [r2, #FRCE_OFF]
    bl drain
    ldr r0, [r4, #ST]
    bl keep
    movs r3, #0
    str r3, [r2, #FRCE_OFF]
    bl pop
    bl keep
    start adder
    exchange 5
    b done

label lost
    b lost
.ltorg

// Words interrupt core 1, whose NVIC alone has the interrupt on.
label interrupt
    start interrupted
    bl pop
    exchange 40
    ldr r2, =NVIC_ENABLE
    ldr r0, [r2]
    bl keep
    b done

label interrupted
    ldr r4, =SIO
    movs r0, #0xFF
    str r0, [r4, #ST]
    ldr r1, =NVIC_ENABLE
    ldr r0, =1 << 16
    str r0, [r1]
    movs r0, #0
    bl push
1:  wfi
    b 1b

label handler1
    push {lr}
    mrs r2, ipsr
    ldr r0, [r4, #RD]
    adds r0, r0, r2
    bl push
    pop {pc}
.ltorg

// The fault's handler is where the fault is.
label fault
    start faults
1:  wfe
    b 1b

label faults
    ldr r0, =0x30000000
    ldr r0, [r0]
    b faults
.ltorg

.balign 4
sequence:
.word 0, 0, 1, vectors1, STACK1
sequence_end:

.equ results, 0x20002000
.global results
