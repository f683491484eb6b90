// Counts what a program on the chip does, for each mark that it calls (boards/common/marks.h) and for each function:
// instructions, cycles, and how often the flash had to be read. machine.js' option --count=FILE names a JSON file:
//   out        where the counts go when the emulator ends
//   marks      address of the first mark; count: how many there are
//   functions  addresses at which functions begin, ascending
//   cache      of the flash: {bytes, ways, line, fill}; null: it is not followed
// `out` gets JSON: [mark, function, instructions, cycles, fills] of each pair that ran. function: a place in
// `functions`, -1 outside of them, -2 for all that core 1 runs. fills: reads of the flash, of `fill` bytes each.
//
// The cycles are core 0's, those that it sleeps while core 1 runs among them, so core 1 has none: rp2040js' and the
// one that it leaves out of a PUSH with LR. An interrupt's are those of mark 0, whatever it interrupts. What core 1
// runs belongs to the mark that core 0 is at. Both cores read the flash through the same cache.
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

/** Counts on `chip` from now on; returns what writes the counts. `path`: of the option's file. */
export function count(chip, path) {
  const { out, marks, count: markCount, functions, cache } = JSON.parse(readFileSync(path, 'utf8'));
  const { core, clock, rp2040 } = chip;
  const { flash } = rp2040;
  const look = cache ? cacheOf(cache) : () => 0;
  const columns = functions.length + 2; // the first for what is in none, the last for core 1
  const size = columns * Math.max(1, markCount);
  const [instructions, cycles, read] = [0, 0, 0].map(() => new Float64Array(size));
  let row = 0; // of the mark that was called last: its first place in these
  let interrupted = 0; // handlers under way
  let rowBefore = 0; // that the outermost of them has interrupted
  // Of the stretch under way: all of it in one function, and for one mark.
  let start = 0; // where the function begins
  let bytes = 0;
  let place = 0;
  let since = 0; // in core.cycles
  let ran = 0;
  let more = 0; // cycles
  let fills = 0;
  let ranOnCore1 = 0;
  let fillsOfCore1 = 0;

  const settle = () => {
    instructions[place] += ran;
    cycles[place] += core.cycles - since + more;
    read[place] += fills;
    instructions[row + columns - 1] += ranOnCore1;
    read[row + columns - 1] += fillsOfCore1;
    since = core.cycles;
    ran = 0;
    more = 0;
    fills = 0;
    ranOnCore1 = 0;
    fillsOfCore1 = 0;
  };

  /** The last of `functions` that begins at or before `address`; -1: none. */
  const functionAt = (address) => {
    let low = 0;
    let high = functions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (functions[middle] <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };

  /** The core goes on in another function, or for another mark. */
  const move = (address) => {
    settle();
    const at = functionAt(address);
    start = at < 0 ? 0 : functions[at];
    bytes = (functions[at + 1] ?? 2 ** 32) - start;
    place = row + 1 + at;
    // A mark's only instruction is the last one that counts for the mark before.
    const mark = (address - marks) / 2;
    if (mark >= 0 && mark < markCount && interrupted === 0) row = mark * columns;
  };

  // Three that are alike, but each gets compiled for itself: the core fetches with the second.
  const { readUint8, readUint16, readUint32 } = Object.getPrototypeOf(core);
  const halves = new Uint16Array(flash.buffer, flash.byteOffset, flash.length / 2);
  const words = new Uint32Array(flash.buffer, flash.byteOffset, flash.length / 4);
  /** Follows what a core reads: `filled` is called for each read of the flash, `pushed` for a PUSH with LR. */
  const follow = (one, filled, pushed) => {
    let lastWord = -1; // that was fetched: it holds two instructions
    const access = (offset) => {
      if (offset < ALIAS ? look(offset) : offset < 4 * ALIAS) filled();
    };
    one.readUint8 = (address) => {
      const offset = (address - FLASH) >>> 0;
      access(offset);
      return offset < flash.length ? flash[offset] : readUint8.call(one, address);
    };
    one.readUint16 = (address) => {
      const offset = (address - FLASH) >>> 0;
      if (offset >>> 2 !== lastWord) {
        access(offset);
        lastWord = offset >>> 2;
      }
      if (offset >= flash.length || offset & 1) return readUint16.call(one, address);
      const value = halves[offset >>> 1];
      if (value >>> 8 === PUSH_LR && ((address ^ one.PC) & ~1) === 0) pushed(); // and not data
      return value;
    };
    one.readUint32 = (address) => {
      const offset = (address - FLASH) >>> 0;
      access(offset);
      return offset < flash.length && (offset & 3) === 0 ? words[offset >>> 2] : readUint32.call(one, address);
    };
  };
  follow(core, () => ++fills, () => ++more);
  chip.onLaunch = (second) => follow(second.core, () => ++fillsOfCore1, () => {});

  const enter = core.exceptionEntry;
  core.exceptionEntry = (number) => {
    --ran; // the instruction under way becomes the handler's first
    settle();
    if (interrupted++ === 0) rowBefore = row;
    row = 0;
    place = 0; // what the entry itself takes is no function's
    enter(number);
    move(core.PC);
    ++ran;
  };
  const leave = core.exceptionReturn.bind(core);
  core.exceptionReturn = (value) => {
    leave(value);
    if (--interrupted === 0) row = rowBefore;
    bytes = 0;
  };

  const onCore1 = (one, end) => {
    while (one.cycles < end && one.cycles < clock.due && !one.waiting && !chip.turn) {
      ++ranOnCore1;
      one.executeInstruction();
    }
  };
  chip.advance = (one, end) => {
    if (one !== core) return onCore1(one, end);
    while (core.cycles < end && core.cycles < clock.due && !core.waiting && !chip.turn) {
      const pc = core.PC;
      if ((pc - start) >>> 0 >= bytes) move(pc);
      ++ran;
      core.executeInstruction();
    }
  };
  const execute = chip.execute.bind(chip);
  chip.execute = (end) => {
    since = core.cycles;
    execute(end);
    settle();
  };

  return () => {
    const rows = [];
    for (let i = 0; i < size; ++i) {
      if (instructions[i] === 0 && cycles[i] === 0) continue;
      const column = i % columns;
      const name = column === columns - 1 ? -2 : column - 1;
      rows.push([Math.floor(i / columns), name, instructions[i], cycles[i], read[i]]);
    }
    writeFileSync(out, JSON.stringify(rows));
  };
}
