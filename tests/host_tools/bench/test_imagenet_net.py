"""ImageNet's networks with random weights: the same bytes every time, and as sparse as trained ones."""

import hashlib

import numpy as np
import pytest

from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.verify import exactness
from squeezenet_mcu.host_tools.bench import imagenet_net

DIGESTS = {
    ("v1.0", 8): "b6ef8c6f5e90b8f11c894c42d2a3590c29f56838344fee097c476722a006518f",
    ("v1.0", 7): "66a3951dba1366bf5cddd41137b61bc2dee02c28bbd0733170cd64e86690416f",
    ("v1.1", 8): "0690eadf47ecdd23c1fd2a06d328fdae60636e575f8a39d0235c6aced096dc84",
}
SMALL = 99  # pixels: enough for every layer, and fast


def convolutions(content: bytes) -> dict[str, np.ndarray]:
    """int8 weights OHWI by layer."""
    file = tflite_file.parse(content)
    return {
        file.tensors[op.outputs[0]].name: file.tensors[op.inputs[1]].data
        for op in file.ops
        if op.name == "CONV_2D"
    }


@pytest.mark.parametrize(("version", "bits"), DIGESTS)
def test_the_same_file_every_time(version, bits):
    content = imagenet_net.tflite(version, bits)
    assert hashlib.sha256(content).hexdigest() == DIGESTS[version, bits]


@pytest.mark.parametrize("version", imagenet_net.NETWORKS)
def test_weights_are_as_sparse_as_trained_ones(version):
    """int8 rounds a few more to zero than pruning does: up to 3 % of a layer's."""
    layers = convolutions(imagenet_net.tflite(version, side=SMALL))
    densities = imagenet_net.NETWORKS[version].densities
    for (name, weights), wanted in zip(layers.items(), densities, strict=True):
        density = np.count_nonzero(weights) / weights.size
        assert wanted - 0.05 < density <= wanted + 0.005, name
        assert set(np.abs(weights.astype(int)).reshape(len(weights), -1).max(axis=1)) == {127}, name


def test_weights_of_seven_bits_are_within_them():
    for weights in convolutions(imagenet_net.tflite("v1.0", 7, SMALL)).values():
        assert np.abs(weights.astype(int)).max() == 63


@pytest.mark.parametrize("version", imagenet_net.NETWORKS)
def test_no_layer_is_dead_or_saturated(version):
    content = imagenet_net.tflite(version, side=SMALL)
    file = tflite_file.parse(content)
    source = file.tensors[file.inputs[0]]
    reference = Reference(content, edge=(float(source.scale[0]), source.zero_point))
    logits = []
    for image in exactness.sample_images((SMALL, SMALL, 3), 2):
        reference.run(image)
        for op in file.ops:
            if op.name == "CONV_2D":
                out = reference.tensor(op.outputs[0])
                assert 0.2 < np.mean(out > -128) < 0.8, file.tensors[op.outputs[0]].name
                assert np.mean(out == 127) < 0.02, file.tensors[op.outputs[0]].name
        logits.append(reference.tensor(file.ops[-1].inputs[0]))
    assert len(np.unique(logits[0])) > 50
    assert not np.array_equal(*logits)


def test_float_weights_are_the_int8_ones():
    """Kernels HWIO, each filter its int8 weights times one scale."""
    kernel, bias = imagenet_net.float_weights("v1.1")["fire2_squeeze1x1"]
    weights = convolutions(imagenet_net.tflite("v1.1"))["fire2/squeeze1x1"].transpose(1, 2, 3, 0)
    assert kernel.shape == weights.shape and bias.shape == weights.shape[3:]
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    np.testing.assert_allclose(kernel, weights * (largest / 127), rtol=1e-5, atol=1e-7)
