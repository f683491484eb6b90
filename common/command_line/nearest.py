"""The known word that a mistyped one was meant for.

Also a program, which the Makefile calls: `python3 nearest.py WORD KNOWN...` prints it. So it imports nothing
but Python's own modules, and runs without .venv.
"""

import difflib
import re
import sys
from collections.abc import Iterable, Mapping

_LIKE = 0.65  # difflib's ratio: BORD and BOARD have 0.89, IMG and IMAGE 0.75, words that share little 0.5
_LONGEST = 60  # characters; what is longer is no slip of a finger, and difflib takes its time


def _plain(word: str) -> str:
    """`word` as far as people remember it: in small letters, without hyphens, dots, underscores, blanks."""
    return re.sub(r"[-_.\s]", "", word.casefold())


def nearest(word: str, known: Iterable[str], aliases: Mapping[str, str] | None = None) -> str | None:
    """The word of `known` that is most like `word`; None where none is.

    `aliases`: other names of the words in `known`, which are compared too.
    """
    if len(word) > _LONGEST:
        return None
    meant = {_plain(alias): name for alias, name in (aliases or {}).items()}
    meant |= {_plain(name): name for name in known}
    plain = _plain(word)
    if plain in meant:
        return meant[plain]
    found = difflib.get_close_matches(plain, meant, 1, _LIKE)
    return meant[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], aliases: Mapping[str, str] | None = None) -> str:
    """ "; did you mean board?", to follow what is wrong with `word`; "" where nothing is like it."""
    found = nearest(word, known, aliases)
    return f"; did you mean {found}?" if found and found != word else ""


if __name__ == "__main__":
    print(nearest(sys.argv[1], sys.argv[2:]) or "")  # noqa: T201  # for make; terminal.py needs .venv
