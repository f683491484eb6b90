"""`python -m host_tools COMMAND`."""

import sys

from squeezenet_mcu.host_tools import console

if __name__ == "__main__":
    sys.exit(console.host_tools())
