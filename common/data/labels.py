"""Names of the classes from a text file."""

import re
from pathlib import Path

from squeezenet_mcu.common.errors import UserError


def read_labels(path: Path, classes: int | None = None) -> list[str]:
    """The names in `path`, one a line; a WordNet number before a name ("n01440764 tench") is cut off.

    Raises UserError where it is no UTF-8 text, or names another number of classes than `classes`.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); want UTF-8 text, one class name a line") from None
    names = [re.sub(r"^n\d{8}\s+", "", line.strip()) for line in lines if line.strip()]
    if classes is not None and len(names) != classes:
        raise UserError(f"{path}: {len(names)} class names; the model has {classes} classes")
    return names
