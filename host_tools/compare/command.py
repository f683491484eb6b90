"""`python -m host_tools compare`: two models side by side, from their reports."""

import argparse
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console, printable
from squeezenet_mcu.host_tools.compare import figures

NAME = "compare"
HELP = "two models side by side: accuracy, time, flash, SRAM, and the layers that differ"
EXAMPLES = """\
  python -m host_tools compare --a build/digits --b build/mine
  python -m host_tools compare --a digits --b mine --json difference.json
Both have been reported before, for the same board: python -m host_tools report"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    for option in ("--a", "--b"):
        parser.add_argument(
            option, metavar="build/MODEL", help="a model's folder, its name, or a report.json"
        )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the comparison to FILE")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    for option in ("a", "b"):
        if not getattr(args, option):
            raise UserError(f"--{option}: is missing; want two models: --a build/x --b build/y")
    if args.json:
        files.outputs(args.json, inputs=[figures.place(args.a), figures.place(args.b)])
    found = figures.compare(figures.read(args.a), figures.read(args.b))
    console = Console()
    show(console, found)
    if args.json:
        files.write_json(args.json, found)
        console.print(f"wrote {args.json}", soft_wrap=True)
    return 0


def show(console: Console, found: dict[str, Any]) -> None:
    """Two tables: the whole networks, and the layers that differ."""
    a, b = map(printable, found["models"])
    table = Table(title=f"on {printable(found['board'])}", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    # Where the terminal is narrow, names and figures are folded: nothing of them is left out.
    table.add_column("", overflow="fold")
    for name in (a, b, "difference"):
        table.add_column(name, justify="right", overflow="fold")
    for row in found["figures"]:
        table.add_row(row["what"], _shown(row["a"]), _shown(row["b"]), _signed(row["difference"], row["a"]))
    console.print(table)
    if not found["layers"]:
        console.print("all layers have the same figures", soft_wrap=True)
        return
    # One figure above the other: side by side two of them are too wide for 80 columns.
    table = Table(
        title=f"layers that differ: above {a}, below {b}", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.add_column("layer", overflow="fold")
    unit = found["units"][0] or found["units"][1] or "cost"
    for name in ("MACs", "weights", "zeros", "stored B", unit):
        table.add_column(name, justify="right")
    for row in found["layers"]:
        table.add_row(printable(row["layer"]), *(_both(*row[key]) for key in figures.LAYER_KEYS))
    console.print(table)


def _shown(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


def _signed(difference: float | None, of: float | None) -> str:
    if difference is None or of is None:
        return ""
    number = f"{difference:+,.0f}" if isinstance(of, int) else f"{difference:+,.3f}"
    return f"{number} ({difference / of:+.1%})" if of else number


def _both(a: int | None, b: int | None) -> str:
    """A line for each model; one line where the two are the same."""
    lines = ["-" if value is None else f"{value:,}" for value in (a, b)]
    return "\n".join(lines) if a != b else "" if a is None else lines[0]
