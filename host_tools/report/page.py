"""The page, made from the report's JSON alone: one file, which asks no network for anything."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from squeezenet_mcu.host_tools.report import content, numbers

TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(report: dict[str, Any]) -> str:
    """HTML of what content.gather has made. Names in it are text: all of it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": numbers.count,
        "fixed": numbers.fixed,
        "percent": numbers.percent,
        "figure": numbers.figure,
    }
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "sort.js"))
    pictures = {
        name: found.pictures(report["sections"][name]) if hasattr(found, "pictures") else {}
        for name in content.SECTIONS
        for found in [content.module(name)]
    }
    return environment.get_template("page.html").render(
        report=report,
        headings=content.SECTIONS,
        pictures=pictures,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
    )


def _policy(style: str, script: str) -> str:
    """Nothing is loaded; the style and the script are the two that stand in the page, by their hashes."""

    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
