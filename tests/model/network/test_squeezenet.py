"""The networks: parameters, shapes and names against the paper."""

import dataclasses

import pytest

from squeezenet_mcu.model.commands.info import convolutions
from squeezenet_mcu.model.network.squeezenet import build
from squeezenet_mcu.model.settings import config


def variant(name: str, **changes):
    loaded = config.load(name)
    return build(
        dataclasses.replace(loaded, architecture=dataclasses.replace(loaded.architecture, **changes))
    )


# (in, squeeze, expand1x1, expand3x3) of fire2 to fire9: table 1 of the paper; v1.1 as released.
V1_0 = [
    (96, 16, 64, 64), (128, 16, 64, 64), (128, 32, 128, 128), (256, 32, 128, 128),
    (256, 48, 192, 192), (384, 48, 192, 192), (384, 64, 256, 256), (512, 64, 256, 256),
]  # fmt: skip
V1_1 = [(64, 16, 64, 64), *V1_0[1:]]


def conv_parameters(kernel: int, inputs: int, outputs: int) -> int:
    return kernel * kernel * inputs * outputs + outputs


def expected(first: int, fires: list[tuple[int, int, int, int]], bypass: str) -> int:
    total = first + conv_parameters(1, 512, 1000)
    for inputs, squeeze, one, three in fires:
        total += conv_parameters(1, inputs, squeeze)
        total += conv_parameters(1, squeeze, one) + conv_parameters(3, squeeze, three)
        if bypass == "complex" and inputs != one + three:
            total += conv_parameters(
                1, inputs, one + three
            )  # section 6: a 1x1 convolution where counts differ
    return total


@pytest.mark.parametrize("bypass", config.BYPASSES)
@pytest.mark.parametrize(
    ("name", "first", "fires", "published"),
    [
        ("v1_0", conv_parameters(7, 3, 96), V1_0, 1_248_424),
        ("v1_1", conv_parameters(3, 3, 64), V1_1, 1_235_496),
    ],
)
def test_parameters(name, first, fires, published, bypass):
    model = variant(name, bypass=bypass)
    assert model.count_params() == expected(first, fires, bypass)
    assert (model.count_params() == published) == (bypass != "complex")


def test_v1_0_shapes_are_table_1():
    shapes = {layer.name: layer.output_shape[1:] for layer in variant("v1_0").layers}
    assert shapes["conv1"] == (111, 111, 96)
    assert shapes["pool1"] == (55, 55, 96)
    assert shapes["fire4_concat"] == (55, 55, 256)
    assert shapes["pool2"] == (27, 27, 256)
    assert shapes["fire8_concat"] == (27, 27, 512)
    assert shapes["pool3"] == (13, 13, 512)
    assert shapes["fire9_concat"] == (13, 13, 512)
    assert shapes["conv10"] == (13, 13, 1000)


def test_v1_1_shapes_and_macs():
    model = variant("v1_1")
    shapes = {layer.name: layer.output_shape[1:] for layer in model.layers}
    assert shapes["conv1"] == (111, 111, 64)
    assert shapes["fire3_concat"] == (55, 55, 128)
    assert shapes["fire5_concat"] == (27, 27, 256)
    assert shapes["fire9_concat"] == (13, 13, 512)
    assert round(sum(row.macs for row in convolutions(model)) / 1e6, 1) == 349.2  # as measured by others


def test_even_sizes_pool_like_caffe():
    loaded = config.load("v1_1")
    model = build(dataclasses.replace(loaded, input=config.Input(130, 130, 3)))
    shapes = {layer.name: layer.output_shape[1:3] for layer in model.layers}
    # 130 -> 64; ceil((64 - 3) / 2) + 1 = 32; 16; 8: floor would give 31, 15, 7
    assert [shapes[name] for name in ("conv1", "pool1", "pool2", "pool3")] == [
        (64, 64),
        (32, 32),
        (16, 16),
        (8, 8),
    ]


@pytest.mark.parametrize("name", ["v1_0", "v1_1"])
def test_simple_bypass_is_round_fires_3_5_7_9(name):
    adds = [layer.name for layer in variant(name, bypass="simple").layers if layer.name.endswith("_add")]
    assert adds == ["fire3_add", "fire5_add", "fire7_add", "fire9_add"]


@pytest.mark.parametrize("name", ["v1_0", "v1_1"])
def test_complex_bypass_has_a_convolution_round_the_others(name):
    names = {layer.name for layer in variant(name, bypass="complex").layers}
    assert {f"fire{n}_add" for n in range(2, 10)} <= names
    assert {n for n in range(2, 10) if f"fire{n}_bypass1x1" in names} == {2, 4, 6, 8}


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("relu_logits", [False, True])
def test_small_family_layers(batch_norm, relu_logits):
    model = variant("digits", batch_norm=batch_norm, relu_logits=relu_logits, bypass="complex")
    names = [layer.name for layer in model.layers]
    assert ("conv1_bn" in names) == ("fire2_bypass1x1_bn" in names) == batch_norm
    assert "fire2_bypass1x1_relu" not in names  # the bypass is linear
    assert model.get_layer("conv10").activation.__name__ == ("relu" if relu_logits else "linear")
    assert names[-2:] == ["pool10", "softmax"]


@pytest.mark.parametrize("bypass", config.BYPASSES)
@pytest.mark.parametrize("name", config.names())
def test_kernels_are_known_without_keras(name, bypass):
    loaded = config.load(name)
    if not loaded.architecture.classes:
        loaded = loaded.with_labels(["a", "b"])
    changed = dataclasses.replace(
        loaded, architecture=dataclasses.replace(loaded.architecture, bypass=bypass)
    )
    kernels = {layer.name: tuple(layer.kernel.shape) for layer in build(changed).layers if is_conv(layer)}
    assert changed.kernels == kernels
    # A complex bypass is built behind the fire that it goes round, and named with it.
    assert bypass == "complex" or list(changed.kernels) == list(kernels)


def is_conv(layer):
    return hasattr(layer, "kernel")


def test_the_authors_v1_0_pads_conv10():
    shapes = {layer.name: layer.output_shape[1:] for layer in build(config.load("imagenet_v1_0")).layers}
    assert shapes["fire9_concat"] == (13, 13, 512)
    assert shapes["conv10"] == (15, 15, 1000)
    rows = convolutions(build(config.load("imagenet_v1_0")))
    assert round(sum(row.macs for row in rows) / 1e6, 1) == 861.3  # as measured by others


@pytest.mark.parametrize("side", [96, 128])
@pytest.mark.parametrize("name", ["imagenet_v1_0", "imagenet_v1_1"])
def test_imported_networks_take_other_sizes(name, side):
    loaded = config.load(name)
    model = build(dataclasses.replace(loaded, input=config.Input(side, side, 3)))
    assert model.input_shape == (None, side, side, 3)
    assert model.count_params() == build(loaded).count_params()
    # conv1 and three pools halve, in Caffe's way: the last window may be cut off.
    last = {("imagenet_v1_0", 96): 5, ("imagenet_v1_0", 128): 7}.get((name, side), side // 16 - 1)
    assert model.get_layer("fire9_concat").output_shape[1] == last


@pytest.mark.parametrize("size", [(16, 16, 1), (227, 227, 3), (17, 40, 3)])
def test_small_family_takes_any_size(size):
    loaded = config.load("gtsrb")
    model = build(dataclasses.replace(loaded, input=config.Input(*size)))
    assert model.input_shape == (None, *size)
    assert model.output_shape == (None, 43)


@pytest.mark.parametrize(
    ("name", "weights", "macs"),
    [("digits", 16_384, 1_500_000), ("gtsrb", 90_000, 5_000_000), ("cifar10", 225_000, 12_500_000)],
)
def test_shipped_networks_are_small(name, weights, macs):
    rows = convolutions(variant(name))
    assert sum(row.parameters for row in rows) <= weights
    assert sum(row.macs for row in rows) <= macs
