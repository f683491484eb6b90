"""`train --fresh` that was interrupted: which stages it has finished, for the same line typed again."""

import argparse
import contextlib
from pathlib import Path
from typing import TypedDict

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files

_FILE = Path("checkpoints") / "fresh.json"


class _Note(TypedDict):
    """`line`: what was typed; `finished`: the stages since."""

    line: dict[str, str]
    finished: list[str]


def forget(folder: Path) -> None:
    """A result has come of it, in `folder`: whatever --fresh makes next starts over."""
    (folder / _FILE).unlink(missing_ok=True)


class FreshRun:
    """A run through all stages by --fresh in `folder`, build/<model>; `args`: what was typed.

    Only what the very same line has begun, and not ended, counts as begun.
    """

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        self._folder, self._path = folder, folder / _FILE
        plain = (str, int, float, bool, type(None))
        self._line = {
            name: str(value) for name, value in sorted(vars(args).items()) if isinstance(value, plain)
        }
        self._finished: list[str] = []
        with contextlib.suppress(OSError, UserError):  # there is none, or it is damaged
            note = json_files.read(self._path, _Note, "start over")
            if note["line"] == self._line:
                self._finished = note["finished"]

    def has_finished(self, stage: str) -> bool:
        """Whether the interrupted run has finished `stage`."""
        return stage in self._finished

    def finish(self, stage: str) -> None:
        """Notes that `stage` is finished."""
        self._finished = [*self._finished, stage]
        files.write_json(self._path, {"line": self._line, "finished": self._finished})

    def end(self) -> None:
        """All stages are finished: typed again, the line starts over."""
        forget(self._folder)
