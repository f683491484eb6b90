// Counts what a program on the chip does, for each mark that it calls (boards/common/marks.h) and for each function:
// instructions, cycles, and how often the flash had to be read. machine.js' option --count=FILE names a JSON file:
//   out        where the counts go when the emulator ends
//   marks      address of the first mark; count: how many there are
//   functions  addresses at which functions begin, ascending
//   cache      of the flash: {bytes, ways, line, fill}; null: it is not followed
// `out` gets JSON: [mark, function, instructions, cycles, fills] of each pair that ran. function: a place in
// `functions`, -1 outside of them. fills: reads of the flash, of `fill` bytes each.
//
// The cycles are rp2040js' and the one that it leaves out of a PUSH with LR. An interrupt's are those of mark 0,
// whatever it interrupts.
import { readFileSync, writeFileSync } from 'node:fs';
import { FLASH } from './chip.js';

const PUSH_LR = 0xb5; // the instruction's upper byte
const ALIAS = 0x01000000; // the flash is there four times: through the cache, and with less of it

/**
 * What a cache of two ways makes of a read at `offset` of the flash: 1 if the flash is read, 0 if not. It reads
 * `fill` bytes of a line; of the two lines in a set the one that was used longest ago makes room.
 */
export function cacheOf({ bytes, ways, line, fill }) {
  const parts = line / fill;
  if (ways !== 2 || ![1, 2, 4].includes(parts)) throw new Error('cache: want 2 ways, and 1, 2 or 4 fills in a line');
  const [lineBits, fillBits, sets] = [Math.log2(line), Math.log2(fill), bytes / ways / line];
  // Two for each set, the one used last first: a line's number, and 4 bits that say which parts of it are there.
  const entries = new Uint32Array(2 * sets);
  return (offset) => {
    const wanted = offset >>> lineBits;
    const at = (wanted & (sets - 1)) * 2;
    const part = 1 << ((offset >>> fillBits) & (parts - 1));
    let entry = entries[at];
    if (entry >>> 4 !== wanted) {
      const other = entries[at + 1];
      entries[at + 1] = entry;
      entry = other >>> 4 === wanted ? other : wanted << 4;
      entries[at] = entry;
    }
    if (entry & part) return 0;
    entries[at] = entry | part;
    return 1;
  };
}

/** For each half-word of the code: 1 + the place of the function that it is in, 0 outside of them. */
function functionsByAddress(functions, end) {
  const found = new Uint16Array(Math.max(0, end - FLASH) / 2);
  functions.forEach((start, i) => {
    const [from, to] = [start, functions[i + 1] ?? end].map((address) => Math.max(0, (address - FLASH) >> 1));
    found.fill(1 + i, from, to);
  });
  return found;
}

/** Counts on `chip` from now on; returns what writes the counts. `path`: of the option's file. */
export function count(chip, path) {
  const { out, marks, count: markCount, functions, cache } = JSON.parse(readFileSync(path, 'utf8'));
  const { core, clock, rp2040 } = chip;
  const { flash } = rp2040;
  const look = cache ? cacheOf(cache) : () => 0;
  // Functions elsewhere, in the SRAM say, are none of these.
  const inFlash = functions.filter((address) => address >= FLASH && address < FLASH + flash.length);
  const first = functions.indexOf(inFlash[0]);
  const codeEnd = Math.min(FLASH + flash.length, (inFlash.at(-1) ?? FLASH) + 0x10000);
  const functionOf = functionsByAddress(inFlash, codeEnd);
  const codeHalves = functionOf.length;
  const columns = inFlash.length + 1;
  const size = columns * Math.max(1, markCount);
  const [instructions, cycles, read] = [0, 0, 0].map(() => new Float64Array(size));
  const markStart = (marks - FLASH) >> 1;
  let row = 0; // of the mark that was called last: its first place in these
  let interrupted = 0; // handlers under way
  let rowBefore = 0; // that the outermost of them has interrupted
  let from = 0; // row of the instruction under way
  let at = 0; // its address
  let fills = 0; // what it read of the flash

  // One for each width, although they are alike: the core fetches with them, and this way they get compiled well.
  const { readUint8, readUint16, readUint32 } = Object.getPrototypeOf(core);
  const halves = new Uint16Array(flash.buffer, flash.byteOffset, flash.length / 2);
  const words = new Uint32Array(flash.buffer, flash.byteOffset, flash.length / 4);
  core.readUint8 = (address) => {
    const offset = (address - FLASH) >>> 0;
    if (offset < 4 * ALIAS) fills += offset < ALIAS ? look(offset) : 1;
    return offset < flash.length ? flash[offset] : readUint8.call(core, address);
  };
  core.readUint16 = (address) => {
    const offset = (address - FLASH) >>> 0;
    if (offset < 4 * ALIAS) fills += offset < ALIAS ? look(offset) : 1;
    return offset < flash.length && (offset & 1) === 0 ? halves[offset >>> 1] : readUint16.call(core, address);
  };
  core.readUint32 = (address) => {
    const offset = (address - FLASH) >>> 0;
    if (offset < 4 * ALIAS) fills += offset < ALIAS ? look(offset) : 1;
    return offset < flash.length && (offset & 3) === 0 ? words[offset >>> 2] : readUint32.call(core, address);
  };

  const enter = core.exceptionEntry;
  core.exceptionEntry = (number) => {
    if (interrupted++ === 0) rowBefore = row;
    row = 0;
    from = 0;
    enter(number);
    at = core.PC;
  };
  const leave = core.exceptionReturn.bind(core);
  core.exceptionReturn = (value) => {
    leave(value);
    if (--interrupted === 0) row = rowBefore;
  };

  chip.execute = (end) => {
    while (core.cycles < end && core.cycles < clock.due && !core.waiting) {
      const before = core.cycles;
      from = row;
      at = core.PC;
      core.executeInstruction();
      const half = (at - FLASH) >>> 1;
      let place = from;
      let spent = core.cycles - before;
      if (half < codeHalves) {
        place += functionOf[half];
        if (flash[(half << 1) + 1] === PUSH_LR) ++spent;
        if (half - markStart >>> 0 < markCount && interrupted === 0) row = (half - markStart) * columns;
      }
      ++instructions[place];
      cycles[place] += spent;
      if (fills !== 0) {
        read[place] += fills;
        fills = 0;
      }
    }
  };

  return () => {
    const rows = [];
    for (let i = 0; i < size; ++i) {
      if (instructions[i] === 0) continue;
      const place = i % columns;
      const name = place === 0 ? -1 : first + place - 1;
      rows.push([Math.floor(i / columns), name, instructions[i], cycles[i], read[i]]);
    }
    writeFileSync(out, JSON.stringify(rows));
  };
}
