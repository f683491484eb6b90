"""The report as data: every section's figures, in the order of the page."""

import importlib
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.version import version
from squeezenet_mcu.host_tools.report.evidence import Evidence

FORMAT = 1
# Of each section its module in sections/ and template; and its heading.
SECTIONS = {
    "summary": "Summary",
    "proof": "Proof chain",
    "memory": "Memory map",
    "flash": "Flash map",
    "layers": "Layers",
    "values": "Weights and activations",
    "confusion": "Confusion",
    "mistakes": "Worst mistakes",
    "pareto": "Accuracy against cost",
    "link": "Link",
    "claims": "The paper's claims",
    "verdicts": "Budget",
}
_Text = Annotated[str, Meta(max_length=4096)]


class Report(TypedDict):
    """report.json."""

    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)]
    project: _Text
    model: _Text
    board: _Text
    sections: dict[str, dict[str, Any]]


def gather(e: Evidence, each: Callable[[str], None] = lambda heading: None) -> dict[str, Any]:
    """All of it; `each` is told each section's heading before it is made. UserError: a file is damaged."""
    found = {}
    for name, heading in SECTIONS.items():
        each(heading)
        found[name] = module(name).gather(e)
    return {
        "format": FORMAT,
        "project": version(),
        "model": e.artefacts.model,
        "board": e.board.name,
        "sections": found,
    }


def module(name: str) -> Any:
    """That of a section."""
    return importlib.import_module(f"squeezenet_mcu.host_tools.report.sections.{name}")


def check(found: Any, where: object, fix: str) -> dict[str, Any]:
    """A report that was read back. UserError: it is none."""
    checked: dict[str, Any] = json_files.check(found, Report, where, fix)
    return checked
