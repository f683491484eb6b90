// The page's part about a board: each picture goes to it, too, and the two answers are compared.

let board = null;
let asking = false; // the board has an image under way
let waiting = null; // {image, result}: the newest picture that the board has not seen yet
let compared = { pictures: 0, equal: 0 };

const describeBoard = (info) => {
  if (info.tfliteSha256 === model.tflite_sha256) {
    if (!sameNetwork(info)) return `${info.board} says that it runs this network, but with other sizes; ${FLASH_IT}`;
    const same = info.engineSha256 === model.engine_sha256;
    return `${info.board} runs this network: the same .tflite, ${same ? "the same engine model" : "converted for this board"}.`;
  }
  return (
    `${info.board} runs another network (SHA-256 of its .tflite ${info.tfliteSha256.slice(0, 16)}…, this page's ` +
    `${model.tflite_sha256.slice(0, 16)}…), so there is nothing to compare. Flash this one: make flash MODEL=${model.name}`
  );
};

const sameNetwork = (info) =>
  info.tfliteSha256 === model.tflite_sha256 && info.classes === engine.classes && info.height === engine.height &&
  info.width === engine.width && info.channels === engine.channels;

const disconnect = async (text) => {
  const closing = board;
  board = waiting = null;
  say("board", text);
  at("connect").textContent = "Connect a board";
  await closing?.close();
};

const connect = async () => {
  let port;
  try {
    port = await navigator.serial.requestPort();
  } catch {
    return; // the user has chosen none
  }
  say("board", "Connecting …");
  say("verdict", "");
  at("compared").hidden = true;
  compared = { pictures: 0, equal: 0 };
  let opened = null;
  try {
    opened = new Board(await SerialLine.open(port));
    const info = await opened.hello();
    if (!sameNetwork(info)) {
      say("board", describeBoard(info));
      opened.close();
      return;
    }
    board = opened;
    opened.onEnd = (error) => {
      if (board === opened) disconnect(`Disconnected: ${error.message}`);
    };
    say("board", describeBoard(info));
    at("connect").textContent = "Disconnect the board";
    if (shown && !camera) await classify(shown.pixels, shown.picture, shown.name);
  } catch (error) {
    say("board", `Not connected: ${error.message}`);
    opened?.close(); // which may take its time where the port hangs
  }
};

// Asks the board about each picture. Where it is slower than the page, as with a camera, about the newest one.
const compare = async (image, result) => {
  if (!board) return;
  waiting = { image, result };
  if (asking) return;
  asking = true;
  const asked = board;
  try {
    while (waiting && board === asked) {
      const picture = waiting;
      waiting = null;
      if (!camera) say("verdict", "The board computes …", "verdict");
      const theirs = await asked.infer(picture.image);
      if (board === asked) showComparison(picture.result, theirs);
    }
  } catch (error) {
    say("verdict", "");
    if (board === asked) await disconnect(`Disconnected: ${error.message}`);
  } finally {
    asking = false;
  }
};

const showComparison = (ours, theirs) => {
  const kinds = ["logits", "probabilities"];
  const differs = (i) => kinds.some((kind) => ours[kind][i] !== theirs[kind][i]);
  const all = Array.from(ours.logits.keys());
  const different = all.filter(differs);
  ++compared.pictures;
  if (!different.length) ++compared.equal;
  const count = `${compared.equal} of ${compared.pictures} pictures equal so far`;
  const time = theirs.ms === null ? "" : `; the board took ${milliseconds(theirs.ms)} by its own counter`;
  const text = different.length
    ? `Different in ${different.length} of ${all.length} classes: ${count}${time}.`
    : `Equal in all ${all.length} logits and all ${all.length} probabilities: ${count}${time}.`;
  say("verdict", text, different.length ? "verdict different" : "verdict equal");
  speak(`${at("answer").textContent}. ${text}`);
  const rows = (different.length ? different : ranked(ours.logits)).slice(0, 2 * MOST_SHOWN).map((i) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = nameOf(i);
    row.append(head);
    for (const kind of kinds) {
      for (const side of [ours, theirs]) {
        const cell = document.createElement("td");
        cell.textContent = side[kind][i];
        if (ours[kind][i] !== theirs[kind][i]) cell.className = "different";
        row.append(cell);
      }
    }
    return row;
  });
  at("compared").querySelector("tbody").replaceChildren(...rows);
  at("compared").hidden = false;
};
