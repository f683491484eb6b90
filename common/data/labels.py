"""Names of the classes from a text file."""

import re
from pathlib import Path

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError

_MOST_BYTES = 4 << 20  # ImageNet's 1,000 names have 32 KB
_LONGEST = 500


def read_labels(path: Path, classes: int | None = None) -> list[str]:
    """The names in `path`, one a line; a WordNet number before a name ("n01440764 tench") is cut off.

    Raises UserError where it is no UTF-8 text, or names another number of classes than `classes`.
    """
    want = "want UTF-8 text, one class name a line"
    try:
        lines = files.read_input(path, _MOST_BYTES, want).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: cannot be read ({error}); {want}") from None
    if len(longest := max(lines, key=len, default="")) > _LONGEST:
        raise UserError(f"{path}: a name of {len(longest):,} characters; want at most {_LONGEST}")
    names = [re.sub(r"^n\d{8}\s+", "", line.strip()) for line in lines if line.strip()]
    if classes is not None and len(names) != classes:
        raise UserError(f"{path}: {len(names)} class names; the model has {classes} classes")
    return names
