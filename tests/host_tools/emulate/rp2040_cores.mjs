// Runs a program for both cores of the emulated RP2040, for test_rp2040_cores.py: node rp2040_cores.mjs EMULATOR ELF
// CODE PLACES. ELF: a firmware whose second stage the ROM takes; CODE: the program's bytes; PLACES: JSON of the
// addresses `start`, of CODE's first byte, `entry`, `done`, `results`, `from` and `until`. Prints JSON: the words that
// core 0 has left at `results`, cycles of both cores, how far they were apart while both ran, and the cycles of
// core 0 from its first arrival at `from` to `until`; `asleep`: core 0 sleeps for good.
import { readFileSync } from 'node:fs';

const [folder, elf, code, places] = process.argv.slice(2);
const { Chip, FLASH, SRAM } = await import(`${folder}/chip.js`);
const { flashOf } = await import(`${folder}/image.js`);
const { start, entry, done, results, from, until } = JSON.parse(places);
const MOST_CYCLES = 200_000;

const chip = new Chip(flashOf(elf));
const { core, rp2040 } = chip;
rp2040.flash.set(readFileSync(code), start - FLASH);
core.VTOR = start;
core.SP = SRAM + 0x4000;
core.registers[7] = results;
core.PC = entry;
let apart = 0;
let [began, took] = [0, 0];
try {
  while (core.PC !== done && core.cycles < MOST_CYCLES && !chip.waiting) {
    chip.run(chip.cycles + 1);
    if (chip.second && !core.waiting && !chip.second.core.waiting) {
      apart = Math.max(apart, Math.abs(core.cycles - chip.second.core.cycles));
    }
    if (core.PC === from && !began) began = core.cycles;
    if (core.PC === until && !took) took = core.cycles - began;
  }
} catch (error) {
  if (error.constructor.name !== 'LockUp') throw error;
  console.log(JSON.stringify({ lockUp: error.message }));
  process.exit(0);
}
const words = [];
for (let at = results; at < core.registers[7]; at += 4) words.push(rp2040.readUint32(at));
const cycles = [core.cycles, chip.second?.core.cycles ?? null];
console.log(JSON.stringify({ words, cycles, apart, took, asleep: chip.waiting, done: core.PC === done }));
