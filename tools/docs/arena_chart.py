"""The chart of an arena for the README: the report's own two, in one file for light and dark."""

import re
from typing import Any
from xml.sax.saxutils import escape

from squeezenet_mcu.host_tools.report import page
from squeezenet_mcu.host_tools.report.numbers import count
from squeezenet_mcu.host_tools.report.sections import memory

_MARGIN, _GAP = 16, 28
_VIEW = re.compile(r'width="\d+" height="\d+" viewBox="0 0 (\d+) (\d+)" role="img" aria-label="[^"]*"')
# What the drawing needs of the report's style: colours, and how shapes with classes look.
_STYLE = re.compile(r"^(?:svg |\.(?:c\d|block|bad|empty|soft|mark)\b).*$", re.M)
_COLOURS = re.compile(r"^:root \{.*?^\}$|^@media \(prefers-color-scheme: dark\) \{.*?^\}$", re.M | re.S)


def chart(section: dict[str, Any], model: str) -> str:
    """SVG of the report's section memory: the map, and below it both engines' arenas.

    The ground is drawn, too: a page may be dark where the reader's system says light.
    """
    style = (page.TEMPLATES / "style.css").read_text(encoding="utf-8")
    rules = "\n".join([*_COLOURS.findall(style), *_STYLE.findall(style)])
    drawings = memory.pictures(section)
    parts, y, wide = [], _MARGIN, 0
    for heading, name in (
        (f"Bytes of the arena (upwards) while an image passes through {model} (to the right)", "map"),
        ("The arena of either engine for the same .tflite, on one scale", "arenas"),
    ):
        drawing = str(drawings[name])  # Markup would escape what is put into it
        found = _VIEW.search(drawing)
        assert found is not None, "a Drawing has it"
        width, height = map(int, found.groups())
        parts.append(f'<text class="strong" x="{_MARGIN}" y="{y + 12}">{escape(heading)}</text>')
        y += 26
        placed = _VIEW.sub(
            rf'x="{_MARGIN}" y="{y}" width="\1" height="\2" viewBox="0 0 \1 \2"', drawing, count=1
        )
        parts.append(placed)
        y += height + _GAP
        wide = max(wide, width + 2 * _MARGIN)
    note = "TFLite Micro's is its interpreter's on a computer, with pointers of 64 bits; a board needs less."
    y += 8
    parts.append(f'<text class="axis" x="{_MARGIN}" y="{y - 12}">{note}</text>')
    said = (
        f"Our engine runs {model} in an arena of {count(section['arena_bytes'])} bytes, "
        f"TFLite Micro in one of {count(section['tflm_arena_bytes'])} bytes."
    )
    size = f'viewBox="0 0 {wide} {y}" width="{wide}" height="{y}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n'
        f"<title>{escape(said)}</title>\n<style>\n{rules}\n.ground {{ fill: var(--page); }}\n</style>\n"
        f'<rect class="ground" width="{wide}" height="{y}" rx="10"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
