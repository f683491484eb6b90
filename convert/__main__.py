"""`python -m convert`: from a trained model or an int8 .tflite to everything that firmware needs."""

import sys

from squeezenet_mcu.common import cli
from squeezenet_mcu.convert import command

if __name__ == "__main__":
    sys.exit(cli.guarded(command.run, command.parser().parse_args(), "python -m convert"))
