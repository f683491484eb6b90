// The program's end of a serial cable: a TCP socket. One client at a time, the others wait for their turn.
const MOST_WAITING = 65_536; // bytes from the client

export class Cable {
  #clients = [];
  #received = []; // chunks not yet taken
  #at = 0; // first byte of the first chunk
  #waiting = 0;
  #sending = [];
  onData = () => {};
  onClients = () => {}; // somebody has come, or gone

  plugIn(socket) {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#clients = this.#clients.filter((other) => other !== socket);
      this.#clients[0]?.resume();
      this.onClients();
    });
    socket.on('data', (chunk) => {
      this.#received.push(chunk);
      this.#waiting += chunk.length;
      if (this.#waiting > MOST_WAITING) socket.pause();
      this.onData();
    });
    this.#clients.push(socket);
    if (this.#clients[0] === socket) socket.resume();
    this.onClients();
  }

  send(...bytes) {
    this.#sending.push(...bytes);
  }

  flush() {
    if (this.#sending.length === 0) return;
    this.#clients[0]?.write(Buffer.from(this.#sending));
    this.#sending = [];
  }

  get connected() {
    return this.#clients.length > 0;
  }

  get empty() {
    return this.#waiting === 0;
  }

  /** The next byte of the client's. There must be one. */
  take() {
    const chunk = this.#received[0];
    const byte = chunk[this.#at++];
    --this.#waiting;
    if (this.#at === chunk.length) {
      this.#received.shift();
      this.#at = 0;
      if (this.#waiting <= MOST_WAITING) this.#clients[0]?.resume();
    }
    return byte;
  }

  /** At most so many. */
  takeMost(most) {
    const bytes = [];
    while (bytes.length < most && !this.empty) bytes.push(this.take());
    return bytes;
  }
}
