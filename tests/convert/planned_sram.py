"""Planned SRAM = used SRAM: every byte of an arena that the engine never writes has a reason.

The engine's counters stand at the arena's end and are always written, so the last byte written says nothing
about a plan that has room to spare below them. What counts is the bytes that keep two different paints.
"""

import numpy as np

from squeezenet_mcu.convert.encode.weights import aligned
from squeezenet_mcu.convert.network import ConvKernel, Encoding, Kind, Layer, Network
from squeezenet_mcu.convert.schedule.arena import BUFFER_STATE_BYTES, LAYER_STATE_BYTES, align
from squeezenet_mcu.convert.select.cost.shape import shape_of
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from tests.convert.sanitized import Run

_MODELS = {(m.kernel, m.encoding): m for models in FAMILY_KERNELS.values() for m in models}
_CODED_TABLES = 4128  # sizeof(CodedTables), firmware_cpp/engine/coded_tables.h


def _unused_scratch(layer: Layer) -> tuple[int, int]:
    """[begin, end) of a convolution's scratch that its kernel may leave unwritten on a host.

    The decoder's tables have room for four classes of channels and for every mode; a layer has one, two or
    four classes, and one mode. Helium's kernel runs on a host as plain C++, which sums in registers.
    """
    begin = layer.scratch_offset
    if layer.conv_kernel is ConvKernel.SLICES:
        return begin, begin + layer.scratch_bytes
    if layer.encoding is Encoding.CODED:
        begin += aligned(9 * layer.out_channels)  # behind biases, multipliers and shifts
        return begin, begin + _CODED_TABLES
    return begin, begin


def unexplained_bytes(network: Network, run: Run) -> int:
    """How many bytes of the arena were never written without a reason.

    Reasons: less than ALIGNMENT bytes behind a ring, a scratch or the counters, since the next one begins at
    a multiple of it; and _unused_scratch.
    """
    never = np.zeros(run.arena, bool)
    for begin, end in run.unwritten:
        never[begin:end] = True
    counters = len(network.layers) * LAYER_STATE_BYTES + len(network.buffers) * BUFFER_STATE_BYTES
    pieces = [(run.state, counters)]
    pieces += [(b.offset, b.ring_rows * b.row_bytes) for b in network.buffers]
    pieces += [(layer.scratch_offset, layer.scratch_bytes) for layer in network.layers]
    for begin, size in pieces:
        never[begin + size : begin + align(size)] = False
    for layer in network.layers:
        if layer.kind is Kind.CONV_2D:
            begin, end = _unused_scratch(layer)
            never[begin:end] = False
    return int(never.sum())


def needless_scratch(network: Network) -> dict[str, int]:
    """For each convolution with more scratch than its kernel has a use for: how many bytes more."""
    more = {}
    for layer in network.layers:
        if layer.kind is Kind.CONV_2D:
            shape = shape_of(
                layer, network.buffers[layer.inputs[0]], network.buffers[layer.output], layer.batch_rows
            )
            model = _MODELS[layer.conv_kernel, layer.encoding]
            useful = align(max(model.scratch(shape), model.useful(shape)))
            if layer.scratch_bytes > useful:
                more[layer.name] = layer.scratch_bytes - useful
    return more


def check(network: Network, run: Run) -> None:
    """Fails for an arena with room that nothing uses."""
    assert unexplained_bytes(network, run) == 0, f"never written: {run.unwritten}"
    assert needless_scratch(network) == {}
