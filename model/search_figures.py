"""What a candidate of a search takes on a board: memory and instructions, as the converter plans them.

All are of the network pruned once, by magnitude, to the shares that the base's table [prune] names, without
any training: its zeros are about where they will be, its answers are of no use. Clusters and removed channels
are not in it.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.progress import track

from convert import encodings, engine_model
from convert.kernels import FAMILY_KERNELS, shape_of
from convert.network import Kind, Layer, Network
from convert.target import Family, Target
from convert.tflite import parse
from host_tools import boards
from host_tools.board_model import Request, target_for
from model import export, sensitivity
from model.config import Config
from model.quantization import quantization_aware
from model.search_settings import Limits
from model.splits import Set
from model.tf import keras

BOARD = "stm32f405"
_PART = 250  # images between two signs of progress


@dataclass(frozen=True)
class Footprint:
    """Of one int8 network on the board, planned in four ways.

    Smallest: `weights_stored_bytes` of the weights alone, as in a manifest, `engine_model_bytes` of all of
    the engine's model. Leanest: `sram_least_bytes` of arena. Fastest, as `make firmware` has it: `sram_bytes`
    of arena, `instructions` of an image's convolutions. Fastest within the limits: `limited_...`.
    """

    weights_stored_bytes: int
    engine_model_bytes: int
    sram_least_bytes: int
    sram_bytes: int
    instructions: int
    limited_sram_bytes: int
    limited_instructions: int


def fastest(settings: Config) -> Target:
    """What `make firmware BOARD=stm32f405` makes of a network with the input of `settings`."""
    size = {"width": settings.input.width, "channels": settings.input.channels}
    return target_for(boards.load(BOARD), {"input": size}, Request())


def footprint(tflite: bytes, board: Target, limits: Limits) -> Footprint:
    """What the int8 network `tflite` takes; `board`: as `fastest` gives it."""
    file = parse(tflite)
    lean = Target(board.family, "sram")
    targets = {
        "least": lean,
        "smallest": dataclasses.replace(lean, optimize="flash"),
        "fastest": board,
        "limited": dataclasses.replace(
            board,
            # Of the whole engine's model: stricter than a limit of the weights.
            flash_bytes=_smaller(board.flash_bytes, limits.weights_bytes),
            sram_limit=_smaller(board.sram_limit, limits.sram_bytes),
        ),
    }
    made = {name: engine_model.prepare(file, [], wanted) for name, wanted in targets.items()}
    smallest = made["smallest"]
    return Footprint(
        weights_stored_bytes=sum(len(encodings.stored_weights(layer)) for layer in smallest.network.layers),
        engine_model_bytes=len(smallest.content),
        sram_least_bytes=made["least"].plan.arena_bytes,
        sram_bytes=made["fastest"].plan.arena_bytes,
        instructions=round(instructions(made["fastest"].network, board.family)),
        limited_sram_bytes=made["limited"].plan.arena_bytes,
        limited_instructions=round(instructions(made["limited"].network, board.family)),
    )


def _smaller(bytes_: int | None, limit: int | None) -> int | None:
    given = [value for value in (bytes_, limit) if value is not None]
    return min(given, default=None)


def instructions(network: Network, family: Family) -> float:
    """Instructions that an image's convolutions take, by the converter's cost model (convert/kernels.py)."""
    return sum(_cost(network, layer, family) for layer in network.layers if layer.kind is Kind.CONV_2D)


def _cost(network: Network, layer: Layer, family: Family) -> float:
    way = (layer.conv_kernel, layer.encoding)
    model = next(found for found in FAMILY_KERNELS[family] if (found.kernel, found.encoding) == way)
    source, out = network.buffers[layer.inputs[0]], network.buffers[layer.output]
    calls, rest = divmod(out.height, layer.batch_rows)
    shapes = [(layer.batch_rows, calls), *([(rest, 1)] if rest else [])]
    return sum(
        count * model.cost(shape_of(layer, source, out, rows), layer.scratch_bytes) for rows, count in shapes
    )


def quantized(model: Any, images: Set) -> bytes:
    """The .tflite of the float Keras network `model`, its ranges set from `images`, without training."""
    return export.to_int8_tflite(quantization_aware(model, images.x))


def pruned(model: Any, settings: Config) -> Any:
    """A copy of `model` in which each convolution's smallest weights are zero, as many as [prune] says."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        if isinstance(layer, keras.layers.Conv2D):
            share = settings.prune.layers.get(layer.name, settings.prune.sparsity)
            layer.kernel.assign(sensitivity._pruned(layer.kernel.numpy(), share))
    return copy


def int8_accuracy(tflite: bytes, images: Set) -> float:
    """The share of `images` that the int8 network gets right, by LiteRT's reference kernels."""
    starts = range(0, len(images.y), _PART)
    right = 0
    for start in track(starts, f"  int8 on {len(images.y):,} images", transient=True):
        part = slice(start, start + _PART)
        right += int(np.sum(export.predictions(tflite, images.x[part]) == images.y[part]))
    return right / len(images.y)
