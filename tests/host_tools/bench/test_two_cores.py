"""A network on both cores of an emulated board: the same answers, in less time."""

import argparse

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools import bench
from squeezenet_mcu.host_tools.bench import measure, networks, results
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.validate import cost
from tests.host_tools.bench.test_bench import tflm_result

BOTH = ModelRequest(cores=2)


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A folder in which the small network is converted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("two_cores"))
        networks.prepare(Console(quiet=True), networks.SMALL_NET)
        yield


@pytest.mark.long
def test_two_cores_of_the_pico_take_little_more_than_half_the_cycles(there):
    one, both = (measure.build(networks.SMALL_NET, "rp2040", request) for request in (ModelRequest(), BOTH))
    spent = {}
    for cores, built in ((1, one), (2, both)):
        measured = measure.run("rp2040", built.bench)
        measure.check_exact(networks.SMALL_NET, built.content, measured)
        spent[cores] = measured.profile.total
        assert build.usage(built.bench).cores == cores
    assert 0.5 < spent[2].cycles / spent[1].cycles < 0.65
    # Of both cores: their work is the same, and what it takes to share it is little.
    assert 1 <= spent[2].instructions / spent[1].instructions < 1.2


# The Pico's emulator takes twenty seconds for it; what two cores take on it is measured above.
@pytest.mark.parametrize(
    "board",
    [
        pytest.param(name, marks=[pytest.mark.long] if name == "rp2040" else [])
        for name in board_toml.emulated()
        if board_toml.load(name).cores > 1
    ],
)
def test_answers_over_the_link_are_those_of_the_host(there, board):
    """Of one image after the other; both stacks have been used, and neither to its end."""
    built = measure.build(networks.SMALL_NET, board, BOTH)
    model = built.firmware.parents[1] / "model" / "model.sqz"
    images = np.random.default_rng(8).integers(
        -128, 128, (4, *HostEngine(model.read_bytes()).input_shape), np.int8
    )
    with emulator.running(board, built.firmware) as place, Device(place) as device:
        for image in images:
            answer = device.infer(image)
            assert np.array_equal(answer.logits, HostEngine(model.read_bytes()).infer(image)[0])
        stacks = answer.stack_high_water
    reserve = build.usage(built.firmware).stack_reserve
    assert reserve == 2 * 2048
    assert 2 * 500 < stacks < reserve - 500


@pytest.mark.long
def test_the_cost_of_an_image_says_how_many_cores(there):
    built = measure.build(networks.SMALL_NET, "rp2040", BOTH)
    shape = HostEngine((built.firmware.parents[1] / "model" / "model.sqz").read_bytes()).input_shape
    image = measure.pseudo_image(built.content, shape)
    found = cost.of_one_image("rp2040", board_toml.load("rp2040"), built.firmware, image, Device)
    assert found.cores == 2
    assert found.cycles < found.instructions * 1.2  # the other core's instructions are in it, too


def test_the_table_says_what_two_cores_cycles_are(capsys):
    record = tflm_result("v6m")
    for cores, said in ((2, True), (1, False)):
        results.show(Console(width=100), [record | {"cores": cores}])
        assert ("contention" in capsys.readouterr().out) == said


def test_a_board_of_one_core_is_refused_before_earlier_results_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bench.RESULTS.parent.mkdir(parents=True)
    bench.RESULTS.write_text("[]")
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    with pytest.raises(UserError, match="--cores 2: stm32f405 has 1"):
        bench.run(parser.parse_args(["--model", "digits", "--board", "stm32f405", "--cores", "2"]))
    assert bench.RESULTS.read_text() == "[]"
