// rp2040js' USB device controller, corrected where a host or a firmware of ours would see it differ from the chip
// (RP2040 datasheet 4.1):
//   - a packet moves when the host asks for it, not when the firmware arms the endpoint: until then AVAILABLE stays, and
//     an endpoint that is not armed answers NAK, or STALL;
//   - a packet with the toggle that is not wanted is acknowledged and thrown away (USB 2.0, 8.6);
//   - an endpoint that is not enabled, and another address than the device's, are not answered at all;
//   - what stands in a buffer's control word when AVAILABLE is set must have stood there for three cycles of the
//     controller's clock: else it takes what was there before (4.1.2.5.1);
//   - the host sees a device only with 48 MHz, out of reset, enabled, with VBUS, the PHY and the pull-up.
// Known to remain: no isochronous and no double-buffered endpoints, no suspend, no errors of the bus.
import { wrap } from './processor.js';

const [MAIN_CTRL, SIE_CTRL, MUXING, POWER] = [0x40, 0x4c, 0x74, 0x78];
const ENABLED = 1; // of MAIN_CTRL
const HOST_MODE = 2;
const PULL_UP = 1 << 16; // of SIE_CTRL
const CONTROL_INTERRUPT = 1 << 29;
const PHY = 0b1001; // of MUXING
const VBUS = 0b1100; // of POWER
const [SETUP, RESET, SEQUENCE_ERROR] = [1 << 17, 1 << 19, 1 << 31]; // of SIE_STATUS
const CLOCK_ENABLED = 1 << 11; // of CLK_USB_CTRL
const CLOCK_SOURCE = 0b111 << 5; // 0: PLL_USB
const WHOLE_CLOCK = 0x100; // of CLK_USB_DIV
const HZ = 48_000_000;

const BUFFER_CONTROLS = 0x80;
const LAST_CONTROL = 0xfc;
const CONTROL_BUFFER = 0x100;
const [FULL, DATA1, STALL, AVAILABLE, SIZE] = [1 << 15, 1 << 13, 1 << 11, 1 << 10, 0x3ff];
const [ENDPOINT_ENABLED, ENDPOINT_INTERRUPT] = [1 << 31, 1 << 29];
const BUFFER_PLACE = 0xffc0;
const SETTLED = 8; // cycles of 125 MHz in three of 48 MHz

/** The device as a host on the same wire finds it. A transaction happens at once; the host counts its time. */
export class UsbDevice {
  #muxing = 0;
  #words = new Map(); // buffer controls: {fields, since, before}
  onChange = () => {}; // it may have appeared, gone, or armed an endpoint

  /** `held()`: whether RESETS holds the controller. */
  constructor(rp2040, clock, held) {
    this.rp2040 = rp2040;
    this.clock = clock;
    this.held = held;
    this.registers = rp2040.usbCtrl;
    this.registers.DPRAMUpdated = (offset, value) => this.#written(offset, value);
    wrap(this.registers, 'writeUint32', (original) => (offset, value) => {
      if (offset === MUXING) this.#muxing = value;
      original(offset, value);
      if ([MAIN_CTRL, SIE_CTRL, MUXING, POWER].includes(offset)) this.onChange();
    });
  }

  /** Whether its pull-up shows it to the host. */
  get present() {
    const { mainCtrl, sieCtrl, usbPwr } = this.registers;
    const { usbCtrl, usbDiv } = this.rp2040.clocks;
    const clocked =
      (usbCtrl & (CLOCK_ENABLED | CLOCK_SOURCE)) === CLOCK_ENABLED &&
      usbDiv === WHOLE_CLOCK &&
      this.rp2040.pllUsb.frequency === HZ &&
      this.rp2040.pllUsb.pwr === 4; // all of it runs, but for DSM, which has no use
    const on = (mainCtrl & (ENABLED | HOST_MODE)) === ENABLED && (sieCtrl & PULL_UP) !== 0;
    return clocked && on && !this.held() && (this.#muxing & PHY) === PHY && (usbPwr & VBUS) === VBUS;
  }

  #written(offset, value) {
    if (offset < BUFFER_CONTROLS || offset > LAST_CONTROL) return;
    const now = this.clock.core.cycles;
    const fields = value & ~AVAILABLE;
    const word = this.#words.get(offset) ?? { fields: 0, since: -Infinity, before: 0 };
    if (fields !== word.fields) {
      if (now - word.since >= SETTLED) word.before = word.fields;
      word.fields = fields;
      word.since = now;
      this.#words.set(offset, word);
    }
    if (!(value & AVAILABLE)) return;
    if (now - word.since < SETTLED) this.#set(offset, word.before | AVAILABLE);
    this.onChange();
  }

  #word(offset) {
    return this.rp2040.usbDPRAMView.getUint32(offset, true);
  }

  /** As the controller writes a buffer's control word. */
  #set(offset, value) {
    this.rp2040.usbDPRAMView.setUint32(offset, value, true);
    this.#words.set(offset, { fields: value & ~AVAILABLE, since: -Infinity, before: value & ~AVAILABLE });
  }

  #place(endpoint, fromHost) {
    return BUFFER_CONTROLS + 8 * endpoint + (fromHost ? 4 : 0);
  }

  /** Whether it would move a packet. */
  armed(endpoint, fromHost) {
    return (this.#word(this.#place(endpoint, fromHost)) & AVAILABLE) !== 0;
  }

  busReset() {
    this.registers.sieStatus |= RESET;
    this.registers.sieStatusUpdated();
  }

  #hears(address) {
    return this.present && (this.registers.addrEndp & 0x7f) === address;
  }

  /** What an endpoint says instead of moving a packet: null (nothing at all), 'nak', 'stall'; or its control. */
  #answer(address, endpoint, fromHost) {
    if (!this.#hears(address)) return null;
    const control = endpoint === 0 ? ENDPOINT_ENABLED : this.#word(8 * endpoint + (fromHost ? 4 : 0));
    if (!(control & ENDPOINT_ENABLED)) return null;
    const word = this.#word(this.#place(endpoint, fromHost));
    const stallable = endpoint !== 0 || (this.registers.epStallArm & (fromHost ? 2 : 1)) !== 0;
    if (word & STALL && stallable) return 'stall';
    return word & AVAILABLE ? { control, word } : 'nak';
  }

  #done(endpoint, fromHost, control, word) {
    this.#set(this.#place(endpoint, fromHost), word & ~AVAILABLE);
    const tells = endpoint === 0 ? this.registers.sieCtrl & CONTROL_INTERRUPT : control & ENDPOINT_INTERRUPT;
    if (tells) this.registers.indicateBufferReady(endpoint, fromHost);
  }

  #buffer(endpoint, control) {
    return endpoint === 0 ? CONTROL_BUFFER : control & BUFFER_PLACE;
  }

  /** A setup packet (eight bytes), which is always taken: 'ack', or null where nobody is at this address. */
  setup(address, bytes) {
    if (!this.#hears(address)) return null;
    this.registers.epStallArm = 0;
    this.rp2040.usbDPRAM.set(bytes);
    this.registers.sieStatus |= SETUP;
    this.registers.sieStatusUpdated();
    return 'ack';
  }

  /** A packet from the host: 'ack', 'nak', 'stall' or null. */
  take(address, endpoint, data1, bytes) {
    const found = this.#answer(address, endpoint, true);
    if (found === null || typeof found === 'string') return found;
    const { control, word } = found;
    if (data1 !== ((word & DATA1) !== 0)) {
      this.registers.sieStatus |= SEQUENCE_ERROR;
      return 'ack'; // it has had this one
    }
    if (bytes.length > (word & SIZE)) throw new Error(`USB: ${bytes.length} bytes for endpoint ${endpoint}`);
    this.rp2040.usbDPRAM.set(bytes, this.#buffer(endpoint, control));
    this.#done(endpoint, true, control, (word & ~SIZE) | bytes.length | FULL);
    return 'ack';
  }

  /** A packet for the host: {data1, bytes}, 'nak', 'stall' or null. It stays until given(). */
  give(address, endpoint) {
    const found = this.#answer(address, endpoint, false);
    if (found === null || typeof found === 'string') return found;
    const { control, word } = found;
    if (!(word & FULL)) throw new Error(`USB: endpoint ${endpoint} is armed with a buffer that is not full`);
    const at = this.#buffer(endpoint, control);
    return { data1: (word & DATA1) !== 0, bytes: this.rp2040.usbDPRAM.slice(at, at + (word & SIZE)) };
  }

  /** The host has acknowledged what give() gave. */
  given(endpoint) {
    const control = this.#word(8 * endpoint);
    const word = this.#word(this.#place(endpoint, false));
    this.#done(endpoint, false, control, word & ~FULL);
  }
}
