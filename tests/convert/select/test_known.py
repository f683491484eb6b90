"""What choices for several targets share changes none of them."""

from dataclasses import replace

import numpy as np
import pytest

from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.encode.weights import sparse
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.convert.schedule.split import split
from squeezenet_mcu.convert.select.choose import choose_for
from squeezenet_mcu.convert.select.known import Known
from squeezenet_mcu.convert.target import ANY_CPU, Target

# Such that some share a kind of CPU and others do not, and that limits bind in some.
TARGETS = [
    Target("dsp", flash_bytes=950_000, sram_limit=122_000, cpu="cortex_m4"),
    Target("dsp", flash_bytes=20_000, sram_limit=122_000, cpu="cortex_m4"),
    Target("dsp", flash_bytes=4_000_000, cpu="cortex_m4"),
    Target("dsp", flash_bytes=4_000_000),
    Target("dsp", optimize="flash", sram_limit=20_000, cpu="cortex_m4"),
    Target("dsp", encoding="huffman"),
    Target("dsp", sram_bytes=9_000),
    Target("mve", flash_bytes=4_000_000),
    Target("portable", cpu="cortex_m0plus", sram_limit=200_000),
    Target("portable", sram_limit=1_000),
    ANY_CPU,
]


def parsed(name):
    return tflite_file.read(ZOO / name / "model.tflite")


@pytest.mark.parametrize(
    ("name", "order"), [("digits", "forwards"), pytest.param("gtsrb", "backwards", marks=pytest.mark.long)]
)
def test_chosen_together_is_chosen_alone(name, order):
    file = parsed(name)
    maker = engine_model.Maker.of(file, [])
    targets = TARGETS if order == "forwards" else TARGETS[::-1]
    for target in targets:
        together = maker.prepare(target)
        alone = engine_model.prepare(file, [], target)
        assert together.content == alone.content, target
        assert together.plan.arena_bytes == alone.plan.arena_bytes


def known_of(name):
    network = lower(parsed(name))
    split(network)
    return Known(network)


def test_networks_of_the_same_layers_share_their_peaks_and_nothing_else():
    first = known_of("digits")
    choose_for(first, TARGETS[0])
    layers = [
        replace(
            la, weights=np.where(np.abs(la.weights) < 9, 0, la.weights).astype(np.int8), entropy_coded=None
        )
        if la.kind is Kind.CONV_2D
        else la
        for la in first.network.layers
    ]
    other = replace(first.network, layers=layers, codes=b"")
    shared = choose_for(Known(replace(other, layers=list(layers)), first.peaks), TARGETS[1])
    alone = choose_for(Known(other), TARGETS[1])
    assert [(la.conv_kernel, la.encoding, la.scratch_bytes) for la in shared.network.layers] == [
        (la.conv_kernel, la.encoding, la.scratch_bytes) for la in alone.network.layers
    ]
    assert shared.plan.arena_bytes == alone.plan.arena_bytes


def test_like_keeps_the_rows_at_once():
    known = known_of("digits")
    made = choose_for(known, TARGETS[2])
    again = choose_for(known, replace(TARGETS[2], encoding="dense"), made.network)
    assert [la.batch_rows for la in again.network.layers] == [la.batch_rows for la in made.network.layers]
    assert max(la.batch_rows for la in made.network.layers) > 1
    assert again.network.layers[0].encoding.name == "DENSE"


@pytest.mark.parametrize("taps", [1, 255, 256, 257, 258, 512, 513, 514, 600])
def test_a_gap_of_any_length_is_bridged_as_a_loop_would(taps):
    random = np.random.RandomState(taps)
    weights = np.where(random.rand(5, taps) < 0.01, random.randint(-128, 128, (5, taps)), 0).astype(np.int8)
    weights[1, :-1], weights[1, -1] = 0, -128  # behind the longest gap that there is
    words = []
    for channel in weights:
        entries, gap = [], 0
        for value in channel.tolist():
            if value:
                entries.append(gap | (value & 0xFF) << 8)
                gap = 0
            elif gap == 255:
                entries.append(255)
                gap = 0
            else:
                gap += 1
        last = np.flatnonzero(channel)
        end = int(last[-1]) if len(last) else -1
        while entries and entries[-1] == 255 and end < taps - 1:  # bridges behind the last weight
            entries.pop()
        words += [len(entries), *entries]
    assert sparse(weights.reshape(5, 1, 1, taps)) == np.array(words, "<u2").tobytes()
