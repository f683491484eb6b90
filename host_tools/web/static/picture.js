// From a picture to the int8 input of the network, as host_tools/classify does it: the same fit (common/data/images.py),
// the same filter (bilinear as Pillow has it, which averages when it shrinks), the same table from bytes to int8.
// The decoder is the browser's own: of a JPEG it may give other bytes than Pillow's, by one or two steps.

const MOST_FILE = 160 << 20; // bytes; as common/data/pictures.py
const MOST_SIDE = 1 << 15; // pixels; as there. On a longer canvas nothing is drawn, and nothing said
const MOST_DECODED = 50331648; // pixels of a file; as there
const MOST_PIXELS = 1 << 24; // of a canvas: more than some browsers have; larger pictures are drawn smaller first
const MOST_BETWEEN = 25165824; // pixels on the way to another size
const WEIGHT_BITS = 22; // of Pillow's fixed point: 8 bits of pixel, 22 of weight, 2 to spare

const Picture = {
  // file: a Blob. Resolves with {width, height, data: RGBA bytes}; Error with a reason for people.
  async read(file) {
    if (file.size > MOST_FILE) throw new Error(`the file has ${file.size} bytes; want at most ${MOST_FILE}`);
    const unreadable = () => new Error("this browser reads no picture in it; want a JPEG, PNG, WebP, GIF or BMP");
    const size = await Picture.sizeOf(file).catch(() => Promise.reject(unreadable()));
    if (Math.max(...size) > MOST_SIDE) throw new Error(`${size.join(" x ")} pixels; want at most ${MOST_SIDE} on a side`);
    if (size[0] * size[1] > MOST_DECODED) throw new Error(`${size.join(" x ")} pixels; want at most ${MOST_DECODED}`);
    const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch(() => Promise.reject(unreadable()));
    try {
      return Picture.draw(bitmap, bitmap.width, bitmap.height);
    } finally {
      bitmap.close();
    }
  },

  // Width and height by the file's header: a small file may hold more pixels than there is memory, and a browser
  // decodes those of an element only when it is drawn.
  async sizeOf(file) {
    const image = new Image();
    image.src = URL.createObjectURL(file);
    try {
      await new Promise((loaded, failed) => Object.assign(image, { onload: loaded, onerror: failed }));
      return [image.naturalWidth, image.naturalHeight];
    } finally {
      URL.revokeObjectURL(image.src);
    }
  },

  // source: what a canvas draws, of width x height; laid over white where it lets through.
  draw(source, width, height) {
    const shrink = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.floor(width * shrink));
    canvas.height = Math.max(1, Math.floor(height * shrink));
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  },

  // The channels that the network takes: 1 (gray by ITU-R BT.601, in Pillow's integer weights), 3, or 4.
  planes({ data, width, height }, channels) {
    const count = width * height;
    const planes = Array.from({ length: channels }, () => new Uint8Array(count));
    for (let i = 0, at = 0; i < count; ++i, at += 4) {
      if (channels === 1) {
        planes[0][i] = (data[at] * 19595 + data[at + 1] * 38470 + data[at + 2] * 7471 + 0x8000) >> 16;
      } else {
        for (let c = 0; c < channels; ++c) planes[c][i] = data[at + c];
      }
    }
    return planes;
  },

  // The picture as the network sees it: bytes, height x width x channels. input: {height, width, channels}.
  fitted(picture, input, fit) {
    const { width, height } = picture;
    let size = [input.width, input.height];
    if (fit === "crop" && !(width === input.width && height === input.height)) {
      size = Picture.covering(width, height, input);
    }
    if (size[0] * Math.max(size[1], height) > MOST_BETWEEN) {
      throw new Error(`${width} x ${height} pixels: too narrow or too flat for ${input.width} x ${input.height}`);
    }
    const left = Math.floor((size[0] - input.width) / 2);
    const top = Math.floor((size[1] - input.height) / 2);
    const pixels = new Uint8Array(input.height * input.width * input.channels);
    Picture.planes(picture, input.channels).forEach((plane, c) => {
      const scaled = Picture.scaled(plane, width, height, size[0], size[1]);
      for (let y = 0; y < input.height; ++y) {
        for (let x = 0; x < input.width; ++x) {
          pixels[(y * input.width + x) * input.channels + c] = scaled[(y + top) * size[0] + x + left];
        }
      }
    });
    return pixels;
  },

  // Width and height of what "crop" takes the centre of: proportions kept, 227/224 of the input covered.
  covering(width, height, input) {
    const [tall, wide] = [input.height, input.width].map((side) => Math.floor((side * 227 + 112) / 224));
    const scale = Math.max(tall / height, wide / width);
    return [Math.max(wide, Picture.round(width * scale)), Math.max(tall, Picture.round(height * scale))];
  },

  // As Python's round: halves to the even number.
  round(value) {
    const floor = Math.floor(value);
    if (value - floor !== 0.5) return Math.round(value);
    return floor % 2 ? floor + 1 : floor;
  },

  // For each of `to` places: the first of `from` pixels that it is made of, and the weight of each from there on.
  weights(from, to) {
    const scale = from / to;
    const reach = Math.max(scale, 1); // a triangle so wide to each side
    return Array.from({ length: to }, (_, i) => {
      const centre = (i + 0.5) * scale;
      const first = Math.max(0, Math.trunc(centre - reach + 0.5));
      const last = Math.min(from, Math.trunc(centre + reach + 0.5));
      const free = [];
      for (let x = first; x < last; ++x) free.push(Math.max(0, 1 - Math.abs((x - centre + 0.5) * (1 / reach))));
      const sum = free.reduce((a, b) => a + b, 0);
      return { first, weights: free.map((w) => Math.trunc(0.5 + (w / sum) * 2 ** WEIGHT_BITS)) };
    });
  },

  // One plane of bytes in another size, by rows and by columns, rounded to bytes between. The columns are first where
  // they lose much more than the rows: so does Pillow 13, as a test sees, and the order shows in the last bit.
  scaled(plane, width, height, toWidth, toHeight) {
    const across = (found, lines) =>
      toWidth === width ? found : Picture.pass(found, 1, lines, width, Picture.weights(width, toWidth), 1, toWidth);
    const down = (found, wide) =>
      toHeight === height ? found : Picture.pass(found, wide, wide, 1, Picture.weights(height, toHeight), wide, 1);
    if (height > toHeight && height - toHeight > 2 * (width - toWidth)) return across(down(plane, width), toHeight);
    return down(across(plane, height), toWidth);
  },

  // `lines` rows or columns: what they are made of lies `step` apart, and they `lineStep`; of what is made, too.
  pass(source, step, lines, lineStep, places, toStep, toLineStep) {
    const out = new Uint8Array(lines * places.length);
    for (let line = 0; line < lines; ++line) {
      places.forEach(({ first, weights }, i) => {
        let sum = 2 ** (WEIGHT_BITS - 1);
        let at = line * lineStep + first * step;
        for (const weight of weights) {
          sum += source[at] * weight;
          at += step;
        }
        out[line * toLineStep + i * toStep] = Math.min(255, sum >> WEIGHT_BITS);
      });
    }
    return out;
  },

  // ImageData of the bytes of a network's input.
  shown(pixels, { width, height, channels }) {
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; ++i) {
      for (let c = 0; c < 3; ++c) image.data[i * 4 + c] = pixels[i * channels + (channels === 1 ? 0 : c)];
      image.data[i * 4 + 3] = 255;
    }
    return image;
  },

  inverted(pixels) {
    return pixels.map((value) => 255 - value);
  },

  // Int8Array of the network's input. input.table: null for pixel - 128, else Int8Array [channels * 256];
  // input.bytes: for each channel, which byte of a pixel it is made from.
  quantized(pixels, input) {
    const found = new Int8Array(pixels.length);
    for (let i = 0; i < pixels.length; ++i) {
      const channel = i % input.channels;
      const byte = pixels[i - channel + input.bytes[channel]];
      found[i] = input.table ? input.table[channel * 256 + byte] : byte - 128;
    }
    return found;
  },
};
