"""Measures host_tools/firmware/code_sizes.json anew: some minutes, with the compilers of all boards.

    python tools/code_sizes.py

To be run after a change of the engine, the firmware or a board. A test says when it is due.
"""

import re
import sys
from pathlib import Path

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import code_sizes, code_table

BUILDS = Path("build/code_sizes")


def main() -> int:
    """Exit status 1 where a program is missing or a build fails."""
    try:
        table = code_table.make(BUILDS, board_toml.names(), lambda what: print(what, flush=True))
    except UserError as error:
        print(f"code_sizes: {error}", file=sys.stderr)
        return 1
    text = files.as_json(table).decode()
    # A list of plain values on one line.
    text = re.sub(r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text)
    files.write_bytes(code_sizes.TABLE, text.encode())
    print(f"wrote {code_sizes.TABLE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
