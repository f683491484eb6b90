"""The claims for a reader, at 80 columns."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.claims.claim import Verdict

_STYLES: dict[Verdict, str] = {"holds": "green", "does not hold": "bold red", "not computed": "dim"}


def figure(value: float, unit: str) -> str:
    """A figure with its unit: "1,248,424 parameters", "48.8 times", "4.76 MB"."""
    text = f"{value:,.0f}"
    if unit == "%":
        text = f"{value:.2f}".removesuffix("0")
    elif unit in ("MB", "times"):
        text = f"{value:,.{2 if unit == 'MB' else 1}f}".rstrip("0").removesuffix(".")
    return f"{text} {unit}".strip()


def _ours(claim: dict[str, Any]) -> str:
    text = figure(claim["ours"], claim["unit"])
    if claim["unit"] == "MB":
        size = "2^20" if claim["detail"]["megabyte"] == 1 << 20 else "10^6"
        text += f" (of {size} B: {claim['detail']['bytes']:,} B)"
    return text


def claims(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """Prints each of claim.as_json under the heading of its topic."""
    needs = _needs(found)
    for topic in dict.fromkeys(claim["topic"] for claim in found):
        console.print(f"\n{topic}", style="bold")
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=13)
        table.add_column()
        for claim in found:
            if claim["topic"] == topic:
                table.add_row(Text(claim["verdict"], _STYLES[claim["verdict"]]), _told(claim, needs))
        console.print(table)


def _needs(found: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(claim["needs"] for claim in found if claim["needs"]))


def needed(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """Prints the command lines that compute what was not, by the numbers that `claims` gives them."""
    for number, command in enumerate(_needs(found), 1):
        if number == 1:
            console.print("\nWhat is not computed needs:")
        console.print(f"({number}) {as_typed(command)}", soft_wrap=True)


def _told(claim: dict[str, Any], needs: Sequence[str]) -> str:
    rule = "" if claim["rule"] == "exactly" else f"{claim['rule']} "
    paper = f"paper: {rule}{figure(claim['paper'], claim['unit'])}"
    lines = [f"{claim['says']} ({claim['place']})"]
    if claim["ours"] is None:
        lines.append(f"{paper}; needs ({1 + needs.index(claim['needs'])}), below")
    else:
        lines.append(f"{paper}; ours: {_ours(claim)}")
    return "\n".join([*lines, *([f"how: {claim['how']}"] if claim["how"] else [])])


def family(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Prints the table of the family."""
    table = Table(
        title="The family, with 1,000 classes", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("network")
    for name in ("parameters", "MACs", "int8 B"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("the paper")
    for row in rows:
        macs = f"{row['macs'] / 1e6:,.1f} M"
        table.add_row(row["name"], f"{row['parameters']:,}", macs, f"{row['int8_bytes']:,}", row["paper"])
    console.print(table)
    console.print(
        "MACs: multiply-accumulates of an image, of which the paper says nothing. int8 B:\n"
        "weights of a byte and biases of four, nothing compressed.",
        soft_wrap=True,
    )


def summary(found: Sequence[dict[str, Any]]) -> str:
    """How many of the claims hold, do not hold, are not computed."""
    counts = Counter(claim["verdict"] for claim in found)
    return ", ".join(f"{verdict}: {counts[verdict]}" for verdict in _STYLES)
