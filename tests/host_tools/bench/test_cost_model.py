"""The converter's estimates of a network and its layers against what the emulators count.

They decide which kernel runs a layer, and what `make analyze` says: estimates that have drifted make networks
slower, unseen. After a change of a kernel: tools/costs.
"""

import json

import pytest

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.convert.select import estimate
from squeezenet_mcu.host_tools.bench import measure, networks
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest, target_for

OF_THE_WHOLE = 0.05
OF_A_LAYER = 0.15
SHARE = 0.02  # of a network: smaller layers do not matter

LONG = pytest.mark.long
RESNET8 = networks.MLPERF_TINY.name
V1_0, V1_1 = networks.IMAGENET_RANDOM
# Network, board, what is asked for.
RUNS = [
    pytest.param("digits", "stm32f405", ModelRequest()),
    pytest.param(networks.SMALL_NET, "stm32f405", ModelRequest(), marks=LONG),
    pytest.param("digits", "rp2040", ModelRequest(), marks=LONG),
    pytest.param("digits", "mps3_an547", ModelRequest(), marks=LONG),
    *(
        pytest.param(name, "stm32f405", ModelRequest(), marks=LONG)
        for name in ("gtsrb", "cifar10", RESNET8, V1_0)
    ),
    *(pytest.param(name, "mps2_an386", ModelRequest(), marks=LONG) for name in (V1_0, V1_1)),
    *(
        pytest.param(name, board, ModelRequest(), marks=LONG)
        for name in (networks.SMALL_NET, "gtsrb", "cifar10", RESNET8)
        for board in ("rp2040", "mps3_an547")
    ),
    pytest.param("digits", "stm32f405", ModelRequest(kernel_family="portable"), marks=LONG),
    *(
        pytest.param(name, "riscv_virt", ModelRequest(), marks=LONG)
        for name in ("digits", "gtsrb", "cifar10", RESNET8)
    ),
    *(pytest.param(name, "rp2040", ModelRequest(cores=2), marks=LONG) for name in networks.ZOO),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder whose build/ the tests of this module share."""
    return tmp_path_factory.mktemp("cost_model")


@pytest.fixture(autouse=True)
def in_place(place, monkeypatch):
    monkeypatch.chdir(place)


def _counted(measured, unit):
    """The whole image, and each layer."""
    if unit == "instructions" or measured.profile is None:
        assert measured.unit == unit
        return measured.total, measured.layers
    return measured.profile.total.cycles, [layer.cycles for layer in measured.profile.layers]


@pytest.mark.parametrize(("name", "board", "request_"), RUNS)
def test_estimates_are_near_what_is_counted(name, board, request_):
    try:
        networks.prepare(Console(quiet=True), name)
    except networks.NotMeasurableError as error:
        pytest.skip(str(error))
    hardware, folder = board_toml.load(board), paths.BUILD / name
    built = measure.build(name, board, request_)
    measured = measure.run(board, built.bench)
    manifest = json.loads((folder / "manifest.json").read_text())
    target = target_for(hardware, manifest, request_)
    made = engine_model.prepare(tflite_file.read(folder / "model.tflite"), [], target)
    assert made.content == built.content
    said = estimate.of(made.network, target)
    total, layers = _counted(measured, said.unit)
    off = {
        layer.name: f"{said_of_it:,.0f} for {counted:,}"
        for layer, said_of_it, counted in zip(made.network.layers, said.layers, layers, strict=True)
        if layer.kind is not Kind.SOFTMAX  # takes what the logits make it take
        and counted > SHARE * total
        and abs(said_of_it / counted - 1) > OF_A_LAYER
    }
    assert not off, f"estimates of layers, and what was counted: {off}"
    assert abs(said.total / total - 1) <= OF_THE_WHOLE, f"{said.total:,.0f} {said.unit} for {total:,}"
