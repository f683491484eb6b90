// What the flash holds once an ELF or a UF2 has been written to it.
import { readFileSync } from 'node:fs';

const FLASH = 0x10000000;
const FLASH_BYTES = 2 * 1024 * 1024; // of a Raspberry Pi Pico
const UF2_BLOCK = 512;

/** [address, bytes] of an ELF's loadable segments, at their load addresses (ELF specification, 32-bit LE). */
function* segmentsOfElf(file) {
  const start = file.readUInt32LE(28);
  const size = file.readUInt16LE(42);
  const count = file.readUInt16LE(44);
  for (let i = 0; i < count; ++i) {
    const header = start + i * size;
    const [type, offset, , load, bytes] = [0, 4, 8, 12, 16].map((at) => file.readUInt32LE(header + at));
    if (type === 1 && bytes > 0) yield [load, file.subarray(offset, offset + bytes)];
  }
}

/** [address, bytes] of a UF2's blocks. */
function* blocksOfUf2(file) {
  for (let at = 0; at < file.length; at += UF2_BLOCK) {
    yield [file.readUInt32LE(at + 12), file.subarray(at + 32, at + 32 + file.readUInt32LE(at + 16))];
  }
}

/** The flash from its first byte on; erased (FFh) where the file has nothing. Error: it does not fit. */
export function flashOf(path) {
  const file = readFileSync(path);
  const magic = file.length >= 4 ? file.readUInt32LE(0) : 0;
  const parts = { 0x464c457f: segmentsOfElf, 0x0a324655: blocksOfUf2 }[magic];
  if (!parts) throw new Error(`${path}: neither an ELF nor a UF2`);
  const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  for (const [address, bytes] of parts(file)) {
    const at = address - FLASH;
    if (at < 0 || at + bytes.length > FLASH_BYTES) {
      throw new Error(`${path}: ${bytes.length} bytes at 0x${address.toString(16)}, outside of the flash`);
    }
    flash.set(bytes, at);
  }
  return flash;
}
