"""The table of docs/embedding.md: what digits takes, compiled as Arduino does, in QEMU."""

import dataclasses
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from tests.embedding import builds
from tests.embedding.test_trees import SKETCH, sketch_program

REPO = builds.HERE.parents[1]
ROWS = {
    "portable, Cortex-M0+": ("portable", dataclasses.replace(builds.SAMD, machine="mps2-an386")),
    "portable, Cortex-M4": ("portable", builds.NANO33BLE),
    "dsp, Cortex-M4": ("dsp", builds.NANO33BLE),
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """build/digits of a conversion for each family."""
    folders = {}
    for family in ("portable", "dsp"):
        folder = tmp_path_factory.mktemp(family)
        command = [
            sys.executable,
            "-m",
            "convert",
            "--model",
            "digits",
            "--package",
            "arduino",
            "--kernel-family",
            family,
        ]
        builds.call(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(REPO)})
        folders[family] = folder / "build" / "digits"
    return folders


@pytest.mark.long
@pytest.mark.parametrize("row", ROWS)
def test_table(digits, tmp_path, row):
    family, platform = ROWS[row]
    library = digits[family] / "package/arduino/Squeeze_digits"
    sketch = library / SKETCH  # in microseconds, not whole milliseconds
    sketch.write_text(sketch.read_text().replace("busy / 1000", "busy"))
    program = sketch_program(platform, library, tmp_path)
    golden = np.load(digits[family] / "golden.npz")
    printed = builds.ran(platform, program, (golden["input"].view(np.uint8) ^ 0x80).tobytes())
    top, microseconds = re.search(r">(\d) \d, ms: (\d+)", printed).groups()
    assert int(top) == golden["logits"].argmax()
    size = subprocess.run(["arm-none-eabi-size", program], capture_output=True, text=True, check=True).stdout
    about = json.loads((library / "model.json").read_text())
    (line,) = (x for x in (REPO / "docs/embedding.md").read_text().splitlines() if x.startswith(f"| {row} |"))
    millions, arena, model, text = (float(x.replace(",", "")) for x in re.findall(r"\| ([\d.,]+) [MB]", line))
    assert arena == about["arena_bytes"]
    assert model == about["engine_model_bytes"]
    assert millions == pytest.approx(int(microseconds) / 1000, rel=0.03)
    assert text == pytest.approx(int(size.splitlines()[1].split()[0]), rel=0.02)
