"""The proof "planned SRAM = used SRAM" fails for a plan that is too large, and values for one too small."""

import copy
import functools
from collections.abc import Callable
from dataclasses import replace

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.engine_model import EngineModel
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.target import ANY_CPU, Target
from squeezenet_mcu.convert.verify import exactness
from squeezenet_mcu.host_tools.bench import small_net
from tests.convert import planned_sram, sanitized

FILE = tflite_file.parse(small_net.tflite())
TARGETS = {
    "any": ANY_CPU,
    "v6m": Target("v6m"),
    "dsp": Target("dsp"),
    "huffman": Target("dsp", "flash"),
    "mve": Target("mve"),
}
Change = Callable[[EngineModel, int], arena.Plan]


@functools.cache
def prepared(target: str) -> EngineModel:
    return engine_model.prepare(FILE, [], TARGETS[target])


@pytest.fixture
def made(request) -> EngineModel:
    """A copy, for a test to spoil."""
    return copy.deepcopy(prepared(request.param))


def samples(made: EngineModel):
    source = made.network.buffers[made.network.input_buffer]
    return exactness.sample_images((source.height, source.width, source.channels), 1)


def run(made: EngineModel, plan: arena.Plan, folder) -> sanitized.Run:
    """Runs `made` in another arena than its own; the values are right, whatever is wasted."""
    content = blob.serialize(made.network, plan, [])
    exactness.prove(FILE, made.network, content, samples(made))
    done = sanitized.run_model(content, samples(made), folder, made.network)
    assert done.status == 0
    return done


def room_below_the_counters(made: EngineModel, more: int) -> arena.Plan:
    return replace(
        made.plan, arena_bytes=made.plan.arena_bytes + more, state_offset=made.plan.state_offset + more
    )


def room_behind_the_counters(made: EngineModel, more: int) -> arena.Plan:
    return replace(made.plan, arena_bytes=made.plan.arena_bytes + more)


def room_in_front(made: EngineModel, more: int) -> arena.Plan:
    for buffer in made.network.buffers:
        buffer.offset += more
    for layer in made.network.layers:
        layer.scratch_offset += more
    return room_below_the_counters(made, more)


@pytest.mark.parametrize("made", TARGETS, indirect=True)
def test_the_plan_itself_passes(made, tmp_path):
    planned_sram.check(made.network, run(made, made.plan, tmp_path))


@pytest.mark.parametrize("more", [8, 64, 100_000])
@pytest.mark.parametrize("change", [room_below_the_counters, room_behind_the_counters, room_in_front])
@pytest.mark.parametrize("made", ["any", "huffman"], indirect=True)
def test_a_plan_with_room_to_spare_is_noticed(made, change: Change, more, tmp_path):
    done = run(made, change(made, more), tmp_path)
    with pytest.raises(AssertionError):
        planned_sram.check(made.network, done)


@pytest.mark.parametrize("made", TARGETS, indirect=True)
def test_a_scratch_with_room_to_spare_is_noticed(made, tmp_path):
    """The planner makes room for whatever a layer asks; a kernel has no use for so much."""
    convolutions = [layer for layer in made.network.layers if layer.kind is Kind.CONV_2D]
    max(convolutions, key=lambda layer: layer.scratch_bytes).scratch_bytes += 100_000
    done = run(made, arena.plan(made.network), tmp_path)
    with pytest.raises(AssertionError):
        planned_sram.check(made.network, done)


@pytest.mark.parametrize("made", TARGETS, indirect=True)
def test_no_arena_is_smaller(made):
    """The last byte below the counters is somebody's: 8 bytes less are refused."""
    less = room_below_the_counters(made, -arena.ALIGNMENT)
    with pytest.raises(UserError, match="status 6, an offset lies outside"):
        exactness.prove(FILE, made.network, blob.serialize(made.network, less, []), samples(made))


@pytest.mark.parametrize("made", TARGETS, indirect=True)
def test_every_ring_needs_its_rows(made):
    """With one row less, the engine refuses the ring or computes wrong values."""
    tried = 0
    for buffer in made.network.buffers:
        if buffer.ring_rows == 1:
            continue
        tried += 1
        buffer.ring_rows -= 1
        with pytest.raises(UserError, match=r"differs from LiteRT|status 7, a layer contradicts"):
            exactness.prove(FILE, made.network, blob.serialize(made.network, made.plan, []), samples(made))
        buffer.ring_rows += 1
    assert tried >= 5


@pytest.mark.parametrize("made", TARGETS, indirect=True)
def test_rings_that_share_bytes_are_noticed(made):
    """A ring on top of the one that is in use beside it for longest: refused, or wrong values.

    One that shares but a step with it may do no harm: what is read there is read before it is overwritten.
    """
    rings = [(block, offset) for block, offset in made.plan.blocks if block.buffer is not None]
    tried = 0
    for block, offset in rings:
        others = [
            (int((other.live & block.live).sum()), at)
            for other, at in rings
            if other is not block and at + block.size <= made.plan.state_offset
        ]
        together, at = max(others, default=(0, 0))
        if not together:
            continue
        tried += 1
        made.network.buffers[block.buffer].offset = at
        with pytest.raises(UserError, match=r"differs from LiteRT|status 6, an offset lies outside"):
            exactness.prove(FILE, made.network, blob.serialize(made.network, made.plan, []), samples(made))
        made.network.buffers[block.buffer].offset = offset
    assert tried >= 5
