"""The engine refuses a model whose two workers would write the same scratch, or that has more of them."""

import struct
import zlib

import numpy as np
import pytest

from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.network import ConvKernel, Encoding, Kind
from squeezenet_mcu.convert.schedule.workers import shared
from tests import cpp_facts
from tests.convert import sanitized
from tests.convert.workers import sharing
from tests.kernels import random_layers

OK, BAD_OFFSET, BAD_LAYER = 0, 6, 7
SEED, SCRATCH = 8, 4096  # of a network of two convolutions into one map, and a MEAN


@pytest.fixture(scope="module")
def model():
    """Two convolutions of one stage, whose workers have four pieces of scratch in all."""
    network = shared(random_layers.sample(SEED).network)
    for layer in network.layers[:2]:
        layer.conv_kernel, layer.encoding = ConvKernel.PIXEL_PAIRS, Encoding.DENSE
        layer.batch_rows, layer.scratch_bytes = 2, SCRATCH
    kinds = [(layer.kind, layer.output, layer.shared) for layer in network.layers]
    assert kinds == [(Kind.CONV_2D, 1, True), (Kind.CONV_2D, 1, True), (Kind.MEAN, 2, False)]
    return sharing.serialized(network)


def place(content, layer, field):
    """Where a model has a layer's field, and its struct letter."""
    fields = {(owner, name): (at, letter) for owner, name, at, _, letter in cpp_facts.host()["fields"]}
    (table,) = struct.unpack_from("<I", content, fields["Header", "layers_offset"][0])
    field, _, index = field.partition(" ")
    at, letter = fields["LayerRecord", field]
    return table + layer * blob._LAYER.size + at + int(index or 0) * struct.calcsize(letter), f"<{letter}"


def value(content, layer, field):
    at, letter = place(content, layer, field)
    return struct.unpack_from(letter, content, at)[0]


def status(content, folder, layer=1, changes=()):
    """What the engine says of the model with these values in a layer's record and a good CRC."""
    changed = bytearray(content)
    for field, new in dict(changes).items():
        at, letter = place(content, layer, field)
        struct.pack_into(letter, changed, at, new)
    struct.pack_into("<I", changed, blob.CRC_START - 4, zlib.crc32(changed[blob.CRC_START :]))
    image = np.expand_dims(random_layers.sample(SEED).image, 0)
    return sanitized.run_model(bytes(changed), image, folder).status


FIRST, SECOND = "scratch_offset", f"params {blob.SECOND_SCRATCH}"


def test_what_the_converter_made_is_taken(model, tmp_path):
    assert status(model, tmp_path) == OK
    assert value(model, 0, FIRST) == value(model, 1, FIRST) != value(model, 0, SECOND)


@pytest.mark.parametrize("past", [0, SCRATCH - 8])
def test_scratch_of_both_workers_must_be_apart(model, past, tmp_path):
    """In one layer, and where one worker is in a layer and the other in the next one."""
    for layer in (0, 1):
        for mine, theirs in ((FIRST, SECOND), (SECOND, FIRST)):
            for other in (0, 1):
                taken = value(model, other, theirs) + past
                assert status(model, tmp_path, layer, {mine: taken}) == BAD_OFFSET, (layer, mine, other)


def test_the_second_scratch_must_be_in_the_arena(model, tmp_path):
    assert status(model, tmp_path, 1, {SECOND: 1 << 24}) == BAD_OFFSET
    assert status(model, tmp_path, 1, {SECOND: value(model, 1, SECOND) + 4}) == BAD_OFFSET


@pytest.mark.parametrize("workers", [2, 256, 0xFFFF])
def test_there_is_no_third_worker(model, workers, tmp_path):
    assert status(model, tmp_path, 1, {"shared": workers}) == BAD_LAYER


def test_a_stage_is_shared_as_a_whole(model, tmp_path):
    assert status(model, tmp_path, 1, {"shared": 0}) == BAD_LAYER


def test_a_mean_is_not_shared(model, tmp_path):
    assert status(model, tmp_path, 2, {"shared": 1}) == BAD_LAYER


def test_one_worker_makes_no_more_rows_than_a_kernel_takes(model, tmp_path):
    """17 rows at once would be nine for one of them; the map has fewer, so the engine would make them."""
    assert status(model, tmp_path, 1, {"batch_rows": 17}) == BAD_LAYER
