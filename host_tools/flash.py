"""`python -m host_tools flash`: the firmware onto a real board, by the program its board.toml names."""

import argparse
import shlex
import shutil
import subprocess

from host_tools import boards, firmware
from host_tools.board_model import Request
from model import config
from model.errors import UserError

NAME = "flash"
HELP = "write the firmware to a real board and verify it"
EXAMPLES = """\
  python -m host_tools flash --board stm32f405 --model digits
  python -m host_tools flash --board stm32f405 --model digits --dry-run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See model.cli.Command."""
    firmware.add_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="only print the command")


def command(board: str, model: str, request: Request = firmware.BOARD_DEFAULT) -> list[str]:
    """The command that flashes the firmware of `model`; builds that first. UserError: an emulated board."""
    tool = boards.load(board).flash
    if tool is None:
        flashable = [name for name in boards.names() if boards.load(name).flash]
        raise UserError(f"{board}: exists in the emulator only; boards to flash: {', '.join(flashable)}")
    elf = firmware.build(board, model, request)
    return [part.format(elf=elf) for part in tool.command]


def run(args: argparse.Namespace) -> int:
    """See model.cli.Command."""
    line = command(args.board, config.name_of(args.model), firmware.request_of(args))
    print(shlex.join(line), flush=True)
    if args.dry_run:
        return 0
    if shutil.which(line[0]) is None:
        package = boards.load(args.board).flash.package
        raise UserError(f"{line[0]} is not installed; run: sudo apt-get install {package}")
    done = subprocess.run(line, check=False)
    if done.returncode != 0:
        raise UserError(
            f"{line[0]} ended with status {done.returncode}, see above; is the board powered and its debug "
            "probe plugged in?"
        )
    return 0
