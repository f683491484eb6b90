"""Accuracy of the int8 model on the host: LiteRT and our engine, image by image."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from os import cpu_count
from typing import TYPE_CHECKING, Any

import numpy as np

from convert.host_engine import HostEngine
from convert.reference import Reference

if TYPE_CHECKING:
    from convert.artefacts import Conversion

_CHUNK = 16


@dataclass(frozen=True)
class Scores:
    """Logits of the images, int8 [n, classes]: LiteRT's and the engine's, and how many outputs differ."""

    int8: np.ndarray
    engine: np.ndarray
    differing: int


class _Pair:
    """LiteRT and the engine, one of each a process."""

    current: "_Pair | None" = None

    def __init__(self, tflite: bytes, blob: bytes, edge: tuple[float, int], logits: int, output: int) -> None:
        self.reference = Reference(tflite, edge=edge, output_tensor=output)
        self.engine = HostEngine(blob)
        self.logits = logits

    def score(self, images: np.ndarray) -> Scores:
        theirs = [self.reference.infer(x, self.logits) for x in images]
        ours = [self.engine.infer(x) for x in images]
        differing = sum(
            int((a != b).sum()) for pair in zip(theirs, ours, strict=True) for a, b in zip(*pair, strict=True)
        )
        return Scores(np.stack([t[0] for t in theirs]), np.stack([o[0] for o in ours]), differing)


def _start(*arguments: Any) -> None:
    _Pair.current = _Pair(*arguments)


def _score(images: np.ndarray) -> Scores:
    assert _Pair.current is not None
    return _Pair.current.score(images)


def score(
    tflite: bytes,
    blob: bytes,
    manifest: dict[str, Any],
    images: np.ndarray,
    progress: Callable[[int], None] | None = None,
) -> Scores:
    """Runs int8 images [n, height, width, channels] through LiteRT and the engine on all cores.

    Args:
        tflite: the int8 model.
        blob: the engine's model of it.
        manifest: its manifest (edge quantization and tensor numbers).
        images: as the input tensor takes them.
        progress: called with the number of images done after each chunk.
    """
    source, output = manifest["input"], manifest["output"]
    edge = (source["scale"], source["zero_point"])
    arguments = (tflite, blob, edge, output["logits_tensor"], output["tensor"])
    chunks = [images[i : i + _CHUNK] for i in range(0, len(images), _CHUNK)]
    parts: list[Scores] = []
    with ProcessPoolExecutor(cpu_count(), initializer=partial(_start, *arguments)) as pool:
        for part in pool.map(_score, chunks):
            parts.append(part)
            if progress:
                progress(sum(len(p.int8) for p in parts))
    return Scores(
        np.concatenate([p.int8 for p in parts]),
        np.concatenate([p.engine for p in parts]),
        sum(p.differing for p in parts),
    )


def top_k(logits: np.ndarray, y: np.ndarray, k: int) -> float:
    """Share of images, of those with a label (y >= 0), whose label is among the k highest logits.

    Ties go to the lower class number, as arg max does: logits [n, classes], y [n].
    """
    known = y >= 0
    order = np.argsort(-logits[known].astype(np.float64), axis=1, kind="stable")[:, :k]
    return float((order == y[known, None]).any(axis=1).mean())


def measure(c: "Conversion", images: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Accuracies for the manifest: LiteRT's int8 and the engine's top-1, as fractions."""
    source = c.network.buffers[c.network.input_buffer]
    manifest = {
        "input": {"scale": source.scale, "zero_point": source.zero_point},
        "output": {"logits_tensor": c.network.logits_tensor, "tensor": c.network.output_tensor},
    }
    scores = score(c.file.content, c.engine_model, manifest, images)
    return {
        "int8_top1": top_k(scores.int8, y, 1),
        "engine_top1": top_k(scores.engine, y, 1),
        "differing_values": scores.differing,
        "test_images": int((y >= 0).sum()),
    }
