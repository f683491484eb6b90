"""`python -m host_tools COMMAND`."""

import sys

from host_tools import bench, board_table, demo, firmware, flash, selftest, simulate, sizes, validate
from model import cli

if __name__ == "__main__":
    sys.exit(
        cli.main(
            "python -m host_tools",
            "The host's side of a board.",
            [bench, board_table, demo, firmware, flash, selftest, simulate, sizes, validate],
        )
    )
