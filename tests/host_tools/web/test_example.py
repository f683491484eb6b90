"""The example of a page: the model's golden pair, and the pixels that it was made from."""

import io
import zipfile

import numpy as np
import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.convert.verify import exactness
from squeezenet_mcu.host_tools.validate.inputs import Artefacts
from squeezenet_mcu.host_tools.web import example
from tests.manifests import manifest

SIZE = {"height": 4, "width": 5, "channels": 3, "scale": 1 / 255, "zero_point": -128, "preprocess": "unit"}
LOGITS, PROBABILITIES = np.arange(10, dtype=np.int8), np.full(10, -103, np.int8)


def image() -> np.ndarray:
    return np.arange(60, dtype=np.int8).reshape(4, 5, 3)


def packed(**changed: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **({"input": image(), "logits": LOGITS, "probabilities": PROBABILITIES} | changed))
    return stream.getvalue()


def artefacts(folder, content: bytes | None) -> Artefacts:
    """As `convert` leaves them, with this golden.npz."""
    if content is not None:
        (folder / "golden.npz").write_bytes(content)
    known = manifest(fit="resize") | {"input": SIZE, "files": {"golden.npz": files.sha256(content or b"")}}
    return Artefacts(known, b"", folder)


def test_input_answers_and_pixels(tmp_path):
    found = example.load(artefacts(tmp_path, packed()))
    assert (found.input, found.logits) == (image().tobytes(), LOGITS.tobytes())
    assert found.probabilities == PROBABILITIES.tobytes()
    assert found.pixels == bytes(range(128, 188))


def test_an_array_in_fortrans_order(tmp_path):
    found = example.load(artefacts(tmp_path, packed(input=np.asfortranarray(image()))))
    assert found.input == image().tobytes()


def test_noise_is_no_picture(tmp_path):
    """Where `convert` had no images: nothing to show."""
    noise = exactness.sample_images((4, 5, 3), 1)[0]
    assert example.load(artefacts(tmp_path, packed(input=noise))).pixels is None


@pytest.mark.parametrize("rule", ["byte", "tf", "torch", "caffe"])
def test_pixels_become_the_input_by_every_rule(rule):
    source = SIZE | {"preprocess": rule, "scale": 2.3, "zero_point": -7, "edge": "float32"}
    pixels = np.random.default_rng(0).integers(0, 256, (1, 4, 5, 3), dtype=np.uint8)
    wanted = quantize_images(pixels, source)[0]
    found = example.pixels_of(wanted, source)
    again = np.frombuffer(found, np.uint8).reshape(1, 4, 5, 3)
    assert (quantize_images(again, source)[0] == wanted).all()
    assert example.pixels_of(np.full((4, 5, 3), 127, np.int8), source | {"scale": 1e3}) is None


def object_array() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, input=np.array([{}], object), logits=LOGITS, probabilities=PROBABILITIES)
    return stream.getvalue()


def huge() -> bytes:
    """Says that it holds 4 GB."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|i1", "fortran_order": False, "shape": (1 << 32,)}
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("input.npy", header.getvalue())
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "golden.npz: no such file"),
        (b"no zip", "no golden pair of this model"),
        (packed(input=image()[:3]), r"input is int8 \[3, 5, 3\]; want int8 \[4, 5, 3\]"),
        (packed(logits=LOGITS.astype(np.int16)), r"logits is int16 \[10\]; want int8 \[10\]"),
        (object_array(), "holds objects, which could run code"),
        (huge(), r"input is int8 \[4294967296\]"),
    ],
)
def test_damaged(content, said, tmp_path):
    with pytest.raises(UserError, match=said) as raised:
        example.load(artefacts(tmp_path, content))
    assert "make convert MODEL=" in str(raised.value)


def test_of_another_conversion(tmp_path):
    known = artefacts(tmp_path, packed())
    (tmp_path / "golden.npz").write_bytes(packed(logits=LOGITS + 1))
    with pytest.raises(UserError, match=r"golden.npz: SHA-256 is .*, the manifest has"):
        example.load(known)
