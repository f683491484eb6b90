"""Which classes are taken for which: as a picture, and the worst of them as a list. Imports no TensorFlow."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.model.card.pictures import drawing

Table = Sequence[Sequence[int]]  # images of class `row` that were taken for class `column`
_NUMBERED = 12  # classes at most whose cells still hold a number each


@dataclass(frozen=True)
class Mistake:
    """`images` of the `of` images of class `label` were taken for class `taken`."""

    label: int
    taken: int
    images: int
    of: int


def worst(table: Table, count: int = 10) -> list[Mistake]:
    """The `count` most frequent mistakes, most images first; then in the order of the classes."""
    found = [
        Mistake(label, taken, images, sum(row))
        for label, row in enumerate(table)
        for taken, images in enumerate(row)
        if images and label != taken
    ]
    return sorted(found, key=lambda mistake: -mistake.images)[:count]


def recall(table: Table) -> list[float | None]:
    """Of each class the share of its images that were known; None where it has no images."""
    return [row[label] / sum(row) if sum(row) else None for label, row in enumerate(table)]


def draw(table: Table, labels: Sequence[str], title: str, path: Path) -> None:
    """Writes the heat map to `path`, a PNG: shares of each class, with numbers if there are few classes."""
    counts = np.array(table, np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    few = len(labels) <= _NUMBERED
    side = 0.42 * len(labels) + 1.6 if few else 0.155 * len(labels) + 3.2
    with drawing(path, side + 0.9, side) as figure:
        axes = figure.subplots()
        image = _heat(axes, shares)
        size = 9 if few else 7
        flat = few and max(map(len, labels), default=0) <= 3
        axes.set_xticks(range(len(labels)), labels, rotation=0 if flat else 90, fontsize=size)
        axes.set_yticks(range(len(labels)), labels, fontsize=size)
        axes.tick_params(length=0)
        axes.set_xlabel("taken for")
        axes.set_ylabel("class")
        axes.set_title(title)
        if few:
            _number(axes, table, shares)
        else:
            axes.set_xticks(np.arange(-0.5, len(labels)), minor=True)
            axes.set_yticks(np.arange(-0.5, len(labels)), minor=True)
            axes.grid(which="minor", color="#eceef0", linewidth=0.5)
            axes.tick_params(which="minor", length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        bar = figure.colorbar(image, ax=axes, shrink=0.8, ticks=(0, 0.01, 0.05, 0.2, 0.5, 1))
        bar.ax.set_yticklabels(["0 %", "1 %", "5 %", "20 %", "50 %", "100 %"])
        bar.set_label("of the class's images")
        bar.outline.set_visible(False)


def _heat(axes: Any, shares: Any) -> Any:
    """The image. Its colours rise steeply from 0: else one image in a hundred would look like none."""
    from matplotlib.colors import PowerNorm

    return axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.35, 0, 1), interpolation="nearest")


def _number(axes: Any, table: Table, shares: Any) -> None:
    for label, row in enumerate(table):
        for taken, images in enumerate(row):
            if images:
                color = "white" if shares[label, taken] > 0.25 else "#22252a"
                axes.text(taken, label, f"{images:,}", ha="center", va="center", color=color, fontsize=8)
