"""A claim of the paper, what we find for it, and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Rule = Literal["exactly", "about", "at most", "at least"]
Verdict = Literal["holds", "does not hold", "not computed"]
Unit = Literal["", "parameters", "lines", "B", "MB", "times", "%"]

ROUNDED = 0.03
"""How far off "about" may be: the paper rounds to two digits (4.8 MB), and divides what it has rounded."""

MEGABYTES = (1_000_000, 1 << 20)
"""The paper does not say which it means, and uses both: AlexNet's 240 MB are 10^6, its 4.8 MB are 2^20."""


@dataclass(frozen=True)
class Claim:
    """What the paper says, in our words.

    Attributes:
        id: never changes; a report finds the claim by it.
        topic: the heading that it stands under.
        says: the claim.
        place: where it stands.
        rule: how our figure and the paper's have to compare, for the claim to hold.
        paper: the paper's figure, in `unit`.
        unit: of both figures.
        needs: the command that computes it.
    """

    id: str
    topic: str
    says: str
    place: str
    rule: Rule
    paper: float
    unit: Unit
    needs: str = "make claims"


@dataclass(frozen=True)
class Found:
    """What we find.

    Attributes:
        figure: ours, in the claim's unit, megabytes in bytes; None where it was not computed.
        how: how it was computed, or why not.
        reaches: what is compared in place of `figure`, where chance moves that: an interval's upper end.
        detail: figures behind it.
    """

    figure: float | None
    how: str
    reaches: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def megabyte(claim: Claim, size: float) -> int:
    """The megabyte, in bytes, that brings `size` (bytes) nearer to what the paper says.

    A limit ("at most") is taken strictly: 10^6.
    """
    if claim.rule in ("at most", "at least"):
        return MEGABYTES[0]
    return min(MEGABYTES, key=lambda unit: abs(size / unit - claim.paper))


def in_unit(claim: Claim, figure: float) -> float:
    """Our figure in the unit of the paper's."""
    return figure / megabyte(claim, figure) if claim.unit == "MB" else figure


def verdict(claim: Claim, found: Found) -> Verdict:
    """Whether the claim holds by what we found."""
    if found.figure is None:
        return "not computed"
    ours = in_unit(claim, found.figure if found.reaches is None else found.reaches)
    holds = {
        "exactly": ours == claim.paper,
        "about": abs(ours - claim.paper) <= ROUNDED * claim.paper,
        "at most": ours <= claim.paper,
        "at least": ours >= claim.paper,
    }[claim.rule]
    return "holds" if holds else "does not hold"


def as_json(claim: Claim, found: Found) -> dict[str, Any]:
    """The claim for programs; `ours` is None where nothing was computed, and `needs` says what would."""
    unknown = found.figure is None
    detail = dict(found.detail)
    if claim.unit == "MB" and found.figure is not None:
        detail = {"bytes": found.figure, "megabyte": megabyte(claim, found.figure)} | detail
    return {
        "id": claim.id,
        "topic": claim.topic,
        "says": claim.says,
        "place": claim.place,
        "rule": claim.rule,
        "paper": claim.paper,
        "ours": None if found.figure is None else in_unit(claim, found.figure),
        "unit": claim.unit,
        "verdict": verdict(claim, found),
        "how": found.how,
        "needs": claim.needs if unknown else "",
        "detail": detail,
    }
