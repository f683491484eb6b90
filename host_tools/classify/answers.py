"""A network's outputs as people read them: classes by name, with their probabilities."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.terminal import printable
from squeezenet_mcu.host_tools.classify.runners import Run
from squeezenet_mcu.host_tools.validate import top5

_FEW = top5.TOP  # classes; of so many all are shown, of more the highest _SHOWN
_SHOWN = 3


@dataclass(frozen=True)
class Class:
    """One of a model's classes and its probability; of a network with one output, that output's value."""

    index: int
    name: str
    probability: float


@dataclass(frozen=True)
class Answer:
    """What a picture is: its highest classes, best first, at most top5.TOP of the `count` that there are."""

    path: Path
    classes: list[Class]
    count: int
    milliseconds: float | None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "file": str(self.path),
            "top": [
                {"class": c.index, "name": c.name, "probability": round(c.probability, 6)}
                for c in self.classes
            ],
            "milliseconds": self.milliseconds,
        }

    @property
    def shown(self) -> list[Class]:
        """Those that people are told: all of few, else the first three."""
        return self.classes if self.count <= _FEW else self.classes[:_SHOWN]


def probabilities(run: Run, manifest: dict[str, Any]) -> npt.NDArray[np.float64]:
    """Shares [classes]: the network's own, or where it ends in its logits the SOFTMAX of these.

    Of a network with one output, its value.
    """
    output = manifest["output"]
    values: npt.NDArray[np.float64] = (run.probabilities.astype(np.float64) - output["zero_point"]) * output[
        "scale"
    ]
    if output["softmax"] or len(values) == 1:
        return values
    logits = (run.logits.astype(np.float64) - output["logits_zero_point"]) * output["logits_scale"]
    powers = np.exp(logits - logits.max())
    found: npt.NDArray[np.float64] = powers / powers.sum()
    return found


def answer(path: Path, run: Run, manifest: dict[str, Any]) -> Answer:
    """What a picture is, by its outputs. The logits decide the order: probabilities are rounded, and tie."""
    shares = probabilities(run, manifest)
    best = top5.top_classes(run.logits)
    classes = [Class(i, top5.name_of(manifest, i), float(shares[i])) for i in best]
    return Answer(path, classes, len(shares), run.milliseconds)


def said(share: float, one_output: bool = False) -> str:
    """A probability, for people; int8 has steps of 0.4 %. Of a network with one output, that."""
    return f"{share:.3g}" if one_output else f"{share:.1%}".replace("%", " %")


def line(found: Answer) -> str:
    """The classes and the time, in one line fit for a terminal."""
    one = len(found.classes) == 1
    parts = ", ".join(f"{printable(c.name)} {said(c.probability, one)}" for c in found.shown)
    return parts if found.milliseconds is None else f"{parts}; {found.milliseconds:,.1f} ms"
