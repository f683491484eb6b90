"""`python -m host_tools COMMAND`."""

import sys

from host_tools import demo, firmware, simulate, validate
from model import cli

if __name__ == "__main__":
    sys.exit(cli.main("host_tools", "The host's side of a board.", [demo, firmware, simulate, validate]))
