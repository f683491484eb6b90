"""The converter's own proof: every int8 of every layer, the engine against LiteRT, before it writes."""

import ctypes

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.verify.host_engine import OBSERVER, HostEngine


class EngineTrace:
    """Runs images on the host engine and keeps every row of every buffer."""

    def __init__(self, engine: HostEngine, network: Network) -> None:
        self._engine = engine
        self.network = network
        self.maps = [np.zeros((b.height, b.row_bytes), np.int8) for b in network.buffers]
        self._observer = OBSERVER(self._keep)
        engine.observe(self._observer)

    def _keep(self, _context: int, buffer: int, row: int, data: "ctypes._Pointer[ctypes.c_int8]") -> None:
        self.maps[buffer][row] = np.ctypeslib.as_array(data, (self.network.buffers[buffer].row_bytes,))

    def infer(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As HostEngine.infer."""
        return self._engine.infer(x)

    def tensor(self, index: int) -> np.ndarray:
        """Tensor `index` of the .tflite as the engine computed it, int8 [height, width, channels]."""
        return tensor_of(self.network, self.maps, index)


def tensor_of(network: Network, maps: list[np.ndarray], index: int) -> np.ndarray:
    """The slice of the buffers' maps ([height, width * channels] each) that is tensor `index`."""
    parts = []
    for view in network.tensors[index]:
        b = network.buffers[view.buffer]
        whole = maps[view.buffer].reshape(b.height, b.width, b.channels)
        parts.append(whole[..., view.channel : view.channel + view.channels])
    return np.concatenate(parts, axis=2)


def differing_tensors(network: Network, maps: list[np.ndarray], reference: Reference) -> dict[int, int]:
    """For each tensor that differs from the reference's last run: how many int8 values do."""
    counts = {}
    for index in network.tensors:
        mine = tensor_of(network, maps, index)
        theirs = reference.tensor(index)
        if theirs.dtype != np.int8:
            continue  # a float or uint8 edge: the int8 behind it is compared
        differing = int((mine != theirs.reshape(mine.shape)).sum())
        if differing:
            counts[index] = differing
    return counts


def sample_images(shape: tuple[int, int, int], count: int, seed: int = 0) -> np.ndarray:
    """int8 [count, height, width, channels]: smooth blobs and noise in turn, so that every range is met."""
    rng = np.random.RandomState(seed)  # its stream is frozen, whatever the version of numpy
    noise = rng.randint(-128, 128, (count, *shape))
    walk = rng.randint(-12, 13, (count, *shape)).cumsum(axis=1).cumsum(axis=2)
    smooth = (walk + 128) % 256 - 128
    return np.where(np.arange(count)[:, None, None, None] % 2 == 0, smooth, noise).astype(np.int8)


def prove(network: Network, blob: bytes, images: np.ndarray) -> None:
    """Raises UserError at the first layer whose int8 values differ from LiteRT's on any of `images`."""
    trace = EngineTrace(HostEngine(blob), network)
    source = network.buffers[network.input_buffer]
    reference = Reference(
        network.source, edge=(source.scale, source.zero_point), output_tensor=network.output_tensor
    )
    layer_of = {layer.output: layer.name for layer in network.layers}
    for number, x in enumerate(images):
        results = trace.infer(x)
        wanted = reference.infer(x, network.logits_tensor)
        for index, differing in differing_tensors(network, trace.maps, reference).items():
            name = layer_of.get(network.tensors[index][0].buffer, "input")
            raise UserError(
                f"the engine differs from LiteRT at layer {name} (tensor {index}) in {differing} values of "
                f"sample image {number}: a bug of the engine; please report it with the .tflite"
            )
        # Each row was compared when it was finished. What the caller reads must still be there at the end.
        for what, mine, theirs in zip(("logits", "probabilities"), results, wanted, strict=True):
            if not np.array_equal(mine, theirs):
                raise UserError(
                    f"the engine differs from LiteRT in the {what} that it holds at the end of sample image "
                    f"{number}: a bug of the engine; please report it with the .tflite"
                )
