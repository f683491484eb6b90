// node run.mjs RP2040JS SRAM.bin TABLE: calls the ten functions at TABLE one after the other in rp2040js.
// Prints cycles and result of each as JSON.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [package_, image, table] = process.argv.slice(2);
const { RP2040 } = await import(pathToFileURL(package_));
const SRAM = 0x20000000;
const RETURN = SRAM + 0x3000; // nothing is there
const chip = new RP2040();
chip.sram.set(readFileSync(image));
const { core } = chip;
const found = [];
for (let i = 0; i < 10; ++i) {
  core.SP = SRAM + 0x4000;
  core.LR = RETURN | 1;
  core.PC = chip.readUint32(Number(table) + 4 * i) & ~1;
  let cycles = 0;
  while (core.PC !== RETURN) {
    // rp2040js counts a PUSH with LR one cycle too few: 1 + N is the manual's (firmware_cpp/boards/rp2040/emulator).
    if ((chip.readUint16(core.PC) & 0xff00) === 0xb500) ++cycles;
    cycles += core.executeInstruction();
  }
  found.push([cycles, core.registers[0] >>> 0]);
}
console.log(JSON.stringify(found));
