// What may go wrong with a packet, by a generator with a seed: each run is like the other.

/** A number of 0 to below 1 at each call: xorshift32 (Marsaglia, 2003). */
export function generator(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const MOST_DELAY_NANOS = 5_000_000;

/**
 * `refused`, `delayed`, `unheard`, `lost`: shares of the packets that are refused as by a NAK, come up to 5 ms later,
 * have an acknowledgement that does not arrive, or vanish although they have been acknowledged, which no bus does.
 */
export class Faults {
  counts = { packets: 0, refused: 0, delayed: 0, unheard: 0, lost: 0 };
  #random;
  #shares;

  constructor({ seed = 1, refused = 0, delayed = 0, unheard = 0, lost = 0 } = {}) {
    this.#random = generator(seed);
    this.#shares = Object.entries({ refused, delayed, unheard, lost });
  }

  /** What happens to the next packet: one of the names, or ''. */
  next() {
    ++this.counts.packets;
    let at = this.#random();
    for (const [name, share] of this.#shares) {
      if (at < share) {
        ++this.counts[name];
        return name;
      }
      at -= share;
    }
    return '';
  }

  delayNanos() {
    return this.#random() * MOST_DELAY_NANOS;
  }
}

/** Of the command line: NAME=NUMBER,... Error: another name, or no number. */
export function faultsOf(text) {
  const found = {};
  for (const part of text.split(',')) {
    const [name, number] = part.split('=');
    if (!['seed', 'refused', 'delayed', 'unheard', 'lost'].includes(name) || !(Number(number) >= 0)) {
      throw new Error(`${part}: want seed=, refused=, delayed=, unheard= or lost= and a number`);
    }
    found[name] = Number(number);
  }
  return new Faults(found);
}
