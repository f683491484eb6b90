"""The page as a file: all in one, small, asking for nothing; what its scripts make of pictures and bytes."""

import base64
import hashlib
import html
import json
import re

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.data.images import brought
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader, encoded_size
from squeezenet_mcu.host_tools.link.messages import max_payload
from squeezenet_mcu.host_tools.web import page, wasm
from squeezenet_mcu.host_tools.web.example import Example
from tests.host_tools.web import in_node
from tests.manifests import manifest

MODEL = b"the engine's model"
EXAMPLE = Example(b"input", b"logits", b"probabilities", None)
EVIL = "</script><script>alert(1)</script><!-- \u2028"


def made(**changed) -> str:
    return page.html_of(manifest(fit="resize", **changed), MODEL, wasm.build().read_bytes(), EXAMPLE)


def policy(text: str) -> dict[str, str]:
    (found,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    parts = [part.strip().partition(" ") for part in html.unescape(found).split(";")]
    return {name: value for name, _, value in parts}


def test_page_and_engine_are_small():
    text = made()
    assert len(text.encode()) - page.base64_bytes(MODEL) < 300_000
    assert f'id="model">{base64.b64encode(MODEL).decode()}<' in text


def test_it_asks_for_nothing():
    text = made()
    rules = policy(text)
    assert rules["default-src"] == rules["connect-src"] == "'none'"
    for element, rule in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[rule].split()[0] == f"'sha256-{digest}'"
    assert "unsafe-inline" not in text and "'unsafe-eval'" not in text
    assert not re.search(r"https?:|\bsrc=|@import|url\(", text)
    assert re.findall(r'href="([^"]*)"', text) == ["data:,"]


def test_names_are_text():
    """Of a model and its classes: whatever is in them ends no element."""
    text = made(model=EVIL, labels=[EVIL] * 10)
    assert "alert(1)</script>" not in text and "<!--" not in text
    (known,) = re.findall(r'<script type="application/json" id="settings">(.*?)</script>', text, re.DOTALL)
    assert json.loads(known)["labels"] == [EVIL] * 10


def test_bytes_of_an_input_with_a_rule_of_its_own():
    source = {
        "height": 1, "width": 256, "channels": 3, "scale": 0.9, "zero_point": 3,
        "preprocess": "caffe", "edge": "float32",
    }  # fmt: skip
    known = page.settings(manifest(fit="resize") | {"input": source}, MODEL, b"", EXAMPLE)["input"]
    table = np.frombuffer(base64.b64decode(known["table"]), np.int8).reshape(3, 256)
    pixels = np.random.default_rng(1).integers(0, 256, (1, 1, 256, 3), dtype=np.uint8)
    wanted = quantize_images(pixels, source)[0]
    found = np.stack([table[c][pixels[0, :, :, byte]] for c, byte in enumerate(known["bytes"])], axis=-1)
    assert (found == wanted).all()


@pytest.mark.parametrize("fit", ["resize", "crop"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_comes_to_its_size_as_in_python(fit, channels, tmp_path):
    """Larger, smaller, much larger, of the same size: every byte as Pillow has it."""
    rng = np.random.default_rng(channels)
    sizes = [(640, 480), (31, 57), (224, 224), (7, 300), (227, 227), (1000, 33), (28, 28), (320, 241)]
    cases = [(*size, *wanted) for size in sizes for wanted in ((224, 224), (28, 28), (33, 20))]
    cases += [tuple(map(int, row)) for row in rng.integers(1, 40, (100, 4))]
    for number, (width, height, wide, high) in enumerate(cases):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).convert("L" if channels == 1 else "RGB")
        alpha = np.full((height, width, 1), 255, np.uint8)
        (tmp_path / f"{number}.rgba").write_bytes(np.append(pixels, alpha, axis=2).tobytes())
        (tmp_path / f"{number}.fitted").write_bytes(np.asarray(brought(picture, high, wide, fit)).tobytes())
    script = f"""
    const fs = require("fs");
    const wrong = {json.dumps(cases)}.filter(([width, height, wide, high], number) => {{
      const data = fs.readFileSync(`${{number}}.rgba`);
      const input = {{ width: wide, height: high, channels: {channels} }};
      const found = Picture.fitted({{ data, width, height }}, input, "{fit}");
      return !fs.readFileSync(`${{number}}.fitted`).equals(Buffer.from(found));
    }});
    console.log(JSON.stringify(wrong));
    """
    assert in_node.run(script, tmp_path, "picture.js") == []


def test_pixels_become_int8(tmp_path):
    script = """
    const pixels = Uint8Array.from({ length: 256 }, (_, i) => i);
    const plain = { channels: 1, table: null, bytes: [0] };
    const table = Int8Array.from({ length: 768 }, (_, i) => (i % 256 >> 1) - (i >> 8));
    const turned = { channels: 3, table, bytes: [2, 1, 0] };
    const found = [Picture.quantized(pixels, plain), Picture.quantized(Uint8Array.of(10, 20, 30), turned)];
    console.log(JSON.stringify(found.map((values) => Array.from(values))));
    """
    plain, turned = in_node.run(script, tmp_path, "picture.js")
    assert plain == list(range(-128, 128))
    assert turned == [15 - 0, 10 - 1, 5 - 2]  # table 0 of the third byte, and so on


def frames() -> list[Frame]:
    """With every length of block: zeros, none, and around the longest one."""
    rng = np.random.default_rng(8)
    payloads = [b"", b"\0", bytes(300), b"\1" * 1010, bytes(range(256)) * 3]
    payloads += [b"\7" * n + tail for n in range(243, 256) for tail in (b"", b"\0", b"\0\1")]
    payloads += [rng.integers(0, 3, n, dtype=np.uint8).tobytes() for n in range(0, 1011, 97)]
    return [Frame(int(rng.integers(256)), int(rng.integers(1 << 16)), payload) for payload in payloads]


def test_frames_are_those_of_python(tmp_path):
    sent = frames()
    (tmp_path / "wire").write_bytes(b"noise" + b"".join(frame.encode() for frame in sent))
    script = f"""
    const frames = {json.dumps([[f.type, f.sequence, f.payload.hex()] for f in sent])};
    const encoded = frames.map(([type, sequence, payload]) =>
      Buffer.from(Frames.encode(type, sequence, Buffer.from(payload, "hex"))).toString("hex"));
    const read = [];
    const reader = new FrameReader(({{ type, sequence, payload }}) => {{
      const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
      read.push([type, sequence, bytes.toString("hex")]);
    }}, (text) => {{ throw new Error(text); }});
    const wire = require("fs").readFileSync("wire");
    for (let at = 0; at < wire.length; at += 7) reader.feed(wire.subarray(at, at + 7));
    const most = [64, 100, 255, 256, 257, 300, 512, 1024].map((bytes) => Frames.mostPayload(bytes));
    console.log(JSON.stringify({{ encoded, read, most, bytes: Frames.wireBytes(1010) }}));
    """
    found = in_node.run(script, tmp_path, "frames.js")
    assert found["encoded"] == [frame.encode().hex() for frame in sent]
    assert found["read"] == [[f.type, f.sequence, f.payload.hex()] for f in sent]
    assert found["most"] == [max_payload(n) for n in (64, 100, 255, 256, 257, 300, 512, 1024)]
    assert found["bytes"] == encoded_size(1017)


def test_damaged_frames_are_dropped(tmp_path):
    """The same ones as in Python: a flipped bit, a lost byte, a byte too many, at every place."""
    good = Frame(0x82, 7, bytes(range(18))).encode()
    wires = []
    for at in range(1, len(good) - 1):
        wires += [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :], good[:at] + good[at + 1 :]]
        wires.append(good[:at] + b"\5" + good[at:])
    script = f"""
    const counts = {json.dumps([wire.hex() for wire in wires])}.map((wire) => {{
      let count = 0;
      new FrameReader(() => ++count, () => {{}}).feed(Buffer.from(wire, "hex"));
      return count;
    }});
    console.log(JSON.stringify(counts));
    """
    assert in_node.run(script, tmp_path, "frames.js") == [len(FrameReader().feed(wire)) for wire in wires]
