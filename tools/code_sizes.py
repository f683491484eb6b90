"""Measures host_tools/firmware/code_sizes.json anew: some minutes, with the compilers of all boards.

    python tools/code_sizes.py

To be run after a change of the engine, the firmware or a board. A test says when it is due.
"""

import json
import sys
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import code_sizes, code_table

BUILDS = Path("build/code_sizes")


def as_text(value: Any, levels: int, margin: str = "") -> str:
    """JSON of which so many levels of tables have a line for each entry, and what is in them has one line."""
    if not levels or not isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    inner = f"{margin}  "
    entries = (f"{inner}{json.dumps(key)}: {as_text(v, levels - 1, inner)}" for key, v in value.items())
    return "{\n" + ",\n".join(entries) + f"\n{margin}}}"


def main() -> int:
    """Exit status 1 where a program is missing or a build fails."""
    try:
        table = code_table.make(BUILDS, board_toml.names(), lambda what: print(what, flush=True))
    except UserError as error:
        print(f"code_sizes: {error}", file=sys.stderr)
        return 1
    files.write_bytes(code_sizes.TABLE, (as_text(table, 4) + "\n").encode())
    print(f"wrote {code_sizes.TABLE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
