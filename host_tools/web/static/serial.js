// A line of Web Serial: the board's USB cable.

const BAUDRATE = 115200;
const WRITE_MS = 7000; // a full buffer of 16 KiB has left within 2 s

class SerialLine {
  // port: of navigator.serial.requestPort().
  static async open(port) {
    try {
      await port.open({ baudRate: BAUDRATE, bufferSize: 16384 });
    } catch (error) {
      throw new Error(`the port cannot be opened (${error.message}); close other programs that use it`);
    }
    try {
      await port.setSignals?.({ dataTerminalReady: true });
    } catch {
      // A bridge without this wire works all the same.
    }
    return new SerialLine(port);
  }

  constructor(port) {
    this.port = port;
    this.onBytes = () => {};
    this.onEnd = () => {};
    this.closing = false;
    this.writer = port.writable.getWriter();
    this.listening = this.listen();
  }

  async listen() {
    // After an error that is none of the cable's (a break, an overrun) the port has another stream.
    while (this.port.readable && !this.closing) {
      this.reader = this.port.readable.getReader();
      try {
        for (;;) {
          const { value, done } = await this.reader.read();
          if (done) break;
          this.onBytes(value);
        }
        break;
      } catch {
        // The next stream, if there is one.
      } finally {
        this.reader.releaseLock();
      }
    }
    this.onEnd(new Error("the board's port went away; connect it again"));
  }

  async write(bytes) {
    let timer;
    const late = new Promise((_, reject) => {
      const error = new Error(`the port has taken no bytes for ${WRITE_MS / 1000} s; reset the board, and connect it again`);
      timer = setTimeout(() => reject(error), WRITE_MS);
    });
    try {
      await Promise.race([this.writer.write(bytes), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close() {
    this.closing = true;
    const steps = [
      () => this.reader.cancel(), () => this.listening, () => this.writer.releaseLock(), () => this.port.close(),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch {
        // It is gone already. The port must be closed all the same: only then can it be opened again.
      }
    }
  }
}
