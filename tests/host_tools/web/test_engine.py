"""The engine as WebAssembly gives what the engine on the host gives, to the last int8, and is small."""

import subprocess
import sys

import numpy as np
import pytest

from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify import exactness
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.web import wasm
from tests.convert import every_kind, random_foreign_nets
from tests.convert.shared_files import SHARED
from tests.host_tools.web import in_node


def check(model: bytes, images: np.ndarray, folder) -> dict:
    """Every logit and probability of each image, of int8 [n, height, width, channels]."""
    found = in_node.infer(model, images, folder)
    host = HostEngine(model)
    wanted = np.array([host.infer(image) for image in images])
    assert found["answers"].shape == wanted.shape
    assert (found["answers"] == wanted).all()
    assert found["arena"] == host.arena_bytes
    assert found["ms"] > 0
    return found


def test_digits(tmp_path):
    images = sources.load("digits", "test", 28, 28, 1, limit=5).x
    check(in_node.zoo_model("digits"), (images ^ np.uint8(0x80)).view(np.int8), tmp_path)


@pytest.mark.parametrize("optimize", ["speed", "flash", "sram"])
def test_a_network_of_every_kind_of_layer(optimize, tmp_path):
    """All kernels, also with Huffman-coded weights: two's complement in each."""
    model = in_node.model_of(every_kind.tflite(), Target(optimize=optimize))
    check(model, exactness.sample_images((every_kind.SIDE, every_kind.SIDE, 3), 5), tmp_path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda model: model[:-4], "the model: truncated"),
        (lambda model: b"sqz" + model[3:], "the model: not an engine model (bad magic)"),
        (lambda model: model[:-1] + bytes([model[-1] ^ 1]), "the model: damaged (CRC-32 does not match)"),
    ],
)
def test_a_model_that_is_damaged(damage, said, tmp_path):
    model = in_node.zoo_model("digits")
    (tmp_path / "wasm").write_bytes(wasm.build().read_bytes())
    (tmp_path / "model").write_bytes(damage(model))
    script = """
    const [code, model] = ["wasm", "model"].map((name) => require("fs").readFileSync(name));
    Engine.create(code, model).catch((error) => console.log(JSON.stringify(error.message)));
    """
    assert in_node.run(script, tmp_path, "engine.js") == said


def test_without_the_linker_a_line_says_what_to_install(monkeypatch):
    wasm.build.cache_clear()
    monkeypatch.setattr(wasm.shutil, "which", lambda tool: None if tool == "wasm-ld" else tool)
    with pytest.raises(UserError, match=r"^wasm-ld is not installed; .*\blld\b"):
        wasm.build()


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "shape"), [("digits", (28, 28, 1)), ("gtsrb", (32, 32, 3)), ("cifar10", (32, 32, 3))]
)
def test_a_hundred_images(name, shape, tmp_path):
    source, unpack = name, SHARED / "data" / "unpack.py"
    if name != "digits":
        if not unpack.is_file():
            pytest.skip(f"needs the images of {name}, test inputs that are not part of the repository")
        source = str(tmp_path / f"{name}.npz")
        subprocess.run([sys.executable, unpack, name, source], check=True, capture_output=True)
    images = sources.load(source, "test", *shape, limit=100).x
    found = check(in_node.zoo_model(name), (images ^ np.uint8(0x80)).view(np.int8), tmp_path)
    print(f"{name}: {found['ms']:.2f} ms an image in Node.js")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_random_networks(seed, tmp_path):
    from squeezenet_mcu.convert.lowering import mend, tflite_file

    file = mend.mended(tflite_file.parse(random_foreign_nets.random_tflite(seed), "x.tflite")).file
    model = in_node.model_of(file.content)
    check(model, exactness.sample_images(HostEngine(model).input_shape, 3, seed), tmp_path)
