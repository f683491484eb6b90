// The second stage of the boot: the ROM copies these 256 bytes from the flash to 0x20041F00, checks the
// CRC-32 in the last four and jumps to the first (RP2040 datasheet 2.8.1.3.1). It has no stack of its own.
//
// It lets the flash be read as memory. The ROM leaves the SSI reading with 03h, one bit at a time and slowly,
// as any flash understands. A chip of Winbond (manufacturer EFh) whose QE is set, as it is from the factory
// in the Pico's W25Q16JVxxIQ, is read with EBh instead: address and data on four lines, and the command only
// once (continuous read; W25Q16JV data sheet, Fast Read Quad I/O). Anything else stays with 03h.
//
// The clock of the flash is clk_sys / 4: 31.25 MHz at 125 MHz, where 03h is good for 50 MHz and EBh for 104,
// and half its period leaves 16 ns for the data to come back. They are sampled one cycle of clk_sys later
// still (RX_SAMPLE_DLY), in the middle of the time they are valid; pads stay as reset leaves them.
//
// Whoever changes an instruction changes the CRC; tests/host_tools/emulate/test_rp2040.py tells the right
// one.

// SSI, section 4.10.13, base 0x18000000.
#define SSI_CTRLR0 "0x00"
#define SSI_CTRLR1 "0x04"
#define SSI_SSIENR "0x08"
#define SSI_SER "0x10"
#define SSI_BAUDR "0x14"
#define SSI_SR "0x28"
#define SSI_DR0 "0x60"
// Of CTRLR0: frame format (bits 22:21, 0 serial, 2 quad), frame bits - 1 (20:16), mode (9:8, 0 transmit and
// receive, 3 EEPROM read).
#define CTRLR0_BYTES "0x00070000"
#define CTRLR0_READ_SERIAL "0x001F0300"
#define CTRLR0_READ_QUAD "0x005F0300"
// Of SPI_CTRLR0: command (31:24), wait cycles (15:11), bits of the command (9:8, 0 none, 2 eight), bits of
// the address / 4 (5:2), lines (1:0: 0 all of them serial, 1 command serial and address quad, 2 both quad).
// EBh sends 24 bits of address and 8 of mode, then waits for 4 cycles.
#define SPI_CTRLR0_SERIAL "0x03000218"
#define SPI_CTRLR0_QUAD_FIRST "0x00002221"
#define SPI_CTRLR0_QUAD_NEXT "0xA0002022"
// Mode bits M5-4 = 10: the next read comes without a command.
#define MODE_CONTINUOUS "0xA0"

// clang-format off
asm(".section .second_stage, \"ax\"\n"
    ".syntax unified\n"
    ".thumb\n"
    ".balign 4\n"
    "second_stage:\n"
    "ldr r4, =0x18000000\n"
    "movs r7, #0\n"
    "movs r6, #1\n"
    "str r7, [r4, #" SSI_SSIENR "]\n"  // most registers may be written only while it is off
    "movs r0, #4\n"
    "str r0, [r4, #" SSI_BAUDR "]\n"
    "ldr r5, =0x180000F0\n"  // RX_SAMPLE_DLY; SPI_CTRLR0 follows it
    "str r6, [r5, #0]\n"
    "ldr r0, =" CTRLR0_BYTES "\n"
    "str r0, [r4, #" SSI_CTRLR0 "]\n"
    "str r7, [r4, #" SSI_CTRLR1 "]\n"
    "str r6, [r4, #" SSI_SER "]\n"
    "str r6, [r4, #" SSI_SSIENR "]\n"

    "movs r0, #0x9F\n"  // JEDEC identification: the manufacturer comes first
    "bl ask\n"
    "cmp r0, #0xEF\n"
    "bne serial\n"
    "movs r0, #0x35\n"  // status register 2, QE is bit 1
    "bl ask\n"
    "lsrs r0, r0, #2\n"
    "bcc serial\n"

    "str r7, [r4, #" SSI_SSIENR "]\n"
    "ldr r0, =" CTRLR0_READ_QUAD "\n"
    "str r0, [r4, #" SSI_CTRLR0 "]\n"
    "ldr r0, =" SPI_CTRLR0_QUAD_FIRST "\n"
    "str r0, [r5, #4]\n"
    "str r6, [r4, #" SSI_SSIENR "]\n"
    "movs r0, #0xEB\n"
    "str r0, [r4, #" SSI_DR0 "]\n"
    "movs r0, #" MODE_CONTINUOUS "\n"  // address 0, then the mode
    "str r0, [r4, #" SSI_DR0 "]\n"
    "bl wait\n"
    "str r7, [r4, #" SSI_SSIENR "]\n"
    "ldr r0, =" SPI_CTRLR0_QUAD_NEXT "\n"
    "b read\n"

    "serial:\n"
    "str r7, [r4, #" SSI_SSIENR "]\n"
    "ldr r0, =" CTRLR0_READ_SERIAL "\n"
    "str r0, [r4, #" SSI_CTRLR0 "]\n"
    "ldr r0, =" SPI_CTRLR0_SERIAL "\n"

    "read:\n"
    "str r0, [r5, #4]\n"
    "str r6, [r4, #" SSI_SSIENR "]\n"
    // The program, from its vector table as from reset.
    "ldr r0, =0x10000100\n"
    "ldr r1, =0xE000ED08\n"  // VTOR
    "str r0, [r1]\n"
    "ldmia r0!, {r2, r3}\n"
    "msr msp, r2\n"
    "bx r3\n"

    // Sends the command r0; r0: the byte that the flash answers.
    "ask:\n"
    "mov r8, lr\n"
    "str r0, [r4, #" SSI_DR0 "]\n"
    "str r0, [r4, #" SSI_DR0 "]\n"  // whatever it is: the answer comes meanwhile
    "bl wait\n"
    "ldr r0, [r4, #" SSI_DR0 "]\n"
    "ldr r0, [r4, #" SSI_DR0 "]\n"
    "bx r8\n"

    // Returns when all has been sent: SR says FIFO empty (bit 2) and not busy (bit 0).
    "wait:\n"
    "ldr r1, [r4, #" SSI_SR "]\n"
    "movs r2, #5\n"
    "ands r1, r2\n"
    "cmp r1, #4\n"
    "bne wait\n"
    "bx lr\n"

    ".ltorg\n"
    ".org 252\n"
    ".word 0x3FDC2610\n"
    ".text\n");
// clang-format on
