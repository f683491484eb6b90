// Frames of the link: 0x00, COBS(type u8, sequence u16, payload, CRC-32 u32), 0x00; little-endian. docs/link.md

const MAX_FRAME = 1024; // bytes on the wire, both delimiters included
const MAX_BODY = 1017;
const OVERHEAD = 7; // bytes of a body that are not payload
const FULL = 254; // data bytes of the longest block of COBS

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

const crc32 = (bytes) => {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
};

const Cobs = {
  encode(data) {
    const out = [0];
    let code = 0; // where the count of the block under way stands
    data.forEach((byte, i) => {
      if (byte) out.push(byte);
      const length = out.length - code;
      if (!byte || (length === FULL + 1 && i < data.length - 1)) {
        out[code] = length;
        code = out.length;
        out.push(0);
      }
    });
    out[code] = out.length - code;
    return Uint8Array.from(out);
  },

  // null where `encoded`, without delimiters, is not COBS.
  decode(encoded) {
    const data = [];
    let at = 0;
    while (at < encoded.length) {
      const code = encoded[at];
      const end = at + code;
      if (!code || end > encoded.length) return null;
      for (let i = at + 1; i < end; ++i) {
        if (!encoded[i]) return null;
        data.push(encoded[i]);
      }
      if (code !== FULL + 1 && end < encoded.length) data.push(0);
      at = end;
    }
    return Uint8Array.from(data);
  },
};

const Frames = {
  // Bytes on the wire, at worst, of a frame with so many bytes of payload.
  wireBytes(payload) {
    const body = payload + OVERHEAD;
    return body + Math.floor((body + 253) / 254) + 2;
  },

  // The most payload of a frame of at most `bytes` on the wire.
  mostPayload(bytes) {
    let payload = Math.min(MAX_BODY, bytes) - OVERHEAD;
    while (Frames.wireBytes(payload) > bytes) --payload;
    return payload;
  },

  encode(type, sequence, payload) {
    const body = new Uint8Array(payload.length + OVERHEAD);
    const view = new DataView(body.buffer);
    view.setUint8(0, type);
    view.setUint16(1, sequence, true);
    body.set(payload, 3);
    view.setUint32(body.length - 4, crc32(body.subarray(0, -4)), true);
    return Uint8Array.from([0, ...Cobs.encode(body), 0]);
  },

  // {type, sequence, payload: DataView}; null where anything about it is wrong.
  decode(encoded) {
    const body = Cobs.decode(encoded);
    if (!body || body.length < OVERHEAD || body.length > MAX_BODY) return null;
    const view = new DataView(body.buffer);
    if (crc32(body.subarray(0, -4)) !== view.getUint32(body.length - 4, true)) return null;
    const payload = new DataView(body.buffer, 3, body.length - OVERHEAD);
    return { type: view.getUint8(0), sequence: view.getUint16(1, true), payload };
  },
};

// Text of a device, for people: only printable ASCII, and not for ever.
const printable = (bytes) =>
  Array.from(bytes.subarray(0, 200), (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "?"))
    .join("")
    .trim();

const FAULT = /FAULT ([a-z]+=|stack)/; // a program's last words, which are no frame

// Finds the intact frames in what is received, and the line of a program that faults; drops all else.
class FrameReader {
  constructor(onFrame, onFault) {
    this.onFrame = onFrame;
    this.onFault = onFault;
    this.partial = [];
  }

  feed(bytes) {
    for (const byte of bytes) {
      if (byte) {
        // Garbage without a zero must not grow for ever.
        if (this.partial.length <= MAX_FRAME) this.partial.push(byte);
        continue;
      }
      const piece = Uint8Array.from(this.partial);
      this.partial = [];
      if (!piece.length) continue;
      const frame = Frames.decode(piece);
      if (frame) this.onFrame(frame);
      else if (FAULT.test(String.fromCharCode(...piece))) this.onFault(printable(piece).replace(/^\?+|\?+$/g, "")); // its line ends
    }
  }
}
