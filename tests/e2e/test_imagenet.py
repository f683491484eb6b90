"""What boards run of ImageNet's networks (random weights): every int8 of every layer is LiteRT's.

The engine's model is the one that `make firmware` makes for the board, byte for byte; it runs here on the
host's kernels under AddressSanitizer and UndefinedBehaviorSanitizer.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.engine_model import EngineModel
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify import exactness
from tests.convert import imagenet_nets, planned_sram, sanitized
from tests.e2e import verbs
from tests.model.importers import imagenet_files

PREPROCESS = {"v1_0": "caffe", "v1_1": "torch"}
AT_ONCE = 5  # images whose every map is held


@dataclass(frozen=True)
class Made:
    """A board's engine model, and the manifest of what it was made from."""

    model: EngineModel
    manifest: dict


@pytest.fixture(scope="module")
def made_for(tmp_path_factory):
    """`made_for(network, board, optimize)`: converts the network and builds the board's firmware."""
    done: dict[tuple[str, ...], Made] = {}

    def make(name: str, board: str, optimize: str) -> Made:
        key = name, board, optimize
        if key not in done:
            done[key] = _made(tmp_path_factory.mktemp(name), *key)
        return done[key]

    return make


def _made(folder: Path, name: str, board: str, optimize: str) -> Made:
    model = f"random_{name}"
    path = folder / f"{model}.tflite"
    path.write_bytes(imagenet_nets.content(name))
    verbs.succeed(folder, "convert", "--tflite", str(path), "--preprocess", PREPROCESS[name])
    verbs.succeed(
        folder, "host_tools", "firmware", "--model", model, "--board", board, "--optimize", optimize
    )
    built = folder / "build" / model
    record = json.loads((built / "firmware" / board / "model" / "engine.json").read_text())
    target = Target(**record["made_from"]["target"])
    prepared = engine_model.prepare(tflite_file.read(path), [], target)
    assert files.sha256(prepared.content) == record["engine_sha256"], "the bytes that the board gets"
    return Made(prepared, json.loads((built / "manifest.json").read_text()))


def pictures(manifest: dict, count: int, folder: Path) -> np.ndarray:
    """int8 [count, h, w, 3]: the manifest's preprocessing of pictures made in `folder`."""
    size = manifest["input"]
    made = imagenet_files.pictures(folder / "pictures", count)
    return quantize_images(sources.load(str(made), "test", size["height"], size["width"], 3).x, size)


def check(made: Made, x: np.ndarray, folder: Path) -> None:
    """Every tensor of every image, and every byte of the arena."""
    network = made.model.network
    reference = Reference.of(made.manifest, network.source)
    for start in range(0, len(x), AT_ONCE):
        some = x[start : start + AT_ONCE]
        run = sanitized.run_model(made.model.content, some, folder, network)
        assert (run.status, len(run.maps)) == (0, len(some))
        planned_sram.check(network, run)
        for i, (maps, image) in enumerate(zip(run.maps, some, strict=True)):
            reference.run(image)
            assert exactness.differing_tensors(network, maps, reference) == {}, f"image {start + i}"


PARTS = 2  # one for each process of `pytest -n 2`


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_fifty_images_on_the_small_board(part, made_for, tmp_path):
    """ImageNet SqueezeNet v1.0 as the STM32F405 holds it: 25 images a part."""
    made = made_for("v1_0", "stm32f405", "flash")
    check(made, pictures(made.manifest, 50, tmp_path)[part::PARTS], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "board"), [("v1_0", "mps3_an547"), ("v1_1", "mps2_an386"), ("v1_1", "mps3_an547")]
)
def test_ten_images_on_larger_boards(name, board, made_for, tmp_path):
    made = made_for(name, board, "speed")
    check(made, pictures(made.manifest, 10, tmp_path), tmp_path)
