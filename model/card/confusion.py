"""Which classes are taken for which: as a picture, and the worst of them as a list. Imports no TensorFlow."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.model.card.pictures import drawing, shortened

Table = Sequence[Sequence[int]]  # images of class `row` that were taken for class `column`
_MOST = 60  # classes that are drawn
_LONGEST = 32  # characters of a name
_FEW = 5  # classes at most that need no scale of colours
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


def _worst_classes(table: Table) -> list[int]:
    """Of many classes those of the most frequent mistakes, in their order."""
    chosen: dict[int, None] = {}
    for mistake in worst(table, _MOST):
        chosen |= dict.fromkeys((mistake.label, mistake.taken))
    return sorted(list(chosen)[:_MOST])


def draw(table: Table, labels: Sequence[str], title: str, path: Path) -> None:
    """Writes the heat map to `path`, a PNG: shares of each class, with numbers if there are few classes.

    Of more than _MOST classes those that are taken for each other the most often.
    """
    counts = np.array(table, np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if len(labels) > _MOST:
        chosen = _worst_classes(table) or list(range(_MOST))
        title += f": {len(chosen)} of {len(labels):,} classes, those of most mistakes"
        shares, labels = shares[np.ix_(chosen, chosen)], [labels[i] for i in chosen]
        table = [[table[row][column] for column in chosen] for row in chosen]
    labels = [shortened(label, _LONGEST) for label in labels]
    few = len(labels) <= _NUMBERED
    size = 9 if few else 7
    longest = max(map(len, labels), default=0)
    flat = few and longest <= 3
    # Inches: the map, and beside it the names, as wide as their letters.
    side = max(2.0, (0.42 if len(labels) > _FEW else 0.6) * len(labels)) if few else 0.155 * len(labels)
    names = longest * size * 0.0085
    bar = 1.2 if len(labels) > _FEW else 0.0
    width, height = side + names + bar + 0.6, side + (0.3 if flat else names) + 0.9
    with drawing(path, width, height) as figure:
        axes = figure.subplots()
        image = _heat(axes, shares)
        axes.set_xticks(range(len(labels)), labels, rotation=0 if flat else 90, fontsize=size)
        axes.set_yticks(range(len(labels)), labels, fontsize=size)
        axes.tick_params(length=0)
        axes.set_xlabel("taken for")
        axes.set_ylabel("class")
        text = textwrap.fill(title, max(20, int(width / 0.09)))
        figure.suptitle(text, x=0.01, ha="left", fontsize=10, weight="bold")
        if few:
            _number(axes, table, shares)
        else:
            axes.set_xticks(np.arange(-0.5, len(labels)), minor=True)
            axes.set_yticks(np.arange(-0.5, len(labels)), minor=True)
            axes.grid(which="minor", color="#eceef0", linewidth=0.5)
            axes.tick_params(which="minor", length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        if bar:
            _scale(figure, axes, image)


def _scale(figure: Any, axes: Any, image: Any) -> None:
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
