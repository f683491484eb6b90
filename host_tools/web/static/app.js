// The page: a picture comes in by a file, by pasting, dropping or the camera, and the answer goes out.

const OF_CAMERA = "of the camera"; // the name of its pictures
const MOST_SHOWN = 5; // classes of an answer, and rows of the comparison beside those that differ
const SPEAK_MS = 3000; // between two answers that a screen reader is told while the camera runs

const at = (id) => document.getElementById(id);
const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const block = (id) => bytesOf(at(id).textContent.trim());
const model = JSON.parse(at("settings").textContent);
if (model.input.table) model.input.table = new Int8Array(bytesOf(model.input.table).buffer);

let engine = null;
let shown = null; // {pixels, picture, name}: the last picture, and as the network takes it, before it is inverted
let camera = null; // the stream
let turn = 0; // of pictures: the newest one's number. What belongs to an older one comes too late to be shown

const nameOf = (index) => model.labels[index] ?? `class ${index}`;
const percent = (share) => `${(Picture.round(share * 1000) / 10).toFixed(1)} %`; // 6.25 is 6.2, as in Python
const milliseconds = (ms) => `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;

const say = (id, text, className) => {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
  if (className !== undefined) element.className = className;
  element.hidden = !text;
};

// For screen readers alone: while the camera runs, not each answer.
const speak = (text) => {
  const now = performance.now();
  if (camera && now - speak.last < SPEAK_MS) return;
  speak.last = now;
  at("spoken").textContent = text;
};
speak.last = -Infinity;

const fail = (error) => say("error", error ? String(error.message ?? error) : "");

// The network's own probabilities, or where it ends in its logits the softmax of these; of one output, its value.
const shares = ({ logits, probabilities }) => {
  const { output } = model;
  if (output.softmax || logits.length === 1) {
    return Array.from(probabilities, (q) => (q - output.zero_point) * output.scale);
  }
  const values = Array.from(logits, (q) => (q - output.logits_zero_point) * output.logits_scale);
  const most = Math.max(...values);
  const powers = values.map((v) => Math.exp(v - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
};

// Indices of the classes, the highest logit first; of equal ones the first.
const ranked = (logits) => Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);

const showAnswer = (result) => {
  const values = shares(result);
  const one = values.length === 1;
  const best = ranked(result.logits).slice(0, MOST_SHOWN);
  const list = best.map((index) => {
    const item = document.createElement("li");
    const bar = document.createElement("span");
    bar.className = "bar";
    bar.style.width = one ? "0" : `${Math.min(100, Math.max(0, values[index] * 100))}%`;
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = nameOf(index);
    const share = document.createElement("span");
    share.className = "share";
    share.textContent = one ? values[0].toPrecision(3) : percent(values[index]);
    item.append(bar, name, share);
    return item;
  });
  at("classes").replaceChildren(...list);
  const top = best[0];
  const text = one ? `${nameOf(0)}: ${values[0].toPrecision(3)}` : `${nameOf(top)}, ${percent(values[top])}`;
  say("answer", text);
  speak(text);
  say("time", `${milliseconds(result.ms)} in this browser (not a board's time)`);
};

const showInput = (pixels) => {
  const { width, height, channels } = model.input;
  const canvas = at("input");
  [canvas.width, canvas.height] = [width, height];
  at("seen").hidden = false;
  canvas.getContext("2d").putImageData(Picture.shown(pixels, model.input), 0, 0);
  canvas.setAttribute("aria-label", `What the network sees: ${width} x ${height} pixels`);
  const how = model.fit === "crop" ? "the middle of the picture" : "the whole picture, squeezed to this shape";
  at("seen-text").textContent = `What the network sees: ${how}, ${width} x ${height} ${channels === 1 ? "grays" : "pixels"}.`;
};

// pixels: bytes as the network takes them, before inversion; picture: what they were made of. Shows the engine's
// answer, and has the board compared.
const classify = async (pixels, picture, name) => {
  shown = { pixels, picture, name };
  const mine = turn;
  const turned = at("invert").checked ? Picture.inverted(pixels) : pixels;
  showInput(turned);
  const image = Picture.quantized(turned, model.input);
  const result = await engine.run(image);
  if (mine !== turn) return;
  showAnswer(result);
  compare(image, result);
};

const showPicture = (picture, name) => {
  const canvas = at("picture");
  const scale = Math.min(1, 960 / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").putImageData(scale < 1 ? smaller(picture, width, height) : picture, 0, 0);
  canvas.setAttribute("aria-label", `The picture ${name}`);
  canvas.className = picture.width < 200 ? "small" : "";
  at("hint").hidden = true;
};

const smaller = (picture, width, height) => {
  const [source, target] = [document.createElement("canvas"), document.createElement("canvas")];
  [source.width, source.height, target.width, target.height] = [picture.width, picture.height, width, height];
  source.getContext("2d").putImageData(picture, 0, 0);
  const context = target.getContext("2d");
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
};

const takeFile = async (file) => {
  fail(null);
  stopCamera();
  const mine = ++turn;
  try {
    const picture = await Picture.read(file);
    if (mine !== turn) return;
    const pixels = Picture.fitted(picture, model.input, model.fit);
    showPicture(picture, file.name);
    await classify(pixels, picture, file.name);
  } catch (error) {
    if (mine === turn) fail(new Error(`${file.name}: ${error.message}`));
  }
};

const takeExample = async () => {
  fail(null);
  stopCamera();
  ++turn;
  const pixels = bytesOf(model.example.pixels);
  const picture = Picture.shown(pixels, model.input);
  const name = "that came with the model";
  showPicture(picture, name);
  await classify(pixels, picture, name);
};

// The first picture of what was dropped or pasted, or a file of which the browser knows no type.
const takeFirst = (files) => {
  const all = Array.from(files);
  const file = all.find(({ type }) => type.startsWith("image/")) ?? all.find(({ type }) => !type);
  if (file) {
    takeFile(file);
    return;
  }
  ++turn;
  fail(new Error("no picture in it; want an image file"));
};

const stopCamera = () => {
  if (!camera) return;
  for (const track of camera.getTracks()) track.stop();
  camera = null;
  at("video").srcObject = null;
  at("video").hidden = true;
  at("picture").hidden = false;
  at("hint").hidden = at("picture").getAttribute("aria-label") !== "No picture yet";
  at("camera").textContent = "Use the camera";
  if (shown?.name === OF_CAMERA) showPicture(shown.picture, shown.name); // whose answer it is
};

// A button that works for a while cannot be pressed, and has the keyboard's focus again afterwards.
const busy = async (button, work) => {
  const focused = document.activeElement === button;
  button.disabled = true;
  try {
    return await work();
  } finally {
    button.disabled = false;
    if (focused) button.focus();
  }
};

const startCamera = async () => {
  fail(null);
  const wanted = { video: { facingMode: "environment", width: 640, height: 480 } };
  try {
    camera = await busy(at("camera"), () => navigator.mediaDevices.getUserMedia(wanted));
  } catch (error) {
    fail(new Error(`the camera: ${error.message}`));
    return;
  }
  ++turn;
  const stream = camera;
  stream.getVideoTracks()[0].addEventListener("ended", () => {
    if (camera !== stream) return;
    stopCamera();
    fail(new Error("the camera went away; connect it again, or choose a picture"));
  });
  const video = at("video");
  video.srcObject = stream;
  video.hidden = false;
  at("picture").hidden = at("hint").hidden = true;
  at("camera").textContent = "Stop the camera";
  try {
    await video.play();
    while (camera === stream) {
      if (video.videoWidth) {
        const picture = Picture.draw(video, video.videoWidth, video.videoHeight);
        await classify(Picture.fitted(picture, model.input, model.fit), picture, OF_CAMERA);
      }
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  } catch (error) {
    if (camera === stream) fail(error);
  }
};

const showAbout = () => {
  const { height, width, channels } = model.input;
  const facts = {
    Network: `${model.name}: ${width} x ${height} x ${channels} in, ${engine.classes} classes`,
    "Engine model": `${model.engine_bytes.toLocaleString("en")} bytes, SHA-256 ${model.engine_sha256}`,
    "Made from": `the .tflite with SHA-256 ${model.tflite_sha256}`,
    Engine: `${model.wasm_bytes.toLocaleString("en")} bytes of WebAssembly; its memory for this network: ${engine.arenaBytes.toLocaleString("en")} bytes`,
  };
  for (const [name, text] of Object.entries(facts)) showFact(name, text);
};

const showFact = (name, text) => {
  const [term, definition] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  definition.textContent = text;
  at("about").append(term, definition);
};

// Computes the example that Python has computed, too, and says whether all values are the same.
const checkItself = async () => {
  const int8 = (name) => new Int8Array(bytesOf(model.example[name]).buffer);
  const found = await engine.run(int8("input"));
  const differs = ["logits", "probabilities"].some((kind) => int8(kind).some((value, i) => value !== found[kind][i]));
  const count = `${engine.classes} logits and ${engine.classes} probabilities`;
  if (differs) throw new Error(`the engine here differs from Python in the model's example; of its ${count} none is to be trusted`);
  showFact("Checked", `of the model's example, all ${count} are the same here as LiteRT's in Python`);
};

const listen = () => {
  at("file").addEventListener("change", () => {
    takeFirst(at("file").files);
    at("file").value = ""; // so that the same file can be chosen again
  });
  at("invert").addEventListener("change", () => {
    if (shown && !camera) classify(shown.pixels, shown.picture, shown.name).catch(fail);
  });
  at("example").hidden = !model.example.pixels;
  at("example").addEventListener("click", () => takeExample().catch(fail));
  at("camera").addEventListener("click", () => (camera ? stopCamera() : startCamera()));
  at("connect").addEventListener("click", () => (board ? disconnect("Disconnected.") : busy(at("connect"), connect)));
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) takeFirst(event.clipboardData.files);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) at("drop").classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    at("drop").classList.remove("over");
    takeFirst(event.dataTransfer.files);
  });
  if (!navigator.mediaDevices?.getUserMedia) {
    at("camera").disabled = true;
    at("camera").textContent = "No camera here";
  }
  if (!navigator.serial) {
    at("connect").disabled = true;
    say("board", "This browser has no Web Serial. Chrome, Edge and Opera on a computer have it: there, this page compares its answers with a board's.");
  }
};

const start = async () => {
  try {
    engine = await Engine.create(block("wasm"), block("model"));
    showAbout();
    await checkItself();
    listen();
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    fail(error);
    for (const id of ["file", "example", "camera", "connect"]) at(id).disabled = true;
  }
};

start();
