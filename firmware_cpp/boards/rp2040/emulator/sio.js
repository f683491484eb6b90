// What the cores have in the SIO each for itself (RP2040 datasheet 2.3.1): CPUID, divider, interpolators, and the
// two FIFOs through which they pass words.
import { wrap } from './processor.js';

const CPUID = 0x00;
const FIFO_ST = 0x50;
const FIFO_WR = 0x54;
const FIFO_RD = 0x58;
const OWN_FIRST = 0x60; // divider and interpolators
const OWN_LAST = 0xff;
const DEPTH = 8;
const [VLD, RDY, WOF, ROE] = [1, 2, 4, 8]; // of FIFO_ST; the last two stay until they are written with 1

/** Words on their way, 8 each way. A core is 0 or 1. */
export class Fifos {
  #to = [[], []]; // by the core that receives
  #errors = [0, 0]; // WOF and ROE of a core

  /** `onChange(core)`: its status has changed. */
  constructor(onChange) {
    this.onChange = onChange;
  }

  status(core) {
    const valid = this.#to[core].length > 0 ? VLD : 0;
    return valid | (this.#to[1 - core].length < DEPTH ? RDY : 0) | this.#errors[core];
  }

  /** Whether the core's interrupt is raised. */
  interrupt(core) {
    return (this.status(core) & (VLD | WOF | ROE)) !== 0;
  }

  clear(core, bits) {
    this.#errors[core] &= ~bits;
    this.onChange(core);
  }

  /** From `core` to the other one. */
  write(core, word) {
    const queue = this.#to[1 - core];
    if (queue.length < DEPTH) queue.push(word >>> 0);
    else this.#errors[core] |= WOF;
    this.onChange(core);
    this.onChange(1 - core);
  }

  read(core) {
    const queue = this.#to[core];
    if (queue.length === 0) this.#errors[core] |= ROE;
    const word = queue.shift() ?? 0;
    this.onChange(core);
    this.onChange(1 - core);
    return word;
  }
}

function readOwn(fifos, core, offset) {
  if (offset === CPUID) return core;
  if (offset === FIFO_ST) return fifos.status(core);
  if (offset === FIFO_RD) return fifos.read(core);
  return undefined;
}

function writeOwn(fifos, core, offset, value) {
  if (offset === FIFO_ST) fifos.clear(core, value);
  else if (offset === FIFO_WR) fifos.write(core, value);
  else return false;
  return true;
}

/** Gives rp2040js' SIO, which is core 0's, its end of the FIFOs. */
export function useFifos(sio, fifos) {
  wrap(sio, 'readUint32', (original) => (offset) => readOwn(fifos, 0, offset) ?? original(offset));
  wrap(sio, 'writeUint32', (original) => (offset, value) => {
    if (!writeOwn(fifos, 0, offset, value)) original(offset, value);
  });
}

/** The SIO as core 1 sees it: pins and spinlocks are those of core 0's. `bus`: core 1's. */
export function sioOfCore1(shared, fifos, bus) {
  const own = new shared.constructor(bus);
  const of = (offset) => (offset >= OWN_FIRST && offset <= OWN_LAST ? own : shared);
  return {
    readUint32: (offset) => readOwn(fifos, 1, offset) ?? of(offset).readUint32(offset),
    writeUint32: (offset, value) => {
      if (!writeOwn(fifos, 1, offset, value)) of(offset).writeUint32(offset, value);
    },
  };
}
