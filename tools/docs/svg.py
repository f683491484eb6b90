"""A little SVG: boxes, wrapped text and arrows, written as text so that two drawings can be compared."""

from xml.sax.saxutils import escape

FONT = "DejaVu Sans, Verdana, sans-serif"  # widths below are this font's, about
_WIDTH_OF_SIZE = 0.56  # an average letter, as a share of the font's size


def wrapped(text: str, width: float, size: float) -> list[str]:
    """`text` in lines of at most `width` pixels, broken at spaces."""
    most = int(width / (size * _WIDTH_OF_SIZE))
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) > most and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


class Drawing:
    """Shapes in the order in which they are added; the later ones lie on top."""

    def __init__(self, width: int, title: str) -> None:
        self.width = width
        self._title = title
        self._shapes: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, fill: str, stroke: str) -> None:
        """A rectangle with round corners."""
        self._shapes.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
            f'fill="{fill}" stroke="{stroke}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 12,
        fill: str = "#222",
        style: str = "",
        anchor: str = "start",
    ) -> None:
        """One line of text with its base line at `y`."""
        self._shapes.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"'
            f"{' ' + style if style else ''}>{escape(text)}</text>"
        )

    def arrow(self, points: list[tuple[float, float]], stroke: str = "#555", dashed: bool = False) -> None:
        """A line through `points` with a head at its end."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._shapes.append(
            f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="1.6"{dash}/>'
        )
        (x0, y0), (x1, y1) = points[-2:]
        length = max(abs(x1 - x0), abs(y1 - y0))
        dx, dy = (x1 - x0) / length, (y1 - y0) / length
        left = (x1 - 9 * dx - 4.5 * dy, y1 - 9 * dy + 4.5 * dx)
        right = (x1 - 9 * dx + 4.5 * dy, y1 - 9 * dy - 4.5 * dx)
        head = " ".join(f"{x:g},{y:g}" for x, y in ((x1, y1), left, right))
        self._shapes.append(f'<polygon points="{head}" fill="{stroke}"/>')

    def finish(self, height: float) -> str:
        """The whole file."""
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {height:g}" '
                f'width="{self.width}" height="{height:g}" font-family="{FONT}">',
                f"<title>{escape(self._title)}</title>",
                f'<rect width="{self.width}" height="{height:g}" fill="#fff"/>',
                *self._shapes,
                "</svg>",
                "",
            ]
        )
