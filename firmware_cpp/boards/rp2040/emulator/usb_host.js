// A computer at the other end of the USB cable: it finds the device as Linux does, and then serves its serial port
// (CDC-ACM) for one program. rp2040js has a host of its own, USBCDC, of which a test makes use; it reads no device
// descriptor, checks no toggles, and sends empty packets all the time.
// One transaction at a time. machine.js brings the program: a socket.
import { Faults } from './usb_faults.js';

const NANOS_PER_MS = 1_000_000;
const RESET_NANOS = 10 * NANOS_PER_MS; // USB 2.0, 7.1.7.5
const RECOVERY_NANOS = 2 * NANOS_PER_MS; // after SET_ADDRESS, 9.2.6.3
const RETRY_NANOS = 50_000; // after a NAK
const FRAME_NANOS = NANOS_PER_MS; // after a refusal that is none of the device's
const PACKET_NANOS = 11_000; // token, handshake, gaps
const BYTE_NANOS = 667; // 12 Mbit/s
const MOST_MS = 500; // for one request
const MOST_TRIES = 8; // to find the device, each with a reset of the bus
const ADDRESS = 5;
const PACKET_BYTES = 64;
const READ_BYTES = 128; // that Linux' driver asks for at once: it hears nothing before them, or a packet that is not full
const [DEVICE, CONFIGURATION, STRING, INTERFACE, ENDPOINT, QUALIFIER] = [1, 2, 3, 4, 5, 6];
const [COMMUNICATION, DATA] = [2, 10]; // classes of interfaces
const ENGLISH = 0x0409;

const half = (value) => [value & 0xff, value >> 8];
const setup = (type, request, value, index, length) =>
  Uint8Array.from([type, request, ...half(value), ...half(index), ...half(length)]);

/** Interfaces and endpoints of a configuration: {notices, interface, from, to}. Error: no CDC serial port. */
export function serialPortOf(configuration) {
  const found = {};
  let kind = 0;
  for (let at = 0; at < configuration.length; at += configuration[at]) {
    const part = configuration.subarray(at, at + configuration[at]);
    if (part.length < 2 || part.length !== configuration[at]) throw new Error('USB: a descriptor of a wrong length');
    if (part[1] === INTERFACE) {
      kind = part[5];
      if (kind === COMMUNICATION) found.interface = part[2];
    }
    if (part[1] === ENDPOINT && kind === COMMUNICATION) found.notices = part[2] & 0xf;
    if (part[1] === ENDPOINT && kind === DATA && (part[3] & 3) === 2) found[part[2] & 0x80 ? 'to' : 'from'] = part[2] & 0xf;
  }
  if (Object.keys(found).length !== 4) throw new Error('USB: no CDC serial port among its interfaces');
  return found;
}

/** A request that the device does not answer in time. */
class Silence extends Error {}

export class UsbHost {
  /** What the device has told: descriptor, configuration, strings. */
  told = null;
  busy = false; // a transaction is under way, or will follow by itself
  open = false; // a program wants the port
  baud = 115_200;
  onData = () => {}; // bytes from the device, for the program
  onTrouble = (what) => {
    throw new Error(`USB: ${what}`);
  };
  /** `take(most)`: bytes of the program, at most so many; none: []. */
  take = () => [];
  more = () => false; // whether take() would give some

  #script = null; // a generator that yields transactions
  #next = null; // the transaction under way
  #alarm;
  #address = 0;
  #line = null; // what the device believes of the port: {open, baud}
  #port = null; // serialPortOf()
  #toggles = { from: false, to: false };
  #packet = null; // from the program, not acknowledged yet
  #turn = false;
  #tries = 0;
  #read = []; // of the READ_BYTES under way

  constructor(device, clock, faults = new Faults()) {
    this.device = device;
    this.clock = clock;
    this.faults = faults;
    this.#alarm = clock.createAlarm(() => this.#ring());
    device.onChange = () => this.kick();
    this.kick();
  }

  /** Whether the device is ready for a program. */
  get ready() {
    return this.#line !== null;
  }

  /** Looks whether there is something to do. */
  kick() {
    if (this.busy) return;
    if (!this.device.present) {
      this.#script = this.#line = this.told = null;
      return;
    }
    if (!this.#script && !this.told) this.#start(this.#enumerate());
    else if (this.#lineDiffers && !this.#unsent) {
      this.#start(this.#setLine());
    } else this.#data();
  }

  /** The program wants the port otherwise than the device believes it to be. */
  get #lineDiffers() {
    if (!this.#line) return false;
    return this.#line.open !== this.open || (this.open && this.#line.baud !== this.baud);
  }

  get #unsent() {
    return !this.open && (this.#packet !== null || this.more());
  }

  #start(script) {
    this.#script = script;
    this.#proceed(undefined);
  }

  #proceed(result) {
    let step = { done: true };
    try {
      step = this.#script.next(result);
      if (step.done && this.#line) this.#tries = 0;
    } catch (error) {
      if (!(error instanceof Silence)) throw error;
      if (++this.#tries === MOST_TRIES) this.onTrouble(error.message);
      this.#line = this.told = null; // from the bus's reset on, as Linux does
    }
    if (!step.done) return this.#schedule(step.value);
    this.#script = null;
    this.kick();
  }

  #schedule(transaction) {
    const { nanos } = transaction;
    this.#next = transaction;
    transaction.fault = transaction.act ? this.faults.next() : '';
    this.busy = true;
    this.#alarm.schedule(nanos + (transaction.fault === 'delayed' ? this.faults.delayNanos() : 0));
  }

  #ring() {
    const { act, fault, then } = this.#next;
    this.busy = false;
    const result = act && fault !== 'refused' ? act(fault) : act ? 'refused' : undefined;
    if (then) then(result);
    else this.#proceed(result);
  }

  /** The data endpoints, each in turn, if the device can move a packet. */
  #data() {
    if (!this.#line?.open) return;
    const { from, to } = this.#port;
    const sends = (this.#packet !== null || this.more()) && this.device.armed(from, true);
    const receives = this.device.armed(to, false);
    if (!sends && !receives) return;
    this.#turn = sends && receives ? !this.#turn : sends;
    if (this.#turn) this.#send(from);
    else this.#receive(to);
  }

  #send(endpoint) {
    this.#packet ??= Uint8Array.from(this.take(PACKET_BYTES));
    this.#schedule({
      nanos: PACKET_NANOS + this.#packet.length * BYTE_NANOS,
      act: (fault) =>
        fault === 'lost' ? 'ack' : this.#heard(fault, this.device.take(this.#address, endpoint, this.#toggles.from, this.#packet)),
      then: (answer) => {
        if (answer === 'ack') {
          this.#packet = null;
          if (this.#next.fault !== 'lost') this.#toggles.from = !this.#toggles.from;
        }
        this.#after(answer);
      },
    });
  }

  #receive(endpoint) {
    this.#schedule({
      nanos: PACKET_NANOS + PACKET_BYTES * BYTE_NANOS,
      act: (fault) => {
        const answer = this.device.give(this.#address, endpoint);
        if (answer?.bytes && fault !== 'unheard') this.device.given(endpoint);
        return answer;
      },
      then: (answer) => {
        if (answer?.bytes && answer.data1 === this.#toggles.to) {
          this.#toggles.to = !this.#toggles.to;
          if (this.#next.fault !== 'lost') this.#read.push(...answer.bytes);
          if (answer.bytes.length < PACKET_BYTES || this.#read.length === READ_BYTES) this.onData(this.#read.splice(0));
        }
        this.#after(answer);
      },
    });
  }

  #heard(fault, answer) {
    return fault === 'unheard' && answer === 'ack' ? null : answer;
  }

  /** A pause after what was refused, then on. */
  #after(answer) {
    if (answer === 'stall') this.onTrouble('a data endpoint stalls');
    const wait = answer === 'refused' ? FRAME_NANOS : answer === 'nak' || answer === null ? RETRY_NANOS : 0;
    if (!wait) return this.kick();
    this.busy = true;
    this.#next = { act: null, then: () => this.kick() };
    this.#alarm.schedule(wait);
  }

  // Scripts: generators that yield {nanos, act(fault)}, and get what act() returns.

  *#pause(nanos) {
    yield { nanos, act: null };
  }

  /** A transaction, again and again until the device has done it: what act() returned. */
  *#insist(bytes, what, act) {
    const end = this.clock.nanos + MOST_MS * NANOS_PER_MS;
    for (;;) {
      const answer = yield { nanos: PACKET_NANOS + bytes * BYTE_NANOS, act };
      if (answer === 'stall' || (answer !== null && answer !== 'nak' && answer !== 'refused')) return answer;
      if (this.clock.nanos > end) throw new Silence(`${what}: no answer within ${MOST_MS} ms`);
      yield* this.#pause(answer === 'refused' ? FRAME_NANOS : RETRY_NANOS);
    }
  }

  /** A control transfer: the device's bytes, [] where there are none to come, null where it stalls. */
  *#control(packet, sent = null) {
    const what = `request ${Buffer.from(packet).toString('hex')}`;
    const { device } = this;
    const most = packet[6] | (packet[7] << 8);
    yield* this.#insist(8, what, () => device.setup(this.#address, packet));
    const received = [];
    let data1 = true;
    const give = function* (host, bytes) {
      for (;;) {
        const answer = yield* host.#insist(bytes, what, (fault) => {
          const found = device.give(host.#address, 0);
          if (found?.bytes && fault !== 'unheard') device.given(0);
          return found;
        });
        if (answer === 'stall' || answer.data1 === data1) return answer;
      }
    };
    if (packet[0] & 0x80) {
      for (;;) {
        const answer = yield* give(this, PACKET_BYTES);
        if (answer === 'stall') return null;
        data1 = !data1;
        received.push(...answer.bytes);
        if (answer.bytes.length < PACKET_BYTES || received.length >= most) break;
      }
      if (received.length > most) this.onTrouble(`${what}: ${received.length} bytes, at most ${most}`);
    } else if (sent) {
      const done = (fault) => this.#heard(fault, device.take(this.#address, 0, true, sent));
      if ((yield* this.#insist(sent.length, what, done)) === 'stall') return null;
    }
    data1 = true;
    const toHost = !(packet[0] & 0x80);
    const status = toHost
      ? yield* give(this, 0)
      : yield* this.#insist(0, what, (fault) => this.#heard(fault, device.take(this.#address, 0, true, [])));
    return status === 'stall' ? null : received;
  }

  *#wanted(packet, sent) {
    const answer = yield* this.#control(packet, sent);
    return answer ?? this.onTrouble(`request ${Buffer.from(packet).toString('hex')} is refused`);
  }

  *#busReset() {
    this.#address = 0;
    this.device.busReset();
    yield* this.#pause(RESET_NANOS);
  }

  *#string(index) {
    const [size, , ...text] = yield* this.#wanted(setup(0x80, 6, (STRING << 8) | index, ENGLISH, 255));
    if (size !== text.length + 2) this.onTrouble(`string ${index}: ${size} bytes, ${text.length + 2} came`);
    return Buffer.from(text).toString('utf16le');
  }

  *#enumerate() {
    yield* this.#pause(NANOS_PER_MS);
    yield* this.#busReset();
    yield* this.#wanted(setup(0x80, 6, DEVICE << 8, 0, 64));
    yield* this.#busReset();
    yield* this.#wanted(setup(0x00, 5, ADDRESS, 0, 0));
    yield* this.#pause(RECOVERY_NANOS);
    this.#address = ADDRESS;
    const descriptor = yield* this.#wanted(setup(0x80, 6, DEVICE << 8, 0, 18));
    const qualifier = yield* this.#control(setup(0x80, 6, QUALIFIER << 8, 0, 10));
    if (qualifier) this.onTrouble('a device of full speed has a qualifier for high speed');
    const head = yield* this.#wanted(setup(0x80, 6, CONFIGURATION << 8, 0, 9));
    const configuration = yield* this.#wanted(setup(0x80, 6, CONFIGURATION << 8, 0, head[2] | (head[3] << 8)));
    const strings = [];
    for (const index of descriptor.slice(14, 17)) strings.push(yield* this.#string(index));
    yield* this.#wanted(setup(0x00, 9, configuration[5], 0, 0));
    this.#port = serialPortOf(Uint8Array.from(configuration));
    this.#toggles = { from: false, to: false };
    this.#packet = null;
    this.#read = [];
    this.told = { descriptor, configuration, strings };
    this.#line = { open: false, baud: 0 };
  }

  /** As a program opens the port, sets its speed, or closes it. */
  *#setLine() {
    const { open, baud } = this;
    const index = this.#port.interface;
    const coding = Buffer.alloc(7);
    coding.writeUInt32LE(baud);
    coding[6] = 8;
    if (baud !== this.#line.baud) yield* this.#wanted(setup(0x21, 0x20, 0, index, 7), coding);
    const believed = yield* this.#wanted(setup(0xa1, 0x21, 0, index, 7));
    if (!coding.equals(Buffer.from(believed))) this.onTrouble('it does not keep the line coding');
    yield* this.#wanted(setup(0x21, 0x22, open ? 3 : 0, index, 0));
    this.#line = { open, baud };
  }
}
