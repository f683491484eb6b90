"""The answer on the terminal: boards, layers, what is not supported, what to do next; within 100 columns."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console, printable
from squeezenet_mcu.convert.lowering.tflite_file import OperatorError
from squeezenet_mcu.host_tools.analyze import advice
from squeezenet_mcu.host_tools.analyze.advice import Step
from squeezenet_mcu.host_tools.analyze.fit import Fit
from squeezenet_mcu.host_tools.analyze.subject import Subject
from squeezenet_mcu.host_tools.firmware import code_sizes
from squeezenet_mcu.host_tools.firmware.code_sizes import INEXACT_BYTES

WIDTH = 100
_MOST_PROBLEMS = 12
_LAYER, _HOLDER = 20, 15  # characters of a layer's name
_SHORT = {"cycles": "cycles", "instructions": "instr."}


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False, padding=0)


def _columns(table: Table, *names: str) -> None:
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)


def _left(count: int) -> str | Text:
    return Text(f"{count:,}", style="red") if count < 0 else f"{count:,}"


def _time(found: Fit) -> str:
    """Milliseconds of an image, or what else is known; about three digits."""
    value, unit = found.milliseconds, "ms"
    if value is None:
        value, unit = found.estimate.total / 1e6, f"M {_SHORT[found.estimate.unit]}"
    return f"{value:,.{2 if value < 10 else 1 if value < 1000 else 0}f} {unit}"


def show_boards(console: Console, subject: Subject, fits: Sequence[Fit]) -> None:
    """A line for each board: what it has left, how long an image takes."""
    table = _table(f"{subject.name} on each board, in bytes")
    table.add_column("board", no_wrap=True)
    table.add_column("fits", no_wrap=True)
    _columns(table, "flash", "left", "SRAM", "left", "an image", "most")
    table.add_column("held by", no_wrap=True, overflow="ellipsis", max_width=_HOLDER)
    for found in fits:
        short = found.missing
        table.add_row(
            printable(found.board.name), Text("no", style="red") if short else "yes",
            f"{found.flash_used:,}", _left(-short.get("flash", found.flash_used - found.flash_total)),
            f"{found.sram_used:,}", _left(-short.get("SRAM", found.sram_used - found.sram_total)),
            _time(found),
            f"{found.peak['bytes']:,}", printable(found.peak["layer"]),
        )  # fmt: skip
    console.print(table)
    lines = [
        "an image: at the board's clock, by the formulas that choose the kernels; nothing was run.",
        "instr.: instructions, where no table of that CPU's cycles is known. left: below 0, it is missing.",
        "most: the largest part of the arena at its fullest moment, and the layer that holds it.",
    ]
    for cpu in sorted({found.board.cpu for found in fits if found.cycles_of}):
        of_it = [found for found in fits if found.board.cpu == cpu and found.cycles_of]
        names = ", ".join(printable(found.board.name) for found in of_it)
        lines.append(f"{names}: by a {of_it[0].cycles_of}'s cycles; no table of a {cpu}'s is known.")
    shared = [found.board.name for found in fits if found.target.workers > 1]
    if shared:
        names = ", ".join(map(printable, shared))
        lines.append(f"{names}: two cores, without what they lose as they wait for one memory.")
    near = [found.board.name for found in fits if not found.code.exact]
    if near:
        lines.append(f"flash, SRAM of {', '.join(map(printable, near))}: to within {INEXACT_BYTES} bytes.")
    lines += sorted({note for found in fits if (note := code_sizes.note(found.board))})
    console.print("\n".join(lines), soft_wrap=True)


def _thousands(value: int | None) -> str:
    return "" if value is None else f"{value / 1000:,.0f}"


def _number(value: int | None) -> str:
    return "" if not value else f"{value:,}"


def show_layers(console: Console, title: str, rows: Sequence[dict[str, Any]]) -> None:
    """A line for each layer; without what the engine makes of it, where it does not take the network."""
    known = "ring_bytes" in rows[0] if rows else False
    unit = "cycles" if known and "cycles" in rows[0] else "instructions"
    table = _table(title)
    table.add_column("layer", no_wrap=True, overflow="ellipsis", max_width=_LAYER)
    _columns(table, "output", "k MACs", "zeros", "values", "dense B")
    if known:
        _columns(table, "stored B", "ring B", f"k {_SHORT[unit]}", "share")
    else:
        _columns(table, "map B")
        table.add_column("our engine")
    for row in rows:
        zeros = "" if row["zeros"] is None else f"{row['zeros']:.0%}"
        cells: list[str | Text] = [
            printable(row["layer"]), "x".join(map(str, row["output"])), _thousands(row["macs"] or None),
            zeros, _number(row["distinct"]), _number(row["dense_bytes"]),
        ]  # fmt: skip
        if known:
            cost = row[unit]
            cells += [
                _number(row["stored_bytes"]), _number(row["ring_bytes"]),
                _thousands(cost),
                "" if row["share"] is None else f"{row['share']:.1%}",
            ]  # fmt: skip
        else:
            cells.append(_number(row["output_bytes"]))
            cells.append("takes it" if row["supported"] else Text("does not take it", style="red"))
        table.add_row(*cells)
    console.print(table)
    lines = ["values: how many different ones the weights have. dense B: weights, a byte each."]
    if known:
        lines += [
            "stored B: with parameters, in the engine's model. ring B: rows of the output kept in SRAM.",
            "The input's line also holds the schedule between all layers.",
        ]
    console.print("\n".join(lines), soft_wrap=True)


def show_problems(console: Console, subject: Subject, beside: str) -> None:
    """What our engine does not take, and who might."""
    of_ops = [problem for problem in subject.problems if isinstance(problem, OperatorError)]
    title = f"{subject.name}: our engine does not take it"
    console.print(f"{title}: {len(of_ops)} of {len(subject.file.ops)} operators" if of_ops else title)
    for problem in subject.problems[:_MOST_PROBLEMS]:
        console.print(f"  {_said(subject, problem)}", soft_wrap=True)
    if (more := len(subject.problems) - _MOST_PROBLEMS) > 0:
        console.print(f"  and {more} more, which the JSON file names", soft_wrap=True)
    console.print(beside, soft_wrap=True)


def _said(subject: Subject, problem: UserError) -> str:
    if isinstance(problem, OperatorError):
        where = f", {problem.tensor}" if problem.tensor is not None else ""
        reason = problem.reason.split("; our engine: ")[0]
        return printable(f"op {problem.op.index} {problem.op.name}{where}: {reason}")
    return printable(str(problem).removeprefix(f"{subject.path}: "))


def show_steps(console: Console, base: Fit, steps: Sequence[Step], alone: bool) -> None:
    """What to do next on the board of `base`; `alone`: no other one was looked at."""
    if alone and base.missing:
        others = as_typed("without BOARD= all boards are compared")
        console.print(f"it does not fit {printable(base.board.name)}; {others}")
    if not steps:
        console.print("next: nothing that was tried makes it smaller or faster")
        return
    console.print(f"next, for {base.board.name}, the greatest gain first, boards last:")
    for number, step in enumerate(steps, 1):
        console.print(
            f"  {number}. {printable(as_typed(step.what))}: {advice.effect(base, step)}", soft_wrap=True
        )
    console.print(
        "Each was planned and priced as the network was, with as many rows at once. What it does to the\n"
        "accuracy, only training tells.",
        soft_wrap=True,
    )
