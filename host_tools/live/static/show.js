// What is shown of pictures and answers: into elements that live.js has, knowing nothing of sockets.

const DIM = 0.18; // of a row that has not gone in yet

const Show = {
  // told: {width, height, channels, bytes: base64 of gray or RGB}. Rows from `rows` on are dim, as not gone in yet.
  pixels(canvas, told, rows) {
    const { width, height, channels } = told;
    const bytes = atob(told.bytes);
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; ++i) {
      for (let c = 0; c < 3; ++c) image.data[i * 4 + c] = bytes.charCodeAt(i * channels + (channels === 1 ? 0 : c));
      image.data[i * 4 + 3] = i < rows * width ? 255 : 255 * DIM;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  },

  // classes: [{name, said: [device, Python], share: [0 to 1, the same], equal}], into the body of a table.
  classes(body, classes) {
    const lines = classes.map(({ name, said, share, equal }) => {
      const line = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = equal ? name : `${name} (differs)`;
      line.append(head);
      said.forEach((text, side) => {
        const cell = document.createElement("td");
        const bar = document.createElement("span");
        bar.className = "bar";
        bar.style.width = `${Math.min(100, Math.max(0, share[side] * 100))}%`;
        const words = document.createElement("span");
        words.className = equal ? "said" : "said differs";
        words.textContent = text;
        cell.append(bar, words);
        line.append(cell);
      });
      return line;
    });
    body.replaceChildren(...lines);
  },

  // pairs: [[name, text]], into a <dl>. What is there already stays, so that a reader is not thrown out of it.
  pairs(list, pairs) {
    const words = pairs.flat();
    if (list.children.length !== words.length) {
      list.replaceChildren(...words.map((_, i) => document.createElement(i % 2 ? "dd" : "dt")));
    }
    words.forEach((text, i) => Show.text(list.children[i], text));
  },

  // One of the last pictures: a result, as the server tells it.
  small(result) {
    const item = document.createElement("li");
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Picture ${result.number}: ${result.name}`);
    Show.pixels(canvas, result.small, result.small.height);
    const [best] = result.classes;
    const parts = [["class", best.name], ["share", best.said[0]], ["mark", result.differing ? "≠ differs" : "= equal"]];
    item.className = result.differing ? "differs" : "";
    item.append(canvas);
    for (const [name, text] of parts) {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = text;
      item.append(part);
    }
    return item;
  },

  text(element, text) {
    if (element.textContent !== text) element.textContent = text;
    element.hidden = false;
  },
};
