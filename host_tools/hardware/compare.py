"""How far the cycle model is off: a report beside what the model says."""

import re
from dataclasses import dataclass

from squeezenet_mcu.host_tools.hardware.record import Report


@dataclass(frozen=True)
class Row:
    """One figure on both sides. `what` has its unit."""

    what: str
    real: float
    model: float

    @property
    def off(self) -> float:
        """By which share the model is too high; below 0: too low."""
        return self.model / self.real - 1


def rows(report: Report) -> list[Row]:
    """What can be compared: of the device's own counter, and milliseconds where it has a clock."""
    predicted = report.predicted
    real = report.count.mean
    if predicted is None or real == 0:
        return []
    if report.counter == "instructions":
        return [] if predicted.instructions is None else [Row("instructions", real, predicted.instructions)]
    if report.counter != "cycles":
        return []
    found = []
    for what, cycles in (
        ("cycles", predicted.cycles),
        ("cycles, with the flash", predicted.cycles_with_flash),
    ):
        if cycles is None:
            continue
        found.append(Row(what, real, cycles))
        if report.counter_hz:
            scale = 1e3 / report.counter_hz
            found.append(Row(what.replace("cycles", "ms"), real * scale, cycles * scale))
    return found


def by_layer(report: Report) -> list[Row]:
    """Each layer, where the device has measured it and the model has a figure of each, in the same unit.

    The last of the device's is what lies between the layers; the model says nothing of that.
    """
    layers, predicted = report.layers, report.predicted
    if not layers or predicted is None or len(predicted.layers) != len(layers) - 1:
        return []
    if report.counter != ("instructions" if predicted.cycles is None else "cycles"):
        return []
    return [
        Row(layer.name, layer.count, figure)
        for layer, figure in zip(layers, predicted.layers, strict=False)
        if layer.count
    ]


def remarks(report: Report) -> list[str]:
    """What a reader of the report must know."""
    said = []
    if report.emulated:
        said.append("an emulator's report: it says nothing of silicon")
    if report.differing_int8:
        said.append(f"{report.differing_int8:,} of {report.compared_int8:,} int8 values DIFFER from LiteRT's")
    if report.selftest is None:
        said.append("without a self-test")
    elif failed := [check.what for check in report.selftest if not check.passed]:
        said.append(f"self-test FAILED: {', '.join(failed)}")
    if report.predicted is None:
        said.append("no prediction for this board, or for this build of the engine's model")
    if report.counter == "microseconds":
        said.append("its counter is a clock of the emulator's host: no figure of the core")
    if report.last_fault:
        said.append(f"the board had faulted before: {report.last_fault}")
    return said


def markdown(report: Report) -> str:
    """The line for docs/seen-on-silicon.md."""
    compared = {row.what: row for row in rows(report)}
    best = next(
        (compared[what] for what in ("ms, with the flash", "ms", "instructions") if what in compared), None
    )
    real = (
        f"{report.milliseconds:,.2f}" if report.milliseconds is not None else f"{report.count.mean:,} counts"
    )
    cells = (
        report.board,
        report.cpu,
        report.model,
        real,
        "" if best is None else f"{best.model:,.{2 if best.what.startswith('ms') else 0}f}",
        "" if best is None else f"{best.off:+.1%}",
        f"{report.differing_int8:,} of {report.compared_int8:,}",
        report.compiler or "",
        report.build_id,
    )
    return "| " + " | ".join(map(_plain, cells)) + " |"


def _plain(cell: str) -> str:
    """Without what means something to Markdown or HTML: a stranger's text ends no cell, and links nowhere."""
    return re.sub(r"[^\w .,+/%()-]", "?", cell)
