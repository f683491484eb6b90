// Runs a program for both cores of the emulated RP2040, for test_rp2040_cores.py: node rp2040_cores.mjs EMULATOR ELF
// CODE PLACES STRIDE [SPEC]. ELF: a firmware whose second stage the ROM takes; CODE: the program's bytes; PLACES: JSON of the
// addresses `start`, of CODE's first byte, `entry`, `done` and `results`; STRIDE: cycles between two looks at it.
// SPEC: as counter.js wants it.
// Prints JSON: the words that core 0 has left at `results`, cycles of both cores, and how far they were apart while
// both ran; `asleep`: both cores sleep for good.
import { readFileSync } from 'node:fs';

const [folder, elf, code, places, stride, spec] = process.argv.slice(2);
const { Chip, FLASH, SRAM } = await import(`${folder}/chip.js`);
const { flashOf } = await import(`${folder}/image.js`);
const { start, entry, done, results } = JSON.parse(places);
const MOST_CYCLES = 200_000;

const chip = new Chip(flashOf(elf));
const { core, rp2040 } = chip;
rp2040.flash.set(readFileSync(code), start - FLASH);
core.VTOR = start;
core.SP = SRAM + 0x4000;
core.registers[7] = results;
core.PC = entry;
const writeCounts = spec ? (await import(`${folder}/counter.js`)).count(chip, spec) : () => {};
let apart = 0;
try {
  while (core.PC !== done && core.cycles < MOST_CYCLES && !chip.waiting) {
    chip.run(chip.cycles + Number(stride));
    if (chip.second && !core.waiting && !chip.second.core.waiting) {
      apart = Math.max(apart, Math.abs(core.cycles - chip.second.core.cycles));
    }
  }
} catch (error) {
  if (error.constructor.name !== 'LockUp') throw error;
  console.log(JSON.stringify({ lockUp: error.message }));
  process.exit(0);
}
writeCounts();
const words = [];
for (let at = results; at < core.registers[7]; at += 4) words.push(rp2040.readUint32(at));
const cycles = [core.cycles, chip.second?.core.cycles ?? null];
console.log(JSON.stringify({ words, cycles, apart, asleep: chip.waiting, done: core.PC === done }));
