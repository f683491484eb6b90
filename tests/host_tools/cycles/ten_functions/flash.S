// Straight code and reads of known length, for the lines of a flash that they need. Runs in QEMU's microbit, where the
// test calls its SRAM the flash, and in the Pico's emulator, in its flash.
.syntax unified
.cpu cortex-m0plus
.thumb

.section .vectors, "a"
.word stack_top
.word Main

.section .text.board_marks, "ax", %progbits
.balign 16
.global board_marks
.type board_marks, %function
.thumb_func
board_marks:
.rept 8
bx lr
.endr
.size board_marks, . - board_marks

.macro mark number
ldr r0, =board_marks + 2 * \number
blx r0
.endm

.section .text.Main, "ax", %progbits
.global Main
.thumb_func
Main:
mark 1
bl Small
mark 2
bl Small
mark 3
bl Large
mark 4
bl Large
mark 5
ldr r0, =Table
movs r1, #64
bl Read
mark 6
ldr r0, =Table
movs r1, #64
bl Read
mark 7
ldr r0, =Table
ldr r1, =512
bl Read
mark 0
movs r0, #0x18
ldr r1, =0x20026
.global Done
Done:
bkpt #0xab
1: b 1b
.ltorg

.balign 16
.thumb_func
Small:  // 31 lines
.rept 247
nop
.endr
bx lr

.balign 16
.thumb_func
Large:  // 128 lines
.rept 1023
nop
.endr
bx lr

.balign 16
.thumb_func
Read:  // r1 bytes from r0, twice
movs r3, #2
2: movs r2, #0
1: ldr r4, [r0, r2]
adds r2, #4
cmp r2, r1
bne 1b
subs r3, #1
bne 2b
bx lr

// Of the Pico's interrupt; it returns to what it has interrupted.
.balign 16
.global Handler
.thumb_func
Handler:
push {r4, lr}
.rept 10
nop
.endr
pop {r4, pc}

.section .text.Table, "a"
.balign 16
Table:
.space 512
