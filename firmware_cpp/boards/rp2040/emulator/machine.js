// An emulated Raspberry Pi Pico: node machine.js FIRMWARE SOCKET [FILE ADDRESS] [--count=FILE]
//   FIRMWARE  ELF or UF2
//   FILE      is in the flash, too, at ADDRESS, which may lie behind what a Pico has (16 MB in all)
//   SOCKET    file descriptor of a listening TCP socket; who connects holds the cable of UART 0
//   --count   counts what the program does, as FILE says (counter.js)
// Starts when the first client has connected; clients may come and go, one at a time. Bytes from the client
// wait until the receiver has room; what is sent while nobody is connected is lost, as on a cable. A core
// that sleeps costs no time of the host: its clock then goes with the wall's.
// Ends on SIGTERM with status 0; with 1 and a line on stderr when the firmware has locked the core up.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const CYCLES_PER_MS = 125_000;
const FEED_CYCLES = 20_000; // between two looks at the receiver; a byte takes 10,850 cycles at 115,200 baud
const SLICE_MS = 5; // then the sockets' turn
const MOST_WAITING = 65_536; // bytes from the client

/** UART 0's cable: one client at a time, the others wait for their turn. */
class Cable {
  #clients = [];
  #received = []; // chunks not yet in the receiver
  #at = 0; // first byte of the first chunk
  #waiting = 0;
  #sending = [];
  onData = () => {};

  plugIn(socket) {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#clients = this.#clients.filter((other) => other !== socket);
      this.#clients[0]?.resume();
    });
    socket.on('data', (chunk) => {
      this.#received.push(chunk);
      this.#waiting += chunk.length;
      if (this.#waiting > MOST_WAITING) socket.pause();
      this.onData();
    });
    this.#clients.push(socket);
    if (this.#clients[0] === socket) socket.resume();
  }

  send(byte) {
    this.#sending.push(byte);
  }

  flush() {
    if (this.#sending.length === 0) return;
    this.#clients[0]?.write(Buffer.from(this.#sending));
    this.#sending = [];
  }

  get empty() {
    return this.#waiting === 0;
  }

  /** As many bytes as the receiver has room for. */
  feed(uart) {
    if (!uart.enabled || !uart.rxEnabled) return;
    while (this.#waiting > 0 && !uart.rxFIFO.full) {
      const chunk = this.#received[0];
      uart.feedByte(chunk[this.#at++]);
      --this.#waiting;
      if (this.#at === chunk.length) {
        this.#received.shift();
        this.#at = 0;
        if (this.#waiting <= MOST_WAITING) this.#clients[0]?.resume();
      }
    }
  }
}

class Machine {
  #slept = null; // {timer, since} while the cores sleep

  constructor(chip, cable) {
    this.chip = chip;
    this.cable = cable;
    chip.uart.onByte = (byte) => cable.send(byte);
    cable.onData = () => this.#wake();
  }

  start() {
    setImmediate(() => this.#slice());
  }

  #slice() {
    const { chip, cable } = this;
    const end = performance.now() + SLICE_MS;
    do {
      cable.feed(chip.uart);
      chip.run(chip.core.cycles + FEED_CYCLES);
    } while (performance.now() < end && !(chip.waiting && cable.empty));
    cable.flush();
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
    this.#slice();
  }
}

function giveUp(message) {
  console.error(message);
  process.exit(1);
}

let writeCounts = () => {};
process.on('SIGTERM', () => {
  writeCounts();
  process.exit(0);
});
process.on('uncaughtException', (error) => giveUp(error.constructor.name === 'LockUp' ? error.message : error.stack));

const COUNT = '--count=';
const words = process.argv.slice(2);
const [firmware, socket, more, address] = words.filter((word) => !word.startsWith(COUNT));
const counting = words.find((word) => word.startsWith(COUNT))?.slice(COUNT.length);
if (!firmware || !/^\d+$/.test(socket ?? '')) giveUp('usage: node machine.js FIRMWARE SOCKET');
const { Chip, FLASH } = await import('./chip.js').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  giveUp('rp2040js is not installed; run: ./setup.sh');
});
const { flashOf } = await import('./image.js');

let chip;
try {
  chip = new Chip(flashOf(firmware), { verbose: Boolean(process.env.RP2040_VERBOSE) });
  if (more) chip.rp2040.flash.set(readFileSync(more), Number(address) - FLASH);
  if (counting) writeCounts = (await import('./counter.js')).count(chip, counting);
} catch (error) {
  giveUp(error.message);
}
const cable = new Cable();
const machine = new Machine(chip, cable);
let started = false;
createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
  cable.plugIn(client);
  if (!started) machine.start();
  started = true;
}).listen({ fd: Number(socket) });
