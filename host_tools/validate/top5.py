"""What the device makes of each image, by name: its highest classes, for people and for programs."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich import box
from rich.table import Table

from squeezenet_mcu.common.terminal import Console

TOP = 5
MANY = 10  # classes; with as many or fewer, five of them say little
_SHOWN = 20  # images in the table


@dataclass(frozen=True)
class Answer:
    """The device's classes with the highest logits of one image, at most TOP, best first."""

    label: int  # -1: unknown
    classes: tuple[int, ...]
    probabilities: tuple[int, ...]  # int8, of these classes

    @property
    def rank(self) -> int | None:
        """The label's place among the classes, from 1; None where it is not there."""
        return self.classes.index(self.label) + 1 if self.label in self.classes else None


def top_classes(logits: npt.NDArray[np.int8]) -> tuple[int, ...]:
    """The classes of the TOP highest logits, int8 [classes], best first; of equal ones the lower first."""
    order = np.argsort(-logits.astype(np.int16), kind="stable")
    return tuple(int(i) for i in order[:TOP])


def answer(logits: npt.NDArray[np.int8], probabilities: npt.NDArray[np.int8], label: int) -> Answer:
    """Of the device's outputs, int8 [classes] each; `label` -1: unknown."""
    best = top_classes(logits)
    return Answer(label, best, tuple(int(probabilities[i]) for i in best))


def many_classes(manifest: dict[str, Any]) -> bool:
    """Whether the model has so many classes that the highest five are worth a look."""
    found: bool = manifest["output"]["classes"] > MANY
    return found


def name_of(manifest: dict[str, Any], index: int) -> str:
    """That of a class, by the model's manifest; its number where the classes have no names."""
    labels = manifest["labels"]
    return str(labels[index]) if labels else str(index)


def as_json(answers: list[Answer], manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """One object an image, in their order: label and its name (None: unknown), and the classes.

    Probabilities are fractions, in the steps of the model's int8.
    """
    output = manifest["output"]
    return [
        {
            "image": i,
            "label": a.label if a.label >= 0 else None,
            "name": name_of(manifest, a.label) if a.label >= 0 else None,
            "rank": a.rank,
            "top": [
                {
                    "class": index,
                    "name": name_of(manifest, index),
                    "probability": round((value - output["zero_point"]) * output["scale"], 6),
                }
                for index, value in zip(a.classes, a.probabilities, strict=True)
            ],
        }
        for i, a in enumerate(answers)
    ]


def confusion(answers: list[Answer]) -> list[list[int]]:
    """How many images of a class the device took for a class: [label, taken, images], in this order.

    Only pairs that occur, and images whose label is known: a table of 1,000 classes is nearly empty.
    """
    pairs = Counter((a.label, a.classes[0]) for a in answers if a.label >= 0)
    return [[label, taken, images] for (label, taken), images in sorted(pairs.items())]


def show(console: Console, answers: list[Answer], manifest: dict[str, Any]) -> None:
    """A table of some images, spread over all: the true class, its rank, and the device's classes."""
    shown = as_json(answers, manifest)
    shown = [shown[i * len(shown) // _SHOWN] for i in range(_SHOWN)] if len(shown) > _SHOWN else shown
    title = f"the device's highest {TOP} classes"
    if len(shown) < len(answers):
        title += f" ({len(shown)} of {len(answers)} images)"
    table = Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("image", justify="right")
    table.add_column("it is", overflow="fold")
    table.add_column("rank", justify="right")
    table.add_column("probabilities", overflow="fold", ratio=1)
    for entry in shown:
        rank = "" if entry["label"] is None else str(entry["rank"] or "-")
        best = ", ".join(f"{top['name']} {top['probability']:.3f}" for top in entry["top"])
        table.add_row(str(entry["image"]), entry["name"] or "", rank, best)
    console.print(table)
