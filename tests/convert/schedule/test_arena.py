"""The memory plan: no live rows overlap, nothing is larger than it must be."""

import numpy as np
import pytest

from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import ACCUMULATING, Buffer, Kind, Layer, Network
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.schedule.rows import simulate
from squeezenet_mcu.convert.schedule.split import split
from squeezenet_mcu.convert.select.choose import choose
from squeezenet_mcu.convert.target import Target
from tests.convert import imagenet_nets


def planned(name):
    network = lower(imagenet_nets.parsed(name))
    return network, arena.plan(network)


@pytest.mark.parametrize("family", [None, "v6m", "dsp", "mve"])
@pytest.mark.parametrize("name", ["v1_0", "v1_1"])
def test_rows_that_live_at_once_never_share_a_byte(name, family):
    network = lower(imagenet_nets.parsed(name))
    if family:
        split(network)
        network = choose(network, Target(family, sram_limit=122_000)).network
    memory = arena.plan(network)
    trace = simulate(network)
    owner = np.zeros((trace.steps + 1, memory.state_offset), bool)
    for i, b in enumerate(network.buffers):
        for row, (first, last) in enumerate(zip(trace.first[i], trace.last[i], strict=True)):
            at = b.offset + row % b.ring_rows * b.row_bytes
            place = owner[first : last + 1, at : at + b.row_bytes]
            assert not place.any(), f"{b.name} row {row} overlaps another live row"
            place[:] = True
    accumulating = {i for i in trace.runs if network.layers[i].kind in ACCUMULATING}
    for i in accumulating:
        layer, steps = network.layers[i], trace.runs[i]
        place = owner[
            steps[0] : steps[-1] + 1, layer.scratch_offset : layer.scratch_offset + layer.scratch_bytes
        ]
        assert not place.any()
        place[:] = True
    for first, steps in trace.runs.items():
        for layer in network.layers[first:]:
            of_stage = layer.output == network.layers[first].output and first not in accumulating
            if of_stage and layer.scratch_bytes:
                end = layer.scratch_offset + layer.scratch_bytes
                assert not owner[steps, layer.scratch_offset : end].any(), f"{layer.name}'s scratch"


@pytest.mark.parametrize(("name", "at_most"), [("v1_0", 80_000), ("v1_1", 57_000)])
def test_imagenet_arenas(name, at_most):
    _, memory = planned(name)
    assert memory.arena_bytes == memory.lower_bound, "the placement is as small as any can be"
    assert memory.arena_bytes <= at_most


def test_ring_sizes_of_v1_1():
    network, _ = planned("v1_1")
    rings = {}
    for layer in network.layers:
        rings.setdefault(layer.name, network.buffers[layer.output].ring_rows)
    assert network.buffers[network.input_buffer].ring_rows == 3  # conv1 is 3x3
    assert rings["conv1"] == 1  # the pool behind it takes each row at once
    assert rings["fire2/squeeze1x1"] == 3  # for expand3x3
    assert rings["fire2/expand1x1"] == 1  # one row for both expands, used up at once
    assert rings["max_pool_2d_1"] == 1  # running maxima, no second row


def test_a_bypass_keeps_one_row_of_delay():
    """conv -> (3x3 conv, ADD with the conv's own row): the sum needs the row before the newest."""
    size = 8
    buffers = [Buffer(n, size, size, 2, 1.0, 0) for n in ("input", "a", "b", "sum")]
    buffers.append(Buffer("mean", 1, 1, 2, 1.0, 0))
    weights = np.zeros((2, 1, 1, 2), np.int8)
    layers = [
        Layer("a", Kind.CONV_2D, 0, [0], 1, 2, weights=weights),
        Layer("b", Kind.CONV_2D, 1, [1], 2, 2, kernel=(3, 3), pad_top=1, pad_left=1, weights=weights),
        Layer("sum", Kind.ADD, 2, [1, 2], 3, 2),
        Layer("mean", Kind.MEAN, 3, [3], 4, 2, kernel=(size, size), scratch_bytes=8),
    ]
    arena.plan(Network(b"", buffers, layers, 0, 4, 4, {}, 0, 0))
    assert [b.ring_rows for b in buffers] == [1, 3, 1, 1, 1]


def test_what_a_stage_waits_for_stands_in_the_ring():
    """With a stride of 2 no window reads the last row; the engine still wants room for all that is held."""
    buffers = [Buffer(name, n, n, 2, 1.0, 0) for name, n in (("input", 8), ("a", 4), ("mean", 1))]
    weights = np.zeros((2, 1, 1, 2), np.int8)
    layers = [
        Layer("a", Kind.CONV_2D, 0, [0], 1, 2, stride=(2, 2), weights=weights, defer_rows=8),
        Layer("mean", Kind.MEAN, 1, [1], 2, 2, kernel=(4, 4), scratch_bytes=8),
    ]
    arena.plan(Network(b"", buffers, layers, 0, 2, 2, {}, 0, 0))
    assert buffers[0].ring_rows == 8
