// Looks into the emulated RP2040, for test_rp2040.py: node rp2040_probe.mjs EMULATOR ELF WHAT ARGUMENT...
//   boot ID STATUS2   the flash port's state when the second stage has gone to the program; ID: the three
//                     bytes of the flash's identification, STATUS2: its status register 2, in hexadecimal
//   spin ADDRESS N    core cycles from the entry of Spin() at ADDRESS to its return, as `c` of selftest calls
//                     it, and the line that selftest prints
//   deaf              what selftest prints to `s`, where core 1 has broken down: it does not come out of its reset
//   lost              what selftest says when core 1, at work for `s`, goes on where there is nothing
//   flash CALLS       calls the flash's driver: [[function, argument, ...], ...], the addresses in hexadecimal; what
//                     it returned, which functions of the boot ROM it called, the SSI, and the flash afterwards
const [folder, elf, what, first, second] = process.argv.slice(2);
const { Chip, FlashPort } = await import(`${folder}/chip.js`);
const { flashOf } = await import(`${folder}/image.js`);
const PROGRAM = 0x10000100;

function boot() {
  const port = new FlashPort([...Buffer.from(first, 'hex')], parseInt(second, 16));
  const { core, ssi } = new Chip(flashOf(elf), { port });
  while (core.PC < PROGRAM || core.PC >= 0x20000000) core.executeInstruction();
  const { sent } = port;
  const { crtlr0, crtlr1, spictlr0, baudr, rxsampldly, ssienr } = ssi;
  const { VTOR, SP, PC } = core;
  return { sent, crtlr0, crtlr1, spictlr0, baudr, rxsampldly, ssienr, VTOR, SP, PC };
}

function spin() {
  const chip = new Chip(flashOf(elf));
  const { core, uart } = chip;
  const entry = parseInt(first, 16) & ~1;
  const said = [];
  uart.onByte = (byte) => said.push(byte);
  while (!core.waiting) chip.run(core.cycles + 10_000); // its loop: the UART is on
  const command = Buffer.from('c0000');
  command.writeUInt32LE(Number(second), 1);
  for (const byte of command) uart.feedByte(byte);
  let entered = 0;
  let back = 0;
  let cycles = 0;
  while (!said.includes(10)) {
    chip.run(core.cycles + 1);
    if (!entered && core.PC === entry) [entered, back] = [core.cycles, (core.LR & ~1) >>> 0];
    if (entered && !cycles && core.PC === back) cycles = core.cycles - entered;
  }
  return { cycles, said: Buffer.from(said).toString() };
}

function deaf() {
  const chip = new Chip(flashOf(elf));
  chip.wait.start = () => {};
  const said = [];
  chip.uart.onByte = (byte) => said.push(byte);
  while (!chip.waiting) chip.run(chip.cycles + 10_000);
  for (const byte of Buffer.from('s\x64\0\0\0')) chip.uart.feedByte(byte);
  while (!said.includes(10)) chip.run(chip.cycles + 10_000);
  return { said: Buffer.from(said).toString() };
}

function lost() {
  const chip = new Chip(flashOf(elf));
  const said = [];
  chip.uart.onByte = (byte) => said.push(byte);
  while (!chip.waiting) chip.run(chip.cycles + 10_000);
  for (const byte of Buffer.from('s\xff\xff\0\0', 'latin1')) chip.uart.feedByte(byte);
  while (!chip.second) chip.run(chip.cycles + 10);
  chip.run(chip.cycles + 10_000);
  chip.second.core.PC = 0x30000000;
  for (let i = 0; i < 1000 && !said.includes(10); ++i) chip.run(chip.cycles + 10_000);
  chip.run(chip.cycles + 1_000_000);
  return { said: Buffer.from(said).toString() };
}

function flash() {
  const chip = new Chip(flashOf(elf));
  const { core, rp2040, ssi, flashRom } = chip;
  while (!chip.waiting) chip.run(chip.cycles + 10_000);
  rp2040.flash.fill(0xa5, 0x100000, 0x103000);
  const back = 0x20041f00; // where the second stage was
  const returned = [];
  for (const [entry, ...words] of JSON.parse(first)) {
    words.forEach((word, i) => (core.registers[i] = word));
    core.LR = back | 1;
    core.PC = entry & ~1;
    core.waiting = false;
    for (let i = 0; core.PC !== back; ++i) {
      if (i > 1_000_000) throw new Error('it does not return');
      core.executeInstruction();
    }
    returned.push(core.registers[0] & 0xff);
  }
  const { away, calls } = flashRom;
  const { crtlr0, spictlr0, baudr, ssienr } = ssi;
  const part = (at, bytes) => Buffer.from(rp2040.flash.subarray(at, at + bytes)).toString('hex');
  const slot = part(0x100000, 3 * 4096);
  return { returned, away, calls, crtlr0, spictlr0, baudr, ssienr, slot, program: part(0, 4096) };
}

console.log(JSON.stringify({ flash, boot, spin, deaf, lost }[what]()));
