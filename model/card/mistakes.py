"""What an int8 model takes for what: confusion.png, and mistakes.png, its worst mistakes. No TensorFlow."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.data import images
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.model.card import confusion
from squeezenet_mcu.model.card.pictures import DARK, GREEN, ORANGE, drawing, shortened
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train import records

CONFUSION, MISTAKES = "confusion.png", "mistakes.png"
_COLUMNS = 6
_LEAST_COLUMNS = 3  # the title needs room
_CELL = (1.75, 2.2)  # inches: an image, below it three lines
_WIDE = 24  # characters of such a line


def after(settings: Config, test: Set, folder: Path) -> None:
    """Draws both at the end of the stage quantize, where they are not of its record yet; says so.

    `test`: its test images; `folder`: build/<model>. What goes wrong is told, and loses no training.
    """
    path = folder / "quantize.json"
    pictures = [folder / name for name in (CONFUSION, MISTAKES)]
    if all(p.is_file() and p.stat().st_mtime >= path.stat().st_mtime for p in pictures):
        return
    try:
        record = records.read(path)
        write(settings.name, settings.data.labels, record["confusion"], record["mistakes"], test, folder)
    except Exception as error:  # whatever a picture can fail of, the stages go on without it
        terminal.echo(f"notice: {pictures[1]} not drawn: {error!r}")


def write(
    name: str,
    labels: Sequence[str],
    table: confusion.Table,
    mistakes: Sequence[dict[str, Any]],
    test: Set,
    folder: Path,
) -> None:
    """Writes confusion.png and mistakes.png to `folder`; says so.

    `labels`: of the classes, may be empty; `mistakes`: the worst first, see statistics.worst_mistakes.
    """
    names = list(labels) or [str(number) for number in range(len(table))]
    count = sum(map(sum, table))
    wrong = count - sum(row[i] for i, row in enumerate(table))
    confusion.draw(table, names, f"{name}: int8, {count:,} test images", folder / CONFUSION)
    title = (
        f"{name}: {wrong:,} of {count:,} test images {'is' if wrong == 1 else 'are'} taken for another class"
    )
    if len(mistakes) < wrong:
        title += f"; the {len(mistakes)} worst"
    draw(mistakes, names, title, test, folder / MISTAKES)
    terminal.echo(f"which classes are taken for which: {folder / CONFUSION}, {folder / MISTAKES}")


def draw(
    mistakes: Sequence[dict[str, Any]], labels: Sequence[str], title: str, test: Set, path: Path
) -> None:
    """Writes the images of `test` that `mistakes` names to `path`, a PNG: what each is, and is taken for."""
    columns = min(_COLUMNS, max(len(mistakes), _LEAST_COLUMNS))
    rows = max(1, math.ceil(len(mistakes) / columns))
    with drawing(path, columns * _CELL[0], rows * _CELL[1] + 0.4) as figure:
        figure.suptitle(textwrap.fill(title, 22 * columns), x=0.01, ha="left", fontsize=10, weight="bold")
        grid = figure.add_gridspec(rows, columns)
        for number in range(rows * columns):
            axes = figure.add_subplot(grid[number // columns, number % columns])
            axes.set_axis_off()
            if number >= len(mistakes):
                continue
            mistake = mistakes[number]
            pixels = images.with_channels(test.x[mistake["image"]][np.newaxis], 3)[0]
            axes.imshow(pixels)  # large ones are smoothed, small ones show their pixels
            lines = (
                (f"is {shortened(labels[mistake['label']], _WIDE - 3)}", GREEN),
                (f"taken for {shortened(labels[mistake['taken']], _WIDE - 10)}", ORANGE),
                (f"with {100 * mistake['probability']:.0f} %", DARK),
            )
            for line, (text, color) in enumerate(lines):
                axes.annotate(
                    text, (0, 0), (0, -4 - 11 * line), xycoords="axes fraction", textcoords="offset points",
                    va="top", color=color, fontsize=8,
                )  # fmt: skip
