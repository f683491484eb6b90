// An emulated Raspberry Pi Pico: node machine.js FIRMWARE SOCKET [FILE ADDRESS] [OPTION ...]
//   FIRMWARE  ELF or UF2
//   FILE      is in the flash, too, at ADDRESS, which may lie behind what a Pico has (16 MB in all)
//   SOCKET    file descriptor of a listening TCP socket; who connects holds the cable of UART 0
//   --count=FILE         counts what the program does, as FILE says (counter.js)
//   --usb=SOCKET         plugs the Pico's own USB into a host (usb_host.js): who connects to this other socket
//                        has the serial port open that the host finds there
//   --usb-faults=SHARES  what happens to the packets: seed=1,refused=0.01,delayed=0.01 ... (usb_faults.js)
//   --usb-counts=FILE    writes at the end how many packets there were, and what happened to them
// Starts when the first client has connected; clients may come and go, one at a time. Bytes from the client
// wait until the receiver has room; what is sent while nobody is connected is lost, as on a cable. A core
// that sleeps costs no time of the host: its clock then goes with the wall's.
// Ends on SIGTERM with status 0; with 1 and a line on stderr when the firmware has locked the core up.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Cable } from './cable.js';

const CYCLES_PER_MS = 125_000;
const FEED_CYCLES = 20_000; // between two looks at the receiver; a byte takes 10,850 cycles at 115,200 baud
const SLICE_MS = 5; // then the sockets' turn

/** As many bytes as the receiver has room for. */
function feed(uart, cable) {
  if (!uart.enabled || !uart.rxEnabled) return;
  while (!cable.empty && !uart.rxFIFO.full) uart.feedByte(cable.take());
}

class Machine {
  #slept = null; // {timer, since} while the cores sleep

  /**
   * `restarted(chip)`: the chip that takes the place of one that was reset.
   * `usb`: the cable of the program that has the USB's serial port open; null: nothing is plugged in there.
   */
  constructor(chip, cable, usb, restarted) {
    this.chip = chip;
    this.cable = cable;
    this.usb = usb;
    this.restarted = restarted;
    cable.onData = () => this.#wake();
    this.#plugIn();
  }

  #plugIn() {
    this.chip.uart.onByte = (byte) => this.cable.send(byte);
    if (this.usb) this.#plugUsb();
  }

  #restart() {
    this.chip = this.restarted(this.chip);
    this.#plugIn();
  }

  #plugUsb() {
    const { usb } = this;
    const { host } = this.chip;
    host.onData = (bytes) => usb.send(...bytes);
    host.take = (most) => usb.takeMost(most);
    host.more = () => !usb.empty;
    const look = () => {
      host.open = usb.connected;
      this.#wake();
      host.kick();
    };
    usb.onData = look;
    usb.onClients = look;
  }

  start() {
    setImmediate(() => this.#slice());
  }

  #slice() {
    const { chip, cable } = this;
    const end = performance.now() + SLICE_MS;
    do {
      feed(chip.uart, cable);
      chip.run(chip.core.cycles + FEED_CYCLES);
    } while (performance.now() < end && !chip.restarting && !(chip.waiting && cable.empty));
    cable.flush();
    this.usb?.flush();
    if (chip.restarting) {
      this.#restart();
      setImmediate(() => this.#slice());
      return;
    }
    if (chip.waiting && cable.empty) this.#sleep();
    else if (chip.waiting && !chip.uart.enabled) setTimeout(() => this.#slice(), SLICE_MS);
    else setImmediate(() => this.#slice());
  }

  #sleep() {
    const { core, clock } = this.chip;
    const wait = (clock.due - core.cycles) / CYCLES_PER_MS;
    const timer = Number.isFinite(wait) ? setTimeout(() => this.#wake(), Math.max(1, wait)) : null;
    this.#slept = { timer, since: performance.now() };
  }

  #wake() {
    if (!this.#slept) return;
    const { timer, since } = this.#slept;
    this.#slept = null;
    clearTimeout(timer);
    const { core } = this.chip;
    this.chip.sleep(core.cycles + Math.round((performance.now() - since) * CYCLES_PER_MS));
    this.start();
  }
}

function giveUp(message) {
  console.error(message);
  process.exit(1);
}

let writeCounts = () => {};
let writeUsbCounts = () => {};
process.on('SIGTERM', () => {
  writeCounts();
  writeUsbCounts();
  process.exit(0);
});
process.on('uncaughtException', (error) => giveUp(error.constructor.name === 'LockUp' ? error.message : error.stack));

const words = process.argv.slice(2);
const [firmware, socket, more, address] = words.filter((word) => !word.startsWith('--'));
/** What stands behind --NAME=; undefined where it is not there. */
const option = (name) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
const counting = option('count');
const usbSocket = option('usb');
if (!firmware || !/^\d+$/.test(socket ?? '')) giveUp('usage: node machine.js FIRMWARE SOCKET');
const { Chip, FLASH } = await import('./chip.js').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  giveUp('rp2040js is not installed; run: ./setup.sh');
});
const { flashOf } = await import('./image.js');
const { UsbHost } = await import('./usb_host.js');
const { faultsOf } = await import('./usb_faults.js');

let chip;
try {
  chip = new Chip(flashOf(firmware), { verbose: Boolean(process.env.RP2040_VERBOSE) });
  if (more) chip.rp2040.flash.set(readFileSync(more), Number(address) - FLASH);
  chip.onLoader = () => giveUp('the firmware has restarted the Pico into its boot loader, as a port of 1200 baud asks');
  if (usbSocket) chip.host = new UsbHost(chip.usb, chip.clock, faultsOf(option('usb-faults') ?? 'seed=1'));
  const file = option('usb-counts');
  if (file) writeUsbCounts = () => writeFileSync(file, JSON.stringify(chip.host.faults.counts));
  if (counting) writeCounts = (await import('./counter.js')).count(chip, counting);
} catch (error) {
  giveUp(error.message);
}
const cables = { [socket]: new Cable(), ...(usbSocket && { [usbSocket]: new Cable() }) };
function restarted(old) {
  if (counting) giveUp('the firmware has restarted while it was counted');
  const fresh = old.restarted();
  if (old.host) fresh.host = new UsbHost(fresh.usb, fresh.clock, old.host.faults);
  chip = fresh;
  return fresh;
}
const machine = new Machine(chip, cables[socket], cables[usbSocket] ?? null, restarted);
let started = false;
for (const [descriptor, cable] of Object.entries(cables)) {
  createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
    cable.plugIn(client);
    if (!started) machine.start();
    started = true;
  }).listen({ fd: Number(descriptor) });
}
