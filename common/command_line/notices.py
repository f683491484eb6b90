"""Notices, each once a run: the stages of one training read the same images, and would say the same of them.

A run is a process, or what one make starts one after the other: `make train` trains, converts and validates.
"""

import json
import os
from pathlib import Path

from squeezenet_mcu.common import files, start, terminal
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.paths import BUILD

_FILE = "notices.json"
_MOST_BYTES = 1 << 20
_said: set[str] = set()


def notice(text: str) -> None:
    """Prints "note: `text`" on one line, as `as_typed` has it, unless this run has said it already."""
    line = f"note: {as_typed(text)}"
    run = _make()
    earlier = _earlier(run) if run else []
    if line not in _said and line not in earlier:
        terminal.echo(line, flush=True)
        if run:
            files.write_json(BUILD / _FILE, {"run": run, "said": [*earlier, line]})
    _said.add(line)


def _make() -> str:
    """The make that runs us: its process, and when that began, for numbers come again; "" if nobody knows."""
    if not start.by_make():
        return ""
    try:
        fields = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()
        return f"{os.getppid()} {fields[19]}"  # proc(5): starttime, the 22nd with the two before ")"
    except (OSError, IndexError, UnicodeDecodeError):
        return ""


def _earlier(run: str) -> list[str]:
    """What the processes before this one have said in this run of make."""
    path = BUILD / _FILE
    try:
        found = json.loads(path.read_bytes()[:_MOST_BYTES]) if path.is_file() else {}
        return [str(line) for line in found["said"]] if found.get("run") == run else []
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):  # damaged: then again
        return []
