"""What goes to the terminal: text of files, devices and names can neither steer it nor be taken for markup.

Everything is printed by `echo` or by a `Console` of here; ruff finds prints and consoles around them.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO, TypeVar

from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, Task, TaskProgressColumn, TimeRemainingColumn
from rich.progress import TextColumn as RichTextColumn
from rich.text import Text

_SHORT = 40
T = TypeVar("T")


def clean(text: str) -> str:
    """`text` with a question mark for each character that is not printable, line ends and tabs apart.

    ESC begins the sequences that colour, move and rename a terminal, and can make it type.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def printable(text: str) -> str:
    """`text` with a question mark for each character that is not printable, line ends and tabs too."""
    return "".join(c if c.isprintable() else "?" for c in text)


def one_line(text: str, most: int = 200) -> str:
    """`text`, an error's of a library say, as one line of at most `most` characters."""
    return " ".join(clean(text).split())[:most]


def shown(name: object) -> str:
    """A name out of a file that may be damaged or hostile, quoted, fit for one line of an error."""
    text = printable(str(name))
    return f'"{text}"' if len(text) <= _SHORT else f'"{text[: _SHORT - 3]}..."'


def echo(text: str = "", *, end: str = "\n", to: TextIO | None = None, flush: bool = False) -> None:
    """Prints `text`, cleaned. A carriage return may only begin it: a line that is written over."""
    over = "\r" if text.startswith("\r") else ""
    print(over + clean(text.removeprefix("\r")), end=end, file=to, flush=flush)


def error(text: str) -> None:
    """Prints `text`, cleaned, on stderr."""
    echo(text, to=sys.stderr)


class Console(RichConsole):
    """rich's, but strings are cleaned, and never markup or emoji: styles are given as arguments."""

    def __init__(self, **given: Any) -> None:
        quiet: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False}
        if os.environ.get("COLUMNS") == "0":  # unknown, in some shells; to rich it is no room at all
            quiet["width"] = 80
        super().__init__(**quiet | given)

    def on_broken_pipe(self) -> None:
        """Lets the command line say it, in one line: rich would end the program without a word."""
        raise  # noqa: PLE0704  # rich calls this while it handles the exception

    def render_str(self, text: str, **given: Any) -> Text:
        """As rich's, of the cleaned text; all strings, a table's too, come through here."""
        return super().render_str(clean(text), **given)


class TextColumn(RichTextColumn):
    """rich's column of a progress bar, whose text is cleaned and never markup."""

    def __init__(self, text_format: str) -> None:
        super().__init__(text_format, markup=False)

    def render(self, task: Task) -> Text:
        """As rich's."""
        text = super().render(task)
        return Text(clean(text.plain), style=text.style)


def _bar(disable: bool = False) -> Progress:
    """A progress bar that goes when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(), transient=True, disable=disable)


def track(parts: Sequence[T], title: str, disable: bool = False) -> Iterator[T]:
    """`parts`, one after the other, with a progress bar that goes when it is done."""
    with _bar(disable) as progress:
        yield from progress.track(parts, description=title)


@contextlib.contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar towards `total` (None: not known), as long as it lasts; it gives what moves it on."""
    with _bar() as bar:
        task = bar.add_task(title, total=total)
        yield lambda step: bar.advance(task, step)
