"""A network whose steps two workers share: one makes the upper half of the rows, the other the lower one.

Rows are shared, not channels: what a kernel does once per call (it packs the rows that it reads, it decodes
weights) is done for half of the rows then, and not twice for all of them. A step makes twice the rows of one
core's, and so takes the same time.
"""

from dataclasses import replace

from squeezenet_mcu.convert.network import ACCUMULATING, WORKERS, Buffer, Kind, Layer, Network
from squeezenet_mcu.convert.schedule.rows import RowStage, stages_of

_NEVER = (Kind.MEAN, Kind.DENSE, Kind.PAD, Kind.SOFTMAX)  # but for Shareable of firmware_cpp/engine/model.h


def rows_of_one(rows: int) -> int:
    """Of a shared step, what the worker with more rows makes, the caller."""
    return -(-rows // WORKERS)


def share_of_one(layer: Layer, out: Buffer) -> float:
    """Of a layer's work, what the caller does: all of it where the layer is not shared.

    Of a convolution its calls tell that.
    """
    if not layer.shared:
        return 1.0
    whole = out.width if layer.kind in ACCUMULATING else out.height
    return rows_of_one(whole) / whole


def _shareable(network: Network, stage: RowStage) -> bool:
    out = network.buffers[stage.output]
    parts = out.width if stage.accumulating else out.height
    return parts > 1 and not any(layer.kind in _NEVER for layer in stage.layers)


def shared(network: Network) -> Network:
    """A copy of `network` for two workers, where each stage is shared that can be."""
    layers: list[Layer] = []
    for stage in stages_of(network):
        if not _shareable(network, stage):
            layers += stage.layers
        else:
            # How many rows convolutions make at once is chosen later. A pool folds one, whose columns are
            # shared; of all others each worker makes one.
            later = stage.accumulating or all(layer.kind is Kind.CONV_2D for layer in stage.layers)
            rows = 1 if later else WORKERS
            layers += [replace(layer, shared=True, batch_rows=rows) for layer in stage.layers]
    return replace(network, layers=layers, buffers=[replace(buffer) for buffer in network.buffers])
