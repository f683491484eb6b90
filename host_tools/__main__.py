"""`python -m host_tools COMMAND`, and `squeezenet-mcu`."""

from typing import NoReturn

from squeezenet_mcu.common import start


def script() -> NoReturn:
    """`squeezenet-mcu`, as pyproject.toml names it."""
    start.begin()
    from squeezenet_mcu.host_tools import console

    start.end(console.main())


if __name__ == "__main__":
    start.begin()
    from squeezenet_mcu.host_tools import console

    start.end(console.host_tools())
