"""A chart of accuracy against a cost, with a name at each point that hides no other."""

import math
from typing import Any

from markupsafe import Markup

from squeezenet_mcu.host_tools.report.draw import Drawing, shortened
from squeezenet_mcu.host_tools.report.numbers import fixed, percent, short

_LEFT, _TOP, _WIDE, _HIGH = 50.0, 14.0, 380.0, 280.0
_LETTER, _LINE = 7.2, 15.0  # of a name: width of a letter, height; in the drawing's pixels
_UNITS = {"flash": "bytes of flash", "sram": "bytes of SRAM", "milliseconds": "milliseconds an image"}
_KINDS = {
    "zoo": ("c1", "the zoo"),
    "run": ("c3", "your runs"),
    "tflm": ("c2", "TFLite Micro"),
    "published": ("c4", "published"),
}
_SQUARE = ("tflm", "published")
_Box = tuple[float, float, float, float]  # left, top, right, bottom


def chart(data: dict[str, Any], axis: str) -> Markup:
    """`data`: of sections.pareto; `axis`: "flash", "sram" or "milliseconds"."""
    ticks, rows = data["axes"][axis], data["accuracy_ticks"]
    drawing = Drawing(472, 386, f"Accuracy against {_UNITS[axis]}; the table below has the same figures.")
    low, span = math.log(ticks[0]), math.log(ticks[-1]) - math.log(ticks[0])

    def x_of(value: float) -> float:
        return _LEFT + (math.log(value) - low) / span * _WIDE

    def y_of(share: float) -> float:
        return _TOP + _HIGH - float(share - rows[0]) / float(rows[-1] - rows[0] or 1) * _HIGH

    for row in rows:
        drawing.line(_LEFT, y_of(row), _LEFT + _WIDE, y_of(row), "grid")
        drawing.text(_LEFT - 8, y_of(row) + 4, percent(row, 0), "axis", "end")
    for i, tick in enumerate(ticks):
        drawing.line(x_of(tick), _TOP, x_of(tick), _TOP + _HIGH, "grid")
        if len(ticks) <= 6 or i % 3 == 0:
            drawing.text(x_of(tick), _TOP + _HIGH + 18, short(tick), "axis", "middle")
    drawing.text(_LEFT + _WIDE / 2, _TOP + _HIGH + 36, _UNITS[axis], "axis", "middle")
    points = [point for point in data["points"] if point[axis] and point["top1"] is not None]
    places = [(x_of(point[axis]), y_of(point["top1"])) for point in points]
    taken = [(x - 7, y - 7, x + 7, y + 7) for x, y in places]
    for point, (x, y) in zip(points, places, strict=True):
        _name(drawing, point, x, y, taken)
    for point, (x, y) in zip(points, places, strict=True):
        value = fixed(point[axis], 1 if axis == "milliseconds" else 0)
        share = percent(point["top1"])
        cls = f"mark {_KINDS[point['kind']][0]}"
        drawing.mark(x, y, cls, f"{point['name']}: {value} {_UNITS[axis]}, {share}", point["kind"] in _SQUARE)
    for i, (kind, (cls, name)) in enumerate(_KINDS.items()):
        x, y = _LEFT + 8 + 140 * (i % 2), 354.0 + 22 * (i // 2)
        drawing.mark(x, y, f"mark {cls}", "", kind in _SQUARE)
        drawing.text(x + 14, y + 4, name)
    return drawing.finish()


def _name(drawing: Drawing, point: dict[str, Any], x: float, y: float, taken: list[_Box]) -> None:
    """Where nothing stands yet, the nearer the better, with a line to the point where it is not beside it."""
    name = shortened(point["short"], 24)
    wide = _LETTER * len(name)
    offsets = [0.0] + [sign * step * _LINE for step in range(1, 12) for sign in (-1, 1)]
    tries = [(x + 10, y + off) for off in offsets] + [(x - 10 - wide, y + off) for off in offsets]
    tries.sort(key=lambda place: abs(place[1] - y))
    found = next((place for place in tries if _is_free(*place, wide, taken)), tries[0])
    taken.append((found[0], found[1] - _LINE / 2, found[0] + wide, found[1] + _LINE / 2))
    if abs(found[1] - y) > _LINE:
        drawing.line(x, y, found[0] + (0 if found[0] > x else wide), found[1], "leader")
    drawing.text(found[0], found[1] + 4, name, "strong halo" if point["this"] else "halo")


def _is_free(left: float, y: float, wide: float, taken: list[_Box]) -> bool:
    top, bottom = y - _LINE / 2, y + _LINE / 2
    inside = left >= _LEFT and left + wide <= _LEFT + _WIDE + 30 and _TOP <= y <= _TOP + _HIGH
    return inside and all(
        left >= box[2] or left + wide <= box[0] or top >= box[3] or bottom <= box[1] for box in taken
    )
