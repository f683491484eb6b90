"""The converter's own proof, before it writes: the .tflite's parameters, and every int8 of every layer."""

import ctypes

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.verify import coverage, stored
from squeezenet_mcu.convert.verify.host_engine import OBSERVER, HostEngine


class EngineTrace:
    """Runs images on the host engine and keeps every row of every buffer."""

    def __init__(self, engine: HostEngine, network: Network) -> None:
        self._engine = engine
        self.network = network
        self.maps = [np.zeros((b.height, b.row_bytes), np.int8) for b in network.buffers]
        self.rows_seen = [0] * len(network.buffers)  # of the last image
        self._observer = OBSERVER(self._keep)
        engine.observe(self._observer)

    def _keep(self, _context: int, buffer: int, row: int, data: "ctypes._Pointer[ctypes.c_int8]") -> None:
        self.rows_seen[buffer] += 1
        self.maps[buffer][row] = np.ctypeslib.as_array(data, (self.network.buffers[buffer].row_bytes,))

    def infer(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As HostEngine.infer."""
        self.rows_seen = [0] * len(self.rows_seen)
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
    images = np.empty((count, *shape), np.int8)
    for image in images:  # one by one, as the stream is of 8 bytes a value
        image[:] = rng.randint(-128, 128, shape)
    for i in range(count):
        steps = rng.randint(-12, 13, shape)
        if i % 2 == 0:
            np.cumsum(steps, axis=0, out=steps)
            np.cumsum(steps, axis=1, out=steps)
            images[i] = (steps + 128) % 256 - 128
    return images


def prove(file: TfliteFile, network: Network, blob: bytes, images: np.ndarray) -> None:
    """Proves that `blob`, the engine's model of `network`, computes what `file` says.

    Args:
        file: the .tflite.
        network: lowered from it.
        blob: the engine's model.
        images: int8 [count, height, width, channels], at least one.

    Raises:
        UserError: a weight or another parameter is not the .tflite's; an int8 output of an operator is not
            compared; or an int8 value of a layer differs from LiteRT's on one of `images`.
    """
    if not len(images):
        raise UserError(f"{file.path}: no sample images; a proof wants at least 1")
    coverage.check(file, network)
    stored.check(file, network, blob)
    trace = EngineTrace(HostEngine(blob), network)
    source = network.buffers[network.input_buffer]
    reference = Reference(
        file.content, edge=(source.scale, source.zero_point), output_tensor=network.output_tensor
    )
    layer_of = {layer.output: layer.name for layer in network.layers}
    for number, x in enumerate(images):
        results = trace.infer(x)
        wanted = reference.infer(x, network.logits_tensor)
        for b, rows in zip(network.buffers, trace.rows_seen, strict=True):
            if rows != b.height:
                raise UserError(
                    f"the engine made {rows} of the {b.height} rows of {b.name} of sample image {number}: a "
                    "bug of the engine; please report it with the .tflite"
                )
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
