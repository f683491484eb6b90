"""What pruning and clustering guaranteed of each layer, asserted of the weights in the .tflite."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.network import to_tflite
from squeezenet_mcu.model.settings.config import Config

Kernel = npt.NDArray[Any]


@dataclass(frozen=True)
class Guarantee:
    """Of one convolution: at least so many zeros; at most so many different `values` (None: any number).

    `block`: (m, n), m zeros in every n consecutive input channels (None: anywhere).
    """

    zeros: int
    values: int | None
    block: tuple[int, int] | None


@dataclass(frozen=True)
class Seen:
    """Of one convolution: how many of its weights are zero, and how many different ones there are."""

    weights: int
    zeros: int
    values: int


def look(kernel: Kernel) -> Seen:
    """What `kernel`, of any shape and type, holds."""
    return Seen(int(kernel.size), int(np.count_nonzero(kernel == 0)), len(np.unique(kernel)))


def kernels(model: Any) -> dict[str, Kernel]:
    """Every convolution's kernel of a Keras model, float32 [height, width, in, out], by layer, in their

    order.
    """
    return {
        layer.name: layer.kernel.numpy() for layer in model.layers if isinstance(layer, keras.layers.Conv2D)
    }


def blocks_kept(kernel: Kernel, block: tuple[int, int]) -> bool:
    """Whether `kernel` [..., in] has m zeros in every n consecutive input channels (what is missing of n

    counts).
    """
    zeros, size = block
    channels = kernel.shape[-1]
    padded = np.pad(kernel.reshape(-1, channels), ((0, 0), (0, -channels % size)))
    return bool(((padded.reshape(-1, size) == 0).sum(axis=1) >= zeros).all())


def made(source: Any, settings: Config, compressed: bool = True) -> dict[str, Guarantee]:
    """What the .tflite of the network `source` must hold: its own zeros, and what the TOML says.

    Not `compressed`: a network that was neither pruned nor clustered.
    """
    block, cluster = settings.prune.block, settings.cluster
    guaranteed = {}
    for name, kernel in kernels(source).items():
        zeros = look(kernel).zeros
        if not compressed:
            guaranteed[name] = Guarantee(zeros, None, None)
            continue
        if block is None and settings.prune.spread == "even":
            zeros = max(zeros, asked(settings, name, kernel.size))
        values = cluster.layers.get(name, cluster.clusters) or None
        in_blocks = block is not None and settings.prune.layers.get(name, 1) > 0
        guaranteed[name] = Guarantee(zeros, values, block if in_blocks else None)
    return guaranteed


def asked(settings: Config, name: str, weights: int) -> int:
    """How many zeros the TOML asks of a layer of so many weights by its share ([prune], spread evenly)."""
    return math.floor(settings.prune.layers.get(name, settings.prune.sparsity) * weights)


def check(tflite: bytes, guaranteed: Mapping[str, Guarantee], source: str) -> dict[str, Seen]:
    """Asserts `guaranteed` of the .tflite; returns what its layers hold.

    Raises UserError naming the layer, `source` standing for the file.
    """
    found = to_tflite.tflite_kernels(tflite)
    for layer, guarantee in guaranteed.items():
        if layer not in found:
            raise UserError(f"{source}: convolution {layer} is not in the .tflite; it has {', '.join(found)}")
        seen = look(found[layer])
        if seen.zeros < guarantee.zeros:
            raise UserError(
                f"{source}: {layer} has {seen.zeros} zeros of {seen.weights} in the .tflite; "
                f"pruning guaranteed {guarantee.zeros}, quantization lost them"
            )
        if guarantee.values is not None and seen.values > guarantee.values:
            raise UserError(
                f"{source}: {layer} has {seen.values} different weights in the .tflite; clustering "
                f"guaranteed {guarantee.values} at most, quantization lost them"
            )
        if guarantee.block is not None and not blocks_kept(found[layer], guarantee.block):
            zeros, size = guarantee.block
            raise UserError(
                f"{source}: {layer} has fewer than {zeros} zeros in some {size} consecutive input channels "
                f"in the "
                f".tflite; pruning guaranteed {zeros}:{size}"
            )
    return {name: look(kernel) for name, kernel in found.items()}


def table(seen: Mapping[str, Seen]) -> str:
    """A line per layer, and one for all."""
    width = max(len(name) for name in seen)
    lines = [
        f"  {name:{width}} {s.zeros:8} of {s.weights:8} zero ({s.zeros / s.weights:.3f}), {s.values:3} values"
        for name, s in seen.items()
    ]
    zeros, weights = sum(s.zeros for s in seen.values()), sum(s.weights for s in seen.values())
    return "\n".join([*lines, f"  {'all':{width}} {zeros:8} of {weights:8} zero ({zeros / weights:.3f})"])


def record(
    seen: Mapping[str, Seen], guaranteed: Mapping[str, Guarantee] | None = None
) -> dict[str, dict[str, Any]]:
    """The same for a JSON file, beside what was guaranteed."""
    return {
        name: {"weights": s.weights, "zeros": s.zeros, "values": s.values}
        | ({"guaranteed": vars(guaranteed[name])} if guaranteed else {})
        for name, s in seen.items()
    }
