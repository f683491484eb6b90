"""What an image takes on a CPU, layer by layer, as the formulas of the folder cost say it: nothing runs."""

from dataclasses import dataclass

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.convert.network import ConvKernel, Encoding, Kind, Layer, Network
from squeezenet_mcu.convert.schedule.rows import stages_of
from squeezenet_mcu.convert.schedule.workers import share_of_one
from squeezenet_mcu.convert.select.cost import coefficients, others
from squeezenet_mcu.convert.select.cost.coefficients import Unit
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Work, calls_of, priced, work_of_calls
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from squeezenet_mcu.convert.target import Target

# Cycles to start the other core and to wait for it. Measured on the emulated Pico: what digits, gtsrb and
# cifar10 take beyond their layers is 930 to 1,500 cycles a step.
HANDOVER = 1000


@dataclass(frozen=True)
class Estimate:
    """Of an image, in `unit`: each layer's share, in the network's order, and the schedule between them.

    Of layers that two workers share, the caller's half, which is the larger one. What two cores lose when
    they wait for one memory is not in it.
    """

    unit: Unit
    layers: tuple[float, ...]
    schedule: float

    @property
    def total(self) -> float:
        """Of the whole image."""
        return sum(self.layers) + self.schedule


def of(network: Network, target: Target) -> Estimate:
    """Of a network for which kernels, batches and scratch have been chosen for `target`."""
    found = coefficients.of(target)
    layers = tuple(priced(work_of(network, layer, target.family), found) for layer in network.layers)
    schedule = priced(others.schedule_of(network), found) + HANDOVER * _handovers(network)
    return Estimate(coefficients.unit(target), layers, schedule)


def _handovers(network: Network) -> int:
    """How often a half is given to the other core, about: once a step."""
    return sum(others.steps_of(network, stage) for stage in stages_of(network) if stage.layers[0].shared)


def work_of(network: Network, layer: Layer, family: Family) -> Work:
    """Of an image's calls of a layer together."""
    source, out = network.buffers[layer.inputs[0]], network.buffers[layer.output]
    if layer.kind is not Kind.CONV_2D:
        work = others.work_of(layer, source, out, family)
        share = share_of_one(layer, out)
        return {part: share * times for part, times in work.items()}
    model = model_of(family, layer.conv_kernel, layer.encoding)
    return work_of_calls(model, calls_of(layer, source, out, layer.batch_rows), layer.scratch_bytes)


def model_of(family: Family, kernel: ConvKernel, encoding: Encoding) -> KernelModel:
    """The family's model of a kernel with an encoding."""
    return next(m for m in FAMILY_KERNELS[family] if (m.kernel, m.encoding) == (kernel, encoding))
