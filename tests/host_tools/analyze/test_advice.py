"""What to do next: each step's effect is computed, and the greatest gain comes first."""

import dataclasses

import numpy as np
import pytest

from squeezenet_mcu.convert.encode import entropy
from squeezenet_mcu.convert.engine_model import Maker
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.host_tools.analyze import advice, changes, fit, subject
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.studies import sizes
from tests.convert import graph_ops as ops


def net(side: int, same: bool = True) -> bytes:
    """Convolutions and pools of both paddings, a stride, a fire module, a mean."""
    g = RandomGraph(7, "for a smaller input")
    image = g.map("image", [1, side, side, 3], 1 / 255)
    x = g.conv("conv1", image, 8, 3, stride=2, same=same)
    x = g.pool("pool1", x, same=same)
    x = g.fire("fire2", x, 4, 8)
    x = g.pad("pad", x, 1)
    x = g.conv("conv3", x, 8, 3, same=False)
    return g.packed(image, g.softmax(g.mean(g.conv("conv10", x, 10, 1))))


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize(("side", "share"), [(64, 0.5), (64, 0.75), (48, 0.5), (96, 0.75)])
def test_a_smaller_input_is_the_network_that_one_would_train(side, share, same):
    maker = Maker.of(tflite_file.parse(net(side, same)), [])
    theirs = Maker.of(tflite_file.parse(net(round(side * share), same)), [])
    mine = changes.smaller(maker.known, share)
    for ours, real in zip(mine.network.buffers, theirs.known.network.buffers, strict=True):
        assert (ours.height, ours.width, ours.channels) == (real.height, real.width, real.channels)
    fields = ("macs", "pad_top", "pad_left", "scratch_bytes", "kernel")
    for ours, real in zip(mine.network.layers, theirs.known.network.layers, strict=True):
        assert [getattr(ours, f) for f in fields] == [getattr(real, f) for f in fields], ours.name
        if ours.kind in (Kind.MAX_POOL, Kind.AVERAGE_POOL):
            assert ours.params == real.params


@pytest.mark.parametrize("side", [113, 170])
def test_imagenets_network_is_near_it(side):
    """There the padding of the pools goes with the side, as Caffe's does: 227 pads none, others do."""
    maker = Maker.of(tflite_file.parse(sizes.tflite("v1.0", 227)), [])
    theirs = Maker.of(tflite_file.parse(sizes.tflite("v1.0", side)), [])
    mine = changes.smaller(maker.known, side / 227)
    assert sum(la.macs for la in mine.network.layers) == pytest.approx(theirs.known.network.macs, rel=0.15)


def test_a_dense_layer_over_a_map_wants_it_as_it_is():
    g = RandomGraph(7, "flattened")
    image = g.map("image", [1, 16, 16, 3], 1 / 255)
    x = g.conv("conv1", image, 4, 3, stride=2)
    x = ops.dense(g, x, 5)
    assert changes.smaller(Maker.of(tflite_file.parse(g.packed(image, x)), []).known, 0.5) is None


def digits(board="stm32f405"):
    found = subject.of_model("digits")
    return found, fit.on(board_toml.load(board), found.manifest, found.maker, ModelRequest())


def test_thinning_takes_the_smallest_weights():
    found, _ = digits()
    known = found.maker.known
    index = next(i for i, la in enumerate(known.network.layers) if la.name == "conv1")
    thin = changes.thinned(known, index, 0.7).network.layers[index].weights
    before = known.network.layers[index].weights
    assert np.mean(thin == 0) == pytest.approx(0.7, abs=0.01)
    assert np.array_equal(thin[thin != 0], before[thin != 0])
    assert np.abs(before[thin != 0].astype(int)).min() >= np.abs(before[thin == 0].astype(int)).max()
    assert np.array_equal(known.network.layers[index].weights, before) and np.mean(before == 0) < 0.5


@pytest.mark.parametrize("bits", [4, 6])
def test_narrowed_weights_fit_their_bits(bits):
    found, _ = digits()
    made = changes.narrowed(found.maker.known, bits)
    for layer in made.network.layers:
        if layer.kind is Kind.CONV_2D:
            assert entropy.value_bits(layer.weights) <= bits
    assert made.network.codes != found.maker.known.network.codes


def test_the_steps_are_few_and_the_greatest_gain_is_first():
    found, base = digits()
    fits = [
        fit.on(board_toml.load(b), found.manifest, found.maker, ModelRequest()) for b in board_toml.names()
    ]
    steps = advice.steps(found, base, fits)
    assert 2 <= len(steps) <= advice.MOST
    of_network = [step for step in steps if not step.board]
    times = [step.then.milliseconds for step in of_network if step.then.milliseconds < base.milliseconds]
    assert times == sorted(times) and times
    assert [step.board for step in steps] == sorted(step.board for step in steps), "boards last"
    assert steps[0].what.startswith("an input of 21x21")
    saved = 1 - steps[0].then.milliseconds / base.milliseconds
    assert f"({-saved:+.0%})" in advice.effect(base, steps[0])
    for step in steps:
        numbers = advice.as_json(base, step)
        assert numbers["fits"] and numbers["flash_bytes"] == step.then.flash_used


def test_a_step_is_priced_as_the_options_of_firmware_would_be():
    found, base = digits()
    steps = {s.what: s for s in advice.steps(found, base)}
    name = next(what for what in steps if what.startswith("FLASH_BYTES="))
    again = fit.on(
        base.board,
        found.manifest,
        found.maker,
        ModelRequest(flash_bytes=int(name.split("=")[1])),
        base.made.network,
    )
    assert steps[name].then.estimate.total == again.estimate.total < base.estimate.total


def test_where_it_does_not_fit_what_makes_it_fit_comes_first():
    found, base = digits()
    memories = tuple(
        type(m)(m.name, m.use, m.address, 9_000 if m.use == "data" else m.bytes) for m in base.board.memories
    )
    board = dataclasses.replace(base.board, memories=memories)
    tight = fit.on(board, found.manifest, found.maker, ModelRequest())
    assert "SRAM" in tight.missing
    steps = advice.steps(found, tight)
    assert steps and not steps[0].then.missing
    assert advice.effect(tight, steps[0]).endswith("then it fits")


def test_no_board_is_proposed_that_is_no_better():
    found, base = digits("nucleo_f446re")
    fits = [
        fit.on(board_toml.load(b), found.manifest, found.maker, ModelRequest()) for b in board_toml.names()
    ]
    assert not [step for step in advice.steps(found, base, fits) if step.board]
