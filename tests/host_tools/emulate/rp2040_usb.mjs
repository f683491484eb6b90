// Looks at the USB port of the emulated RP2040, for test_rp2040_usb.py: node rp2040_usb.mjs EMULATOR ELF WHAT [ARGUMENT]
// ELF is the selftest program.
//   found          what our host is told of the device
//   theirs         what the host of rp2040js hears when it asks `n`: it knows nothing of our host and our controller
//   loader BAUD WORD  what the boot ROM is called with when a port of BAUD is opened, and when it is closed, after WORD
//   lamp           whether the LED is lit: asleep, at work, asleep, in the fault handler
//   toggles        what the device makes of a packet that comes twice: bytes heard back
//   held           bytes that a host still has after it sent 6000 while the program computed, and read none
//   gone           what it says over the UART, and to the next program, when one goes that has not read its answer
//   unheard SEEDS  how many of so many hosts, whose acknowledgements often get lost, find the device and its name
//   requests       what it answers to requests that a driver seldom makes: bytes, or null for a stall
const [folder, elf, what, argument, word] = process.argv.slice(2);
const { Chip } = await import(`${folder}/chip.js`);
const { flashOf } = await import(`${folder}/image.js`);
const { UsbHost } = await import(`${folder}/usb_host.js`);
const { Faults } = await import(`${folder}/usb_faults.js`);
const MS = 125_000;

function plugged(faults) {
  const chip = new Chip(flashOf(elf));
  const host = new UsbHost(chip.usb, chip.clock, faults);
  chip.host = host;
  const sending = [];
  const heard = [];
  host.take = (most) => sending.splice(0, most);
  host.more = () => sending.length > 0;
  host.onData = (bytes) => heard.push(...bytes);
  const run = (ms, until = () => false) => {
    const end = chip.cycles + ms * MS;
    while (chip.cycles < end && !until()) {
      chip.run(chip.cycles + 1000);
      if (chip.waiting) chip.sleep(chip.cycles + MS / 10);
      host.kick();
    }
  };
  run(5000, () => host.ready);
  return { chip, host, run, heard, say: (text) => sending.push(...Buffer.from(text, 'latin1')) };
}

const text = (bytes) => Buffer.from(bytes).toString('latin1');
const hex = (bytes) => Buffer.from(bytes).toString('hex');

function found() {
  const { host } = plugged();
  const { descriptor, configuration, strings } = host.told;
  return { descriptor: hex(descriptor), configuration: hex(configuration), strings };
}

async function theirs() {
  const { USBCDC } = await import(`${folder}/node_modules/rp2040js/dist/esm/index.js`);
  const chip = new Chip(flashOf(elf), { theirUsb: true });
  const cdc = new USBCDC(chip.rp2040.usbCtrl);
  const heard = [];
  let connected = false;
  cdc.onDeviceConnected = () => {
    connected = true;
  };
  cdc.onSerialData = (bytes) => heard.push(...bytes);
  const run = (ms, until) => {
    const end = chip.cycles + ms * MS;
    while (chip.cycles < end && !until()) {
      chip.run(chip.cycles + 1000);
      if (chip.waiting) chip.sleep(chip.cycles + MS / 10);
    }
  };
  run(1000, () => connected);
  for (const byte of Buffer.from('n')) cdc.sendSerialByte(byte);
  run(100, () => heard.includes(10));
  return { connected, heard: text(heard) };
}

function loader() {
  const { chip, host, run, say } = plugged();
  const calls = [];
  chip.onLoader = (...words) => calls.push(words);
  host.baud = Number(argument);
  host.open = true;
  run(20);
  say(word ?? '');
  run(50);
  const opened = [...calls];
  host.open = false;
  run(20);
  return { opened, closed: calls };
}

function lamp() {
  const { chip, host, run, heard, say } = plugged();
  const lit = () => chip.rp2040.gpio[25].outputValue;
  host.open = true;
  run(20);
  const asleep = lit();
  say('c\xff\xff\x0f\0');
  run(20);
  const atWork = lit();
  run(1000, () => heard.includes(10));
  run(1);
  const after = lit();
  say('f');
  run(20);
  return { asleep, atWork, after, fault: lit() };
}

function toggles() {
  const { chip, host, run, heard, say } = plugged();
  host.open = true;
  run(20);
  say('n'); // DATA0: the first packet
  run(20);
  const answers = [chip.usb.take(5, 2, false, Buffer.from('u'))]; // DATA0 again: as if that had not been heard
  run(20);
  answers.push(chip.usb.take(5, 2, true, Buffer.from('n'))); // the next one
  run(20);
  return { answers, heard: text(heard) };
}

function held() {
  const { chip, host, run, say } = plugged();
  host.open = true;
  run(20);
  const { armed } = chip.usb;
  chip.usb.armed = (endpoint, fromHost) => fromHost && armed.call(chip.usb, endpoint, fromHost);
  const bytes = 'c\xff\xff\x1f\0' + '\0'.repeat(6000);
  let sent = 0;
  host.take = (most) => Buffer.from(bytes.slice(sent, (sent += most)), 'latin1');
  host.more = () => sent < bytes.length;
  run(40);
  const meanwhile = bytes.length - sent;
  run(100);
  return { meanwhile, after: Math.max(0, bytes.length - sent) };
}

function gone() {
  const { chip, host, run, heard, say } = plugged();
  host.open = true;
  run(20);
  const { armed } = chip.usb;
  chip.usb.armed = (endpoint, fromHost) => fromHost && armed.call(chip.usb, endpoint, fromHost);
  say('e\0\x07\0\0' + 'x'.repeat(1792));
  run(20);
  host.open = false;
  const said = [];
  chip.uart.onByte = (byte) => said.push(byte);
  chip.uart.feedByte('n'.charCodeAt(0));
  run(20);
  const early = text(said);
  run(1000, () => said.includes(10));
  chip.usb.armed = armed;
  host.open = true;
  run(20);
  heard.length = 0; // what had been on its way
  say('n');
  run(20);
  return { early, said: text(said), heard: text(heard) };
}

function unheard() {
  let named = 0;
  for (let seed = 1; seed <= Number(argument); ++seed) {
    const { host, run, heard, say } = plugged(new Faults({ seed, unheard: 0.3 }));
    host.open = true;
    say('n');
    run(1000, () => heard.includes(10));
    if (text(heard) === 'rp2040\n') ++named;
  }
  return named;
}

function requests() {
  const { chip, host, run } = plugged();
  const { usb } = chip;
  const answers = {};
  const ask = (name, packet, sent) => {
    usb.setup(5, Uint8Array.from(packet));
    run(1);
    if (sent) {
      usb.take(5, 0, true, sent);
      run(1);
    }
    const answer = usb.give(5, 0);
    answers[name] = answer?.bytes ? hex(answer.bytes) : answer;
    if (answer?.bytes) usb.given(0);
    run(1);
    if (packet[0] & 0x80 && answer?.bytes) usb.take(5, 0, true, []);
    run(1);
  };
  ask('status', [0x80, 0, 0, 0, 0, 0, 2, 0]);
  ask('configuration', [0x80, 8, 0, 0, 0, 0, 1, 0]);
  ask('interface', [0x81, 10, 0, 0, 1, 0, 1, 0]);
  ask('other configuration', [0x00, 9, 2, 0, 0, 0, 0, 0]);
  ask('no such descriptor', [0x80, 6, 0, 0x0f, 0, 0, 5, 0]);
  ask('no such string', [0x80, 6, 9, 3, 0x09, 4, 255, 0]);
  ask('vendor', [0xc0, 1, 0, 0, 0, 0, 8, 0]);
  ask('after the stalls', [0x80, 6, 0, 1, 0, 0, 8, 0]);
  ask('line coding', [0xa1, 0x21, 0, 0, 0, 0, 7, 0]);
  ask('set line coding', [0x21, 0x20, 0, 0, 0, 0, 7, 0], Uint8Array.from([0, 0x10, 0x0e, 0, 2, 1, 7]));
  ask('new line coding', [0xa1, 0x21, 0, 0, 0, 0, 7, 0]);
  ask('break', [0x21, 0x23, 0, 0, 0, 0, 0, 0]);
  ask('unhalt', [0x02, 1, 0, 0, 0x02, 0, 0, 0]);
  answers.firstAgain = usb.take(5, 2, false, Buffer.from('n'));
  run(20);
  const line = usb.give(5, 2);
  answers.toHost = [line.data1, text(line.bytes)];
  ask('unhalt to host', [0x02, 1, 0, 0, 0x82, 0, 0, 0]);
  const again = usb.give(5, 2);
  answers.toHostAgain = [again.data1, text(again.bytes)];
  host.open = false;
  return answers;
}

console.log(JSON.stringify(await { found, theirs, loader, lamp, toggles, held, gone, unheard, requests }[what]()));
