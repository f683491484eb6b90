"""Which pixel values a .tflite from elsewhere wants, as far as its input's scale and zero point can tell.

They say which real values the int8 cover. That is the range of some rules of common/preprocess.py and not of
others; -1 to 1 is that of two, which labelled images tell apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from squeezenet_mcu.common import statistics
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.data.images import Images
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.preprocess import FREE, PREPROCESSES, fit, fitting, for_channels, quantize_images
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile
from squeezenet_mcu.convert.network import Network

# Whole ranges of pixels, and the rule that certainly belongs to each; of -1 to 1, see _either.
_RANGES = ((0, 255, "byte"), (0, 1, "unit"), (-1, 1, "tf"))
_SHORT, _OVER = 0.1, 0.02  # of the range: images for calibration may lack the whitest white; rounding
_MOST_IMAGES, _LEAST_IMAGES = 200, 20
_MOST_MACS = 20_000_000_000  # about a minute of LiteRT's reference kernels
_CHANCE = 0.01
_HOW = {"byte": "pixels as they are", "unit": "pixel / 255", "tf": "pixel / 127.5 - 1"}


@dataclass(frozen=True)
class Edge:
    """A .tflite's input, and which of its tensors answer.

    Scale and zero point are those of the int8 values: behind a float32 or uint8 input's QUANTIZE.
    """

    file: TfliteFile
    size: tuple[int, int, int]  # height, width, channels
    scale: float
    zero_point: int
    macs: int
    output: int
    logits: int

    @property
    def channels(self) -> int:
        """Of the image."""
        return self.size[2]

    @property
    def covers(self) -> tuple[float, float]:
        """The real values that int8 -128 and 127 stand for."""
        return self.scale * (-128 - self.zero_point), self.scale * (127 - self.zero_point)


def edge_of(file: TfliteFile, network: Network) -> Edge:
    """That of a lowered network."""
    image = network.buffers[network.input_buffer]
    size = (image.height, image.width, image.channels)
    outputs = (network.output_tensor, network.logits_tensor)
    return Edge(file, size, image.scale, image.zero_point, network.macs, *outputs)


def settle(edge: Edge, given: str | None, labelled: Callable[[int], Images | None]) -> str:
    """The rule for the pixels: `given`, the --preprocess of a command line, or what the input's range says.

    What was chosen, and what is odd about it, is said in a note. `labelled`: at most so many test images, or
    None where the command has none; called only where two rules fit. UserError: no rule is certain, or the
    one that is given cannot be meant.
    """
    _check_scale(edge)
    text, note = _checked(edge, "".join(given.split())) if given else _derived(edge, labelled)
    if note:
        notice(note)
    return text


def _check_scale(edge: Edge) -> None:
    if not (np.isfinite(edge.scale) and edge.scale > 0 and -128 <= edge.zero_point <= 127):
        seen = f"scale {edge.scale:g}, zero point {edge.zero_point}"
        raise UserError(f"{edge.file.path}: input: {seen}; want a positive scale, and -128 to 127")


def _said(edge: Edge) -> str:
    """The range, for people."""
    low, high = (f"{value:.4g}" for value in edge.covers)
    return f"{edge.file.path}: its input covers {'0' if edge.zero_point == -128 else low} to {high}"


def _advice(edge: Edge) -> str:
    """What would fit this range."""
    names = fitting(edge.channels, edge.scale, edge.zero_point)
    low, high = edge.covers
    if names:
        advice = f"{' or '.join(names)} would fit"
    elif edge.zero_point == -128 and high < 255:
        advice = f"{'unit' if high < 1 else 'byte'} would fit if it was calibrated with dim images"
    else:
        advice = f"none of {', '.join(PREPROCESSES)} fits"
    std = 255 / (high - low)
    whole = f', "mean={-low * std:.4g},std={std:.4g}" would use the whole range'
    return advice + (whole if edge.zero_point != -128 else "")


def _checked(edge: Edge, text: str) -> tuple[str, str | None]:
    """The rule that was given, and a note where it fits badly; UserError where nobody can mean it."""
    for_channels(text, edge.channels)
    found = fit(text, edge.channels, edge.scale, edge.zero_point)
    if found.good:
        return text, None
    said = f"{_said(edge)}; with PREPROCESS={text} {found}; {_advice(edge)}"
    if found.hopeless:
        raise UserError(said)
    return text, said


def _derived(edge: Edge, labelled: Callable[[int], Images | None]) -> tuple[str, str]:
    """The rule that the input's range says, and a note on it."""
    low, high = edge.covers
    for least, most, name in _RANGES:
        short, over = _SHORT * (most - least), _OVER * (most - least)
        if not (-over <= low - least <= short and -over <= most - high <= short):
            continue
        if name == "tf":
            return _either(edge, labelled)
        return name, f"{_said(edge)}, so pixels are taken as {name} ({_HOW[name]}); else say PREPROCESS="
    raise UserError(
        f"{_said(edge)}, not 0 to 255, 0 to 1 or -1 to 1; say how the network was trained by PREPROCESS= "
        f"(--preprocess): {_advice(edge)}; or the mean and std that it was trained with, {FREE}"
    )


def _either(edge: Edge, labelled: Callable[[int], Images | None]) -> tuple[str, str]:
    """-1 to 1: what "tf" makes, and what converters calibrated with noise note down for "unit", too."""
    first, other = "tf", "unit"
    images = labelled(max(_LEAST_IMAGES, min(_MOST_IMAGES, _MOST_MACS // max(1, edge.macs))))
    said = f"{_said(edge)}, all of which {first} ({_HOW[first]}) uses, and {other} ({_HOW[other]}) one half"
    known = np.flatnonzero(images.y >= 0) if images is not None else np.array([], np.int64)
    if images is None or not len(known):
        hint = f"if the network was trained on {_HOW[other]}, say PREPROCESS={other}"
        return first, f"{said}: only labelled images (DATA=) could tell; {first} is taken: {hint}"
    x, y = images.x[known], images.y[known]
    right = {name: _right(edge, name, x, y) for name in (first, other)}
    only = [int((right[a] & ~right[b]).sum()) for a, b in ((first, other), (other, first))]
    figures = ", ".join(f"{name} {hits.mean():.1%}" for name, hits in right.items())
    said = f"{said}; of {len(y)} labelled images LiteRT gets right: {figures}"
    best, worse = (other, first) if only[1] > only[0] else (first, other)
    if statistics.chance(*only) >= _CHANCE:
        best, worse = first, other
        said += ", no more apart than chance may bring"
    return best, f"{said}: {best} is taken; else say PREPROCESS={worse}"


def _right(edge: Edge, name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """For each image whether LiteRT's int8 answers right with this rule: bool [n]."""
    rule: dict[str, Any] = {"scale": edge.scale, "zero_point": edge.zero_point, "preprocess": name}
    images = quantize_images(x, rule | {"edge": edge.file.input_type})
    reference = Reference(edge.file.content, edge=(edge.scale, edge.zero_point), output_tensor=edge.output)
    logits = np.stack([reference.infer(image, edge.logits)[0] for image in images])
    return statistics.hits(logits, y, 1)
