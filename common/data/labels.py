"""Names of the classes from a text file."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from squeezenet_mcu.common.data import text
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import shown

_LONGEST = 500
# ImageNet's 1,000 names have 32 KB. A line that is too long for a name is refused here, in one that says so.
_MOST = text.Most(size=4 << 20, lines=1 << 17, line=4 << 20)
_SYNSET = re.compile(r"(n\d{8})[\s,:]+(.+)")  # WordNet's number of a class, and its names


def read_labels(path: Path, classes: int | None = None) -> list[str]:
    """The names in `path`, one a line; a WordNet number before a name ("n01440764 tench") is cut off.

    Where two classes of different numbers have one name (ImageNet has two cranes), the number stays:
    "crane (n02012849)". Blank lines do not count. Raises UserError where it is no text, names no class, or
    names another number of classes than `classes`.
    """
    want = "want UTF-8 text, one class name a line"
    lines = [line.strip() for line in text.lines_of(path, _MOST, want)]
    if len(longest := max(lines, key=len, default="")) > _LONGEST:
        raise UserError(f"{path}: a name of {len(longest):,} characters; want at most {_LONGEST}")
    found = [_SYNSET.fullmatch(line) or line for line in lines if line]
    if not found:
        raise UserError(f"{path}: names no class; {want}")
    names = [of if isinstance(of, str) else of[2] for of in found]
    if strange := next(filter(text.names_no_class, names), None):
        raise UserError(f"{path}: {shown(strange)}: control characters in a class's name; {want}")
    if classes is not None and len(names) != classes:
        raise UserError(f"{path}: {len(names)} class names; the model has {classes} classes")
    twice = set(doubled(names))
    return [
        name if isinstance(of, str) or name not in twice else f"{name} ({of[1]})"
        for of, name in zip(found, names, strict=True)
    ]


def doubled(names: Sequence[str]) -> list[str]:
    """The names that more than one class has."""
    return [name for name, count in Counter(names).items() if count > 1]
