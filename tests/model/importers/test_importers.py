"""Weights of others: every format read back exactly, and every damaged file one line."""

import struct
import zipfile
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model import importers
from squeezenet_mcu.model.settings import config
from tests.model.importers import imagenet_files, weight_files
from tests.model.importers.torch_files import pth
from tests.model.importers.weight_files import (
    SHAPES,
    caffemodel,
    caffemodel_by_hand,
    net,
    npz,
    random_weights,
    same,
)

SUFFIXES = (".net", ".npz", ".caffemodel", ".pth")


def load(folder, suffix, content):
    path = folder / f"weights{suffix}"
    path.write_bytes(content)
    return importers.load(path, SHAPES)


def mistake(folder, suffix, content):
    with pytest.raises(UserError) as error:
        load(folder, suffix, content)
    message = str(error.value)
    assert message.startswith(f"{folder / 'weights'}{suffix}: ")
    assert "\n" not in message
    return message


@cache
def good(suffix, folder):
    weights = random_weights(SHAPES, density=0.3)
    if suffix == ".npz":
        return npz(folder / "good.npz", weights).read_bytes()
    return {".net": net, ".caffemodel": caffemodel, ".pth": pth}[suffix](weights)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


@pytest.mark.parametrize("density", [0.0, 0.02, 0.3, 1.0])
def test_net(tmp_path, density):
    weights = random_weights(SHAPES, seed=1, density=density)
    same(load(tmp_path, ".net", net(weights)), weights)


def test_net_entries_far_apart(tmp_path):
    weights = random_weights(SHAPES, density=0)
    for position in (0, 15, 16, 31, 33, 107):  # gaps of 0, 14, 0, 14, 1 and 73: four fillers
        weights["conv1"][0].transpose(3, 2, 0, 1)[np.unravel_index(position, (4, 3, 3, 3))] = 1.5
    same(load(tmp_path, ".net", net(weights)), weights)


def test_npz(tmp_path):
    weights = random_weights(SHAPES)
    same(importers.load(npz(tmp_path / "a.npz", weights), SHAPES), weights)


def test_npz_by_our_names_half_precision_and_keras_variables(tmp_path):
    weights = {
        name: (kernel.astype(np.float16).astype(np.float32), bias)
        for name, (kernel, bias) in random_weights(SHAPES).items()
    }
    arrays = {}
    for name, (kernel, bias) in weights.items():
        arrays |= {f"{name}/kernel:0": kernel.astype(np.float16), f"{name}/bias:0": bias.astype(np.float64)}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    same(importers.load(tmp_path / "a.npz", SHAPES), weights)


@pytest.mark.parametrize("v1", [False, True], ids=["layer", "layers"])
def test_caffemodel(tmp_path, v1):
    weights = random_weights(SHAPES)
    same(load(tmp_path, ".caffemodel", caffemodel(weights, v1)), weights)


@pytest.mark.parametrize("v1", [False, True], ids=["layer", "layers"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_caffemodel_that_protobuf_did_not_write(tmp_path, packed, v1):
    weights = random_weights(SHAPES)
    same(load(tmp_path, ".caffemodel", caffemodel_by_hand(weights, packed, v1)), weights)


def test_layers_in_any_order(tmp_path):
    weights = random_weights(SHAPES)
    backwards = dict(reversed(weights.items()))
    same(load(tmp_path, ".caffemodel", caffemodel(backwards)), weights)
    same(importers.load(npz(tmp_path / "a.npz", backwards), SHAPES), weights)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w["conv1"][0].__setitem__((0, 0, 0, 1), np.nan), ["conv1: kernel has 1 values", "nan"]),
        (lambda w: w["conv10"][1].__setitem__(2, -np.inf), ["conv10: bias has 1 values", "-inf at 2"]),
    ],
)
def test_numbers_that_are_not_finite(tmp_path, suffix, change, words):
    weights = random_weights(SHAPES)
    change(weights)
    if suffix == ".npz":
        content = npz(tmp_path / "a.npz", weights).read_bytes()
    else:
        content = {".net": net, ".caffemodel": caffemodel, ".pth": pth}[suffix](weights)
    message = mistake(tmp_path, suffix, content)
    for word in words:
        assert word in message


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_truncation_is_one_line(folder, suffix):
    content = good(suffix, folder)
    assert load(folder, suffix, content)
    # A .caffemodel cut at the end of a layer is a whole message: then a layer is missing.
    for length in range(0, len(content), max(1, len(content) // 500)):
        assert "want" in mistake(folder, suffix, content[:length])


@pytest.mark.parametrize("suffix", [".net", ".caffemodel"])
def test_bytes_left_over(folder, suffix):
    assert "want" in mistake(folder, suffix, good(suffix, folder) + b"\0")


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=300, deadline=None)
@given(
    edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.floats(0.5, 1),
)
def test_damaged_bytes_raise_nothing_else(folder, suffix, edits, cut):
    content = bytearray(good(suffix, folder))
    for where, value in edits:
        content[int(where * len(content))] = value
    try:
        found = load(folder, suffix, bytes(content[: max(1, int(cut * len(content)))]))
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert {name: kernel.shape for name, (kernel, _) in found.items()} == SHAPES


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes_raise_nothing_else(folder, suffix, content):
    mistake(folder, suffix, content)


def test_net_mistakes(tmp_path):
    weights = random_weights(SHAPES, density=0.3)
    content = net(weights)

    def changed(offset, value):
        return content[:offset] + value + content[offset + len(value) :]

    count = struct.unpack_from("<I", content)[0]
    header = 4 * len(SHAPES)
    indices = header + 4 * 256 + 4 * 4
    gaps = indices + count
    seen = mistake(tmp_path, ".net", content[:10])
    assert "10 bytes; want at least 20" in seen
    seen = mistake(tmp_path, ".net", changed(0, struct.pack("<I", 109)))
    assert "conv1: 109 entries for 108 weights" in seen
    seen = mistake(tmp_path, ".net", changed(0, struct.pack("<I", count + 1)))
    assert f"{len(content)} bytes; want {len(content) + (1 if count % 2 else 2)}" in seen
    seen = mistake(tmp_path, ".net", changed(header, struct.pack("<f", 0.5)))
    assert "conv1: codebook entry 0 is 0.5; want 0.0" in seen
    seen = mistake(tmp_path, ".net", changed(gaps, b"\xff" * ((count + 1) // 2)))
    assert f"conv1: an entry at position {16 * count - 1}; want below 108" in seen


def test_npz_mistakes(tmp_path):
    weights = random_weights(SHAPES)

    def seen(**changes):
        return mistake(tmp_path, ".npz", npz(tmp_path / "a.npz", weights, **changes).read_bytes())

    assert "no layer conv10; want the 5 layers" in seen(conv10_kernel=None, conv10_bias=None)
    assert '"conv1" has no bias' in seen(conv1_bias=None)
    assert 'layer "fc7" is not the network\'s' in seen(fc7_kernel=np.zeros(3), fc7_bias=np.zeros(3))
    assert 'array "conv1/gamma" is unknown' in seen(conv1_gamma=np.zeros(3))
    assert "conv1: kernel is [4, 3, 3, 3], want [3, 3, 3, 4]" in seen(conv1_kernel=np.zeros((4, 3, 3, 3)))
    assert "conv1: bias is [5], want [4]" in seen(conv1_bias=np.zeros(5))
    assert 'array "conv1/bias" is int64; want floating point' in seen(conv1_bias=np.zeros(4, int))
    assert "kernel cannot be read" in seen(conv1_kernel=np.array([{}] * 4, object)).replace('"', "")
    assert "conv1: bias has 1 values that are not finite, the first is inf" in seen(
        conv1_bias=np.array([0, 0, 0, 1e300])
    )
    assert "unpacks to 8000128 bytes; want at most" in seen(conv1_kernel=np.zeros(1_000_000))
    path = npz(tmp_path / "a.npz", weights)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.npz", "w") as new:
        for member in old.namelist():
            new.writestr(member, old.read(member) + b"\0")
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as new:
        new.writestr("conv1/kernel.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 20_000) + b" " * 64)
    said = mistake(tmp_path, ".npz", (tmp_path / "c.npz").read_bytes())
    assert "has a header of 20,000 bytes; want at most 10,000" in said and "allow" not in said
    assert "bytes left over" in mistake(tmp_path, ".npz", (tmp_path / "b.npz").read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("conv1/bias:0.npy", archive.read("conv1/bias.npy"))
    assert "comes twice" in mistake(tmp_path, ".npz", path.read_bytes())


def test_caffemodel_mistakes(tmp_path):
    from squeezenet_mcu.model.importers.caffe import NetParameter

    def seen(change):
        message = NetParameter.FromString(caffemodel(random_weights(SHAPES)))
        change({layer.name: layer for layer in message.layer}, message)
        return mistake(tmp_path, ".caffemodel", message.SerializeToString())

    assert "conv1: 1 blobs; want 2" in seen(lambda layers, _: layers[b"conv1"].blobs.pop())
    assert "no layer conv10; want the 5 layers" in seen(
        lambda layers, _: layers[b"conv10"].ClearField("blobs")
    )
    assert 'layer "fc?" has weights and is not the network\'s' in seen(
        lambda layers, _: setattr(layers[b"conv10"], "name", b"fc\n")
    )
    assert 'layer "conv1" comes twice' in seen(lambda layers, net: net.layer.add().CopyFrom(layers[b"conv1"]))
    assert "conv1: weights: 107 values; want 108" in seen(
        lambda layers, _: layers[b"conv1"].blobs[0].data.pop()
    )
    assert "conv1: weights of shape [4, 3, 9], want [4, 3, 3, 3]" in seen(
        lambda layers, _: layers[b"conv1"].blobs[0].shape.dim.__setitem__(slice(2, 4), [9])
    )
    assert "conv1: bias of shape [0, 0, 0, 0], want [4]" in seen(
        lambda layers, _: layers[b"conv1"].blobs[1].ClearField("shape")
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_oversized_files_are_not_read(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole, no bytes on the disk
    with pytest.raises(UserError, match="1099511627776 bytes; want at most 268435456"):
        importers.load(path, SHAPES)


def test_file_that_is_none(tmp_path):
    with pytest.raises(UserError, match=r'a\.h5: "\.h5" is no format of weights; want \.net, \.npz'):
        importers.load(tmp_path / "a.h5", SHAPES)
    with pytest.raises(UserError, match=r"a\.net: no such file"):
        importers.load(tmp_path / "a.net", SHAPES)
    (tmp_path / "b.pth").mkdir()
    with pytest.raises(UserError, match=r"b\.pth: a folder; want weights"):
        importers.load(tmp_path / "b.pth", SHAPES)


def test_the_whole_network_through_a_net(tmp_path):
    """As long as the authors' file, and as sparse; v1.1's shapes are not its own."""
    shapes = config.load("imagenet_v1_0").kernels
    path = imagenet_files.weights_file("imagenet_v1_0", tmp_path)
    weights = imagenet_files.weights("imagenet_v1_0")
    assert 0.3 < sum(np.count_nonzero(kernel) for kernel, _ in weights.values()) / 1_244_448 < 0.35
    same(importers.load(path, shapes), weights)
    with pytest.raises(UserError, match="want"):
        importers.load(path, config.load("imagenet_v1_1").kernels)


@pytest.mark.parametrize("v1", [False, True], ids=["layer", "layers"])
def test_the_whole_network_through_a_caffemodel(tmp_path, v1):
    shapes = config.load("imagenet_v1_0").kernels
    weights = random_weights(shapes)
    path = tmp_path / "a.caffemodel"
    path.write_bytes(weight_files.caffemodel(weights, v1))
    same(importers.load(path, shapes), weights)
