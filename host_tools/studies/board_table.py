"""`python -m host_tools boards`: the boards, and what each model takes of their memories."""

import argparse
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from squeezenet_mcu.common import files, paths
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import engine_record
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.model.settings import config

NAME = "boards"
HELP = "build every converted model for every board: flash and SRAM, used and in all"
EXAMPLES = """\
  python -m host_tools boards
  python -m host_tools boards --model imagenet_v1_0 --board nucleo_h743zi --board nucleo_f446re"""

RESULTS = Path("build/boards.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument(
        "--model", action="append", metavar="NAME", help="(all of the shipped ones that are converted)"
    )
    parser.add_argument("--board", action="append", metavar="NAME", help="(all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"also write the table to FILE ({RESULTS})")


def converted() -> list[str]:
    """The shipped models that stand converted in build/. UserError: none does."""
    found = [name for name in config.names() if (paths.BUILD / name / "manifest.json").is_file()]
    if not found:
        raise UserError(f"{paths.BUILD}: no converted model; run: make convert MODEL=digits")
    return found


def measure(model: str, board: str) -> dict[str, Any]:
    """Builds, and returns one row of the table, in bytes. UserError: the build failed.

    Where it does not fit, `failure` says why, `missing` by how many bytes which memory is too small, and the
    row has no sizes.
    """
    row: dict[str, Any] = {"model": model, "board": board_toml.name_of(board)}
    try:
        elf = build.build(board, model)
    except build.DoesNotFitError as error:
        return row | {"failure": str(error), "missing": error.missing}
    used = build.usage(elf)
    made = engine_record.read(elf.parent / "model")
    return row | {
        "flash_bytes": used.flash_used,
        "flash_total_bytes": used.flash_total,
        "sram_bytes": used.sram_used,
        "sram_total_bytes": used.sram_total,
        "arena_bytes": made["arena_bytes"],
        "engine_model_bytes": made["engine_model_bytes"],
    }


def show(console: Console, rows: list[dict[str, Any]]) -> None:
    """The table; a row that does not fit says how many bytes are missing."""
    table = Table(title="what the firmware takes, in bytes", title_justify="left")
    for name in ("board", "model"):
        table.add_column(name, overflow="fold")
    for name in ("flash", "of", "SRAM", "of"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in sorted(rows, key=lambda row: row["board"]):
        if "failure" in row:
            missing = sum(row["missing"].values())
            cells: list[str | Text] = [
                Text("too much", style="red"),
                Text(f"by {missing:,}", style="red"),
                "",
                "",
            ]
        else:
            keys = ("flash_bytes", "flash_total_bytes", "sram_bytes", "sram_total_bytes")
            cells = [*(f"{row[key]:,}" for key in keys)]
        table.add_row(row["board"], row["model"], *cells)
    console.print(table)
    console.print("SRAM: variables, arena, serial buffers and the whole reserve of the stack.")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command. Status 1 if something did not fit."""
    models = [config.name_of(name) for name in args.model] if args.model else converted()
    chosen = args.board or board_toml.names()
    for name in chosen:
        board_toml.load(name)  # a wrong name is known before the work
    console = Console()
    outputs = files.outputs(RESULTS, args.json)
    rows = []
    for model in models:
        for board in chosen:
            rows.append(measure(model, board))
            console.print(f"{model} for {board}: {'does not fit' if 'failure' in rows[-1] else 'built'}")
    show(console, rows)
    for path in outputs:
        files.write_json(path, rows)
    console.print(f"wrote {' and '.join(map(str, outputs))}", soft_wrap=True)
    failures = [row["failure"] for row in rows if "failure" in row]
    for failure in failures:
        console.print(failure, soft_wrap=True)
    return 1 if failures else 0
