"""What a compressed SqueezeNet takes: the authors' file part by part, and our engine's model of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.host_tools.claims import alexnet
from squeezenet_mcu.host_tools.claims.claim import Found
from squeezenet_mcu.host_tools.claims.measured_network import Measured
from squeezenet_mcu.model.importers import deep_compression
from squeezenet_mcu.model.settings import config

SUFFIX = ".net"
_CODEBOOK_BYTES = 4 * 256


@dataclass(frozen=True)
class Parts:
    """The authors' file, in bytes by part, and what is in it.

    Attributes:
        size: of the file; the others are its parts.
        counts: how many entries each layer has, 4 bytes a layer.
        codebooks: 256 float32 a layer.
        biases: float32.
        indices: a byte for each entry that is stored.
        gaps: how far each entry lies behind the one before, half a byte.
        nonzero: parameters that pruning has left: weights that are not zero, and all biases.
    """

    size: int
    counts: int
    codebooks: int
    biases: int
    indices: int
    gaps: int
    nonzero: int


def parts(path: Path) -> Parts:
    """Of a Deep Compression file of v1.0. UserError: it is none, or damaged."""
    shapes = config.load("imagenet_v1_0").kernels
    found = deep_compression.load(path, shapes)
    layers = len(shapes)
    biases = sum(bias.size for _, bias in found.values())
    size = path.stat().st_size
    entries = np.fromfile(path, "<u4", layers)
    gaps = int(((entries + 1) // 2).sum())
    return Parts(
        size,
        4 * layers,
        _CODEBOOK_BYTES * layers,
        4 * biases,
        int(entries.sum()),
        gaps,
        biases + sum(int(np.count_nonzero(kernel)) for kernel, _ in found.values()),
    )


def of_file(path: Path) -> dict[str, Found]:
    """By the id of a claim: what the authors' file says of it. UserError: see parts."""
    found = parts(path)
    detail = vars(found)
    whole = (
        f"the whole file: {found.indices:,} B of indices, {found.gaps:,} of gaps, {found.codebooks:,} of "
        f"codebooks, {found.biases:,} of biases, {found.counts:,} of counts"
    )
    return {
        "pruned-parameters": Found(
            found.nonzero, f"weights of {path.name} that are not 0, and all biases", detail=detail
        ),
        "compressed-8-bit": Found(found.size, whole, detail=detail),
        "smaller-8-bit": Found(
            alexnet.FLOAT_BYTES / found.size,
            f"AlexNet's {alexnet.FLOAT_BYTES:,} B as float32 through {found.size:,} B",
            detail={"alexnet_bytes": alexnet.FLOAT_BYTES, "bytes": found.size},
        ),
    }


def of_engine_model(network: Measured) -> dict[str, Found]:
    """By the id of a claim: what the smallest engine model of `network`, for a Cortex-M4, says of it."""
    from squeezenet_mcu.convert import engine_model
    from squeezenet_mcu.convert.encode import weights
    from squeezenet_mcu.convert.lowering import tflite_file
    from squeezenet_mcu.convert.target import Target

    file = tflite_file.read(network.folder / "model.tflite")
    made = engine_model.prepare(file, [], Target("dsp", optimize="flash", cpu="cortex_m4"))
    size = len(made.content)
    stored = sum(len(weights.stored_weights(layer)) for layer in made.network.layers)
    detail: dict[str, Any] = {
        "bytes": size,
        "weights_bytes": stored,
        "other_bytes": size - stored,
        "alexnet_bytes": alexnet.FLOAT_BYTES,
        "weights": network.weights,
    }
    counted = (
        f"the engine's model, all that the device reads: {stored:,} B of weights, {size - stored:,} of their "
        "codes, biases, scales, the table of layers and the memory plan; not the program"
    )
    return {
        "under-half-megabyte": Found(size, f"{network.weights}; {counted}", detail=detail),
        "smaller-6-bit": Found(
            alexnet.FLOAT_BYTES / size,
            f"AlexNet's {alexnet.FLOAT_BYTES:,} B as float32 through {size:,} B of our engine's model",
            detail=detail,
        ),
    }
