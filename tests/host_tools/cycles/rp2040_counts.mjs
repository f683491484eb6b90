// The counter of the Pico's emulator, for test_rp2040js.py: node rp2040_counts.mjs EMULATOR WHAT ARGUMENT...
//   cache SIZES OFFSETS         what cacheOf(SIZES) says of each read, both in JSON
//   run ELF CODE PLACE SPEC INTERRUPTS
//       runs a program in the emulated chip that ELF boots. CODE: its bytes' file; PLACE: JSON of the addresses of its
//       first byte, of `main`, `done` and `handler`; SPEC: as counter.js wants it. INTERRUPTS: SysTick's, one each
//       500 cycles
import { readFileSync } from 'node:fs';

const [folder, what, ...rest] = process.argv.slice(2);
const { Chip, FLASH, SRAM } = await import(`${folder}/chip.js`);
const { flashOf } = await import(`${folder}/image.js`);
const { cacheOf, count } = await import(`${folder}/counter.js`);
const SYSTICK = 15;

function cache(sizes, offsets) {
  const look = cacheOf(JSON.parse(sizes));
  console.log(JSON.stringify(JSON.parse(offsets).map(look)));
}

function run(elf, code, place, spec, interrupts) {
  const { start, main, done, handler } = JSON.parse(place);
  const chip = new Chip(flashOf(elf));
  const { core, rp2040 } = chip;
  rp2040.flash.set(readFileSync(code), start - FLASH);
  core.VTOR = SRAM;
  rp2040.writeUint32(SRAM + 4 * SYSTICK, handler);
  core.SP = SRAM + 0x4000;
  core.PC = main;
  const write = count(chip, spec);
  let left = Number(interrupts);
  let next = 500;
  while (core.PC !== done) {
    if (left > 0 && core.cycles >= next) {
      --left;
      next += 500;
      core.pendingSystick = true;
      core.interruptsUpdated = true;
    }
    chip.run(core.cycles + 1);
  }
  write();
}

({ cache, run })[what](...rest);
