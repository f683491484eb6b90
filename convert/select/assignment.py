"""An answer of choosing: each layer's option, how many rows at once; and the network that is run so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from squeezenet_mcu.convert.network import ACCUMULATING, ConvKernel, Encoding, Network
from squeezenet_mcu.convert.schedule.rows import RowStage
from squeezenet_mcu.convert.select.cost.shape import KernelModel
from squeezenet_mcu.convert.select.ways import Option


class Barred(NamedTuple):
    """What no layer may run: tried because all layers that do pay for it once, together."""

    huffman: bool = False
    winograd: bool = False
    fast_fir: bool = False

    def bars(self, model: KernelModel) -> bool:
        """Whether a layer may not run as `model`."""
        kernel = model.kernel
        return (
            (self.huffman and model.encoding is Encoding.HUFFMAN)
            or (self.winograd and kernel is ConvKernel.WINOGRAD)
            or (self.fast_fir and kernel is ConvKernel.FAST_FIR)
        )


NOTHING = Barred()


@dataclass(frozen=True)
class Assignment:
    """Batches by stage and options by layer (indices in the network), with what they cost.

    `deferred`: the stage that waits for the whole map that it reads. `stored`: bytes of all weights, their
    parameters and codes, as they are placed; `codes`: bytes of what Huffman-coded layers share, 0 without
    any. `multiplier`, `barred`: how it was found.
    """

    batches: dict[int, int]
    deferred: RowStage | None
    options: dict[int, Option]
    cost: float
    stored: int
    codes: int
    multiplier: float
    barred: Barred

    def lagrangian(self, multiplier: float) -> float:
        """The cost, and `multiplier` more for every byte of flash."""
        return self.cost + multiplier * self.stored

    def runs(self, kernel: ConvKernel) -> bool:
        """Whether any layer does."""
        return any(option.model.kernel is kernel for option in self.options.values())

    @property
    def parts(self) -> int:
        """Large parts of the engine's code that it needs: kernels of convolutions, and the decoder."""
        kernels = {option.model.kernel for option in self.options.values()} - {ConvKernel.REFERENCE}
        return len(kernels) + (self.codes > 0)


def _scheduled(network: Network, batches: Mapping[int, int], deferred: RowStage | None) -> Network:
    """A copy of `network` with these batches (by a stage's first layer), where `deferred` waits for its map.

    Its buffers are copies too: what plans them writes into them.
    """
    layers = []
    batch, output = 1, -1
    for i, layer in enumerate(network.layers):
        if layer.output != output:
            batch, output = batches.get(i, layer.batch_rows), layer.output
        waits = deferred is not None and layer.output == deferred.output
        rows = network.buffers[layer.inputs[0]].height if waits else 0
        shared = layer.shared and (batch > 1 or layer.kind in ACCUMULATING)  # one row has no halves
        layers.append(replace(layer, batch_rows=batch, defer_rows=rows, shared=shared))
    return replace(network, layers=layers, buffers=[replace(buffer) for buffer in network.buffers])


def applied(network: Network, assignment: Assignment) -> Network:
    """A copy of `network` that is run as `assignment` says."""
    made = _scheduled(network, assignment.batches, assignment.deferred)
    for i, option in assignment.options.items():
        made.layers[i] = replace(
            made.layers[i],
            conv_kernel=option.model.kernel,
            encoding=option.model.encoding,
            scratch_bytes=option.scratch,
        )
    return made
