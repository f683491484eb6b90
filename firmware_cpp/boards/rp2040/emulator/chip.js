// The RP2040 of rp2040js 1.4.1, corrected where a firmware of ours would see it differ from the chip:
//   - time is core.cycles, at 8 ns each (125 MHz): alarms fire at their cycle, without a call per instruction;
//   - SysTick: theirs skips one cycle at each reload; this one follows ARMv6-M (DDI 0419E) B3.3 to the cycle;
//   - NVIC: an interrupt that software has made pending stays so for ever; here entry clears it (B3.4);
//   - WFI with PRIMASK set: theirs enters the handler at once, and sleeps through what was pending before;
//     here it only wakes, as the instruction's description says;
//   - entering an exception takes 15 cycles (Cortex-M0+ technical reference manual), theirs none;
//   - undefined instructions and bus errors: a HardFault, or lock-up within one, not a line in a log. What a
//     HardFault cannot push, because the stack has run out of the memory, is lost, and the handler runs;
//   - RESETS: theirs holds nothing; here UART 0 and the pins' banks begin in reset, read 0 there and take no
//     writes (datasheet 2.14);
//   - SSI: a W25Q16JV answers on the QSPI pins, so that the second stage finds what it finds on a Pico.
// Known to remain: PUSH with LR counts one cycle too few and the flash is read without wait states (counter.js knows
// of both), exception return is free, there is no MPU and no TX FIFO, and one core.
import { RP2040 } from 'rp2040js';

export const FLASH = 0x10000000;
export const SRAM = 0x20000000;
const SECOND_STAGE = 0x20041f00; // where the boot ROM copies it to: RP2040 datasheet 2.8.1.3.1
const SECOND_STAGE_BYTES = 256;
const NANOS_PER_CYCLE = 8;
const HARD_FAULT = 3;
const EXCEPTION_ENTRY_CYCLES = 15;

export class LockUp extends Error {}

/** rp2040js' clock, whose time is the core's cycles. `due`: cycle of the next alarm. */
class CycleClock {
  core = null;
  due = Infinity;
  #alarms = new Set(); // those that are scheduled: two or three

  get nanos() {
    return this.core ? this.core.cycles * NANOS_PER_CYCLE : 0;
  }

  get micros() {
    return this.nanos / 1000;
  }

  createAlarm(callback) {
    const alarm = { cycle: 0, callback };
    alarm.schedule = (nanos) => {
      alarm.cycle = Math.ceil((this.nanos + nanos) / NANOS_PER_CYCLE);
      this.#alarms.add(alarm);
      this.#update();
    };
    alarm.cancel = () => {
      this.#alarms.delete(alarm);
      this.#update();
    };
    return alarm;
  }

  /** Rings what is due, the earliest first. */
  ring() {
    while (this.due <= this.core.cycles) {
      for (const alarm of this.#alarms) {
        if (alarm.cycle !== this.due) continue;
        this.#alarms.delete(alarm);
        alarm.callback();
        break;
      }
      this.#update();
    }
  }

  #update() {
    this.due = Infinity;
    for (const { cycle } of this.#alarms) this.due = Math.min(this.due, cycle);
  }
}

/** SysTick, ARMv6-M B3.3: counts down at the core's clock, from 0 to the reload value in one more cycle. */
class SysTick {
  constructor(core, clock) {
    this.core = core;
    this.control = 0;
    this.reload = 0;
    this.value = 0; // at cycle `since`
    this.since = 0;
    this.flag = false;
    this.alarm = clock.createAlarm(() => this.#reachedZero());
  }

  #now() {
    if (!(this.control & 1)) return this.value;
    const passed = this.core.cycles - this.since;
    if (passed <= this.value) return this.value - passed;
    if (this.reload === 0) return 0;
    return this.reload - ((passed - this.value - 1) % (this.reload + 1));
  }

  #restart(value) {
    this.value = value;
    this.since = this.core.cycles;
    this.alarm.cancel();
    // A counter at 0 takes a cycle to load, and raises nothing before it has counted down again.
    const toZero = value > 0 ? value : this.reload + 1;
    if (this.control & 1 && (value > 0 || this.reload > 0)) this.alarm.schedule(toZero * NANOS_PER_CYCLE);
  }

  #reachedZero() {
    this.flag = true;
    if (this.control & 2) {
      this.core.pendingSystick = true;
      this.core.interruptsUpdated = true;
    }
    this.since += this.value > 0 ? this.value : this.reload + 1;
    this.value = 0;
    if (this.reload === 0) return;
    const next = this.since + this.reload + 1;
    this.alarm.schedule(Math.max(0, next - this.core.cycles) * NANOS_PER_CYCLE);
  }

  read(offset) {
    if (offset === 0x14) return this.reload;
    if (offset === 0x18) return this.#now();
    const control = this.control | 4 | (this.flag ? 1 << 16 : 0);
    this.flag = false;
    return control;
  }

  write(offset, value) {
    if (offset === 0x14) {
      const now = this.#now();
      this.reload = value & 0xffffff;
      this.#restart(now);
    } else if (offset === 0x18) {
      this.flag = false;
      this.#restart(0);
    } else {
      const now = this.#now();
      this.control = value & 3;
      this.#restart(now);
    }
  }
}

/** What the SSI (datasheet 4.10) and a W25Q16JV say to the commands of the second stage. */
export class FlashPort {
  /** `id`: reply to 9Fh; `status2`: reply to 35h, bit 1 is QE. */
  constructor(id = [0xef, 0x40, 0x15], status2 = 0x02) {
    this.answers = { 0x9f: id, 0x35: [status2], 0x05: [0] };
    this.received = [];
    this.left = []; // of the answer to the command under way
    this.sent = []; // everything that was ever written to DR0
  }

  transfer(value, enabled) {
    this.sent.push(value);
    if (!enabled) return;
    // All of a command has been read back: chip select went up, the next byte is a command again.
    if (this.received.length === 0) {
      this.left = [...(this.answers[value & 0xff] ?? [])];
      this.received.push(0xff);
    } else {
      this.received.push(this.left.shift() ?? 0xff);
    }
  }
}

/** Replaces what `object` does at `name`; `make` gets the original, bound. */
function wrap(object, name, make) {
  object[name] = make(object[name].bind(object));
}

function useFlashPort(ssi, port) {
  const DR0 = 0x60;
  const SR = 0x28;
  const SER = 0x10;
  wrap(ssi, 'readUint32', (original) => (offset) => {
    if (offset === DR0) return port.received.shift() ?? 0;
    if (offset === SR) return 0x6 | (port.received.length ? 0x8 : 0); // TFE, TFNF, RFNE; never busy
    if (offset === SER) return 1;
    return original(offset);
  });
  wrap(ssi, 'writeUint32', (original) => (offset, value) => {
    if (offset === SER) return;
    if (offset === DR0) port.transfer(value, ssi.ssienr & 1);
    else original(offset, value);
    if (!(ssi.ssienr & 1)) port.received.length = 0; // disabling empties the FIFOs: 4.10.13, SSIENR
  });
}

// Of RESETS (datasheet 2.14.3): the peripherals' addresses / 4096, and their bits.
const HELD = { 0x40014: 1 << 5, 0x4001c: 1 << 8, 0x40034: 1 << 22 };

function holdInReset(peripherals) {
  const resets = peripherals[0x4000c];
  const RESET_DONE = 0x8;
  resets.reset = Object.values(HELD).reduce((all, bit) => all | bit, 0);
  wrap(resets, 'readUint32', (original) => (offset) =>
    offset === RESET_DONE ? ~resets.reset & 0x1ffffff : original(offset));
  for (const [page, bit] of Object.entries(HELD)) {
    const held = () => (resets.reset & bit) !== 0;
    wrap(peripherals[page], 'readUint32', (original) => (offset) => (held() ? 0 : original(offset)));
    wrap(peripherals[page], 'writeUint32', (original) => (offset, value) => {
      if (!held()) original(offset, value);
    });
  }
}

/** CRC-32 as the boot ROM has it: RP2040 datasheet 2.8.1.3.1. */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; ++bit) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** A chip with this flash (Uint8Array, from its first byte on), as the boot ROM leaves it to the second stage. */
export class Chip {
  constructor(flash, { port = new FlashPort(), verbose = false } = {}) {
    const clock = new CycleClock();
    this.rp2040 = new RP2040(clock);
    this.core = this.rp2040.core;
    this.clock = clock;
    this.rp2040.ppb.systickAlarm.enable = false; // their SysTick's
    this.port = port;
    this.verbose = verbose;
    this.levels = 0; // interrupt lines that peripherals hold high
    this.fault = null; // {pc, why} of the instruction under way
    this.entering = false;
    clock.core = this.core;
    this.systick = new SysTick(this.core, clock);
    this.#useOwnSysTick();
    this.#correctInterrupts();
    this.#raiseFaults();
    this.#hurry();
    this.ssi = this.rp2040.peripherals[0x18000];
    useFlashPort(this.ssi, port);
    holdInReset(this.rp2040.peripherals);
    this.rp2040.flash.set(flash);
    this.#boot();
  }

  get uart() {
    return this.rp2040.uart[0];
  }

  /** Instructions until `end`, an alarm or sleep; counter.js has one that counts. */
  execute(end) {
    const { core, clock } = this;
    while (core.cycles < end && core.cycles < clock.due && !core.waiting) core.executeInstruction();
  }

  /** Runs until `end` (in core.cycles) or until the core sleeps. */
  run(end) {
    const { core, clock } = this;
    for (;;) {
      this.execute(end);
      if (core.cycles >= clock.due) clock.ring();
      if (core.waiting && this.#wakes()) core.waiting = false;
      if (core.waiting || core.cycles >= end) return;
    }
  }

  /** The core sleeps on until `cycle`, or until an alarm wakes it. */
  sleep(cycle) {
    const { core, clock } = this;
    while (core.waiting && core.cycles < cycle) {
      core.cycles = Math.max(core.cycles, Math.min(cycle, Math.ceil(clock.due)));
      clock.ring();
      if (this.#wakes()) core.waiting = false;
    }
  }

  #wakes() {
    const { core } = this;
    const pending = core.pendingInterrupts & core.enabledInterrupts;
    return pending !== 0 || core.pendingSystick || core.pendingPendSV || core.pendingNMI;
  }

  #boot() {
    const { core, rp2040 } = this;
    const stage = rp2040.flash.slice(0, SECOND_STAGE_BYTES);
    const stored = new DataView(stage.buffer).getUint32(SECOND_STAGE_BYTES - 4, true);
    const wanted = crc32(stage.subarray(0, SECOND_STAGE_BYTES - 4));
    if (stored !== wanted) {
      const hex = (value) => `0x${value.toString(16).padStart(8, '0')}`;
      throw new LockUp(`second stage: CRC-32 is ${hex(stored)}, the boot ROM wants ${hex(wanted)}`);
    }
    rp2040.sram.set(stage, SECOND_STAGE - SRAM);
    core.VTOR = 0;
    core.cycles = 0;
    core.LR = 0;
    core.PC = SECOND_STAGE;
  }

  #useOwnSysTick() {
    const { ppb } = this.rp2040;
    const ours = (offset) => offset === 0x10 || offset === 0x14 || offset === 0x18;
    wrap(ppb, 'readUint32', (original) => (offset) =>
      ours(offset) ? this.systick.read(offset) : original(offset));
    wrap(ppb, 'writeUint32', (original) => (offset, value) =>
      ours(offset) ? this.systick.write(offset, value) : original(offset, value));
  }

  #correctInterrupts() {
    const { core, rp2040 } = this;
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
    wrap(rp2040.ppb, 'writeUint32', (original) => (offset, value) => {
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
  #raiseFaults() {
    const { core, rp2040 } = this;
    const note = (why) => {
      if (this.fault || this.entering) return;
      this.fault = { pc: core.PC - 2, why };
      core.interruptsUpdated = true;
    };
    rp2040.onBreak = () => note('undefined instruction or breakpoint');
    const quiet = () => {};
    const warn = (who, what) => {
      if (who === 'RP2040' || who === 'CortexM0Core') note(what);
      else if (this.verbose) console.error(`${who}: ${what}`);
    };
    rp2040.logger = { debug: quiet, info: quiet, warn, error: warn };
    wrap(core, 'checkForInterrupts', (original) => () => {
      if (!this.fault) return original();
      const { pc, why } = this.fault;
      if (core.IPSR === 2 || core.IPSR === HARD_FAULT) {
        throw new LockUp(`the core has locked up: a fault in the fault handler, at pc=0x${pc.toString(16)}: ${why}`);
      }
      core.PC = pc;
      core.exceptionEntry(HARD_FAULT);
      this.fault = null;
      return true;
    });
  }

  // SRAM first: rp2040js looks each address up among the peripherals before.
  #hurry() {
    const { rp2040 } = this;
    const { sram, sramView } = rp2040;
    const bytes = sram.length;
    const word = (original) => (address, value) => {
      const at = (address >>> 0) - SRAM;
      if (at >= 0 && at <= bytes - 4 && (at & 3) === 0) sramView.setUint32(at, value, true);
      else original(address, value);
    };
    wrap(rp2040, 'writeUint32', word);
  }
}
