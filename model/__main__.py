"""`python -m model COMMAND`: train, compress, import, evaluate, describe, search, draw, ship."""

import sys

from squeezenet_mcu.host_tools import console

if __name__ == "__main__":
    sys.exit(console.model())
