"""What an image takes on a CPU, layer by layer, as the formulas of the folder cost say it: nothing runs."""

from dataclasses import dataclass

from squeezenet_mcu.convert.network import Kind, Layer, Network
from squeezenet_mcu.convert.select.cost.shape import shape_of
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from squeezenet_mcu.convert.target import Target, Unit, unit_of


@dataclass(frozen=True)
class Estimate:
    """Of an image, in `unit`: each layer's share, in the network's order, and the schedule between them."""

    unit: Unit
    layers: tuple[float, ...]
    schedule: float

    @property
    def total(self) -> float:
        """Of the whole image."""
        return sum(self.layers) + self.schedule


def of(network: Network, target: Target) -> Estimate:
    """Of a network for which kernels, batches and scratch have been chosen for `target`."""
    layers = tuple(
        _convolution(network, layer, target) if layer.kind is Kind.CONV_2D else 0.0
        for layer in network.layers
    )
    return Estimate(unit_of(target), layers, 0.0)


def _convolution(network: Network, layer: Layer, target: Target) -> float:
    way = (layer.conv_kernel, layer.encoding)
    model = next(found for found in FAMILY_KERNELS[target.family] if (found.kernel, found.encoding) == way)
    source, out = network.buffers[layer.inputs[0]], network.buffers[layer.output]
    calls, rest = divmod(out.height, layer.batch_rows)
    shapes = [(layer.batch_rows, calls), *([(rest, 1)] if rest else [])]
    return sum(
        count * model.cost(shape_of(layer, source, out, rows), layer.scratch_bytes) for rows, count in shapes
    )
