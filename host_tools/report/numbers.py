"""How the report writes numbers; the page and its pictures use these alone, so that a test can undo them."""

import math
from collections.abc import Sequence


def count(value: int) -> str:
    """12345 as "12,345"."""
    return f"{value:,}"


def fixed(value: float, digits: int = 1) -> str:
    """12.345 as "12.3"."""
    return f"{value:,.{digits}f}"


def percent(share: float, digits: int = 1) -> str:
    """0.1234 as "12.3 %"."""
    return f"{100 * share:.{digits}f} %"


def short(value: float) -> str:
    """A tick of an axis: 0.5, 20, 1,000."""
    return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"


def figure(value: float) -> str:
    """A figure of any size: a whole number whole, others with two digits behind the point."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def ticks(top: float, most: int = 5) -> list[float]:
    """Round numbers from 0 to `top` or just above it, `most` steps at most."""
    if top <= 0:
        return [0.0, 1.0]
    rough = top / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(i * step, 9) for i in range(math.ceil(top / step - 1e-9) + 1)]


def log_ticks(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 times powers of ten around positive `values`, one step beyond each end."""
    low, high = min(values), max(values)
    all_of = [f * 10.0**p for p in range(-3, 10) for f in (1, 2, 5)]
    first = max((i for i, tick in enumerate(all_of) if tick <= low), default=0)
    last = min((i for i, tick in enumerate(all_of) if tick >= high), default=len(all_of) - 1)
    found = all_of[first : max(last, first + 1) + 1]
    return [round(tick, 9) for tick in found]
