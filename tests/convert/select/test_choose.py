"""Kernels, encodings, batches and scratch: chosen within the memory there is."""

from dataclasses import replace

import numpy as np
import pytest

from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.encode.weights import stored_weights
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import MAX_LAYERS, ConvKernel, Encoding, Kind
from squeezenet_mcu.convert.schedule import arena as plan
from squeezenet_mcu.convert.schedule.split import split
from squeezenet_mcu.convert.select import estimate, search
from squeezenet_mcu.convert.select.choose import choose
from squeezenet_mcu.convert.select.cost.shape import shape_of
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.host_tools.bench import small_net
from squeezenet_mcu.model.card.publish import ZOO
from squeezenet_mcu.model.settings import config
from tests.convert import imagenet_nets, strided_net

F405 = Target("dsp", flash_bytes=950_000, sram_limit=122_000)


def chosen(name, target):
    network = lower(imagenet_nets.parsed(name))
    split(network)
    made = choose(network, target)
    return made.network, plan.plan(made.network).arena_bytes, made.fits


def convolutions(network):
    return [layer for layer in network.layers if layer.kind is Kind.CONV_2D]


def stored(network):
    return sum(len(stored_weights(layer)) for layer in network.layers)


def cost_of(network, family):
    """Instructions by the kernels' own cost models."""
    return estimate.of(network, Target(family)).total


def test_the_papers_network_fits_a_chip_of_1_mb_and_128_kb():
    network, arena, fits = chosen("v1_0", F405)
    assert fits
    assert arena <= 122_000
    assert stored(network) <= 950_000
    assert {layer.conv_kernel for layer in convolutions(network)} <= {
        ConvKernel.GEMM, ConvKernel.WINOGRAD, ConvKernel.SPARSE_LIST, ConvKernel.LANES
    }  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param("v1_0", marks=pytest.mark.long), "v1_1"])
def test_each_aim_wins_at_what_it_aims_at(name):
    speed, speed_arena, _ = chosen(name, Target("dsp", "speed"))
    flash, _, _ = chosen(name, Target("dsp", "flash"))
    sram, sram_arena, _ = chosen(name, Target("dsp", "sram"))
    assert sram_arena < speed_arena
    assert cost_of(speed, "dsp") < min(cost_of(flash, "dsp"), cost_of(sram, "dsp"))
    smallest = sum(
        min(len(stored_weights(replace(layer, encoding=model.encoding))) for model in FAMILY_KERNELS["dsp"]
            if model.supports(
                shape_of(layer, flash.buffers[layer.inputs[0]], flash.buffers[layer.output], 1)))
        for layer in convolutions(flash)
    )  # fmt: skip
    assert stored(flash) == smallest


def test_a_smaller_budget_costs_speed_and_is_kept():
    before = 0.0
    for budget in (160_000, 110_000, 92_000, 75_000):
        network, arena, fits = chosen("v1_1", Target("dsp", sram_bytes=budget))
        assert fits
        assert arena <= budget
        cost = cost_of(network, "dsp")
        assert cost >= before * 0.99  # greedy: nearly monotonous
        before = cost


def test_too_little_sram_takes_the_leanest_way_and_says_so():
    network, arena, fits = chosen("v1_1", Target("dsp", sram_limit=20_000))
    assert not fits
    _, leanest, _ = chosen("v1_1", Target("dsp", "sram"))
    assert arena == leanest
    assert all(layer.batch_rows == 1 for layer in network.layers)


def test_layers_of_a_stage_have_one_batch():
    network, _, _ = chosen("v1_1", Target("dsp"))
    for a, b in zip(network.layers, network.layers[1:], strict=False):
        if a.output == b.output:
            assert a.batch_rows == b.batch_rows


def test_conv10_is_split_and_the_tensor_found_in_its_parts():
    network = lower(imagenet_nets.parsed("v1_1"))
    whole = next(layer for layer in network.layers if layer.name == "conv10")
    split(network)
    parts = [layer for layer in network.layers if layer.name.startswith("conv10[")]
    assert len(parts) > 1
    assert np.array_equal(np.concatenate([p.weights for p in parts]), whole.weights)
    assert sum(p.macs for p in parts) == whole.macs
    views = next(v for v in network.tensors.values() if len(v) > 1)
    assert [network.buffers[v.buffer].channels for v in views] == [p.out_channels for p in parts]
    assert sum(v.channels for v in views) == whole.out_channels
    assert all(network.buffers[p.output].row_bytes <= 4096 for p in parts)


def test_conv10_stays_whole_where_its_parts_would_be_too_many_layers():
    network = lower(imagenet_nets.parsed("v1_1"))
    before = len(network.layers)
    network.layers += [network.layers[-1]] * (MAX_LAYERS - before - 3)
    split(network)
    assert len(network.layers) == MAX_LAYERS - 3


def test_the_smallest_flash_is_no_larger_than_what_speed_takes_when_pressed():
    file = tflite_file.parse(small_net.tflite())
    smallest = len(engine_model.prepare(file, [], Target("dsp", "flash")).content)
    pressed = len(engine_model.prepare(file, [], Target("dsp", flash_bytes=smallest)).content)
    assert smallest <= pressed


def test_codes_are_not_paid_for_where_no_layer_is_coded():
    """What a larger limit leads to fits a smaller one, too; the search comes near it."""
    file = tflite_file.read(ZOO / "gtsrb" / "model.tflite")
    network = engine_model.prepare(file, [], Target("dsp", "flash")).network
    assert blob.codes_bytes(network) > 300
    plain = 0
    for limit in (62_000, 80_000):
        roomy = engine_model.prepare(file, [], Target("dsp", flash_bytes=limit))
        if any(layer.encoding is Encoding.HUFFMAN for layer in convolutions(roomy.network)):
            continue
        plain += 1
        tight = engine_model.prepare(file, [], Target("dsp", flash_bytes=len(roomy.content)))
        assert len(tight.content) <= len(roomy.content)
        assert cost_of(tight.network, "dsp") <= cost_of(roomy.network, "dsp") * 1.005
    assert plain > 1


def test_a_forced_encoding_is_kept_where_the_sram_is_too_small():
    file = tflite_file.parse(small_net.tflite())
    made = engine_model.prepare(file, [], Target("dsp", encoding="huffman", sram_limit=5000))
    assert {layer.encoding for layer in convolutions(made.network)} == {Encoding.HUFFMAN}


@pytest.mark.parametrize(("name", "runs"), [("cifar10", False), ("gtsrb", True)])
def test_winograd_s_code_is_linked_where_it_saves_more_than_next_to_nothing(name, runs):
    """It would save 3 % of cifar10, beside the Huffman decoder; gtsrb runs it, without a decoder."""
    network = lower(tflite_file.read(ZOO / name / "model.tflite"))
    limit = config.load(name).convert.flash_bytes["dsp"]
    made = choose(network, Target("dsp", flash_bytes=limit, sram_limit=122_000))
    assert made.fits
    assert (ConvKernel.WINOGRAD in {layer.conv_kernel for layer in convolutions(made.network)}) == runs
    assert stored(made.network) <= limit


@pytest.mark.parametrize(("worth", "runs"), [(0.98, True), (0.6, False)])
def test_fast_fir_s_code_is_linked_where_it_saves_enough(worth, runs, monkeypatch):
    """It saves about a fifth of this network's convolutions."""
    monkeypatch.setattr(search, "_WORTH_ITS_CODE", worth)
    network = lower(tflite_file.parse(strided_net.tflite()))
    made = choose(network, Target("dsp", sram_bytes=64_000))
    assert (ConvKernel.FAST_FIR in {layer.conv_kernel for layer in convolutions(made.network)}) == runs
