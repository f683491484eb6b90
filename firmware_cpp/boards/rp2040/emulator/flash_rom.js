// Of the boot ROM the functions that write the flash (RP2040 datasheet 2.8.3.1.3), and the flash as they leave it: away.
// From flash_exit_xip() on nothing can be read from it, by either core, until the SSI is set up for that again.
import { LockUp, wrap } from './processor.js';

const FLASH = 0x10000000;
const FLASH_END = 0x15000000; // with its aliases past the cache
const READS = ['readUint8', 'readUint16', 'readUint32'];
const SECTOR = 4096;
const PAGE = 256;
// W25Q16JV data sheet, 9.6: typical times, in cycles at 125 MHz.
const ERASE_CYCLES = 45 * 125_000;
const PROGRAM_CYCLES = 50_000;
// SPI_CTRLR0 of second_stage.cc: four lines in continuous read, which EBh and the mode A0h begin; or one line, 03h.
const QUAD = 0xa0002022;
const SERIAL = 0x03000218;
const hex = (value) => `0x${(value >>> 0).toString(16)}`;

/** `port`: the chip's FlashPort. `calls`: names of the functions that were called, for tests. */
export class FlashRom {
  constructor(rp2040, ssi, port) {
    this.rp2040 = rp2040;
    this.ssi = ssi;
    this.port = port;
    this.calls = [];
    this.originals = null; // of the reads, while the flash is away
    wrap(ssi, 'writeUint32', (original) => (offset, value) => {
      original(offset, value);
      this.#look();
    });
  }

  get away() {
    return this.originals !== null;
  }

  /** The function of these two letters, with what is in the registers. Returns false: there is none. */
  call(name, [a, b, c, d]) {
    const functions = {
      IF: () => {},
      EX: () => this.#goAway(),
      RE: () => this.#erase(a >>> 0, b >>> 0, c >>> 0, d >>> 0),
      RP: () => this.#program(a >>> 0, b >>> 0, c >>> 0),
      FC: () => {},
    };
    if (!functions[name]) return false;
    this.calls.push(name);
    functions[name]();
    return true;
  }

  #goAway() {
    if (this.away) return;
    const { rp2040 } = this;
    this.port.sent.length = 0;
    this.originals = Object.fromEntries(READS.map((name) => [name, rp2040[name]]));
    for (const name of READS) {
      const original = rp2040[name].bind(rp2040);
      rp2040[name] = (address) => {
        const at = address >>> 0;
        if (at >= FLASH && at < FLASH_END) throw new LockUp(`${hex(at)} is read while the flash is away`);
        return original(address);
      };
    }
  }

  #look() {
    const { ssi, port, rp2040 } = this;
    if (!this.away || !(ssi.ssienr & 1)) return;
    const mode = ssi.spictlr0 >>> 0;
    const begun = port.sent.length === 2 && port.sent[0] === 0xeb && port.sent[1] === 0xa0;
    if (mode !== SERIAL && !(mode === QUAD && begun)) return;
    for (const name of READS) rp2040[name] = this.originals[name];
    this.originals = null;
  }

  #check(what, offset, count, unit) {
    if (!this.away) throw new LockUp(`${what} while the flash is read as memory`);
    if (offset % unit || count % unit || offset + count > this.rp2040.flash.length) {
      throw new LockUp(`${what} of ${count} bytes at ${hex(offset)}: want whole ${unit}`);
    }
  }

  #erase(offset, count, block, command) {
    this.#check('erase', offset, count, SECTOR);
    if (block !== 65536 || command !== 0xd8) throw new LockUp(`erase with blocks of ${block} by ${hex(command)}`);
    this.rp2040.flash.fill(0xff, offset, offset + count);
    this.rp2040.core.cycles += (count / SECTOR) * ERASE_CYCLES;
  }

  #program(offset, data, count) {
    this.#check('program', offset, count, PAGE);
    const { flash, core } = this.rp2040;
    for (let i = 0; i < count; ++i) flash[offset + i] &= this.rp2040.readUint8(data + i);
    core.cycles += (count / PAGE) * PROGRAM_CYCLES;
  }
}
