"""The lines that come after a training, ready to paste: package, flash, validate."""

import shlex
import sys
from dataclasses import dataclass

from squeezenet_mcu.common import start
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware import board_model

_PORTS = {"linux": "/dev/ttyACM0", "darwin": "/dev/cu.usbmodem1101", "win32": "COM3"}


@dataclass(frozen=True)
class Step:
    """`why`: what the command `line` is for."""

    why: str
    line: str


def command(verb: str, **options: str | None) -> str:
    """`make VERB OPTION=value ...`, or with --option=value where make is not what the user has typed."""
    given = {name: shlex.quote(value) for name, value in options.items() if value}
    if start.by_make():
        return " ".join([f"make {verb}", *(f"{name.upper()}={value}" for name, value in given.items())])
    return " ".join([f"squeezenet-mcu {verb}", *(f"--{name}={value}" for name, value in given.items())])


def steps(
    model: str, typed_board: str, name: str, board: Board, data: str | None, ports: list[str]
) -> list[Step]:
    """What to do next with `model` (as it was typed; `name` is its own) on `board`.

    `data`: DATA= as it was typed; `ports`: serial ports of this machine, of which one may be the board's.
    """
    found = [
        Step(
            "what is this? A picture or a folder of them", command("classify", model=model, image="photo.jpg")
        ),
        Step("a library for Arduino", command("convert", model=model, package="arduino")),
    ]
    if board.emulator is not None:
        line = command("validate", model=model, board=typed_board, data=data)
        found.append(Step("the emulated board's answers against Python's", line))
        if board.emulator.usb:
            usb = line + (" USB=1" if start.by_make() else " --usb")
            found.append(Step("the same over its own USB", usb))
    if board.flash:
        kind = "bin" if board.uf2_family is None else "uf2"
        file = board_model.folder_for(BUILD / name, board.name, "squeeze") / f"firmware.{kind}"
        found.append(
            Step(f"the file for the board: {file}", command("firmware", model=model, board=typed_board))
        )
        found.append(Step("onto the board", command("flash", model=model, board=typed_board)))
        port = ports[0] if len(ports) == 1 else _PORTS.get(sys.platform, "/dev/ttyACM0")
        line = command("validate", model=model, port=port, data=data)
        found.append(Step("then the board's answers against Python's (PORT=: its serial port)", line))
    return found
