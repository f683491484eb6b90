"""What a search found: the Pareto fronts, the table, the picture. Imports no TensorFlow."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table

from squeezenet_mcu.common.statistics import interval
from squeezenet_mcu.host_tools.studies.search.settings import Limits, Search

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Cost:
    """A figure to weigh against accuracy: its key in a record, the letter of its front, its axis and unit."""

    key: str
    letter: str
    title: str
    unit: str
    divisor: float


COSTS = (
    Cost("weights_stored_bytes", "W", "weights stored, smallest", "KB", 1024),
    Cost("sram_least_bytes", "S", "SRAM, leanest arena", "KB", 1024),
    Cost("instructions", "I", "instructions an image, fastest", "M", 1e6),
)


def front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which of `points` (cost, gain) no other one beats: none costs less at no less gain, or gains more at

    no more cost (the Pareto front). Equal points are in it together.
    """

    def beaten(cost: float, gain: float) -> bool:
        return any(c <= cost and g >= gain and (c, g) != (cost, gain) for c, g in points)

    return [not beaten(*point) for point in points]


def fronts(records: Sequence[Record]) -> dict[str, str]:
    """For each candidate the letters (see COSTS) of the fronts, of int8 accuracy against cost, that it is
    on."""
    found = {record["candidate"]: "" for record in records}
    for cost in COSTS:
        points = [(record[cost.key], record["int8_accuracy"]) for record in records]
        for record, member in zip(records, front(points), strict=True):
            found[record["candidate"]] += cost.letter if member else ""
    return found


def over(record: Record, limits: Limits) -> list[str]:
    """Names of the limits that a candidate exceeds."""
    taken = {
        "macs": record["macs"],
        "weights_bytes": record["weights_stored_bytes"],
        "sram_bytes": record["sram_least_bytes"],
    }
    bounds = {name: getattr(limits, name) for name in taken}
    return [name for name, bytes_ in taken.items() if bounds[name] is not None and bytes_ > bounds[name]]


def summary(search: Search, records: Sequence[Record]) -> dict[str, Any]:
    """search.json: what was asked, and every candidate's record with its fronts and the limits exceeded."""
    on = fronts(records)
    return {
        "model": search.base.name,
        "epochs": search.epochs,
        "limits": vars(search.limits),
        "sparsity": search.base.prune.sparsity,
        "chosen": search.chosen,
        "missing": [name for name in search.candidates if name not in on],
        "candidates": [
            {**record, "fronts": on[record["candidate"]], "over": over(record, search.limits)}
            for record in records
        ],
    }


@dataclass(frozen=True)
class Column:
    """A column of the table: a record's cell; `narrow`: in the terminal's, too."""

    heading: str
    cell: Callable[[Record], str]
    narrow: bool = True


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _interval(record: Record) -> str:
    low, high = interval(record["int8_accuracy"], record["validation_images"])
    return f"{_percent(low)} to {_percent(high)}"


def _number(key: str, limit: str = "") -> Callable[[Record], str]:
    return lambda record: f"{record[key]:,.0f}" + (" !" if limit in record["over"] else "")


def _millions(key: str, limit: str = "") -> Callable[[Record], str]:
    return lambda record: f"{record[key] / 1e6:.2f} M" + (" !" if limit in record["over"] else "")


COLUMNS = (
    Column("candidate", lambda record: record["candidate"]),
    Column("float", lambda record: _percent(record["float_accuracy"]), False),
    Column("int8", lambda record: _percent(record["int8_accuracy"])),
    Column("95 %", _interval, False),
    Column("parameters", _number("parameters"), False),
    Column("MACs", _millions("macs", "macs")),
    Column("dense B", _number("weights_dense_bytes"), False),
    Column("stored B", _number("weights_stored_bytes", "weights_bytes")),
    Column("SRAM B", _number("sram_least_bytes", "sram_bytes")),
    Column("fast\nSRAM B", _number("sram_bytes"), False),
    Column("fast\ninstr.", _millions("instructions")),
    Column("limited\nSRAM B", _number("limited_sram_bytes"), False),
    Column("limited\ninstr.", _millions("limited_instructions")),
    Column("train s", _number("seconds"), False),
    Column("fronts", lambda record: record["fronts"]),
)
_TEXT = ("candidate", "fronts")


def table(found: Record) -> Table:
    """What `summary` found, for the terminal; a ! where a limit is exceeded."""
    out = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    columns = [column for column in COLUMNS if column.narrow]
    for column in columns:
        out.add_column(column.heading, justify="left" if column.heading in _TEXT else "right", no_wrap=True)
    for record in found["candidates"]:
        chosen = record["candidate"] == found["chosen"]
        out.add_row(*(column.cell(record) for column in columns), style="bold" if chosen else None)
    return out


def _markdown_row(record: Record, chosen: str | None) -> str:
    cells = [column.cell(record) for column in COLUMNS]
    if record["candidate"] == chosen:
        cells[0] = f"**{cells[0]}** (chosen)"
    return "| " + " | ".join(cells) + " |"


def markdown(found: Record) -> str:
    """search.md: the table, and what its columns are."""
    headings = [column.heading.replace("\n", " ") for column in COLUMNS]
    lines = [
        "| " + " | ".join(headings) + " |",
        "|" + "|".join("---" if heading in _TEXT else "---:" for heading in headings) + "|",
        *(_markdown_row(record, found["chosen"]) for record in found["candidates"]),
    ]
    first = found["candidates"][0]
    bounds = {
        "macs": "MACs", "weights_bytes": "B of weights as stored", "sram_bytes": "B of SRAM"
    }  # fmt: skip
    limits = ", ".join(f"{found['limits'][k]:,} {text}" for k, text in bounds.items() if found["limits"][k])
    missing = f"\nNot tried yet: {', '.join(found['missing'])}.\n" if found["missing"] else ""
    return f"""# {found["model"]}: the networks that were tried

Each was trained for {found["epochs"]} epochs on {first["train_images"]:,} training images, and scored on
{first["validation_images"]:,} others of them. Neither test images nor the model's `[data] reserve` took part.
Limits: {limits or "none"}; `!` marks what exceeds them.

{chr(10).join(lines)}
{missing}
![accuracy against weights, SRAM and instructions](pareto.png)

- **float, int8, 95 %**: accuracy in % on the validation images; int8 without any training for it, and its
  interval.
- **dense B**: weights at a byte each. All columns right of it are estimates: of the network with its smallest
  weights set to zero, without training, to the share that the model's `[prune]` asks for
  ({found["sparsity"]:.0%}), alike in every layer, planned by the converter for an STM32F405.
- **stored B**: the weights in their smallest encodings; **SRAM B**: the leanest arena.
- **fast SRAM B, fast instr.**: arena and instructions of an image's convolutions, by the converter's cost
  model, as `make firmware` would have it; **limited**: the same where model and arena must stay within the
  limits, as far as that can be done.
- **fronts**: no other candidate has more int8 accuracy at no more W (stored B), S (SRAM B), I (fast instr.).
"""


_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F3C8D", "#4D4D4D")
_MARKERS = "osD^vP<>X"


def picture(found: Record) -> bytes:
    """pareto.png: int8 accuracy against each of COSTS, with fronts and limits; the same bytes for the same
    data."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({**mpl.rcParamsDefault, "font.size": 9, "backend": "agg"}):
        figure = Figure(figsize=(11, 4.2), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, len(COSTS), sharey=True)
        for axes, cost in zip(panels, COSTS, strict=True):
            _panel(axes, cost, found)
        panels[0].set_ylabel("int8 accuracy on validation images, %")
        figure.suptitle(f"{found['model']}: networks after {found['epochs']} epochs", fontsize=11)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right upper", frameon=False)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _panel(axes: Any, cost: Cost, found: Record) -> None:
    records = found["candidates"]
    on = sorted(
        (record[cost.key] / cost.divisor, 100 * record["int8_accuracy"])
        for record in records
        if cost.letter in record["fronts"]
    )
    on.append((max(record[cost.key] for record in records) / cost.divisor, on[-1][1]))
    axes.step(*zip(*on, strict=True), where="post", color="#999999", zorder=1, label="Pareto front")
    for number, record in enumerate(records):
        colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
        x, share = record[cost.key] / cost.divisor, record["int8_accuracy"]
        low, high = interval(share, record["validation_images"])
        axes.vlines(x, 100 * low, 100 * high, color=colour, linewidth=0.8, alpha=0.4, zorder=2)
        if record["candidate"] == found["chosen"]:
            axes.plot(
                x, 100 * share, "o", ms=13, mfc="none", mec="#222222", mew=1.2, zorder=3, label="chosen"
            )
        hollow = bool(record["over"])
        axes.plot(
            x, 100 * share, marker, ms=7, mec=colour, mfc="white" if hollow else colour, ls="none", zorder=4,
            label=record["candidate"] + (" (over a limit)" if hollow else ""),
        )  # fmt: skip
    limit = {"W": found["limits"]["weights_bytes"], "S": found["limits"]["sram_bytes"]}.get(cost.letter)
    if limit is not None:
        axes.axvline(limit / cost.divisor, color="#B00000", ls="--", lw=1, zorder=0)
        axes.annotate(
            "limit", (limit / cost.divisor, 0.02), xycoords=axes.get_xaxis_transform(), color="#B00000",
            rotation=90, ha="right", va="bottom", fontsize=8,
        )  # fmt: skip
    axes.set_xlabel(f"{cost.title}, {cost.unit}")
    axes.grid(color="#E5E5E5", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
