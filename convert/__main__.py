"""`python -m convert`: from a trained model or an int8 .tflite to everything that firmware needs."""

import sys

from squeezenet_mcu.common import cli
from squeezenet_mcu.common.programs import missing_package

PROG = "python -m convert"


def main() -> int:
    """Returns the exit status."""
    try:
        from squeezenet_mcu.convert import command
    except ModuleNotFoundError as error:
        return cli.failed(missing_package(error), PROG)
    return cli.guarded(command.run, command.parser().parse_args(), PROG)


if __name__ == "__main__":
    sys.exit(main())
