"""The engine's model: damaged or hostile bytes give a status, never a fault (ASan and UBSan watch)."""

import struct
import subprocess
import zlib

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.encode import blob, entropy
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import Buffer, ConvKernel, Encoding, Kind, Layer, Network
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.select.choose import choose
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify import exactness, host_engine
from squeezenet_mcu.host_tools.bench import small_net
from tests.convert import sanitized

OK, TRUNCATED, BAD_MAGIC, BAD_VERSION, BAD_CHECKSUM, BAD_LAYER, NO_KERNEL = 0, 2, 3, 4, 5, 7, 13


LABELS = ["one", "zwei", "drü"]
# Sizes of firmware_cpp/engine/format.h's records, and offsets of fields in LayerRecord.
HEADER, BUFFER, LAYER = 108, 16, 68
STRIDE_H, KERNEL, WEIGHTS_OFFSET, WEIGHTS_BYTES, BIAS_OFFSET = 4, 22, 28, 32, 44


def record_of(network: Network, layer: int) -> int:
    """Where the record of a layer begins in the model of `network`."""
    return HEADER + BUFFER * len(network.buffers) + LAYER * layer


@pytest.fixture(scope="module")
def converted():
    from tests.convert.random_nets import random_tflite

    network = lower(tflite_file.parse(random_tflite(0)))
    return network, blob.serialize(network, arena.plan(network), LABELS)


@pytest.fixture(scope="module")
def of_a_family():
    """A network for each family's kernels and encodings: those a host runs as well."""
    made, kernels = [], set()
    for target in (Target("dsp"), Target("dsp", "flash", encoding="sparse"), Target("mve")):
        network = lower(tflite_file.parse(small_net.tflite()))
        if target.optimize == "flash":
            for layer in network.layers:
                if layer.weights is not None:
                    layer.weights = np.where(np.abs(layer.weights) > 90, layer.weights, 0).astype(np.int8)
        entropy.code(network)
        network = choose(network, target).network
        kernels |= {la.conv_kernel.name for la in network.layers if la.kind is Kind.CONV_2D}
        made.append((network, blob.serialize(network, arena.plan(network), LABELS)))
    assert {"GEMM", "WINOGRAD", "SPARSE_LIST", "SLICES"} <= kernels
    return made


def resealed(content: bytearray) -> bytes:
    """With a CRC-32 that fits, so that the checks behind it are reached."""
    struct.pack_into("<I", content, 12, zlib.crc32(bytes(content[blob.CRC_START :])))
    return bytes(content)


def status_of(content: bytes) -> int:
    with pytest.raises(UserError) as error:
        host_engine.HostEngine(content)
    return int(str(error.value).split("status ")[1].split(",")[0])


def test_sound(converted):
    _, content = converted
    assert content.endswith("one\nzwei\ndrü".encode())
    assert host_engine.HostEngine(content).arena_bytes > 0


@pytest.mark.parametrize("size", [0, 1, 107, 108, 500])
def test_truncated(converted, size):
    assert status_of(converted[1][:size]) == TRUNCATED


def test_every_flipped_byte_of_the_header_and_some_of_the_rest_is_noticed(converted):
    content = converted[1]
    for at in [*range(108), *range(108, len(content), 997)]:
        flipped = bytearray(content)
        flipped[at] ^= 1 << at % 8
        assert status_of(bytes(flipped)) != OK


def test_statuses(converted):
    content = bytearray(converted[1])
    assert status_of(b"XXXX" + bytes(content[4:])) == BAD_MAGIC
    assert status_of(bytes(content[:4]) + b"\x63\x00" + bytes(content[6:])) == BAD_VERSION
    assert status_of(bytes(content[:-1]) + b"?") == BAD_CHECKSUM


def tables_end(content: bytes) -> int:
    """Where the header, the buffers' and the layers' records end."""
    buffers, layers = struct.unpack_from("<HH", content, 56)
    return HEADER + BUFFER * buffers + LAYER * layers


def input_shape(network) -> tuple[int, int, int]:
    source = network.buffers[network.input_buffer]
    return source.height, source.width, source.channels


def test_a_kernel_that_is_not_built_is_refused(converted):
    network, content = converted
    changed = bytearray(content)
    i = next(i for i, layer in enumerate(network.layers) if layer.kind is Kind.CONV_2D)
    changed[record_of(network, i) + KERNEL] = 99
    assert status_of(resealed(changed)) == NO_KERNEL


def test_sparse_weights_that_leave_their_channel_are_refused(of_a_family, tmp_path):
    network, content = of_a_family[1]
    for i, layer in enumerate(network.layers):
        if layer.kind is Kind.CONV_2D and layer.encoding is Encoding.SPARSE:
            (offset,) = struct.unpack_from("<I", content, record_of(network, i) + WEIGHTS_OFFSET)
            (count,) = struct.unpack_from("<H", content, offset)
            for at, value in ((offset, count + 1), (offset, 0xFFFF), (offset + 2, 0x01FF)):
                changed = bytearray(content)
                struct.pack_into("<H", changed, at, value)
                assert status_of(resealed(changed)) == BAD_LAYER
            return
    raise AssertionError("no sparse layer")


def sweep(content: bytes, network, folder, step: int) -> None:
    """Every `step`-th byte of the header and the tables set to 0, to 1 and to 255, CRC made good."""
    image = exactness.sample_images(input_shape(network), 1)
    program = host_engine.build(sanitize=True)
    pixels, rows, model = folder / "pixels.bin", folder / "rows.bin", folder / "mutant.sqz"
    pixels.write_bytes(image.tobytes())
    refused = 0
    for at in range(blob.CRC_START, tables_end(content), step):
        for value in (0, 1, 255):
            changed = bytearray(content)
            changed[at] = value
            model.write_bytes(resealed(changed))
            done = subprocess.run([program, model, pixels, rows], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"byte {at} = {value}: {done.stderr[-2000:]}"
            refused += int(done.stdout.split()[1]) != OK
    assert refused


def test_a_field_at_its_extremes_never_faults(converted, tmp_path):
    network, content = converted
    sweep(content, network, tmp_path, step=13)  # 13 and the records' 68 bytes share no factor


@pytest.mark.long
def test_every_byte_at_its_extremes_never_faults(converted, tmp_path):
    network, content = converted
    sweep(content, network, tmp_path, step=1)


def test_a_mean_with_a_stride_of_zero_is_refused(converted):
    """Found by review: it would divide by zero."""
    network, content = converted
    means = [i for i, layer in enumerate(network.layers) if layer.kind is Kind.MEAN]
    assert means
    changed = bytearray(content)
    changed[record_of(network, means[0]) + STRIDE_H] = 0
    assert status_of(resealed(changed)) == BAD_LAYER


def test_a_bias_at_the_end_of_int32_wraps_and_is_not_undefined(converted, tmp_path):
    network, content = converted
    changed = bytearray(content)
    for i, layer in enumerate(network.layers):
        if layer.bias is not None:
            (offset,) = struct.unpack_from("<I", content, record_of(network, i) + BIAS_OFFSET)
            extremes = np.where(np.arange(layer.bias.size) % 2, 2**31 - 1, -(2**31)).astype("<i4")
            changed[offset : offset + 4 * layer.bias.size] = extremes.tobytes()
    images = np.full((1, *input_shape(network)), 127, np.int8)
    assert sanitized.run_model(resealed(changed), images, tmp_path).status == OK


def test_the_sanitizers_are_on(converted, tmp_path):
    """run_model is linked with ASan: its own symbols tell."""
    program = host_engine.build(sanitize=True)
    symbols = subprocess.run(["nm", "-D", program], capture_output=True, text=True, check=True).stdout
    assert "__asan_report" in symbols
    assert "__ubsan_handle" in symbols
    assert sanitized.run_model(converted[1][:50], np.zeros(0, np.int8), tmp_path).status == TRUNCATED


def test_sizes_of_slices_do_not_wrap(tmp_path):
    """Found by review: 65,536 channels of 65,536 padded taps are 2^32 bytes, not none."""
    buffers = [Buffer("x", 1, 1, 65_535, 1.0, 0), Buffer("y", 1, 1, 65_533, 1.0, 0)]
    few = np.zeros((65_533, 1, 1, 1), np.int8)
    zeros = np.zeros(65_533, np.int32)
    layer = Layer("conv", Kind.CONV_2D, 0, [0], 1, 65_533, weights=few, bias=zeros, multipliers=zeros,
                  shifts=np.zeros(65_533, np.int8), conv_kernel=ConvKernel.SLICES, encoding=Encoding.DENSE,
                  scratch_bytes=3_000_000)  # fmt: skip
    network = Network(b"", buffers, [layer], 0, 1, 1, {}, 0, 0)
    content = bytearray(blob.serialize(network, arena.plan(network), []))
    record = record_of(network, 0)
    content[record + 1] = Encoding.SLICES
    struct.pack_into("<I", content, record + WEIGHTS_BYTES, 0)
    assert status_of(resealed(content)) == BAD_LAYER


@pytest.mark.parametrize("kind", [Kind.CONV_2D, Kind.DEPTHWISE, Kind.PAD])
@pytest.mark.parametrize(
    ("height", "width", "sound"), [(256, 256, True), (257, 1, False), (1, 257, False), (58_576, 1, False)]
)
def test_work_without_bound_is_refused(kind, height, width, sound):
    """Thousands of rows beyond the input keep a chip busy for minutes, out of some hundred bytes."""
    sizes = {"x": (1, 1), "y": (height, width), "z": (1, 1)}
    buffers = [Buffer(name, *size, 1, 1.0, 0) for name, size in sizes.items()]
    weights = np.zeros((1, 1, 1) if kind is Kind.DEPTHWISE else (1, 1, 1, 1), np.int8)
    conv = {
        "weights": weights, "bias": np.zeros(1, np.int32), "multipliers": np.zeros(1, np.int32),
        "shifts": np.zeros(1, np.int8), "encoding": Encoding.DENSE,
    }  # fmt: skip
    layer = Layer("far", kind, 0, [0], 1, 1, **({} if kind is Kind.PAD else conv))
    mean = Layer(
        "mean", Kind.MEAN, 1, [1], 2, 1, kernel=(height, width), params=[1 << 30, 0], scratch_bytes=4
    )
    network = Network(b"", buffers, [layer, mean], 0, 2, 2, {}, 0, 0)
    content = blob.serialize(network, arena.plan(network), [])
    assert len(content) < 712
    if sound:
        host_engine.HostEngine(content)
    else:
        assert status_of(content) == BAD_LAYER
