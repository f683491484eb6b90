"""Accuracy of the int8 model on the host: LiteRT and our engine, image by image, on all cores."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.common.statistics import top_k
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.verify import host_engine
from squeezenet_mcu.convert.verify.host_engine import HostEngine

_CHUNK = 4  # images a task: ImageNet's take over a second each, and the bar is to move


@dataclass(frozen=True)
class Scores:
    """What the images gave.

    Attributes:
        int8: LiteRT's logits, int8 [n, classes].
        engine: the engine's logits of the images that it ran, int8 [m, classes].
        differing: int8 values, logits and probabilities, on which the two differ on these m images.
    """

    int8: np.ndarray
    engine: np.ndarray
    differing: int


@dataclass(frozen=True)
class _Task:
    """A few images, and which of them the engine runs too."""

    images: np.ndarray
    on_engine: npt.NDArray[np.bool_]


class _Pair:
    """LiteRT and the engine, one of each a process."""

    current: "_Pair | None" = None

    def __init__(self, tflite: bytes, blob: bytes, source: dict[str, Any], output: dict[str, Any]) -> None:
        edge = (source["scale"], source["zero_point"])
        self.reference = Reference(tflite, edge=edge, output_tensor=output["tensor"])
        self.engine = HostEngine(blob)
        self.source = source
        self.logits = output["logits_tensor"]

    def score(self, task: _Task) -> Scores:
        images = task.images
        if images.dtype == np.uint8:
            images = quantize_images(images, self.source)
        theirs = [self.reference.infer(x, self.logits) for x in images]
        chosen = np.flatnonzero(task.on_engine)
        ours = [self.engine.infer(images[i]) for i in chosen]
        differing = sum(
            int((a != b).sum())
            for i, own in zip(chosen, ours, strict=True)
            for a, b in zip(theirs[i], own, strict=True)
        )
        engine = np.array([o[0] for o in ours], np.int8).reshape(len(ours), self.engine.classes)
        return Scores(np.stack([t[0] for t in theirs]), engine, differing)


def _start(*arguments: Any) -> None:
    # Ctrl-C reaches the whole group of processes: ending these is the parent's business, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _Pair.current = _Pair(*arguments)


def _score(task: _Task) -> Scores:
    assert _Pair.current is not None
    return _Pair.current.score(task)


def _on_all_cores(
    arguments: tuple[Any, ...], images: np.ndarray, on_engine: npt.NDArray[np.bool_]
) -> Iterator[Scores]:
    """The scores of every few images, in order; a few at a time are under way."""
    workers = cpu_count() or 1
    waiting: deque[Future[Scores]] = deque()
    with ProcessPoolExecutor(workers, initializer=_start, initargs=arguments) as pool:
        try:
            for i in range(0, len(images), _CHUNK):
                task = _Task(images[i : i + _CHUNK], on_engine[i : i + _CHUNK])
                waiting.append(pool.submit(_score, task))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            # Now, not when they are through with their images.
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def score(
    tflite: bytes,
    blob: bytes,
    manifest: dict[str, Any],
    images: np.ndarray,
    progress: Callable[[int], None] | None = None,
    on_engine: npt.NDArray[np.bool_] | None = None,
) -> Scores:
    """Runs images [n, height, width, channels] through LiteRT and the engine on all cores.

    Args:
        tflite: the int8 model.
        blob: the engine's model of it.
        manifest: its manifest (input and output: edge quantization, tensor numbers, preprocessing).
        images: int8 as the input tensor takes them, or uint8 pixels, which are preprocessed few at a time.
        progress: called with the number of images done after each few.
        on_engine: bool [n], the images that the engine runs too (all).
    """
    chosen = np.ones(len(images), bool) if on_engine is None else on_engine
    host_engine.build()  # once, where its errors are seen
    parts: list[Scores] = []
    for part in _on_all_cores((tflite, blob, manifest["input"], manifest["output"]), images, chosen):
        parts.append(part)
        if progress:
            progress(sum(len(p.int8) for p in parts))
    return Scores(
        np.concatenate([p.int8 for p in parts]),
        np.concatenate([p.engine for p in parts]),
        sum(p.differing for p in parts),
    )


def measure(
    tflite: bytes, blob: bytes, network: Network, images: np.ndarray, y: np.ndarray
) -> dict[str, Any]:
    """Accuracies for the manifest: LiteRT's int8 and the engine's top-1, as fractions.

    `tflite` and `blob`: the same network as LiteRT and as the engine take it. images, y: as of score().
    """
    source = network.buffers[network.input_buffer]
    manifest = {
        "input": {"scale": source.scale, "zero_point": source.zero_point},
        "output": {"logits_tensor": network.logits_tensor, "tensor": network.output_tensor},
    }
    scores = score(tflite, blob, manifest, images)
    return {
        "int8_top1": top_k(scores.int8, y, 1),
        "engine_top1": top_k(scores.engine, y, 1),
        "differing_values": scores.differing,
        "test_images": int((y >= 0).sum()),
    }
