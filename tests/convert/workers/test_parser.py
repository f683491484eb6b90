"""The engine refuses a model whose two workers would write the same bytes, or that has a third worker."""

import struct
import zlib

import numpy as np
import pytest

from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.convert.schedule.workers import shared
from tests import cpp_facts
from tests.convert import sanitized
from tests.convert.workers import sharing
from tests.kernels import random_layers, variants

OK, BAD_OFFSET, BAD_LAYER = 0, 6, 7
SHARED, SEED = {0: 20}, 25  # of a network of one 5x5 convolution of 29 channels, and a MEAN


@pytest.fixture(scope="module")
def model():
    network = shared(random_layers.sample(SEED).network, SHARED)
    variants.force(network, "v6m", SEED)
    found = [(layer.kind, layer.worker, bool(layer.scratch_bytes)) for layer in network.layers]
    assert found[:2] == [(Kind.CONV_2D, 0, True), (Kind.CONV_2D, 1, True)]
    return sharing.serialized(network)


def place(content, layer, field):
    """Where a model has a layer's field, and its struct letter."""
    fields = {(owner, name): (at, letter) for owner, name, at, _, letter in cpp_facts.host()["fields"]}
    (table,) = struct.unpack_from("<I", content, fields["Header", "layers_offset"][0])
    at, letter = fields["LayerRecord", field]
    return table + layer * blob._LAYER.size + at, f"<{letter}"


def value(content, layer, field):
    at, letter = place(content, layer, field)
    return struct.unpack_from(letter, content, at)[0]


def status(content, layer, changes, folder):
    """What the engine says of the model with these values in a layer's record and a good CRC."""
    changed = bytearray(content)
    for field, new in changes.items():
        at, letter = place(content, layer, field)
        struct.pack_into(letter, changed, at, new)
    struct.pack_into("<I", changed, blob.CRC_START - 4, zlib.crc32(changed[blob.CRC_START :]))
    source = random_layers.sample(SEED).image
    return sanitized.run_model(bytes(changed), np.expand_dims(source, 0), folder).status


def test_what_the_converter_made_is_taken(model, tmp_path):
    assert status(model, 1, {}, tmp_path) == OK


def test_scratch_of_both_workers_must_be_apart(model, tmp_path):
    theirs = value(model, 0, "scratch_offset")
    assert status(model, 1, {"scratch_offset": theirs}, tmp_path) == BAD_OFFSET
    # One worker may use it for both layers, one after the other.
    assert status(model, 1, {"scratch_offset": theirs, "worker": 0}, tmp_path) == OK


def test_channels_of_both_workers_must_be_apart(model, tmp_path):
    assert status(model, 1, {"out_channel": 19}, tmp_path) == BAD_LAYER
    assert status(model, 1, {"out_channel": 19, "worker": 0}, tmp_path) == OK


@pytest.mark.parametrize("worker", [2, 256, 0xFFFF])
def test_there_is_no_third_worker(model, worker, tmp_path):
    assert status(model, 1, {"worker": worker}, tmp_path) == BAD_LAYER


def test_what_accumulates_is_the_callers(model, tmp_path):
    assert status(model, 2, {"worker": 1}, tmp_path) == BAD_LAYER
