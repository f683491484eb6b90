"""A network whose stages two workers share: which channels of a stage another core makes.

A stage is the layers that write one buffer. Its channels are cut in two: worker 0, the caller's core, makes
those before the cut, worker 1 the others, at the same time. So at most one convolution of a stage becomes two
layers; of a fire module's two expands mostly the larger one.
"""

from collections.abc import Mapping
from dataclasses import replace

from squeezenet_mcu.convert.network import Kind, Layer, Network
from squeezenet_mcu.convert.schedule.split import part_of


def _part_of(layer: Layer, part: range, worker: int) -> Layer:
    return replace(part_of(layer, part), out_channel=layer.out_channel + part.start, worker=worker)


def _halves(layer: Layer, before: int) -> list[Layer]:
    """The layer for two workers, of whose channels the first `before` are worker 0's."""
    if before <= 0 or before >= layer.out_channels:
        return [replace(layer, worker=0 if before > 0 else 1)]
    assert layer.kind is Kind.CONV_2D, "only convolutions are cut"
    return [_part_of(layer, range(before), 0), _part_of(layer, range(before, layer.out_channels), 1)]


def shared(network: Network, cuts: Mapping[int, int]) -> Network:
    """A copy of `network` for two workers.

    cuts: by the index of a stage's first layer, how many of its channels worker 0 makes, counted through its
        layers in their order; a stage without a cut is worker 0's alone.
    """
    layers: list[Layer] = []
    left, output, cut = 0, -1, False
    for i, layer in enumerate(network.layers):
        if layer.output != output:
            output, cut = layer.output, i in cuts
            left = cuts.get(i, 0)
        if cut:
            layers += _halves(layer, left)
            left -= layer.out_channels
        else:
            layers.append(layer)
    return replace(network, layers=layers, buffers=[replace(buffer) for buffer in network.buffers], codes=b"")
