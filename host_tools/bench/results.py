"""What was measured: the reference to compare with, and the tables."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from rich import box
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import Positive
from squeezenet_mcu.common.terminal import Console, one_line

REFERENCE = Path(__file__).resolve().parent / "reference.json"
TOLERANCE = 0.01
UNITS = ("instructions", "cycles")


def key(result: dict[str, Any]) -> str:
    """A result's name in the reference: model, board, kernels, and cores and bytes of flash if asked for."""
    name = f"{result['model']}/{result['board']}/{result['engine']}"
    if result.get("cores", 1) > 1:
        name += f"/{result['cores']} cores"
    asked = result.get("flash_bytes_asked")
    return f"{name}/{asked}" if asked else name


class Reference(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What an image took; None: not counted on that board."""

    instructions: Positive | None = None
    cycles: Positive | None = None


def read_reference(path: Path = REFERENCE) -> dict[str, Reference]:
    """Counts by key(); {} where no file is yet. UserError for a damaged one."""
    if not path.is_file():
        return {}
    found = json_files.read(path, dict[str, Reference], "remove it, write it anew with --update")
    return msgspec.convert(found, dict[str, Reference])


def write_reference(results: list[dict[str, Any]], path: Path = REFERENCE) -> None:
    """Takes the results over into the reference; others in it stay."""
    figures = read_reference(path) | {
        key(result): Reference(result["instructions"], result["cycles"]) for result in results
    }
    files.write_json(path, msgspec.to_builtins(dict(sorted(figures.items()))))


def regressions(results: list[dict[str, Any]], reference: dict[str, Reference]) -> list[str]:
    """A line for each count of a result that is over 1 % more than the reference's."""
    lines = []
    for result in results:
        for unit in UNITS:
            before, now = getattr(reference.get(key(result), Reference()), unit), result[unit]
            if before is not None and now is not None and now > before * (1 + TOLERANCE):
                more = f"{now / before - 1:+.1%} on the reference's {before:,}"
                lines.append(f"{key(result)}: {now:,} {unit}, {more}")
    return lines


def without_reference(results: list[dict[str, Any]], reference: dict[str, Reference]) -> list[str]:
    """Keys of results that the reference does not have."""
    return [key(result) for result in results if key(result) not in reference]


def _kernels(result: dict[str, Any]) -> str:
    """The kernels; and the bytes of flash, where they were asked for."""
    asked = result.get("flash_bytes_asked")
    cores = f" {result['cores']} cores" if result.get("cores", 1) > 1 else ""
    return f"{result['engine']}{cores} {asked}" if asked else f"{result['engine']}{cores}"


def _number(value: int | float | None, form: str = ",") -> str:
    return "" if value is None else format(value, form)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))


def show(console: Console, results: list[dict[str, Any]]) -> None:
    """A table for each network, a line for each board; at most 80 columns."""
    for model in dict.fromkeys(result["model"] for result in results):
        of_model = [result for result in results if result["model"] == model]
        table = _table(f"{model}: one inference, {of_model[0]['macs'] / 1e6:,.2f} M MACs")
        for name in ("board", "kernels"):
            table.add_column(name)
        for name in ("ms", "+ flash", "M cycles", "M instr.", "of TFLM", "SRAM"):
            table.add_column(name, justify="right")
        for r in of_model:
            table.add_row(
                r["board"], _kernels(r), _figure(r["milliseconds"]), _figure(r["milliseconds_with_flash"]),
                _millions(r["cycles"]),
                _millions(r["instructions"]), _share(r), _number(r["sram_bytes"]),
            )  # fmt: skip
        console.print(table)
    if any(r.get("cores", 1) > 1 for r in results):
        console.print(
            "2 cores: cycles of core 0, from the first row to the logits; instructions of both,\n"
            "and their waits for the flash one after the other. That a core waits while the\n"
            "other one uses the same memory (contention) is in no model.",
            soft_wrap=True,
        )
    console.print(
        "ms, M cycles: without wait states, by Arm's tables or the Pico's emulator\n"
        "(docs/cycles.md). + flash: ms with those of the board's flash, by a model that\n"
        "nobody has checked on silicon. of TFLM: the share of the cycles (*: instructions)\n"
        "that TensorFlow Lite Micro takes with CMSIS-NN; of portable kernels, with its\n"
        "reference kernels. SRAM: bytes of variables, arena, serial buffers, deepest stack.",
        soft_wrap=True,
    )


def _share(result: dict[str, Any]) -> str:
    if result["cycles_of_tflm"] is not None:
        return f"{result['cycles_of_tflm']:.2f} "
    found = result["instructions_of_tflm"]
    return "" if found is None else f"{found:.2f}*"


def _figure(value: float | None, digits: int = 1) -> str:
    """With four digits or more: a column is narrow."""
    return "" if value is None else f"{value:,.{digits}f}" if value < 1000 else f"{value:,.0f}"


def _millions(count: int | None) -> str:
    return "" if count is None else _figure(count / 1e6, 2)


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
    """The table of one result's layers: cycles where they are known, and instructions."""
    table = _table(key(result))
    table.add_column("layer", overflow="fold")
    table.add_column("kernel")
    unit = "instructions" if result["cycles"] is None else "cycles"
    for name in ("MACs", unit, "a MAC", "share"):
        table.add_column(name, justify="right")
    both = unit == "cycles" and result["instructions"] is not None
    if both:
        table.add_column("instr.", justify="right")
    rest = {name: result[name] for name in UNITS if result[name] is not None}
    for layer in result["layers"]:
        for name in rest:
            rest[name] -= layer[name]
        a_mac = layer[unit] / layer["macs"] if layer["macs"] else None
        row = [layer["layer"], layer["kernel"] or "", _number(layer["macs"] or None), _number(layer[unit])]
        row += [_number(a_mac, ".3f"), f"{layer[unit] / result[unit]:.1%}"]
        table.add_row(*row, *([_number(layer["instructions"])] if both else []))
    row = ["schedule, input rows", "", "", _number(rest[unit]), "", f"{rest[unit] / result[unit]:.1%}"]
    table.add_row(*row, *([_number(rest["instructions"])] if both else []))
    console.print(table)


def show_functions(console: Console, result: dict[str, Any], most: int = 20) -> None:
    """The table of the functions that take most of the cycles; a line where nobody knows them."""
    if result["functions"] is None:
        console.print(
            f"{key(result)}: no cycles by function: its CPU has no table, or its emulator counts itself"
        )
        return
    table = _table(f"{key(result)}: the costliest functions")
    table.add_column("function", overflow="ellipsis", no_wrap=True)
    for name in ("cycles", "share", "an instr.", "waits"):
        table.add_column(name, justify="right")
    for row in result["functions"][:most]:
        written = row["function"].replace("(anonymous namespace)::", "")
        name, arguments, _ = written.partition("(")
        table.add_row(
            one_line(name if arguments and name else written), _number(row["cycles"]),
            f"{row['cycles'] / result['cycles']:.1%}", f"{row['cycles'] / row['instructions']:.2f}",
            _number(row["waits"]),
        )  # fmt: skip
    console.print(table)
