"""A table of confusion as a map of squares: the more images, the larger the square."""

from typing import Any

from markupsafe import Markup

from squeezenet_mcu.host_tools.report.draw import Drawing, shortened
from squeezenet_mcu.host_tools.report.numbers import count

_SIDE = 520.0
_LARGEST, _LARGEST_OF_FEW, _FEW = 40.0, 72.0, 5  # squares; those of few classes have room for names
_LETTER, _LONGEST = 7.0, 18  # of a name: pixels a letter, letters at most
_NUMBERED, _NAMED = 20.0, 14.0  # the smallest squares that hold a number, and that full letters go beside


def drawn(table: dict[str, Any], chosen: list[int], labels: list[str]) -> Markup:
    """`table`: of sections.confusion; `chosen`: the classes, by number, whose rows and columns are drawn."""
    cell = min(_LARGEST_OF_FEW if len(chosen) <= _FEW else _LARGEST, _SIDE / len(chosen))
    side = cell * len(chosen)
    names = [shortened(labels[number], _LONGEST) for number in chosen]
    left = max(46.0, 14 + _LETTER * max(map(len, names)))
    drawing = Drawing(
        left + side + 10,
        side + 54,
        f"Confusion, {table['network']}: {count(table['mistakes'])} of {count(table['images'])} images are "
        "taken for another class; the table below has the most frequent mistakes.",
    )
    drawing.rect(left, 0, side, side, "empty")
    for i in range(1, len(chosen)):
        drawing.line(left + i * cell, 0, left + i * cell, side, "gap")
        drawing.line(left, i * cell, left + side, i * cell, "gap")
    places = {number: i for i, number in enumerate(chosen)}
    totals: dict[int, int] = {}
    for label, _, images in table["cells"]:
        totals[label] = totals.get(label, 0) + images
    few = cell >= _NUMBERED
    for label, taken, images in table["cells"]:
        if label in places and taken in places:
            x, y = left + (places[taken] + 0.5) * cell, (places[label] + 0.5) * cell
            part = (cell - 1) * max((images / totals[label]) ** 0.5, 0.5)
            tip = f"{labels[label]} taken for {labels[taken]}: {count(images)}"
            cls = "soft c3" if label == taken else "soft bad"
            drawing.rect(x - part / 2, y - part / 2, part, part, cls, tip)
            if few:
                drawing.text(x, y + 5, count(images), "cell", "middle")
    for i, number in enumerate(chosen):
        cls = "axis" if cell >= _NAMED else "axis tiny"
        drawing.text(left - 6, (i + 0.5) * cell + 4, names[i], cls, "end")
        if few:
            name = shortened(labels[number], max(int(cell / 8), 2))
            drawing.text(left + (i + 0.5) * cell, side + 18, name, "axis", "middle")
    drawing.text(left + side / 2, side + 40, "taken for", "axis", "middle")
    drawing.text(left - 6, side + 18, "class", "axis", "end")
    return drawing.finish()
