// A line of Web Serial: the board's USB cable.

const BAUDRATE = 115200;

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
    await this.writer.write(bytes);
  }

  async close() {
    this.closing = true;
    try {
      await this.reader.cancel();
      await this.listening;
      this.writer.releaseLock();
      await this.port.close();
    } catch {
      // It is gone already.
    }
  }
}
