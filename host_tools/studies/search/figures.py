"""What a candidate of a search takes on a board: memory and instructions, as the converter plans them.

All are of the int8 network with zeros where pruning would put them first: each layer's smallest weights, as
many as the base's table [prune] says, without any training. Clusters and removed channels are not in it.
"""

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.convert.encode import blob, weights
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile, parse
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.schedule.split import split
from squeezenet_mcu.convert.select import estimate
from squeezenet_mcu.convert.select.choose import choose
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest, target_for
from squeezenet_mcu.host_tools.studies.search.settings import Limits
from squeezenet_mcu.model.compress import guarantees, sensitivity
from squeezenet_mcu.model.compress.qat import quantization_aware
from squeezenet_mcu.model.network import to_tflite
from squeezenet_mcu.model.settings.compression import Prune
from squeezenet_mcu.model.settings.config import Config

# By layer, as Keras names it: which weights are zero, bool [out, height, width, in].
Zeros = Mapping[str, npt.NDArray[np.bool_]]

BOARD = "stm32f405"
_PART = 250  # images between two signs of progress


@dataclass(frozen=True)
class Footprint:
    """Of one int8 network on the board, planned in four ways.

    Smallest: `weights_stored_bytes` of the weights alone, as in a manifest, `engine_model_bytes` of all of
    the engine's model. Leanest: `sram_least_bytes` of arena. Fewest instructions: `sram_bytes` of arena,
    `instructions` of an image. Fastest within the limits: `limited_...`.
    """

    weights_stored_bytes: int
    engine_model_bytes: int
    sram_least_bytes: int
    sram_bytes: int
    instructions: int
    limited_sram_bytes: int
    limited_instructions: int


def fastest(settings: Config) -> Target:
    """As `make firmware BOARD=stm32f405` makes a network with the input of `settings`, but by instructions.

    The searches that are shipped counted these.
    """
    size = {"width": settings.input.width, "channels": settings.input.channels}
    made = target_for(board_toml.load(BOARD), {"input": size}, ModelRequest())
    return dataclasses.replace(made, cpu="any")


def footprint(tflite: bytes, zeros: Zeros, board: Target, limits: Limits) -> Footprint:
    """What the int8 network `tflite` with these zeros takes; `board`: as `fastest` gives it."""
    lean = Target(board.family, "sram")
    file = parse(tflite)
    _, least = _planned(file, zeros, lean)
    small, small_plan = _planned(file, zeros, dataclasses.replace(lean, optimize="flash"))
    fast, fast_plan = _planned(file, zeros, board)
    stored = sum(len(weights.stored_weights(layer)) for layer in small.layers)
    model_bytes = len(blob.serialize(small, small_plan, []))
    # The limit is one of weights: what else is in the model goes on top.
    flash = None if limits.weights_bytes is None else limits.weights_bytes + model_bytes - stored
    limited = dataclasses.replace(
        board,
        flash_bytes=_smaller(board.flash_bytes, flash),
        sram_limit=_smaller(board.sram_limit, limits.sram_bytes),
    )
    within, within_plan = _planned(file, zeros, limited)
    return Footprint(
        weights_stored_bytes=stored,
        engine_model_bytes=model_bytes,
        sram_least_bytes=least.arena_bytes,
        sram_bytes=fast_plan.arena_bytes,
        instructions=_instructions(fast, board),
        limited_sram_bytes=within_plan.arena_bytes,
        limited_instructions=_instructions(within, board),
    )


def _planned(file: TfliteFile, zeros: Zeros, wanted: Target) -> tuple[Network, arena.Plan]:
    """As convert/engine_model.py plans the network, but with its zeros."""
    network = lower(file)
    for layer in network.layers:
        if layer.weights is not None:
            layer.weights = np.where(zeros[layer.name.replace("/", "_")], 0, layer.weights)
    split(network)
    chosen = choose(network, wanted).network
    return chosen, arena.plan(chosen)


def _instructions(network: Network, board: Target) -> int:
    return round(estimate.of(network, board).total)


def _smaller(bytes_: int | None, limit: int | None) -> int | None:
    given = [value for value in (bytes_, limit) if value is not None]
    return min(given, default=None)


def quantized(model: Any, images: Set) -> bytes:
    """The .tflite of the float Keras network `model`, its ranges set from `images`, without training."""
    return to_tflite.to_int8_tflite(quantization_aware(model, images.x))


def zeros_of(model: Any, settings: Prune) -> Zeros:
    """Where `settings`, spread evenly, would prune the float Keras network `model` first, by layer."""
    found = {}
    for name, kernel in guarantees.kernels(model).items():
        share = settings.layers.get(name, settings.sparsity)
        found[name] = (sensitivity.pruned(kernel, share) == 0).transpose(3, 0, 1, 2)
    return found


def int8_accuracy(tflite: bytes, images: Set) -> float:
    """The share of `images` that the int8 network gets right, by LiteRT's reference kernels."""
    starts = range(0, len(images.y), _PART)
    right = 0
    title = f"  int8 on {len(images.y):,} images"
    for start in terminal.track(starts, title, disable=not sys.stdout.isatty()):
        part = slice(start, start + _PART)
        right += int(np.sum(to_tflite.predictions(tflite, images.x[part]) == images.y[part]))
    return right / len(images.y)
