"""Planned SRAM = used SRAM: every byte of an arena that the engine never writes has a reason.

The engine's counters stand at the arena's end and are always written, so the last byte written says nothing
about a plan that has room to spare below them. What counts is the bytes that keep two different paints.
"""

import numpy as np

from squeezenet_mcu.convert.network import Kind, Network
from squeezenet_mcu.convert.schedule.arena import BUFFER_STATE_BYTES, LAYER_STATE_BYTES, align
from squeezenet_mcu.convert.schedule.workers import rows_of_one
from squeezenet_mcu.convert.select.cost.shape import shape_of
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from tests.convert.sanitized import Run

_MODELS = {(m.kernel, m.encoding): m for models in FAMILY_KERNELS.values() for m in models}


def unexplained_bytes(network: Network, run: Run) -> int:
    """How many bytes of the arena were never written without a reason.

    Reasons: less than ALIGNMENT bytes behind a ring, a scratch or the counters, since the next one begins at
    a multiple of it; and a convolution's scratch. A kernel asks for what its shape may need: three pixels
    where a row has two, entries for weights that are zero, a decoder's tables for four classes of channels.
    Helium's kernel runs on a host as plain C++, which accumulates in registers. needless_scratch bounds it.
    """
    never = np.zeros(run.arena, bool)
    for begin, end in run.unwritten:
        never[begin:end] = True
    counters = len(network.layers) * LAYER_STATE_BYTES + len(network.buffers) * BUFFER_STATE_BYTES
    pieces = [(run.state, counters)]
    pieces += [(b.offset, b.ring_rows * b.row_bytes) for b in network.buffers]
    convolutions = [layer for layer in network.layers if layer.kind is Kind.CONV_2D]
    scratch = [(layer.scratch_offset, layer.scratch_bytes) for layer in convolutions]
    scratch += [(layer.second_scratch, layer.scratch_bytes) for layer in convolutions if layer.shared]
    pieces += [(layer.scratch_offset, layer.scratch_bytes) for layer in network.layers] + scratch
    for begin, size in pieces:
        never[begin + size : begin + align(size)] = False
    for begin, size in scratch:
        never[begin : begin + size] = False
    return int(never.sum())


def needless_scratch(network: Network) -> dict[str, int]:
    """For each convolution with more scratch than its kernel has a use for: how many bytes more."""
    more = {}
    for layer in network.layers:
        if layer.kind is Kind.CONV_2D:
            rows = rows_of_one(layer.batch_rows) if layer.shared else layer.batch_rows
            shape = shape_of(layer, network.buffers[layer.inputs[0]], network.buffers[layer.output], rows)
            model = _MODELS[layer.conv_kernel, layer.encoding]
            useful = align(max(model.scratch(shape), model.useful_scratch(shape)))
            if layer.scratch_bytes > useful:
                more[layer.name] = layer.scratch_bytes - useful
    return more


def check(network: Network, run: Run) -> None:
    """Fails for an arena with room that nothing uses."""
    assert unexplained_bytes(network, run) == 0, f"never written: {run.unwritten}"
    assert needless_scratch(network) == {}
