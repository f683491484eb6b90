"""Damaged Huffman codes, streams and parameters: refused, or harmless, never a fault (ASan, UBSan watch)."""

import subprocess

import numpy as np
import pytest

from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.network import Encoding, Kind
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.verify import host_engine
from tests.convert.encode.test_blob import BAD_LAYER, OK, resealed
from tests.kernels import random_layers, variants


def coded_case(seed: int) -> tuple[bytes, list[range], np.ndarray]:
    """A random network some of whose layers are coded, where that stands in its blob, and an image."""
    while True:
        case = random_layers.sample(seed)
        variants.force(case.network, "dsp", seed)
        layers = [
            layer
            for layer in case.network.layers
            if layer.kind is Kind.CONV_2D and layer.encoding is Encoding.HUFFMAN
        ]
        if layers:
            break
        seed += 1
    content = blob.serialize(case.network, arena.plan(case.network), [])
    places = []
    for layer in layers:
        stream, params = content.index(layer.entropy_coded.stream), content.index(layer.entropy_coded.params)
        places += [range(stream, stream + 12), range(stream + 12, stream + len(layer.entropy_coded.stream))]
        places += [range(params, params + 4), range(params, params + len(layer.entropy_coded.params))]
    codes = content.index(case.network.codes)
    end = codes + len(case.network.codes)
    places += [range(codes, min(codes + 40, end)), range(codes, end)]
    return content, [place for place in places if place], case.image


def damaged(content: bytes, places: list[range], rng: np.random.Generator) -> bytes:
    """One to three bytes of the places set to something else, CRC made good."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.choice(places[int(rng.integers(len(places)))]))
        if rng.random() < 0.5:
            changed[at] ^= 1 << int(rng.integers(8))
        else:
            changed[at] = int(rng.choice([0, 1, 2, 4, 8, 0xFF, int(rng.integers(256))]))
    return resealed(changed)


def run(count: int, seed: int, folder) -> None:
    rng = np.random.default_rng(seed)
    program = host_engine.build(sanitize=True)
    model, pixels, rows = folder / "damaged.sqz", folder / "pixels.bin", folder / "rows.bin"
    outcomes = set()
    for number in range(count):
        if number % 5 == 0:
            content, places, image = coded_case(1000 * seed + number)
            pixels.write_bytes(image.tobytes())
        model.write_bytes(damaged(content, places, rng))
        done = subprocess.run([program, model, pixels, rows], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{number} of seed {seed}: {done.stderr[-2000:]}"
        outcomes.add(int(done.stdout.split()[1]))
    assert outcomes == {OK, BAD_LAYER}


def test_damaged_codes_never_fault(tmp_path):
    run(150, 0, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_damaged_codes_never_fault(tmp_path, seed):
    run(1000, seed, tmp_path)
