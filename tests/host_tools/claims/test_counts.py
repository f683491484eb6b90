"""Parameters, MACs and bytes of the claims against counts of table 1, as typed here, and of a .tflite."""

import math

import pytest

from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.host_tools.bench import imagenet_net
from squeezenet_mcu.host_tools.claims import alexnet, claim, family, paper
from squeezenet_mcu.host_tools.upload.package import ALEXNET_BYTES
from squeezenet_mcu.model.distributed.traffic import ALEXNET_PARAMETERS
from squeezenet_mcu.model.settings import architecture
from squeezenet_mcu.model.settings.architecture import Fire

# Table 1 of the paper: side of the output in pixels, depth of the input, squeeze1x1, expand1x1, expand3x3,
# parameters before pruning.
FIRES = {
    "fire2": (55, 96, 16, 64, 64, 11_920),
    "fire3": (55, 128, 16, 64, 64, 12_432),
    "fire4": (55, 128, 32, 128, 128, 45_344),
    "fire5": (27, 256, 32, 128, 128, 49_440),
    "fire6": (27, 256, 48, 192, 192, 104_880),
    "fire7": (27, 384, 48, 192, 192, 111_024),
    "fire8": (27, 384, 64, 256, 256, 188_992),
    "fire9": (13, 512, 64, 256, 256, 197_184),
}
CONV1, CONV10 = 14_208, 513_000  # 7x7 of 96 filters at 111x111; 1x1 of 1,000 at 13x13


def conv(kernel: int, inputs: int, outputs: int) -> int:
    """Weights of a convolution."""
    return kernel * kernel * inputs * outputs


def fire_weights(inputs: int, squeeze: int, one: int, three: int) -> int:
    return conv(1, inputs, squeeze) + conv(1, squeeze, one) + conv(3, squeeze, three)


@pytest.fixture(scope="module")
def verdicts(members):
    return {name: stated(name, found) for name, found in family.answers(members).items()}


def stated(name, found):
    """The claim as the JSON has it."""
    (about,) = (each for each in paper.CLAIMS if each.id == name)
    return claim.as_json(about, found)


def test_parameters_are_table_1s(members, verdicts):
    lines = {"conv1": conv(7, 3, 96) + 96, "conv10": conv(1, 512, 1000) + 1000}
    for name, (_, inputs, squeeze, one, three, printed) in FIRES.items():
        lines[name] = fire_weights(inputs, squeeze, one, three) + squeeze + one + three
        assert lines[name] == printed == paper.TABLE_1[name]
    assert (lines["conv1"], lines["conv10"]) == (CONV1, CONV10)
    assert members[0].lines == lines
    assert verdicts["parameters"]["ours"] == sum(lines.values()) == 1_248_424
    assert verdicts["parameters-by-line"]["ours"] == 10
    assert {verdicts[name]["verdict"] for name in ("parameters", "parameters-by-line")} == {"holds"}


def test_macs_are_table_1s(members):
    macs = conv(7, 3, 96) * 111**2 + conv(1, 512, 1000) * 13**2
    macs += sum(
        fire_weights(inputs, squeeze, one, three) * side**2
        for side, inputs, squeeze, one, three, _ in FIRES.values()
    )
    assert members[0].macs == members[2].macs == macs
    # v1.1: the authors' release has its pools behind conv1 (113x113), fire3 and fire5.
    v1_1 = conv(3, 3, 64) * 111**2 + conv(1, 512, 1000) * 13**2
    inputs = 64
    for side, (squeeze, expand) in zip(
        (55, 55, 27, 27, 13, 13, 13, 13),
        ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)),
        strict=True,
    ):
        v1_1 += fire_weights(inputs, squeeze, expand, expand) * side**2
        inputs = 2 * expand
    assert members[1].macs == v1_1


@pytest.mark.parametrize(("version", "number"), [("v1.0", 0), ("v1.1", 1)])
def test_parameters_and_bytes_are_those_of_a_tflite(members, version, number):
    file = tflite_file.parse(imagenet_net.tflite(version), "net.tflite")
    weights = biases = 0
    for op in file.ops:
        if op.name == "CONV_2D":
            weights += file.tensors[op.inputs[1]].data.size
            biases += file.tensors[op.inputs[2]].data.size
    assert members[number].parameters == weights + biases
    assert members[number].int8_bytes == weights + 4 * biases
    assert members[number].float_bytes == 4 * (weights + biases)


def test_bypasses(members, verdicts):
    plain, _, simple, complex_ = members
    assert simple.parameters == plain.parameters
    # Round the fires that change the number of channels, as figure 2 has it: side, inputs, outputs.
    rounds = ((55, 96, 128), (55, 128, 256), (27, 256, 384), (27, 384, 512))
    assert complex_.parameters - plain.parameters == sum((i + 1) * o for _, i, o in rounds) == 341_248
    assert complex_.macs - plain.macs == sum(side**2 * i * o for side, i, o in rounds)
    assert complex_.lines["fire3"] == plain.lines["fire3"]
    said = verdicts["complex-bypass-megabytes"]
    assert (said["ours"], said["verdict"]) == (6.358688, "does not hold")
    assert verdicts["simple-bypass-megabytes"]["verdict"] == "holds"


def test_alexnet_layer_by_layer():
    counted = {layer.name: layer.parameters for layer in alexnet.LAYERS}
    assert counted == {
        "conv1": 34_944, "conv2": 307_456, "conv3": 885_120, "conv4": 663_936, "conv5": 442_624,
        "fc6": 37_752_832, "fc7": 16_781_312, "fc8": 4_097_000,
    }  # fmt: skip
    assert sum(counted.values()) == 60_965_224 == alexnet.PARAMETERS == ALEXNET_PARAMETERS
    assert alexnet.FLOAT_BYTES == 243_860_896 == ALEXNET_BYTES


def test_ratios(verdicts):
    said = verdicts["fewer-parameters"]
    assert said["ours"] == 60_965_224 / 1_248_424
    assert round(said["ours"], 1) == 48.8
    assert said["verdict"] == "holds"
    assert math.isclose(verdicts["v1.1-computation"]["ours"], 818_924_576 / 349_151_936, rel_tol=1e-12)
    assert verdicts["megabytes"]["ours"] == 4_993_696 / 2**20
    assert verdicts["alexnet-megabytes"]["ours"] == 243.860896
    # Section 5.2: 0.75 squeeze filters for each expand filter.
    inputs, wider = 96, CONV1 + CONV10
    for expand in (64, 64, 128, 128, 192, 192, 256, 256):
        squeeze = 2 * expand * 3 // 4
        wider += fire_weights(inputs, squeeze, expand, expand) + squeeze + 2 * expand
        inputs = 2 * expand
    assert verdicts["squeeze-ratio-megabytes"]["detail"]["bytes"] == 4 * wider


def test_a_layer_with_another_number_of_channels_changes_the_verdict(monkeypatch, members):
    pool, first, *others = architecture._V1_0
    mutant = Fire(first.squeeze + 1, first.expand1x1, first.expand3x3)
    monkeypatch.setattr(architecture, "_V1_0", (pool, mutant, *others))
    changed = family._count("v1.0", "v1_0", "none", "")
    found = family.answers([changed, *members[1:]])
    assert stated("parameters", found["parameters"])["verdict"] == "does not hold"
    lines = stated("parameters-by-line", found["parameters-by-line"])
    assert (lines["ours"], lines["verdict"]) == (9, "does not hold")
    assert stated("fewer-parameters", found["fewer-parameters"])["verdict"] == "holds"  # 48.8 still
