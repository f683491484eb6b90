// The engine of the firmware, compiled to WebAssembly: one model, image by image.

const PAGE = 65536; // bytes of a page of WebAssembly's memory
const MOST_ARENA = 1 << 28; // bytes; ImageNet's networks take some 100,000
const ROWS_MS = 12; // so long rows are computed before the browser may draw again

class Engine {
  // wasm, model: Uint8Array. Error: the browser has no WebAssembly, or the model is none that this engine runs.
  static async create(wasm, model) {
    if (typeof WebAssembly === "undefined") throw new Error("this browser has no WebAssembly; want another one");
    const { instance } = await WebAssembly.instantiate(wasm, {});
    return new Engine(instance.exports, model);
  }

  constructor(exports, model) {
    this.engine = exports;
    const at = Math.ceil(exports.__heap_base.value / 16) * 16; // behind the program's data and stack
    this.reserve(at + model.length);
    this.bytes().set(model, at);
    const arenaBytes = exports.web_arena_bytes(at, model.length);
    if (arenaBytes < 0) throw new Error(`the model: ${this.text(-arenaBytes)}`);
    if (arenaBytes > MOST_ARENA) throw new Error(`the model wants an arena of ${arenaBytes} bytes`);
    const arena = Math.ceil((at + model.length) / 16) * 16;
    this.reserve(arena + arenaBytes);
    this.check(exports.web_init(at, model.length, arena, arenaBytes), "the model");
    this.arenaBytes = arenaBytes;
    this.height = exports.web_height();
    this.width = exports.web_width();
    this.channels = exports.web_channels();
    this.classes = exports.web_classes();
    this.running = Promise.resolve();
  }

  // Another view each time: growing the memory ends those that were there.
  bytes() {
    return new Uint8Array(this.engine.memory.buffer);
  }

  reserve(bytes) {
    const missing = bytes - this.engine.memory.buffer.byteLength;
    if (missing > 0) this.engine.memory.grow(Math.ceil(missing / PAGE));
  }

  text(status) {
    const at = this.engine.web_status_text(status);
    const bytes = this.bytes();
    let end = at;
    while (bytes[end]) ++end;
    return String.fromCharCode(...bytes.subarray(at, end));
  }

  check(status, what) {
    if (status) throw new Error(`${what}: ${this.text(status)}`);
  }

  // image: Int8Array of height * width * channels, top row first. Resolves with {logits, probabilities, ms}:
  // Int8Array of classes each, and the milliseconds that the engine worked. A second image waits for the first.
  run(image) {
    const run = this.running.then(() => this.compute(image));
    this.running = run.catch(() => {});
    return run;
  }

  async compute(image) {
    const rowBytes = this.width * this.channels;
    if (!(image instanceof Int8Array) || image.length !== this.height * rowBytes) {
      throw new Error(`an image of ${image.length} values; want ${this.height * rowBytes} int8`);
    }
    this.check(this.engine.web_reset(), "the engine");
    let ms = 0;
    let row = 0;
    while (row < this.height) {
      const start = performance.now();
      do {
        const to = new Int8Array(this.engine.memory.buffer, this.engine.web_row(), rowBytes);
        to.set(image.subarray(row * rowBytes, (row + 1) * rowBytes));
        this.check(this.engine.web_push(), `row ${row}`);
        ++row;
      } while (row < this.height && performance.now() - start < ROWS_MS);
      ms += performance.now() - start;
      if (row < this.height) await new Promise((resolve) => setTimeout(resolve));
    }
    const result = (at) => new Int8Array(this.engine.memory.buffer, at, this.classes).slice();
    return { logits: result(this.engine.web_logits()), probabilities: result(this.engine.web_probabilities()), ms };
  }
}
