// Of the boot ROM what a program calls (RP2040 datasheet 2.8.3): a table of functions, the function that looks a code
// up in it, the one that restarts the chip as a USB drive for a new firmware, and those for the flash (flash_rom.js).
const FUNCTION_TABLE = 0x14; // half-words: where the table is,
const LOOK_UP = 0x18; // and the function
const CODE = 0x100;
const RESTART = 0x120;
const TABLE = 0x140;
const BREAK = 0xbb; // of the breakpoint that stands for the restart
const FLASH_CALLS = ['IF', 'EX', 'RE', 'RP', 'FC'];
const FIRST_FLASH_CALL = 0x180; // a breakpoint for each, and the way back
const FLASH_BREAK = 0xbc;

const LOOK_UP_CODE = [
  0x8802, // 0: ldrh r2, [r0]      a code of the table
  0x8843, //    ldrh r3, [r0, #2]  its function
  0x428a, //    cmp r2, r1
  0xd004, //    beq 1f
  0x3004, //    adds r0, #4
  0x2a00, //    cmp r2, #0         the table's end
  0xd1f8, //    bne 0b
  0x2000, //    movs r0, #0
  0x4770, //    bx lr
  0x1c18, // 1: adds r0, r3, #0
  0x4770, //    bx lr
];

/** `onLoader(pins, disabled)`: what reset_to_usb_boot() has been called with. `flash`: a FlashRom. */
export function useBootRom(rp2040, onLoader, flash) {
  const bytes = new DataView(rp2040.bootrom.buffer);
  const put = (at, halves) => halves.forEach((half, i) => bytes.setUint16(at + 2 * i, half, true));
  put(FUNCTION_TABLE, [TABLE]);
  put(LOOK_UP, [CODE | 1]);
  put(CODE, LOOK_UP_CODE);
  put(RESTART, [0xbe00 | BREAK, 0xe7fe]); // bkpt; b .
  const code = (letters) => letters.charCodeAt(0) | (letters.charCodeAt(1) << 8);
  const flashCalls = FLASH_CALLS.map((letters, i) => [code(letters), (FIRST_FLASH_CALL + 4 * i) | 1]);
  flashCalls.forEach(([, at]) => put(at & ~1, [0xbe00 | FLASH_BREAK, 0x4770])); // bkpt; bx lr
  put(TABLE, [code('UB'), RESTART | 1, ...flashCalls.flat(), 0, 0]);
  const other = rp2040.onBreak;
  rp2040.onBreak = (number) => {
    const { core } = rp2040;
    const called = (core.PC - 2 - FIRST_FLASH_CALL) / 4;
    if (number === FLASH_BREAK && flash.call(FLASH_CALLS[called], core.registers)) return undefined;
    if (number !== BREAK || core.PC >>> 0 > RESTART + 4) return other(number);
    return onLoader(core.registers[0] >>> 0, core.registers[1] >>> 0);
  };
}
