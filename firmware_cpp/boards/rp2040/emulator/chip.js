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
//   - USB: theirs moves packets without a host that asks for them (usb_device.js);
//   - boot ROM: theirs is empty; here it has the calls that restart into the USB loader and write the flash (boot_rom.js);
//   - core 1: theirs has none. Here it waits in the boot ROM until core 0 launches it (core1_wait.js), with an NVIC,
//     a SysTick, a divider and interpolators of its own, FIFOs between the cores (sio.js), and SEV and WFE. The core
//     that is behind in its own cycles goes next, core 0 if neither is: so each run is like the other.
// Known to remain: PUSH with LR counts one cycle too few and the flash is read without wait states (counter.js knows
// of both), exception return is free, there is no MPU and no TX FIFO, and the cores never wait for each other at a
// memory that both want.
import { RP2040 } from 'rp2040js';
import { useBootRom } from './boot_rom.js';
import { CycleClock } from './clock.js';
import { Core1Wait } from './core1_wait.js';
import { FlashRom } from './flash_rom.js';
import { LockUp, Processor, SRAM, wrap } from './processor.js';
import { Fifos, sioOfCore1, useFifos } from './sio.js';
import { UsbDevice } from './usb_device.js';

export { SRAM };
export const FLASH = 0x10000000;
const SECOND_STAGE = 0x20041f00; // where the boot ROM copies it to: RP2040 datasheet 2.8.1.3.1
const SECOND_STAGE_BYTES = 256;
const FIFO_INTERRUPTS = [15, 16]; // SIO_IRQ_PROC0 and 1, each to its core alone

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
const USB_PAGE = 0x50110;
const WATCHDOG_PAGE = 0x40058; // / 4096, too
const HELD = { 0x40014: 1 << 5, 0x4001c: 1 << 8, 0x4002c: 1 << 13, 0x40034: 1 << 22, [USB_PAGE]: 1 << 24 };

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

// Of PSM (datasheet 2.13).
const FRCE_OFF = 0x4;
const PROC1 = 1 << 16;

/** A chip with this flash (Uint8Array, from its first byte on), as the boot ROM leaves it to the second stage. */
export class Chip {
  constructor(flash, { port = new FlashPort(), verbose = false, theirUsb = false } = {}) {
    const clock = new CycleClock();
    this.rp2040 = new RP2040(clock);
    this.core = this.rp2040.core;
    this.clock = clock;
    this.rp2040.ppb.systickAlarm.enable = false; // their SysTick's
    this.port = port;
    this.verbose = verbose;
    this.second = null; // core 1's Processor, once it is launched
    this.held = false; // core 1, in reset
    this.turn = false; // something has happened that may give the other core its turn
    this.onLaunch = () => {};
    this.restarting = false; // the watchdog has reset the chip: what runs from now on is lost
    this.onLoader = () => {}; // the program has restarted into the boot ROM's USB loader: (pins, disabled)
    this.host = null; // at the USB cable: a UsbHost
    clock.core = this.core; // the one that is under way
    this.first = new Processor(this.rp2040, clock, { name: 'the core', verbose, onSend: () => this.#event() });
    this.rp2040.setInterrupt = (number, high) => {
      this.turn = this.second !== null;
      this.core.setInterrupt(number, high);
      this.second?.core.setInterrupt(number, high);
    };
    this.ssi = this.rp2040.peripherals[0x18000];
    useFlashPort(this.ssi, port);
    holdInReset(this.rp2040.peripherals);
    this.flashRom = new FlashRom(this.rp2040, this.ssi, port);
    useBootRom(this.rp2040, (...words) => this.onLoader(...words), this.flashRom);
    const resets = this.rp2040.peripherals[0x4000c];
    this.usb = theirUsb ? null : new UsbDevice(this.rp2040, clock, () => (resets.reset & HELD[USB_PAGE]) !== 0);
    const watchdog = this.rp2040.peripherals[WATCHDOG_PAGE];
    watchdog.onWatchdogTrigger = () => {
      this.restarting = true;
      watchdog.alarm.enable = false; // theirs would ring again and again in the same cycle
    };
    this.rp2040.flash.set(flash);
    this.#haveCore1();
    this.#boot();
  }

  /** The chip after the watchdog's reset: flash and SRAM hold what they held, and REASON says why. */
  restarted() {
    const { rp2040, port, verbose } = this;
    const chip = new Chip(rp2040.flash, { port, verbose, theirUsb: this.usb === null });
    const stage = SECOND_STAGE - SRAM;
    chip.rp2040.sram.set(rp2040.sram.subarray(0, stage));
    chip.rp2040.peripherals[WATCHDOG_PAGE].reason = rp2040.peripherals[WATCHDOG_PAGE].reason;
    chip.onLoader = this.onLoader;
    return chip;
  }

  get uart() {
    return this.rp2040.uart[0];
  }

  get #asleep() {
    return this.core.waiting && (this.second === null || this.second.core.waiting);
  }

  /** Something goes on although the cores sleep, and will wake one soon. */
  get #stepping() {
    return (this.second === null && this.wait.stepping) || this.host?.busy === true;
  }

  /** Nothing happens before an alarm or a byte: both cores sleep. */
  get waiting() {
    return this.#asleep && !this.#stepping;
  }

  /** How far the core is that is behind; one that sleeps is as far as the other. */
  get cycles() {
    return this.clock.core.cycles;
  }

  /** A core's instructions until `end`, an alarm, its sleep or `turn`; counter.js has one that counts. */
  advance(core, end) {
    const { clock } = this;
    while (core.cycles < end && core.cycles < clock.due && !core.waiting && !this.turn) core.executeInstruction();
  }

  /** Instructions until `end`, an alarm, or nobody is awake. */
  execute(end) {
    this.turn = false;
    if (this.second) this.#executeBoth(end);
    else this.advance(this.core, end);
  }

  #executeBoth(end) {
    const { first, second, clock } = this;
    const [a, b] = [first.core, second.core];
    while (this.second === second) {
      if (a.waiting) first.wakeIfPending();
      if (b.waiting) second.wakeIfPending();
      let next = a;
      let until = end; // of the one that is behind: as far as the other is
      if (a.waiting) {
        next = b;
      } else if (!b.waiting) {
        if (b.cycles < a.cycles) next = b;
        until = Math.min(end, next === a ? b.cycles + 1 : a.cycles);
      }
      clock.core = next;
      if (next.waiting || next.cycles >= end || next.cycles >= clock.due) break;
      this.turn = false;
      this.advance(next, until);
    }
    // Who sleeps grows older all the same.
    if (a.waiting && !b.waiting) a.cycles = Math.max(a.cycles, b.cycles);
    if (b.waiting && !a.waiting) b.cycles = Math.max(b.cycles, a.cycles);
    if (this.second !== second) clock.core = a;
  }

  /** Runs until `end` (in cycles of both cores) or until they sleep. */
  run(end) {
    const { clock } = this;
    for (;;) {
      this.execute(end);
      if (this.#asleep && this.#stepping) this.#pass(Math.min(end, Math.ceil(clock.due)));
      if (clock.core.cycles >= clock.due) clock.ring();
      this.first.wakeIfPending();
      this.second?.wakeIfPending();
      if (this.waiting || this.cycles >= end) return;
    }
  }

  /** The cores, which sleep, are as old as `cycle`. */
  #pass(cycle) {
    this.clock.core = this.core;
    this.core.cycles = Math.max(this.core.cycles, cycle);
    if (this.second) this.second.core.cycles = Math.max(this.second.core.cycles, this.core.cycles);
  }

  /** The cores sleep on until `cycle`, or until an alarm wakes one. */
  sleep(cycle) {
    const { core, clock } = this;
    clock.core = core;
    while (this.waiting && core.cycles < cycle) {
      this.#pass(Math.min(cycle, Math.ceil(clock.due)));
      clock.ring();
      this.first.wakeIfPending();
      this.second?.wakeIfPending();
    }
  }

  #event() {
    const now = this.clock.core.cycles;
    this.turn = this.second !== null;
    this.first.event(now);
    this.second?.event(now);
    this.wait.event();
  }

  #haveCore1() {
    const { rp2040, clock } = this;
    this.fifos = new Fifos((core) => {
      const processor = core ? this.second : this.first;
      this.turn = this.second !== null;
      processor?.core.setInterrupt(FIFO_INTERRUPTS[core], this.fifos.interrupt(core));
    });
    useFifos(rp2040.sio, this.fifos);
    const event = () => this.#event();
    this.wait = new Core1Wait(this.fifos, clock, event, (...words) => this.#launch(...words));
    wrap(rp2040.peripherals[0x40010], 'writeUint32', (original) => (offset, value) => {
      original(offset, value);
      const off = (value & PROC1) !== 0;
      if (offset !== FRCE_OFF || off === this.held) return;
      this.held = off;
      this.turn = this.second !== null;
      this.second = null;
      if (off) this.wait.stop();
      else this.wait.start();
    });
    this.wait.start();
  }

  #launch(vectors, stack, entry) {
    const { rp2040, clock, verbose } = this;
    // All that the core asks of the chip goes by its bus: this one has a few things of its own.
    const bus = Object.create(rp2040);
    bus.core = new this.core.constructor(bus);
    bus.ppb = Object.assign(Object.create(Object.getPrototypeOf(rp2040.ppb)), { rp2040: bus, name: 'PPB' });
    bus.sio = sioOfCore1(rp2040.sio, this.fifos, bus);
    const second = new Processor(bus, clock, { name: 'core 1', verbose, onSend: () => this.#event() });
    const { core } = second;
    second.levels = this.first.levels & ~(1 << FIFO_INTERRUPTS[0]);
    core.pendingInterrupts = second.levels;
    core.VTOR = vectors;
    core.SP = stack;
    core.PC = entry & ~1;
    core.cycles = clock.core.cycles;
    if (!(entry & 1)) {
      second.fault = { pc: core.PC, why: 'an entry without bit 0, the mark of Thumb' };
      core.interruptsUpdated = true;
    }
    this.second = second;
    this.onLaunch(second);
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
}
