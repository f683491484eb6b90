"""The test images through LiteRT once: answers, mistakes, and how activations use int8."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from squeezenet_mcu.common import statistics
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.common.terminal import track
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.names import layer_name
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile
from squeezenet_mcu.host_tools.validate.inputs import Artefacts, load_pixels

_MACS = 20_000_000_000  # multiplications that LiteRT does in some 20 seconds
_LEAST, _MOST = 50, 1000  # images
_SIDE = 96  # pixels of a picture at most
_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD")
_MOST_LAYERS = 128
_MOST_VALUES = 1 << 24  # of a tensor


@dataclass(frozen=True)
class Activations:
    """How often each int8 occurs in a layer's output: `counts` int64 [256], of -128 first."""

    layer: str
    scale: float
    zero_point: int
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """Of images, `pixels` uint8 [n, height, width, channels] of `source`: `labels` [n], -1 unknown; what they
    were `taken` for, and how `sure` (probability) LiteRT was.
    """

    source: str
    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    taken: npt.NDArray[np.int64]
    sure: npt.NDArray[np.float64]
    activations: list[Activations]

    @classmethod
    def of(cls, artefacts: Artefacts, data: str | None, limit: int | None) -> "Run":
        """Runs them; `limit` None: as many as take some 20 seconds. UserError: see load_pixels."""
        if limit is None:
            limit = min(max(_MACS // max(artefacts.manifest["macs"], 1), _LEAST), _MOST)
        found, source = load_pixels(artefacts, data, limit)
        for text in found.notices:
            notice(text)
        manifest = artefacts.manifest
        images = quantize_images(found.x, manifest["input"])
        reference = Reference.of(manifest, artefacts.tflite)
        watched = _watched(tflite_file.parse(artefacts.tflite))
        output = manifest["output"]
        taken, sure = [], []
        for image in track(list(images), "images through LiteRT"):
            logits, probabilities = reference.infer(image, output["logits_tensor"])
            top = int(logits.argmax())
            taken.append(top)
            sure.append((int(probabilities[top]) - output["zero_point"]) * output["scale"])
            for entry, index in watched:
                values = reference.tensor(index).reshape(-1).astype(np.int64) + 128
                entry.counts[:] += np.bincount(values, minlength=256)
        return cls(
            source,
            found.x,
            found.y,
            np.array(taken, np.int64),
            np.array(sure, np.float64),
            [entry for entry, _ in watched],
        )

    @property
    def random(self) -> bool:
        """Whether the images are random pixels, in place of some that are not on this machine."""
        return self.source.startswith("random")

    def quantized(self, input: dict[str, Any]) -> npt.NDArray[np.int8]:
        """As the network takes them; `input`: the manifest's."""
        found: npt.NDArray[np.int8] = quantize_images(self.pixels, input)
        return found

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """[n]: whether the image's class is known."""
        found: npt.NDArray[np.bool_] = self.labels >= 0
        return found

    def mistakes(self) -> list[dict[str, Any]]:
        """See statistics.worst_mistakes; of the images whose class is known."""
        known = np.flatnonzero(self.labelled)
        found = statistics.worst_mistakes(self.labels[known], self.taken[known], self.sure[known])
        return [entry | {"image": int(known[entry["image"]])} for entry in found]

    def picture(self, number: int) -> str:
        """Image `number` as base64 of a PNG: gray or RGB of its first channels; "": it has two channels."""
        pixels = self.pixels[number]
        channels = pixels.shape[2]
        if channels == 2:
            return ""
        image = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels[:, :, :3])
        if max(image.size) > _SIDE:
            image.thumbnail((_SIDE, _SIDE))
        stream = io.BytesIO()
        image.save(stream, "PNG", optimize=True)
        return base64.b64encode(stream.getvalue()).decode()


def _watched(file: TfliteFile) -> list[tuple[Activations, int]]:
    """The layers whose outputs are looked at, with the number of the tensor."""
    found = []
    for op in file.ops:
        if op.name not in _LAYERS or not op.outputs:
            continue
        tensor = file.tensors[op.outputs[0]]
        if tensor.type_name != "INT8" or np.prod(tensor.shape) > _MOST_VALUES:
            continue
        name = layer_name(file, op) if op.name != "ADD" else f"add_{op.index}"
        entry = Activations(name, float(tensor.scale[0]), tensor.zero_point, np.zeros(256, np.int64))
        found.append((entry, op.outputs[0]))
    return found[:_MOST_LAYERS]
