// A board that runs our firmware, over a line that carries bytes: the link, version 2 (docs/link.md).
// The line: {write(Uint8Array): Promise, onBytes, onEnd: set here, close()}.
// One request that matters is under way at a time. In silence small ones are sent again, as far as the device's
// receive buffer has room for them: every request may come twice.

const LINK_VERSION = 2;
const HELLO = 0x01, BEGIN = 0x02, ROWS = 0x03, RESULT = 0x04, READ = 0x05;
const R_INFO = 0x81, R_STATUS = 0x82, R_RESULT = 0x84, R_DATA = 0x85, R_ERROR = 0xff;
const FAILED = 3; // the last of an image's states
const NO_SESSION = 4, WRONG_IMAGE = 5; // errors after a reset of the device
const PROBE_RESERVE = 128; // bytes of its receive buffer that the device keeps for probes
const OPEN_MS = 7000, SILENCE_MS = 30000, NO_PROGRESS_MS = 6000;
const IMAGE_MS = 600000; // for one, resets included, however busy the board seems
const FIRST_WAIT_MS = 250, LONGEST_WAIT_MS = 500;
const MOST_RESTARTS = 5; // of the device within one image
const COUNTERS = ["instructions", "cycles", "microseconds"];
const FLASH_IT = "flash firmware of this checkout (make flash)";

const SAME_AFTER_RESET = ["tfliteSha256", "engineSha256", "height", "width", "channels", "classes"];

class RestartedError extends Error {}

// A payload of numbers: [value, bytes] each, and bytes as they are behind them.
const packed = (fields, data = new Uint8Array(0)) => {
  const bytes = [];
  for (const [value, size] of fields) {
    for (let i = 0; i < size; ++i) bytes.push(Math.floor(value / 2 ** (8 * i)) & 255);
  }
  return Uint8Array.from([...bytes, ...data]);
};

const hex = (view, at, bytes) =>
  Array.from({ length: bytes }, (_, i) => view.getUint8(at + i).toString(16).padStart(2, "0")).join("");

const random32 = () => crypto.getRandomValues(new Uint32Array(1))[0];

// The message in a frame: {kind: its type, ...}; null where it is none of a device's, or not well formed.
const parsed = ({ type, payload: p }) => {
  const sized = (bytes) => p.byteLength === bytes;
  if (type === R_INFO) return parsedInfo(p);
  if (type === R_STATUS && sized(18)) {
    const state = p.getUint8(8);
    if (state > FAILED) return null;
    return {
      kind: type, session: p.getUint32(0, true), image: p.getUint32(4, true), state, failure: p.getUint8(9),
      nextByte: p.getUint32(10, true), limitRow: p.getUint32(14, true),
    };
  }
  if (type === R_RESULT && sized(20)) {
    const count = Number(p.getBigUint64(4, true));
    return { kind: type, image: p.getUint32(0, true), count, sram: p.getUint32(12, true), stack: p.getUint32(16, true) };
  }
  if (type === R_DATA && p.byteLength > 9) {
    const data = new Int8Array(p.buffer, p.byteOffset + 9, p.byteLength - 9);
    return { kind: type, image: p.getUint32(0, true), what: p.getUint8(4), offset: p.getUint32(5, true), data };
  }
  if (type === R_ERROR && sized(5)) return { kind: type, code: p.getUint8(0), detail: p.getUint32(1, true) };
  return null;
};

// All but what stays the same in every version is checked: sizes that the sender of an image divides by.
const parsedInfo = (p) => {
  if (p.byteLength < 5) return null;
  const [version, session] = [p.getUint8(0), p.getUint32(1, true)];
  if (version !== LINK_VERSION) return { kind: R_INFO, version, session };
  if (p.byteLength < 122 || p.byteLength !== 122 + p.getUint8(121) || p.getUint8(121) > 32) return null;
  const [height, width, channels, classes, maxFrame] = [37, 39, 41, 43, 45].map((at) => p.getUint16(at, true));
  const windowBytes = p.getUint32(47, true);
  const counter = COUNTERS[p.getUint8(71)];
  if (!height || !width || !channels || !classes || !counter) return null;
  if (maxFrame < 64 || maxFrame > MAX_FRAME || windowBytes < 64) return null;
  return {
    kind: R_INFO, version, session, tfliteSha256: hex(p, 5, 32), height, width, channels, classes, maxFrame, windowBytes,
    arenaBytes: p.getUint32(51, true), counter, counterHz: p.getUint32(72, true), buildId: hex(p, 76, 8),
    engineSha256: hex(p, 84, 32), board: printable(new Uint8Array(p.buffer, p.byteOffset + 122, p.byteLength - 122)),
  };
};

class Board {
  constructor(line) {
    this.line = line;
    this.sequence = random32() & 0xffff;
    this.image = random32();
    this.window = 64; // until INFO says more
    this.inFlight = []; // {sequence, size}, oldest first
    this.replies = [];
    this.wake = () => {};
    this.ended = null;
    this.deadline = Infinity; // of the image under way
    this.onEnd = () => {}; // for who is told that the line has ended, with the Error; maybe more than once
    this.reader = new FrameReader(
      (frame) => this.take(frame),
      (text) => this.end(new Error(`the board's program has faulted: ${text}`)),
    );
    line.onBytes = (bytes) => this.reader.feed(bytes);
    line.onEnd = (error) => this.end(error);
  }

  end(error) {
    this.ended ??= error;
    this.wake();
    this.onEnd(this.ended);
  }

  async close() {
    this.end(new Error("the board is no longer connected"));
    await this.line.close();
  }

  // The line keeps the order: a reply proves that all requests before its own have left the receive buffer.
  take(frame) {
    const index = this.inFlight.findIndex(({ sequence }) => sequence === frame.sequence);
    const reply = index < 0 ? null : parsed(frame);
    if (!reply) return;
    this.inFlight.splice(0, index + 1);
    this.replies.push(reply);
    this.wake();
  }

  room(reserve) {
    return this.window + reserve - this.inFlight.reduce((sum, { size }) => sum + size, 0);
  }

  async send([type, payload]) {
    this.sequence = (this.sequence + 1) & 0xffff;
    const bytes = Frames.encode(type, this.sequence, payload);
    this.inFlight.push({ sequence: this.sequence, size: bytes.length });
    await this.line.write(bytes);
  }

  // The next reply; null after `ms` without one.
  async receive(ms) {
    const deadline = performance.now() + ms;
    while (!this.replies.length) {
      if (this.ended) throw this.ended;
      const left = deadline - performance.now();
      if (left <= 0) return null;
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.replies.shift();
  }

  // Sends the request, [type, payload], and in silence `probe`; resolves with the first reply that `accept` takes.
  async ask(request, accept, silence = SILENCE_MS, probe = request) {
    const deadline = performance.now() + silence;
    const probeBytes = Frames.wireBytes(probe[1].length);
    let wait = FIRST_WAIT_MS;
    this.replies = [];
    await this.send(request);
    for (;;) {
      if (performance.now() > this.deadline) {
        throw new Error(`the board answers, but the image is not done after ${IMAGE_MS / 1000} s; reset it`);
      }
      const reply = await this.receive(Math.min(wait, deadline - performance.now()));
      // To a HELLO no such error is an answer: it is about something from before the reset.
      const stale = request[0] === HELLO && [NO_SESSION, WRONG_IMAGE].includes(reply?.code);
      if (reply?.kind === R_ERROR && !stale) this.refused(reply);
      if (reply && accept(reply)) return reply;
      if (performance.now() >= deadline) {
        throw new Error(`the board has not answered for ${silence / 1000} s; reset it, and close other programs that use the port`);
      }
      if (reply) continue;
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
      if (probeBytes <= this.room(PROBE_RESERVE)) await this.send(probe);
    }
  }

  refused({ code, detail }) {
    if (code === 1) throw new Error(`the board speaks version ${detail} of the link, this page version ${LINK_VERSION}; ${FLASH_IT}`);
    if (code === NO_SESSION || code === WRONG_IMAGE) throw new RestartedError("the board was reset");
    throw new Error(`the board refuses a request (error ${code}, ${detail}); ${FLASH_IT}`);
  }

  // Opens a session; resolves with what the device is.
  async hello() {
    this.session = random32() || 1;
    const hello = [HELLO, packed([[LINK_VERSION, 1], [this.session, 4]])];
    const info = await this.ask(hello, (r) => r.kind === R_INFO && r.session === this.session, OPEN_MS);
    if (info.version !== LINK_VERSION) this.refused({ code: 1, detail: info.version });
    const before = this.info;
    if (before && SAME_AFTER_RESET.some((key) => before[key] !== info[key])) {
      throw new Error("the board was reset and now runs another model; connect again");
    }
    this.info = info;
    this.window = Math.min(info.windowBytes, 1 << 16);
    return info;
  }

  // Runs the network on the device: Int8Array of height * width * channels. Resolves with {logits, probabilities,
  // count, ms}; ms is null where the device's counter counts no time.
  async infer(image) {
    const { height, width, channels } = this.info;
    if (image.length !== height * width * channels) throw new Error("the board takes images of another size");
    this.deadline = performance.now() + IMAGE_MS;
    for (let restarts = 0; ; ++restarts) {
      try {
        return await this.once(image);
      } catch (error) {
        if (!(error instanceof RestartedError)) throw error;
        if (restarts === MOST_RESTARTS) throw new Error("the board is reset again and again; check its power supply");
        await this.hello();
      }
    }
  }

  async once(image) {
    this.image = (this.image + 1) >>> 0;
    await this.sendImage(image);
    const ours = (reply) => reply.image === this.image;
    let cost;
    do {
      cost = await this.ask([RESULT, packed([[this.image, 4]])], (r) => ours(r) && [R_RESULT, R_STATUS].includes(r.kind));
      if (cost.kind === R_STATUS) this.failed(cost);
    } while (cost.kind !== R_RESULT);
    const logits = await this.read(0);
    const probabilities = await this.read(1);
    const { counter, counterHz } = this.info;
    let ms = null;
    if (counter === "microseconds") ms = cost.count / 1000;
    else if (counter === "cycles" && counterHz) ms = (cost.count / counterHz) * 1000;
    return { logits, probabilities, count: cost.count, ms };
  }

  failed(status) {
    if (status.state === FAILED) throw new Error(`the board's engine refused the image (status ${status.failure}); ${FLASH_IT}`);
  }

  async sendImage(image) {
    const rowBytes = this.info.width * this.info.channels;
    const most = Frames.mostPayload(Math.min(this.info.maxFrame, this.window)) - 8;
    const begin = [BEGIN, packed([[this.image, 4]])];
    const ours = (r) => r.kind === R_STATUS && r.image === this.image && r.session === this.session;
    let status = await this.ask(begin, ours);
    let sent = 0;
    let moved = performance.now();
    for (;;) {
      this.failed(status);
      const next = status.nextByte;
      if (next > sent) throw new Error("the board says that it has bytes which were not sent; reset it");
      if (next === image.length) return;
      const granted = Math.min(status.limitRow * rowBytes, image.length) - next;
      if (performance.now() - moved > NO_PROGRESS_MS && granted <= 0) throw new Error("the board takes no rows; reset it");
      if (granted <= 0) {
        status = await this.ask(begin, ours);
        continue;
      }
      const data = image.subarray(next, next + Math.min(most, granted));
      sent = Math.max(sent, next + data.length);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
      status = await this.ask([ROWS, packed([[this.image, 4], [next, 4]], bytes)], ours, SILENCE_MS, begin);
      if (status.nextByte > next) moved = performance.now();
      else if (performance.now() - moved > NO_PROGRESS_MS) throw new Error("the image gets no further on the board; reset it");
    }
  }

  // what: 0 logits, 1 probabilities. As many as the device said that there are classes.
  async read(what) {
    const { classes } = this.info;
    const most = Frames.mostPayload(this.info.maxFrame) - 9;
    const found = new Int8Array(classes);
    for (let at = 0; at < classes; ) {
      const length = Math.min(most, classes - at);
      const request = [READ, packed([[this.image, 4], [what, 1], [at, 4], [length, 2]])];
      const fits = (r) =>
        r.kind === R_DATA && r.image === this.image && r.what === what && r.offset === at && r.data.length === length;
      const reply = await this.ask(request, fits);
      found.set(reply.data, at);
      at += length;
    }
    return found;
  }
}
