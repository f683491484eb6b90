"""Learning curves, zeros, different weights and sizes of a model as one picture and as JSON.

Imports no TensorFlow.
"""

import argparse
import math
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, paths, terminal
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.card.pictures import BLUE, DARK, GREEN, ORANGE, drawing
from squeezenet_mcu.model.settings import config, options
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train import records

NAME = "curves"
HELP = (
    "draw build/<model>/curves.png: loss, accuracy, zeros and sizes over the stages, as far as they have run"
)
EXAMPLES = """  python -m model curves
  python -m model curves --model gtsrb"""

_SIZES = {
    "dense_int8_bytes": "weights, one byte each",
    "stored_bytes": "weights as the engine stores them",
    "tflite_bytes": ".tflite file",
}
_ACCURACIES = (0.0, 0.3, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)
_TITLE_PAD = 28  # points: the stages' names stand between
_BEST = 0.003  # where 100 % is drawn: as if so many were wrong


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model."""
    options.add_model(parser)


def run(args: argparse.Namespace) -> int:
    """Writes build/<model>/curves.png and curves.json; exit status 0."""
    settings = config.load(args.model)
    folder = paths.BUILD / settings.name
    settings = records.as_asked(settings, folder)
    write(settings, folder)
    terminal.echo(f"curves: wrote {folder / 'curves.png'} and curves.json")
    return 0


def after(settings: Config, folder: Path) -> None:
    """The same at the end of a stage: what goes wrong is told, and loses no training."""
    try:
        write(settings, folder)
    except Exception as error:  # whatever a picture can fail of, the stages go on without it
        notice(f"{folder / 'curves.png'} not drawn: {error!r}")


def write(settings: Config, folder: Path) -> None:
    """Writes curves.json, then curves.png, to `folder`. UserError where no stage has run."""
    figures = gather(settings, folder)
    files.write_json(folder / "curves.json", figures)
    draw(figures, folder / "curves.png")


def gather(settings: Config, folder: Path) -> dict[str, Any]:
    """What curves.json holds.

    stages: of each its name, its epochs' history, and the accuracies that it ended with; layers: of the last
    stage that noted them, by layer; sizes in bytes, None where not known yet.
    """
    found = records.of_chain(settings, folder)
    if not found:
        raise UserError(
            f"{folder / 'train.json'}: missing; run first: python -m model train --model {settings.path}"
        )
    noted = [name for name, record in found.items() if "layers" in record]
    quantized = found.get("quantize", {})
    converted = records.of_conversion(folder, quantized.get("tflite_sha256"))
    layers = found[noted[-1]]["layers"] if noted else {}
    # Channels may have gone, and the TOML may leave the classes to the data: count what is there.
    dense = sum(layer["weights"] for layer in layers.values())
    return {
        "model": settings.name,
        "stages": [
            {
                "stage": name,
                "history": record["history"],
                **{key: record[key] for key in ("validation_accuracy", "test_accuracy") if key in record},
            }
            for name, record in found.items()
        ],
        "layers_after": noted[-1] if noted else None,
        "layers": layers,
        "sizes": {
            "dense_int8_bytes": dense or None,
            "stored_bytes": converted.get("weights_stored_bytes"),
            "tflite_bytes": quantized.get("tflite_bytes"),
        },
    }


def draw(figures: dict[str, Any], path: Path) -> None:
    """Writes the picture of what gather() gave to `path`, a PNG; its height grows with the layers.

    While no stage has noted its layers (train does not), it is of the learning alone.
    """
    layers = figures["layers"]
    below = max(1.7, 0.8 + 0.21 * len(layers)) if layers else 0.0
    with drawing(path, 12, 4 + below) as figure:
        names = ", ".join(stage["stage"] for stage in figures["stages"])
        figure.suptitle(f"{figures['model']}: {names}", x=0.01, ha="left", fontsize=12)
        grid = figure.add_gridspec(2 if layers else 1, 1, height_ratios=(3.7, below) if layers else None)
        above = grid[0].subgridspec(1, 2)
        _learning(figures, figure.add_subplot(above[0]), figure.add_subplot(above[1]))
        if not layers:
            return
        parts = grid[1].subgridspec(1, 3, width_ratios=(1, 1, 0.9))
        zeros = figure.add_subplot(parts[0])
        _zeros(layers, figures["layers_after"], zeros)
        _values(layers, figures["layers_after"], figure.add_subplot(parts[1], sharey=zeros))
        _sizes(figures["sizes"], figure.add_subplot(parts[2]))


def _learning(figures: dict[str, Any], loss: Any, accuracy: Any) -> None:
    entries = [entry for stage in figures["stages"] for entry in stage["history"]]
    epochs = range(1, len(entries) + 1)
    style = {"linewidth": 1.6, **({"marker": "o", "markersize": 3} if len(entries) <= 30 else {})}
    loss.plot(epochs, [entry["loss"] for entry in entries], color=BLUE, **style)
    loss.set_title("training loss, without weight decay", pad=_TITLE_PAD)
    losses = [entry["loss"] for entry in entries]
    if losses and 0 < 4 * min(losses) < max(losses):
        loss.set_yscale("log", subs=())
        loss.yaxis.get_major_locator().set_params(subs=(1, 2, 3, 5))
        loss.yaxis.set_major_formatter("{x:g}")
    kinds = (("accuracy", "training, augmented", BLUE), ("validation_accuracy", "validation", ORANGE))
    shown = []
    for key, label, color in kinds:
        values = [entry.get(key, math.nan) for entry in entries]
        if not all(math.isnan(value) for value in values):
            accuracy.plot(epochs, values, color=color, label=label, **style)
            shown += [value for value in values if not math.isnan(value)]
    accuracy.set_title("accuracy (scale stretched towards 100 %)", pad=_TITLE_PAD)
    _stretch(accuracy, shown)
    if shown:
        # Below the axes: inside, the lines may run anywhere.
        accuracy.legend(
            loc="upper right", bbox_to_anchor=(1, -0.08), borderaxespad=0, ncols=2, columnspacing=1.2
        )
    for axes in (loss, accuracy):
        axes.set_xlabel("epoch", loc="left")
        axes.set_xlim(0.5, max(len(entries), 1) + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(True, axis="y")
        _boundaries(figures, axes)


def _stretch(axes: Any, values: list[float]) -> None:
    """Gives the axis of accuracies equal room for each halving of the errors."""
    import numpy as np

    def forward(accuracy: Any) -> Any:
        return -np.log10(np.maximum(1 - np.asarray(accuracy), 0) + _BEST)

    axes.set_yscale("function", functions=(forward, lambda place: 1 + _BEST - 10 ** -np.asarray(place)))
    bottom = max((tick for tick in _ACCURACIES if tick < min(values, default=0)), default=0.0)
    best = max(values, default=1.0)
    top = min((tick for tick in _ACCURACIES if tick > best + 0.1 * (1 - best)), default=1.0)
    ticks = [tick for tick in _ACCURACIES if bottom <= tick <= top]
    axes.set_yticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    axes.set_ylim(bottom, top)


def _boundaries(figures: dict[str, Any], axes: Any) -> None:
    """Every second stage on gray, and their names above: in two rows where stages are narrow."""
    lengths = [len(stage["history"]) for stage in figures["stages"] if stage["history"]]
    narrow = len(lengths) > 1 and min(lengths) < 0.12 * sum(lengths)
    start = 0
    for number, stage in enumerate(figures["stages"]):
        end = start + len(stage["history"])
        if number % 2:
            axes.axvspan(start + 0.5, end + 0.5, color="#f1f2f4", zorder=0)
        if end > start:
            axes.annotate(
                stage["stage"], ((start + end + 1) / 2, 1), (0, 13 if narrow and number % 2 else 3),
                xycoords=axes.get_xaxis_transform(), textcoords="offset points", ha="center", color=DARK,
            )  # fmt: skip
        start = end


def _zeros(layers: dict[str, Any], after_stage: str, axes: Any) -> None:
    names = list(layers)
    rows = range(len(names))
    axes.barh(rows, [layers[n]["zeros"] / layers[n]["weights"] for n in names], color=BLUE, height=0.7)
    guaranteed = [layers[n].get("guaranteed") for n in names]
    if any(guaranteed):
        shares = [p["zeros"] / layers[n]["weights"] for n, p in zip(names, guaranteed, strict=True) if p]
        where = [row for row, p in zip(rows, guaranteed, strict=True) if p]
        axes.plot(
            shares, where, "|", color=ORANGE, markersize=9, markeredgewidth=2, label="guaranteed at least"
        )
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    axes.set_yticks(rows, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:g} %")
    axes.grid(True, axis="x")
    axes.set_title("zeros")
    axes.set_xlabel(f"share of a layer's weights, after {after_stage}")


def _values(layers: dict[str, Any], after_stage: str, axes: Any) -> None:
    values = [layer["values"] for layer in layers.values()]
    rows = range(len(values))
    axes.barh(rows, values, color=GREEN, height=0.7)
    limits = [
        (row, (layer.get("guaranteed") or {}).get("values")) for row, layer in enumerate(layers.values())
    ]
    if any(limit for _, limit in limits):
        axes.plot(
            [limit for _, limit in limits if limit], [row for row, limit in limits if limit],
            "|", color=ORANGE, markersize=9, markeredgewidth=2, label="guaranteed at most",
        )  # fmt: skip
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    most = max(values)
    for row, value in enumerate(values):
        end = max(value, limits[row][1] or 0)
        axes.annotate(f"{value:,}", (end, row), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_xscale("log", base=2)
    ticks = [2**power for power in range(1, max(8, math.ceil(math.log2(max(most, 2)))) + 1)]
    if most > 256:  # weights that are still floats
        ticks = ticks[1::2]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_xlim(1, ticks[-1] * 1.7)
    axes.minorticks_off()
    axes.grid(True, axis="x")
    axes.tick_params(axis="y", labelleft=False, length=0)
    axes.set_title("different weights")
    axes.set_xlabel(f"in a layer, after {after_stage}")


def _sizes(sizes: dict[str, int | None], axes: Any) -> None:
    known = [(text, sizes[key]) for key, text in _SIZES.items() if sizes[key] is not None]
    rows = range(len(known))
    axes.barh(rows, [size for _, size in known], color=BLUE, height=0.3)
    for row, (text, size) in enumerate(known):
        axes.annotate(f"{text}: {size:,}", (0, row - 0.15), (0, 3), textcoords="offset points")
    axes.set_yticks([])
    axes.set_ylim(2.5, -0.8)
    axes.set_xlim(0, None)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.get_major_locator().set_params(nbins=4)
    axes.grid(True, axis="x")
    axes.set_title("bytes")
