"""Pictures: matplotlib without a screen, the same bytes for the same data. Imports no TensorFlow."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, terminal

DPI = 100
BLUE, ORANGE, GREEN, DARK = "#2563ab", "#d9622b", "#3c8d53", "#4b4f56"
_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#b6bac0",
    "axes.axisbelow": True,
    "grid.color": "#e4e6e9",
    "xtick.color": "#4b4f56",
    "ytick.color": "#4b4f56",
    "xtick.labelcolor": "#22252a",
    "ytick.labelcolor": "#22252a",
    "legend.frameon": False,
    "text.parse_math": False,  # a class may be called "5 $"
}


# Where matplotlib's own font has no letter: those of these that the machine has.
_MORE_FONTS = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans", "Yu Gothic", "Arial Unicode MS")


def shortened(text: str, most: int) -> str:
    """A name out of a file, fit for a picture: printable, of at most `most` characters."""
    text = terminal.printable(text)
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."


def _fonts() -> list[str]:
    from matplotlib import font_manager

    known = set(font_manager.get_font_names())
    return ["DejaVu Sans", *(name for name in _MORE_FONTS if name in known)]


@contextlib.contextmanager
def drawing(path: Path, width: float, height: float) -> Iterator[Any]:
    """A matplotlib figure of so many inches; on success it becomes the PNG `path`, atomically.

    matplotlib's own defaults, whatever the user's matplotlibrc says; nothing of when or by what in the file.
    """
    from matplotlib import style
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with (
        style.context(["default", _STYLE | {"font.family": _fonts()}]),
        files.replacing(path) as temporary,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # then there is a box
        engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, wspace=0.02, hspace=0.03)
        figure = Figure(figsize=(width, height), dpi=DPI, layout=engine)
        yield figure
        # Without pyplot a figure has no window: PNG is drawn by Agg.
        figure.savefig(temporary, format="png", metadata={"Software": None})
