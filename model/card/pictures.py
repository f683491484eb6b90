"""Pictures: matplotlib without a screen, the same bytes for the same data. Imports no TensorFlow."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files

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
}


@contextlib.contextmanager
def drawing(path: Path, width: float, height: float) -> Iterator[Any]:
    """A matplotlib figure of so many inches; on success it becomes the PNG `path`, atomically.

    matplotlib's own defaults, whatever the user's matplotlibrc says; nothing of when or by what in the file.
    """
    from matplotlib import style
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with style.context(["default", _STYLE]), files.replacing(path) as temporary:
        engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, wspace=0.02, hspace=0.03)
        figure = Figure(figsize=(width, height), dpi=DPI, layout=engine)
        yield figure
        # Without pyplot a figure has no window: PNG is drawn by Agg.
        figure.savefig(temporary, format="png", metadata={"Software": None})
