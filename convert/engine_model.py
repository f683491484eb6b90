"""The engine's model of one .tflite for one target: lowered, chosen, planned, serialized, and proven."""

from dataclasses import dataclass, replace

from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile
from squeezenet_mcu.convert.network import Encoding, Kind, Network
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.schedule.split import split
from squeezenet_mcu.convert.schedule.workers import shared
from squeezenet_mcu.convert.select.choose import choose_for
from squeezenet_mcu.convert.select.known import Known
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


class Maker:
    """Makes the engine's models of one .tflite for several targets: what they have in common is done once.

    UserError: the network holds what the engine does not take.
    """

    def __init__(self, known: Known, labels: list[str]) -> None:
        self.known = known
        self._labels = labels
        self._made: dict[int, EngineModel] = {}
        self._shared: Known | None = None  # for two workers

    @classmethod
    def of(cls, file: TfliteFile, labels: list[str]) -> "Maker":
        """For the network of `file`."""
        network = lower(file)
        split(network)
        return cls(Known(network), labels)

    def _known_for(self, target: Target) -> Known:
        if target.workers == 1:
            return self.known
        if self._shared is None:
            self._shared = Known(shared(self.known.network))
        return self._shared

    def prepare(self, target: Target, like: Network | None = None) -> EngineModel:
        """The model for one target, unproven. `like`: see choose_for."""
        if target.flash_bytes is not None:
            own = blob.labels_bytes(self._labels)
            target = replace(target, flash_bytes=max(target.flash_bytes - own, 0))
        chosen = choose_for(self._known_for(target), target, like)
        key = id(chosen.network)  # which `known` keeps
        if key not in self._made:
            content = blob.serialize(chosen.network, chosen.plan, self._labels)
            self._made[key] = EngineModel(chosen.network, chosen.plan, content)
        return self._made[key]


def prepare(file: TfliteFile, labels: list[str], target: Target) -> EngineModel:
    """Makes it, unproven. UserError: the network holds what the engine does not take."""
    return Maker.of(file, labels).prepare(target)


def make(file: TfliteFile, labels: list[str], target: Target) -> EngineModel:
    """Makes it, and proves it equal to LiteRT in every int8 of every layer on sample images.

    UserError: the network holds what the engine does not take, or differs.
    """
    made = prepare(file, labels, target)
    prove(file, made)
    return made


def prove(file: TfliteFile, made: EngineModel) -> None:
    """UserError where it differs from LiteRT in an int8 of any layer on sample images."""
    shape = made.network.buffers[made.network.input_buffer]
    samples = exactness.sample_images((shape.height, shape.width, shape.channels), PROOF_IMAGES)
    exactness.prove(file, made.network, made.content, samples)
