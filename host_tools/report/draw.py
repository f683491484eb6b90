"""SVG inside a page: shapes with classes, which the style of the page colours for light, dark and print."""

from markupsafe import Markup


class Drawing:
    """Shapes in the order in which they are added. Text is escaped, whatever it holds."""

    def __init__(self, width: float, height: float, label: str) -> None:
        self._width, self._height, self._label = width, height, label
        self._shapes: list[Markup] = []

    def rect(self, x: float, y: float, width: float, height: float, cls: str, tip: str = "") -> None:
        """`tip`: what a mouse that rests on it shows."""
        self._shapes.append(
            Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}">{}</rect>').format(
                cls, *(f"{v:.2f}" for v in (x, y, max(width, 0.0), max(height, 0.0))), _tip(tip)
            )
        )

    def text(self, x: float, y: float, text: str, cls: str = "", anchor: str = "start") -> None:
        """One line, its base line at `y`."""
        self._shapes.append(
            Markup('<text class="{}" x="{:.2f}" y="{:.2f}" text-anchor="{}">{}</text>').format(
                cls, x, y, anchor, text
            )
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, cls: str) -> None:
        """A straight line."""
        self._shapes.append(
            Markup('<line class="{}" x1="{:.2f}" y1="{:.2f}" x2="{:.2f}" y2="{:.2f}"/>').format(
                cls, x1, y1, x2, y2
            )
        )

    def mark(self, x: float, y: float, cls: str, tip: str, square: bool = False) -> None:
        """A point of a chart: a disc, or a square, so that not colour alone tells them apart."""
        if square:
            self.rect(x - 5, y - 5, 10, 10, cls, tip)
            return
        self._shapes.append(
            Markup('<circle class="{}" cx="{:.2f}" cy="{:.2f}" r="6">{}</circle>').format(
                cls, x, y, _tip(tip)
            )
        )

    def finish(self) -> Markup:
        """The whole, to be put into the page."""
        size = self._width, self._height
        start = '<svg width="{:.0f}" height="{:.0f}" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">'
        return Markup(start + "{}</svg>").format(*size, *size, self._label, Markup("").join(self._shapes))


def _tip(text: str) -> Markup:
    return Markup("<title>{}</title>").format(text) if text else Markup("")


def shortened(text: str, most: int) -> str:
    """At most `most` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
