// A CortexM0Core of rp2040js on its bus, corrected: interrupts, faults, SysTick, events. chip.js says why.
import { SysTick } from './clock.js';

export const SRAM = 0x20000000;
const HARD_FAULT = 3;
const EXCEPTION_ENTRY_CYCLES = 15;
const WFE = 0xbf20;

export class LockUp extends Error {}

/** Replaces what `object` does at `name`; `make` gets the original, bound. */
export function wrap(object, name, make) {
  object[name] = make(object[name].bind(object));
}

export class Processor {
  /**
   * `bus`: the RP2040 of rp2040js as this core sees it, with this `core`, and a ppb and a sio that are its alone.
   * `name`: for messages. `onSend`: what SEV does.
   */
  constructor(bus, clock, { name, verbose, onSend }) {
    this.bus = bus;
    this.core = bus.core;
    this.clock = clock;
    this.name = name;
    this.levels = 0; // interrupt lines that peripherals hold high
    this.fault = null; // {pc, why} of the instruction under way
    this.entering = false;
    this.systick = new SysTick(this.core, clock);
    this.#useOwnSysTick();
    this.#correctInterrupts();
    this.#raiseFaults(verbose, onSend);
    this.#hurry();
  }

  /** Ends the sleep if what is pending does. */
  wakeIfPending() {
    const { core } = this;
    if (!core.waiting) return;
    const interrupts = (core.pendingInterrupts & core.enabledInterrupts) !== 0;
    if (!interrupts && !core.pendingSystick && !core.pendingPendSV && !core.pendingNMI) return;
    // What PRIMASK keeps back ends a WFI, but is no event for a WFE (B1.5.18).
    if (core.PM && !core.pendingNMI && this.#inWfe()) return;
    core.waiting = false;
  }

  /** An event of the other core's, or its own: ends a WFE, or the next one does not sleep. `now`: in cycles. */
  event(now) {
    const { core } = this;
    if (core.waiting && this.#inWfe()) {
      core.waiting = false;
      core.cycles = Math.max(core.cycles, now);
    } else {
      core.eventRegistered = true;
    }
  }

  /** The instruction that the core sleeps in. */
  #inWfe() {
    return this.core.readUint16((this.core.PC & ~1) - 2) === WFE;
  }

  #useOwnSysTick() {
    const { ppb } = this.bus;
    const ours = (offset) => offset === 0x10 || offset === 0x14 || offset === 0x18;
    wrap(ppb, 'readUint32', (original) => (offset) =>
      ours(offset) ? this.systick.read(offset) : original(offset));
    wrap(ppb, 'writeUint32', (original) => (offset, value) =>
      ours(offset) ? this.systick.write(offset, value) : original(offset, value));
  }

  #correctInterrupts() {
    const { core, bus } = this;
    core.setInterrupt = (number, high) => {
      const bit = 1 << number;
      if (high) {
        this.levels |= bit;
        core.pendingInterrupts |= bit;
        core.interruptsUpdated = true;
      } else {
        this.levels &= ~bit;
        core.pendingInterrupts &= ~bit;
      }
    };
    const kClearPending = 0x280;
    wrap(bus.ppb, 'writeUint32', (original) => (offset, value) => {
      if (offset === kClearPending) core.pendingInterrupts &= ~value | this.levels;
      else original(offset, value);
    });
    wrap(core, 'exceptionEntry', (original) => (number) => {
      if (number >= 16) core.pendingInterrupts &= ~(1 << (number - 16)) | this.levels;
      core.cycles += EXCEPTION_ENTRY_CYCLES;
      this.entering = true;
      original(number);
      this.entering = false;
    });
  }

  // A fault is noted while the instruction runs, and taken where the core looks for interrupts: before the next.
  #raiseFaults(verbose, onSend) {
    const { core, bus, name } = this;
    const note = (why) => {
      if (this.fault || this.entering) return;
      this.fault = { pc: core.PC - 2, why };
      core.interruptsUpdated = true;
    };
    bus.onBreak = () => note('undefined instruction or breakpoint');
    const quiet = () => {};
    // All that rp2040js does for a SEV is to say so.
    const info = (who, what) => {
      if (what === 'SEV' && who === 'CortexM0Core') onSend();
    };
    const warn = (who, what) => {
      if (who === 'RP2040' || who === 'CortexM0Core') note(what);
      else if (verbose) console.error(`${who}: ${what}`);
    };
    bus.logger = { debug: quiet, info, warn, error: warn };
    wrap(core, 'checkForInterrupts', (original) => () => {
      if (!this.fault) return original();
      const { pc, why } = this.fault;
      if (core.IPSR === 2 || core.IPSR === HARD_FAULT) {
        throw new LockUp(`${name} has locked up: a fault in the fault handler, at pc=0x${pc.toString(16)}: ${why}`);
      }
      core.PC = pc;
      core.exceptionEntry(HARD_FAULT);
      this.fault = null;
      return true;
    });
  }

  // SRAM first: rp2040js looks each address up among the peripherals before.
  #hurry() {
    const { bus } = this;
    const { sram, sramView } = bus;
    const bytes = sram.length;
    const slow = bus.constructor.prototype.writeUint32.bind(bus);
    bus.writeUint32 = (address, value) => {
      const at = (address >>> 0) - SRAM;
      if (at >= 0 && at <= bytes - 4 && (at & 3) === 0) sramView.setUint32(at, value, true);
      else slow(address, value);
    };
  }
}
