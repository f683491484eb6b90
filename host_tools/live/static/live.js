// The page: what the server tells of the device is shown, at a pace that people can follow.

const SHOW_MS = 350; // between two pictures: no more than three a second, however fast the device is
const CALM_MS = 2000; // the same, for who wants little motion
const LATE_MS = 300; // so long the answer before may stand beside the next picture without a word
const SPEAK_MS = 8000; // between two sentences for screen readers
const AGAIN_MS = 1500; // between attempts to reach the server
const KEPT = 12; // last pictures
const MOST_KNOWN = 200; // results of pictures that may still be shown

const at = (id) => document.getElementById(id);
const settings = JSON.parse(at("settings").textContent);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const page = document.documentElement;

let socket = null;
let paused = false;
let newest = null; // the picture told last
let current = null; // the one that is shown
let rows = { number: 0, rows: 0 };
let figures = null;
let shownAnswer = 0; // number of the picture whose answer stands there
let ended = false;
let wanted = false; // the server waits for a frame
const results = new Map(); // by number
const last = []; // newest first
let renderedAt = -Infinity;
let rendering = null;
let spokenAt = -Infinity;
let differed = 0; // of the last alarm
const camera = new Camera(at("video"), settings.input, settings.fit);

const tell = (what) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(what);
};

const showState = (kind, text) => {
  const element = at("state");
  element.className = `state ${kind}`;
  Show.text(element, text);
  page.dataset.state = kind;
};

const showPaused = () => {
  Show.text(at("pause"), paused ? "Go on" : "Pause");
  at("pause").disabled = at("step").disabled = ended;
  page.dataset.paused = paused ? "yes" : "no";
};

const showRows = () => {
  if (!current) return;
  const { height } = current.pixels;
  const done = results.has(current.number) || newest.number > current.number;
  const count = done ? height : rows.number === current.number ? Math.min(rows.rows, height) : 0;
  Show.pixels(at("picture"), current.pixels, count);
  at("rows").max = height;
  at("rows").value = count;
  Show.text(at("rows-text"), `row ${count} of ${height}`);
};

// The answer to the picture that is shown; while that is not there, `other` may stand in its place.
const answer = (other = null) => {
  const result = (current && results.get(current.number)) ?? other;
  if (!result || shownAnswer === result.number) return;
  shownAnswer = result.number;
  const [best] = result.classes;
  Show.text(at("answer"), `${best.name}, ${best.said[0]}`);
  const text = result.differing
    ? `Different in ${result.differing} of ${result.all} classes.`
    : `Equal in all ${result.all} logits and all ${result.all} probabilities.`;
  at("verdict").className = result.differing ? "verdict different" : "verdict equal";
  Show.text(at("verdict"), text);
  at("answers").hidden = false;
  at("answers").caption.textContent = `Probabilities of picture ${result.number}, by the device and by Python`;
  Show.classes(at("answers").tBodies[0], result.classes);
};

// Where the answer takes its time: what stands there is of another picture, so it says so.
const late = () => {
  if (!current || results.has(current.number) || !last.length) return;
  answer(last[0]);
  at("verdict").className = "verdict";
  Show.text(at("verdict"), `The device has picture ${current.number} now; this was picture ${shownAnswer}.`);
};

const showPicture = () => {
  if (!newest || newest === current) return;
  current = newest;
  const label = current.label === null ? "" : `; its label: ${current.label}`;
  const name = `Picture ${current.number}: ${current.name}${label}`;
  Show.text(at("name"), name);
  at("picture").setAttribute("aria-label", name);
  showRows();
  answer();
  setTimeout(late, LATE_MS);
};

const showFigures = () => {
  if (!figures) return;
  Show.text(at("agreement"), figures.agreement);
  Show.text(at("agreed"), `${figures.exact} of ${figures.images} images equal to the last int8`);
  Show.pairs(at("figures"), figures.lines);
  at("first").hidden = !figures.first_difference;
  at("first").textContent = figures.first_difference ? `First difference: ${figures.first_difference}` : "";
  page.dataset.images = figures.images;
};

const showLast = () => {
  const list = at("last");
  const known = new Set(Array.from(list.children, (item) => Number(item.dataset.number)));
  for (const result of last.slice().reverse()) {
    if (known.has(result.number)) continue;
    const item = Show.small(result);
    item.dataset.number = result.number;
    list.prepend(item);
  }
  while (list.children.length > KEPT) list.lastChild.remove();
};

// One sentence now and then; a difference at once.
const speak = () => {
  if (!figures) return;
  const different = figures.images - figures.exact;
  if (different > differed) at("alarm").textContent = `A difference: ${figures.first_difference}`;
  differed = different;
  const now = performance.now();
  if (now - spokenAt < SPEAK_MS) return;
  spokenAt = now;
  const best = last[0]?.classes[0];
  at("spoken").textContent =
    `${figures.images} images, ${figures.agreement} equal.` + (best ? ` The last one: ${best.name}, ${best.said[0]}.` : "");
};

const render = () => {
  rendering = null;
  renderedAt = performance.now();
  showPicture();
  showFigures();
  showLast();
  speak();
};

const schedule = () => {
  if (rendering !== null) return;
  const wait = renderedAt + (calm.matches ? CALM_MS : SHOW_MS) - performance.now();
  rendering = setTimeout(render, Math.max(0, wait));
};

const sendFrame = () => {
  if (!wanted || !camera.running) return;
  wanted = false;
  tell(camera.frame(at("invert").checked));
};

const heard = {
  hello({ run }) {
    // Another run of make live, perhaps of another network: its page is another one.
    if (run !== settings.run) location.reload();
  },
  state(told) {
    paused = told.paused;
    ended = told.state === "ended";
    showState(told.state, paused && told.state === "here" ? `Paused. ${told.text}` : told.text);
    showPaused();
    if (ended) {
      stopCamera(); // nobody takes its frames any more
      at("camera").disabled = true;
    }
    Show.text(at("board"), told.board ? `on ${told.board}` : "");
  },
  picture(told) {
    newest = told;
  },
  rows(told) {
    rows = told;
    if (current?.number === told.number) showRows();
  },
  result(told) {
    results.set(told.number, told);
    if (results.size > MOST_KNOWN) results.delete(results.keys().next().value);
    last.unshift(told);
    last.length = Math.min(last.length, KEPT);
    if (current?.number === told.number) {
      showRows();
      answer();
    }
  },
  figures(told) {
    figures = told;
  },
  want() {
    wanted = true;
    sendFrame();
  },
};

const connect = () => {
  socket = new WebSocket(`ws://${location.host}/socket`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    for (const message of JSON.parse(data)) heard[message.type]?.(message);
    schedule();
  };
  socket.onclose = () => {
    if (!ended) showState("away", "This page has lost make live; it tries again.");
    setTimeout(connect, AGAIN_MS);
  };
};

const stopCamera = () => {
  camera.stop();
  Show.text(at("camera"), "Use the camera");
};

const useCamera = async () => {
  const button = at("camera");
  at("camera-error").hidden = true;
  if (camera.stream) return stopCamera();
  button.disabled = true; // while the browser asks its user
  try {
    await camera.start();
    if (ended) return stopCamera();
    Show.text(button, "Stop the camera");
    sendFrame();
  } catch (error) {
    camera.stop();
    Show.text(at("camera-error"), `The camera: ${error.message}`);
  } finally {
    button.disabled = ended;
  }
};

at("pause").addEventListener("click", () => tell(paused ? "go" : "pause"));
at("step").addEventListener("click", () => tell("step"));
at("camera").addEventListener("click", useCamera);
document.addEventListener("keydown", (event) => {
  const plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
  if (!plain || event.target.closest("button, input, a, label")) return; // their own keys
  if (event.key === " " || event.code === "Space") tell(paused ? "go" : "pause");
  else if (event.key === "ArrowRight") tell("step");
  else return;
  event.preventDefault();
});
at("camera-part").hidden = !settings.camera;
Show.text(at("source"), `Pictures: ${settings.source}.`);
connect();
