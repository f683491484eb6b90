"""`python -m convert`: from a trained model or an int8 .tflite to everything that firmware needs."""

from squeezenet_mcu.common import start

PROG = "python -m convert"


def main() -> int:
    """Returns the exit status."""
    from squeezenet_mcu.common import cli
    from squeezenet_mcu.common.programs import missing_package

    try:
        from squeezenet_mcu.convert import command
    except ModuleNotFoundError as error:
        return cli.failed(missing_package(error), PROG)
    return cli.guarded(command.run, command.parser().parse_args(), PROG)


if __name__ == "__main__":
    start.begin()
    start.end(main())
