"""Numbers that stand both in C++ and in the converter are equal, and none stands in one of them alone."""

import ast
import ctypes
import inspect
import re
import struct
import zlib

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.convert import network as net
from squeezenet_mcu.convert.encode import blob, channel_params, entropy, slices, weights
from squeezenet_mcu.convert.lowering import (
    convolutions,
    fixed_point,
    operators,
    pools,
    state,
    table,
    tflite_file,
)
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.select import search
from squeezenet_mcu.convert.select.cost import fast_fir, gemm, huffman, winograd, winograd_words
from squeezenet_mcu.convert.verify import engine_status, host_engine
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests import cpp_facts

ENUMS = {
    "LayerKind": net.Kind,
    "WeightEncoding": net.Encoding,
    "ConvKernel": net.ConvKernel,
    "HuffmanMode": entropy.Mode,
}

# Each constant of C++, and what Python has for it; None: Python needs none.
CONSTANTS = {
    "kMagic": int.from_bytes(blob.MAGIC, "little"),
    "kFormatVersion": blob.VERSION,
    "kBlobAlignment": weights.aligned(1),
    "kArenaAlignment": arena.ALIGNMENT,
    "kCrcStart": blob.CRC_START,
    "kMaxLayers": net.MAX_LAYERS,
    "kMaxBuffers": net.MAX_LAYERS,
    "kMaxKernel": convolutions.MAX_KERNEL,
    "kMaxPadding": state.MAX_BYTE,
    "kMaxConvStride": None,  # a number inside of an expression: see test_strides_that_lowering_takes
    "kMaxBatch": search.MAX_BATCH,
    "kWorkers": net.WORKERS,
    "kSecondScratch": blob.SECOND_SCRATCH,
    "kMaxSoftmax": table.MAX_SOFTMAX,
    "kMaxMeanPixels": pools.MAX_MEAN_PIXELS,
    "kMaxTaps": convolutions.MAX_TAPS,
    "kPeekOverrun": blob._OVERRUN,
    "kHuffmanHeaderBytes": 4 + 2 * entropy.MAX_CLASSES,
    "kHuffmanTaps": entropy._MASKS.bit_length() - 1,  # a mask has a bit for each
    "kHuffmanClasses": entropy.MAX_CLASSES,
    "kHuffmanTopBits": entropy.TOP_BITS,
    "kHuffmanShortBits": entropy.SHORT_LIMIT,
    "kHuffmanMaskBits": entropy.MASK_LIMIT,
    "kHuffmanGaps": entropy._GAPS,
    "kHuffmanMasks": entropy._MASKS,
    "kGemmSmallMaxTaps": gemm.SMALL_TAPS,
    "kWinogradMaxChannels": winograd.MAX_CHANNELS,
    "kFastFirLeastChannels": fast_fir.LEAST_CHANNELS,
    "kWordsMaxChannels": winograd_words.MAX_CHANNELS,
    "kSliceBytes": slices.SLICE,
    "kSliceQuad": slices.QUAD,
    "kAddLeftShift": fixed_point.ADD_LEFT_SHIFT,
    "kIntegerBits": fixed_point.SOFTMAX_INTEGER_BITS,
    "SQUEEZE_ENGINE_WORDS": ctypes.sizeof(host_engine._Storage) // 8,
}
HEADERS = (
    "engine/format.h", "engine/bit_stream.h", "engine/huffman.h", "engine/huffman_tables.h",
    "engine/fixed_point.h", "engine/softmax_fixed_point.h", "engine/mve/slices.h",
    "engine/dsp/gemm_small.h", "engine/dsp/winograd.h", "engine/dsp/fast_fir.h",
    "engine/v6m/winograd_words.h",
)  # fmt: skip
# Of these headers, what only the engine's own code needs: no file, and no formula of Python's holds it.
ENGINE_ONLY = {
    "kMaxConvInputRows", "kPeekBits", "kHuffmanUnit", "kHuffmanQuickBits", "kShortEntries", "kQuickEntries",
    "kMaskLong", "kMaskEntries", "kFractionBits", "kSumIntegerBits", "kOutputBits", "kOne", "k48Over17",
    "kMinus32Over17", "kWinogradRows", "kWinogradColumns", "kWinogradPositions", "kWinogradGroupAccumulators",
    "kWinogradTileWords", "kFastFirSide", "kFastFirTaps", "kFastFirGroupSums", "kFastFirTileWords",
    "kSlicePixels", "kSliceBlockChannels", "kSliceTableBytes", "kWordsRows", "kWordsColumns",
    "kWordsPositions", "kWordsGroup", "kWordsMost", "kWordsProductBytes",
}  # fmt: skip

# Modules that repeat numbers of the engine's, and those of their constants that are no repeated ones.
MODULES = {
    net: set(),
    blob: set(),
    weights: {"_MAX_GAP"},  # what a byte holds
    slices: set(),
    # What uint16 and three bits hold.
    channel_params: {"_MOST_SCALES", "_MOST_SHIFT"},
    entropy: {"_ROUNDS", "_MOST_CODES", "_NOT_SPARSE"},
    operators: {"_MOST_OTHERS"},
    table: set(),
    convolutions: set(),
    pools: set(),
    state: {"MAX_BYTE", "MAX_SIDE", "MAX_INPUT"},  # what a byte and a uint16 hold, and our own memory
    fixed_point: {"INT32_MAX", "MOST_REAL"},
    arena: {"_TRIED"},
}
# Where the numbers that MODULES repeats are compared, if not in CONSTANTS under their own value.
COMPARED = {
    "MAX_LAYERS", "WORKERS", "SECOND_SCRATCH", "MAGIC", "VERSION", "CRC_START", "_OVERRUN", "SLICE", "QUAD",
    "MAX_CLASSES", "TOP_BITS", "SHORT_LIMIT", "MASK_LIMIT", "MORE", "_GAPS", "_MASKS", "MAX_KERNEL",
    "MAX_TAPS", "MAX_SOFTMAX", "MAX_MEAN_PIXELS",
    "ADD_LEFT_SHIFT", "SOFTMAX_INTEGER_BITS", "ALIGNMENT", "LAYER_STATE_BYTES", "BUFFER_STATE_BYTES",
}  # fmt: skip

RECORDS = {"Header": blob._HEADER, "BufferRecord": blob._BUFFER, "LayerRecord": blob._LAYER}


@pytest.mark.parametrize("name", ENUMS)
def test_enums_have_the_same_members(name):
    assert {cpp_facts.camel(member.name): int(member) for member in ENUMS[name]} == cpp_facts.enum(name)


def test_statuses_are_the_same_in_cpp_in_c_and_in_python():
    c_names = cpp_facts.host()["enums"]["squeeze_status"]
    of_c = {cpp_facts.camel(name.removeprefix("SQUEEZE")): value for name, value in c_names.items()}
    assert of_c == cpp_facts.enum("Status")
    texts = {c_names[name]: text for name, text in cpp_facts.host()["status_texts"].items()}
    ours = {value: text for value, text in engine_status.STATUS_NAMES.items() if value < 64}
    assert {0: "ok"} | ours == texts


def test_statuses_of_tflite_micro_have_names():
    source = (FIRMWARE / "tflm" / "tflm_inference.cc").read_text()
    numbers = {int(value) for value in re.findall(r"^constexpr Status k\w+ = (\d+);", source, re.MULTILINE)}
    assert numbers == {value for value in engine_status.STATUS_NAMES if value >= 64}


@pytest.mark.parametrize("name", [name for name, value in CONSTANTS.items() if value is not None])
def test_constants_are_equal(name):
    assert cpp_facts.host()["constants"][name] == CONSTANTS[name]


def _lowered(stride, asked):
    """A convolution made for one stride, whose operator says another; lowered."""
    g = RandomGraph(7, "a network of a stride")
    image = g.map("image", [1, 12, 12, 3], 1 / 255)
    x = g.conv("conv1", image, 4, 3, stride=stride)
    g.graph.operators[0].builtinOptions.strideH, g.graph.operators[0].builtinOptions.strideW = asked
    return operators.lower(tflite_file.parse(g.packed(image, g.softmax(g.mean(x)))))


def test_strides_that_lowering_takes():
    most = cpp_facts.host()["constants"]["kMaxConvStride"]
    for stride in range(1, most + 1):
        assert _lowered(stride, (stride, stride)).layers[0].stride == (stride, stride)
    for asked in ((most + 1, 1), (1, most + 1)):
        with pytest.raises(UserError, match=f"stride {asked[0]}x{asked[1]}; wanted 1 or {most}"):
            _lowered(1, asked)


def test_the_gap_that_no_weight_follows():
    assert cpp_facts.host()["constants"]["kHuffmanGaps"] - 1 == entropy.MORE


def test_every_constant_of_the_headers_is_compared_or_the_engines_own():
    names = cpp_facts.constants_of(*HEADERS)
    assert set(cpp_facts.host()["constants"]) == set(CONSTANTS)
    assert names - {"SQUEEZE_ENGINE_WORDS"} == set(CONSTANTS) - {"SQUEEZE_ENGINE_WORDS"} | ENGINE_ONLY


def _numbers_of(module):
    """Names that a module gives to numbers and bytes of its own: in capitals, at its top level."""
    found = set()
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.isupper() and isinstance(getattr(module, name), int | float | bytes):
                found.add(name)
    return found


def test_every_number_of_the_converters_is_compared_or_its_own():
    for module, own in MODULES.items():
        assert _numbers_of(module) - own <= COMPARED, module.__name__
        assert own <= _numbers_of(module), module.__name__
    assert set().union(*map(_numbers_of, MODULES)) >= COMPARED


def _elements(format_text):
    """(offset, letter) of each number of a struct format; bytes (32s, 4x) one by one, as B."""
    found, at = [], 0
    for count, letter in re.findall(r"(\d*)([a-zA-Z])", format_text):
        size = struct.calcsize("<" + letter)
        for _ in range(int(count or 1)):
            found.append((at, "B" if letter in "sx" else letter))
            at += size
    return found


def _fields(name):
    """(field, offset, count, letter) of a C++ struct."""
    return [tuple(rest) for owner, *rest in cpp_facts.host()["fields"] if owner == name]


def _as_bytes(elements, names):
    """`elements` with those of `names` (field, start, size) written byte by byte."""
    for start, end in names:
        inside = [(at, "B") for at in range(start, end)]
        elements = sorted([e for e in elements if not start <= e[0] < end] + inside)
    return elements


@pytest.mark.parametrize("name", RECORDS)
def test_records_have_the_layout_that_blob_packs(name):
    fields = _fields(name)
    theirs, at = [], 0
    raw = []  # what Python writes as bytes or as padding, whatever its type is in C++
    for field, offset, count, letter in fields:
        size = struct.calcsize("<" + letter)
        assert offset == at, f"a field before {field} is not in facts.h"
        theirs += [(offset + i * size, letter) for i in range(count)]
        at += count * size
        if field in ("magic", "reserved"):
            raw.append((offset, at))
    assert at == cpp_facts.host()["bytes"][name] == RECORDS[name].size
    assert _as_bytes(theirs, raw) == _as_bytes(_elements(RECORDS[name].format), raw)


def _unpacked(name, content):
    """A record's fields by C++'s names and offsets; arrays as tuples."""
    found = {}
    for field, offset, count, letter in _fields(name):
        values = struct.unpack_from(f"<{count}{letter}", content, offset)
        found[field] = values[0] if count == 1 else values
    return found


def test_a_layers_values_are_where_cpp_reads_them():
    numbers = iter(range(2, 100))
    layer = net.Layer(
        "x", net.Kind.AVERAGE_POOL, 0, [next(numbers), next(numbers)], next(numbers), next(numbers),
        out_channel=next(numbers), kernel=(next(numbers), next(numbers)),
        stride=(next(numbers), next(numbers)), pad_top=next(numbers),
        pad_left=next(numbers), act_min=-3, act_max=next(numbers),
        params=[next(numbers) for _ in range(6)], scratch_offset=next(numbers),
        conv_kernel=net.ConvKernel.SPARSE_LIST, batch_rows=next(numbers), defer_rows=next(numbers),
        shared=True,
    )  # fmt: skip
    read = _unpacked("LayerRecord", blob._layer_record(layer, 99, blob._Data(0)))
    wanted = {
        "kind": layer.kind, "encoding": 0, "kernel_h": layer.kernel[0], "kernel_w": layer.kernel[1],
        "stride_h": layer.stride[0], "stride_w": layer.stride[1], "pad_top": layer.pad_top,
        "pad_left": layer.pad_left, "inputs": tuple(layer.inputs), "output": layer.output,
        "out_channel": layer.out_channel, "out_channels": layer.out_channels, "resume": 99,
        "act_min": layer.act_min, "act_max": layer.act_max, "kernel": layer.conv_kernel,
        "batch_rows": layer.batch_rows, "defer_rows": layer.defer_rows, "shared": 1,
        "weights_offset": 0, "weights_bytes": 0, "scratch_offset": layer.scratch_offset, "scratch_bytes": 0,
        "params": tuple(layer.params),
    }  # fmt: skip
    assert read == wanted


def _made(fires):
    """A small network and its engine model's plan and bytes."""
    g = RandomGraph(7, "a network of which the plan is looked at")
    image = g.map("image", [1, 12, 12, 3], 1 / 255)
    x = g.conv("conv1", image, 4, 3)
    for i in range(fires):
        x = g.fire(f"fire{i + 2}", x, 4, 8)
    file = tflite_file.parse(g.packed(image, g.softmax(g.mean(g.conv("conv10", x, 5, 1)))))
    network = operators.lower(file)
    plan = arena.plan(network)
    return network, plan, blob.serialize(network, plan, ["first", "second"])


def test_a_headers_values_are_where_cpp_reads_them():
    network, plan, content = _made(2)
    read = _unpacked("Header", content)
    scales = (
        b.scale for b in (network.buffers[network.input_buffer], network.buffers[network.logits_buffer])
    )
    assert (read["arena_bytes"], read["state_offset"]) == (plan.arena_bytes, plan.state_offset)
    assert (read["header_bytes"], read["total_bytes"]) == (blob._HEADER.size, len(content))
    assert read["crc32"] == zlib.crc32(content[blob.CRC_START :])
    assert (read["buffer_count"], read["layer_count"]) == (len(network.buffers), len(network.layers))
    assert (read["input_scale"], read["logits_scale"]) == tuple(np.float32(scale) for scale in scales)
    start, size = read["labels_offset"], read["labels_bytes"]
    assert content[start : start + size] == b"first\nsecond"
    assert (read["input_buffer"], read["logits_buffer"], read["output_buffer"]) == (
        network.input_buffer, network.logits_buffer, network.output_buffer,
    )  # fmt: skip
    at = read["buffers_offset"]
    for buffer in network.buffers:
        found = _unpacked("BufferRecord", content[at : at + blob._BUFFER.size])
        names = ("height", "width", "channels", "ring_rows", "offset", "zero_point")
        assert {name: found[name] for name in names} == {name: getattr(buffer, name) for name in names}
        at += blob._BUFFER.size
    assert at == read["layers_offset"]


def _state_bytes(network, plan, content):
    """Fewest bytes of an arena behind the rings and scratch with which the engine takes the model."""
    (at,) = (offset for field, offset, *_ in _fields("Header") if field == "arena_bytes")

    def takes(state_bytes):
        changed = bytearray(content)
        struct.pack_into("<I", changed, at, plan.state_offset + state_bytes)
        struct.pack_into("<I", changed, 12, zlib.crc32(changed[blob.CRC_START :]))
        try:
            host_engine.HostEngine(bytes(changed))
        except UserError:
            return False
        return True

    return next(n for n in range(10_000) if takes(n))


def test_the_engines_counters_take_what_the_plan_counts():
    """Two networks of different shares of layers and buffers: two equations for the two sizes."""
    counts, sizes = [], []
    for fires in (0, 4):
        network, plan, content = _made(fires)
        counts.append((len(network.layers), len(network.buffers)))
        sizes.append(_state_bytes(network, plan, content))
    assert abs(np.linalg.det(counts)) > 0.5
    solved = np.linalg.solve(counts, sizes)
    assert solved == pytest.approx([arena.LAYER_STATE_BYTES, arena.BUFFER_STATE_BYTES])


def test_the_structs_that_ctypes_passes():
    sizes = cpp_facts.host()["bytes"]
    assert sizes["squeeze_engine"] == ctypes.sizeof(host_engine._Storage)
    assert sizes["squeeze_shape"] == ctypes.sizeof(host_engine._Shape)
    fields = [(field, offset) for field, offset, *_ in _fields("squeeze_shape")]
    assert fields == [
        (name, getattr(host_engine._Shape, name).offset) for name, _ in host_engine._Shape._fields_
    ]


def test_the_decoders_tables_are_as_large_as_the_scratch_formulas_say():
    assert cpp_facts.host()["bytes"]["HuffmanTables"] == huffman.TABLES_BYTES


@pytest.mark.parametrize("board", ["stm32f405", "mps3_an547", "rp2040"])
def test_a_board_has_the_same_sizes_and_offsets(board, tmp_path):
    found = cpp_facts.device(board, tmp_path)
    facts = cpp_facts.host()
    wanted = {f"bytes_of__{name}": size for name, size in facts["bytes"].items()}
    wanted |= {f"offset_of__{owner}__{field}": at + 1 for owner, field, at, *_ in facts["fields"]}
    assert found == wanted
