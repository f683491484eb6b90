"""ImageNet networks from files of weights to emulated boards: what fits, and that every answer is exact."""

import json

import pytest

from tests.e2e import verbs
from tests.model.importers import imagenet_files

IMAGES = "pictures"
KB = 1024
AN_HOUR = 3600


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """`converted(network, bits, side)`: the folder in which it is converted; once each."""
    done = {}

    def make(name: str, bits: int, side: int | None = None):
        key = (name, bits, side)
        if key not in done:
            folder = tmp_path_factory.mktemp(f"{name}_{bits}_{side}")
            done[key] = folder, _convert(folder, *key)
        return done[key]

    return make


def _convert(folder, name: str, bits: int, side: int | None) -> str:
    weights, images = imagenet_files.weights_file(name, folder), imagenet_files.pictures(folder / IMAGES, 100)
    model = name
    if side:
        text = (verbs.REPO / "model" / "configs" / f"{name}.toml").read_text()
        full = "227" if name == "imagenet_v1_0" else "224"
        model = f"{name}_{side}.toml"
        text = text.replace(f'name = "{name}"', f'name = "{name}_{side}"')
        (folder / model).write_text(text.replace(f"= {full}\n", f"= {side}\n"))
    words = ("--weights", str(weights), "--calibration", str(images), "--weight-bits", str(bits))
    verbs.succeed(folder, "convert", "--model", model, *words, timeout=AN_HOUR)
    return model.removesuffix(".toml")


def _validated(folder, name: str, board: str, images: int, *request: str) -> tuple[dict, dict]:
    """Builds, validates; engine.json and the report, in which no value differs."""
    verbs.succeed(folder, "host_tools", "firmware", "--model", name, "--board", board, *request)
    built = folder / "build" / name / "firmware" / board
    report = folder / f"{name}-{board}.json"
    words = ("--data", str(folder / IMAGES), "--limit", str(images), "--json", str(report))
    verbs.succeed(
        folder, "host_tools", "validate", "--model", name, "--board", board, *words, timeout=AN_HOUR
    )
    found = json.loads(report.read_text())
    assert found["images"] == images
    assert found["differing_values"] == 0
    return json.loads((built / "model" / "engine.json").read_text()), found


@pytest.mark.long
@pytest.mark.parametrize(("bits", "most"), [(8, 505_000), (7, 469_999)])
def test_the_papers_network_on_the_small_chip(converted, bits, most):
    folder, name = converted("imagenet_v1_0", bits)
    made, report = _validated(folder, name, "stm32f405", 20, "--flash-bytes", str(most))
    print(f"{bits} bits: {made['engine_model_bytes']:,} B, {report['sram_bytes']:,} B of SRAM")
    assert made["engine_model_bytes"] <= most
    assert report["flash_bytes"] <= 1_048_576
    assert report["sram_bytes"] <= 131_072 - 4096


@pytest.mark.long
def test_v1_1_with_7_bits_on_the_small_chip(converted):
    folder, name = converted("imagenet_v1_1", 7)
    made, report = _validated(folder, name, "stm32f405", 10, "--flash-bytes", "960000")
    assert made["engine_model_bytes"] <= 960_000
    assert report["sram_bytes"] <= 96 * KB


@pytest.mark.long
@pytest.mark.parametrize("board", ["mps2_an386", "mps2_an500", "mps3_an547"])
def test_v1_1_on_larger_boards(converted, board):
    folder, name = converted("imagenet_v1_1", 8)
    report = _validated(folder, name, board, 10)[1]
    assert report["sram_bytes"] <= 96 * KB


@pytest.mark.long
@pytest.mark.parametrize("side", [96, 128])
@pytest.mark.parametrize("network", ["imagenet_v1_0", "imagenet_v1_1"])
def test_smaller_inputs(converted, network, side):
    folder, name = converted(network, 7, side)
    _validated(folder, name, "stm32f405", 10)
