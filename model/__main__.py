"""`python -m model COMMAND`: train, compress, import, evaluate, describe, search, draw, ship."""

from squeezenet_mcu.common import start

if __name__ == "__main__":
    start.begin()
    from squeezenet_mcu.host_tools import console

    start.end(console.model())
