// Core 1 from its reset to its program: asleep in the boot ROM, which waits for 1, a vector table, a stack pointer
// and an entry (RP2040 datasheet 2.8.2), and sends each of them back. At reset, for each 0, and for anything else
// where it waits for the 1, the ROM empties core 1's FIFO, sends a 0 and begins anew.
// The ROM's instructions are not played, only what they do; each step is taken to last STEP_CYCLES.
const STEP_CYCLES = 40; // about what the ROM has between two words
const CORE = 1;
const [VALID, ROOM] = [1, 2]; // of the FIFO's status
const START = 1;
const WORDS = 3; // after the START

export class Core1Wait {
  #received = null; // words after the START; null: not yet one

  /** `launch(vectors, stack, entry)`: the ROM has gone to the program. `sev`: as the instruction. */
  constructor(fifos, clock, sev, launch) {
    this.fifos = fifos;
    this.sev = sev;
    this.launch = launch;
    this.asleep = false; // in the ROM, not in a program and not held in reset
    this.stepping = false; // at work between two words
    this.alarm = clock.createAlarm(() => this.#step());
  }

  /** From core 1's reset on. */
  start() {
    this.asleep = true;
    this.fifos.read(CORE); // the ROM does so before it looks: ROE is set from then on
    this.#begin();
  }

  /** Core 1 is held in reset. */
  stop() {
    this.asleep = false;
    this.stepping = false;
    this.alarm.cancel();
  }

  /** Somebody has sent an event. */
  event() {
    if (!this.asleep || this.stepping) return;
    this.stepping = true;
    this.alarm.schedule(STEP_CYCLES * 8);
  }

  #send(word) {
    this.fifos.write(CORE, word);
    this.sev();
  }

  #begin() {
    while (this.fifos.status(CORE) & VALID) this.fifos.read(CORE);
    this.#received = null;
    this.#send(0);
  }

  #step() {
    this.stepping = false;
    const status = this.fifos.status(CORE);
    if (!(status & VALID) || !(status & ROOM)) return; // until the next event
    const word = this.fifos.read(CORE);
    if (word === 0 || (this.#received === null && word !== START)) {
      this.#begin();
    } else if (this.#received === null) {
      this.#received = [];
      this.#send(word);
    } else {
      this.#received.push(word);
      if (this.#received.length === WORDS) {
        this.asleep = false;
        this.launch(...this.#received);
      }
      this.#send(word);
    }
    if (this.asleep) this.event(); // its own SEV: the next WFE does not sleep
  }
}
