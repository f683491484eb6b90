"""One small network, converted once, and its packages for two families of kernels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.convert import packaging
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import artefacts
from squeezenet_mcu.convert.target import Target
from tests.convert.random_nets import PREPROCESS, random_tflite

NAME = "odd-net.7"  # as a file may be called; "-" and "." must not reach C or CMake
LABELS = [f'class "{i}" \\ é' for i in range(12)]


@dataclass(frozen=True)
class Packages:
    """`images`: uint8 pixels. `logits`, `top`: LiteRT's, for each. `folders`: by family."""

    conversion: artefacts.Conversion
    manifest: dict
    folders: dict[str, Path]
    images: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray

    @property
    def top(self) -> list[int]:
        return [int(row.argmax()) for row in self.logits]


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    c = artefacts.convert(tflite_file.parse(random_tflite(7)), NAME, LABELS, PREPROCESS)
    manifest = artefacts.describe(c, artefacts.Origin({}, ""), None)
    artefacts.write(c, folder / "model", manifest)
    folders = {}
    for family in ("portable", "dsp"):
        folders[family] = folder / family
        made = packaging.make(list(packaging.KINDS), c, manifest, Target(family=family))
        packaging.write(made, folders[family])
    source = manifest["input"]
    shape = (source["height"], source["width"], source["channels"])
    rng = np.random.default_rng(1)
    # Noise of several strengths and brightnesses, so that not all are of one class.
    images = np.stack(
        [rng.integers(low, high, shape) for low, high in ((0, 256), (0, 60), (180, 256), (90, 130))]
    )
    images = images.astype(np.uint8)
    reference = Reference.of(manifest, c.file.content)
    answers = [reference.infer(x, c.network.logits_tensor) for x in quantize_images(images, source)]
    logits, probabilities = (np.stack(values) for values in zip(*answers, strict=True))
    return Packages(c, manifest, folders, images, logits, probabilities)
