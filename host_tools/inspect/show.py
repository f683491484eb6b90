"""The comparison of layers as a table, in sentences, and as JSON."""

from typing import Any

from rich.table import Table

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.inspect.expected import Expected
from squeezenet_mcu.host_tools.inspect.layers import Report
from squeezenet_mcu.host_tools.link.messages import Info

_WORDS = {True: "equal", False: "differs", None: "not compared"}


def show(console: Console, report: Report, expected: Expected, model: str, info: Info) -> None:
    """Prints the table of the last image's layers, and what the device never stores."""
    table = Table(title=f"layers of {model} on {info.board}")
    table.add_column("layer", no_wrap=True)
    for name in ("rows", "a row", "CRC-32"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("with LiteRT", no_wrap=True)
    for of, entry in zip(expected.maps, report.layers, strict=False):
        height, width, channels = of.shape
        table.add_row(
            of.name,
            f"{height:,}",
            f"{width:,} x {channels:,}",
            entry.get("crc32", ""),
            _WORDS[entry["equal"]],
        )
    console.print(table)
    for name, why in expected.never_stored:
        console.print(f"no row holds {name}: {why}", soft_wrap=True)
    unknown = [of.name for of in expected.maps if not of.known]
    if unknown:
        console.print(
            f"not compared, as LiteRT has no such tensor: {', '.join(unknown)}; what reads them is",
            soft_wrap=True,
        )


def conclude(console: Console, report: Report) -> int:
    """Prints the verdict; returns the exit status."""
    if report.value:
        console.print(f"validate: NOT exact; first difference: {report.value}", soft_wrap=True)
    elif report.differing:
        console.print(
            f"validate: NOT exact: layer {report.differing.name} differed, and did not when the image was "
            "sent again; check the board's power supply and clock",
            soft_wrap=True,
        )
    if report.interrupted:
        console.print(f"validate: interrupted after {report.images} images")
        return 130
    if not report.exact:
        return 1
    console.print(
        f"validate: exact in every layer: {report.rows:,} rows of {report.images:,} "
        f"image{'s' if report.images > 1 else ''}, {report.values:,} int8 values",
        soft_wrap=True,
    )
    return 0


def as_json(report: Report, expected: Expected, model: str, info: Info) -> dict[str, Any]:
    """Everything, for a file."""
    value, differing = report.value, report.differing
    return {
        "model": model,
        "model_sha256": info.model_sha256,
        "board": info.board,
        "images": report.images,
        "rows": report.rows,
        "values": report.values,
        "exact": report.exact,
        "layers": report.layers,
        "never_stored": [{"tensor": name, "why": why} for name, why in expected.never_stored],
        "differing_layers": list(differing.layers) if differing else None,
        "first_difference": {**vars(value)} if value else None,
    }
