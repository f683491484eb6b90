"""The engine's model of one .tflite for one target: lowered, chosen, planned, serialized, and proven."""

from dataclasses import dataclass, replace

from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile
from squeezenet_mcu.convert.network import Encoding, Kind, Network
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.schedule.split import split
from squeezenet_mcu.convert.select.choose import choose
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify import exactness

PROOF_IMAGES = 4


@dataclass(frozen=True)
class EngineModel:
    """`content`: the blob (firmware_cpp/engine/format.h), for any engine with the kernels that it names."""

    network: Network
    plan: arena.Plan
    content: bytes

    @property
    def kernels(self) -> list[str]:
        """Names of the kernels that it runs on, as in SQUEEZE_KERNELS of the engine's build."""
        layers = self.network.layers
        convolutions = {layer.conv_kernel for layer in layers if layer.kind is Kind.CONV_2D}
        others = {layer.kind for layer in layers if layer.kind is not Kind.CONV_2D}
        names = [kernel.name.lower() for kernel in (*sorted(convolutions), *sorted(others))]
        if any(layer.kind is Kind.CONV_2D and layer.encoding is Encoding.HUFFMAN for layer in layers):
            names.append("huffman")
        return names


def prepare(file: TfliteFile, labels: list[str], target: Target) -> EngineModel:
    """Makes it, unproven. UserError: the network holds what the engine does not take."""
    network = lower(file)
    split(network)
    if target.flash_bytes is not None:
        target = replace(target, flash_bytes=max(target.flash_bytes - blob.labels_bytes(labels), 0))
    network = choose(network, target).network
    memory = arena.plan(network)
    return EngineModel(network, memory, blob.serialize(network, memory, labels))


def make(file: TfliteFile, labels: list[str], target: Target) -> EngineModel:
    """Makes it, and proves it equal to LiteRT in every int8 of every layer on sample images.

    UserError: the network holds what the engine does not take, or differs.
    """
    made = prepare(file, labels, target)
    shape = made.network.buffers[made.network.input_buffer]
    samples = exactness.sample_images((shape.height, shape.width, shape.channels), PROOF_IMAGES)
    exactness.prove(file, made.network, made.content, samples)
    return made
