"""What was measured: the reference to compare with, and the tables."""

from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import Positive
from squeezenet_mcu.common.terminal import Console

REFERENCE = Path(__file__).resolve().parent / "reference.json"
TOLERANCE = 0.01


def key(result: dict[str, Any]) -> str:
    """A result's name in the reference: model, board, kernels, and the bytes of flash if asked for."""
    name = f"{result['model']}/{result['board']}/{result['engine']}"
    asked = result.get("flash_bytes_asked")
    return f"{name}/{asked}" if asked else name


def count(result: dict[str, Any]) -> int:
    """What an image took, in the unit that the board counts."""
    counted: int = result[result["unit"]]
    return counted


def read_reference(path: Path = REFERENCE) -> dict[str, int]:
    """Instructions, or a board's cycles, by key(); {} where no file is yet. UserError for a damaged one."""
    if not path.is_file():
        return {}
    return json_files.read(path, dict[str, Positive], "remove it, write it anew with --update")


def write_reference(results: list[dict[str, Any]], path: Path = REFERENCE) -> None:
    """Takes the results over into the reference; others in it stay."""
    figures = read_reference(path) | {key(result): count(result) for result in results}
    files.write_json(path, dict(sorted(figures.items())))


def regressions(results: list[dict[str, Any]], reference: dict[str, int]) -> list[str]:
    """A line for each result that takes over 1 % more than the reference says."""
    lines = []
    for result in results:
        before, now = reference.get(key(result)), count(result)
        if before is not None and now > before * (1 + TOLERANCE):
            more = f"{now / before - 1:+.1%} on the reference's {before:,}"
            lines.append(f"{key(result)}: {now:,} {result['unit']}, {more}")
    return lines


def without_reference(results: list[dict[str, Any]], reference: dict[str, int]) -> list[str]:
    """Keys of results that the reference does not have."""
    return [key(result) for result in results if key(result) not in reference]


def _kernels(result: dict[str, Any]) -> str:
    """The kernels; and the bytes of flash, where they were asked for."""
    asked = result.get("flash_bytes_asked")
    return f"{result['engine']} {asked}" if asked else result["engine"]


_UNITS = {"instructions": "M instr.", "cycles": "M cycles"}


def _number(value: int | float | None, form: str = ",") -> str:
    return "" if value is None else format(value, form)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))


def show(console: Console, results: list[dict[str, Any]]) -> None:
    """A table for each network and unit, a line for each board; at most 80 columns."""
    for model, unit in dict.fromkeys((result["model"], result["unit"]) for result in results):
        of_model = [result for result in results if (result["model"], result["unit"]) == (model, unit)]
        table = _table(f"{model}: one inference, {of_model[0]['macs'] / 1e6:,.2f} M MACs")
        for name in ("board", "kernels"):
            table.add_column(name)
        for name in (_UNITS[unit], "a MAC", "of TFLM's", "SRAM", "weights", "code"):
            table.add_column(name, justify="right")
        for r in of_model:
            table.add_row(
                r["board"], _kernels(r), _number(count(r) / 1e6, ",.3f"),
                _number(count(r) / r["macs"], ".3f"), _number(r["ratio"], ".3f"),
                _number(r["sram_bytes"]), _number(r["weights_stored_bytes"]), _number(r["code_bytes"]),
            )  # fmt: skip
        console.print(table)
    console.print(
        "of TFLM's: the share of what TensorFlow Lite Micro takes with CMSIS-NN;\n"
        "of portable kernels: with its reference kernels. Cycles: without wait states.\n"
        "All in bytes: SRAM (variables, arena, serial buffers, deepest stack), weights\n"
        "and code in flash.",
        soft_wrap=True,
    )


def show_memory(console: Console, results: list[dict[str, Any]]) -> None:
    """For each network the bytes of memory on each board beside TFLite Micro's; at most 80 columns.

    Where TFLite Micro itself was measured (`ENGINE=tflm`) its line says all, and none is added from figures
    of earlier.
    """
    quoted = False
    for model in dict.fromkeys(result["model"] for result in results):
        of_model = [result for result in results if result["model"] == model]
        table = _table(f"{model}: memory, in bytes")
        table.add_column("")
        for name in ("SRAM", "of it arena", "flash", "of it model", "code"):
            table.add_column(name, justify="right")
        tflm = of_model[0]["tflm"]
        for r in of_model:
            table.add_row(
                f"{r['board']} {_kernels(r)}", _number(r["sram_bytes"]), _number(r["arena_bytes"]),
                _number(r["flash_bytes"]), _number(r["engine_model_bytes"]), _number(r["code_bytes"]),
            )  # fmt: skip
        if all(r["engine"] != "tflm" for r in of_model):
            quoted = True
            table.add_row(
                "TFLite Micro", "", _number(tflm["arena_bytes"]), _number(tflm["flash_bytes"]),
                _number(tflm["model_bytes"]), _number(tflm["code_bytes"]),
            )  # fmt: skip
        console.print(table)
    note = "SRAM: variables, arena, serial buffers, deepest stack"
    if quoted:
        note += (
            "; of TFLite Micro the arena\n"
            "alone is known. Its code: on a Cortex-M4 with CMSIS-NN, nothing for the link"
        )
    console.print(f"{note}.", soft_wrap=True)


def show_layers(console: Console, result: dict[str, Any]) -> None:
    """The table of one result's layers."""
    table = _table(key(result))
    table.add_column("layer", overflow="fold")
    table.add_column("kernel")
    unit, total = result["unit"], count(result)
    for name in ("MACs", unit, "a MAC", "share"):
        table.add_column(name, justify="right")
    rest = total
    for layer in result["layers"]:
        spent = layer[unit]
        rest -= spent
        table.add_row(
            layer["layer"], layer["kernel"] or "", _number(layer["macs"] or None), _number(spent),
            _number(layer[f"{unit}_per_mac"], ".3f"), f"{spent / total:.1%}",
        )  # fmt: skip
    table.add_row("schedule, input rows", "", "", _number(rest), "", f"{rest / total:.1%}")
    console.print(table)
