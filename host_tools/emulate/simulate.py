"""`python -m host_tools simulate`: a board without a board, at a serial URL."""

import argparse
import contextlib

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator, nor
from squeezenet_mcu.host_tools.firmware import build, protocols, tflm_library
from squeezenet_mcu.model.settings import config

NAME = "simulate"
HELP = "boot the firmware on the emulated board and keep it running"
EXAMPLES = "  python -m host_tools simulate --board stm32f405 --model digits"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    build.add_build_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command. Ends with Ctrl-C."""
    model = config.name_of(args.model)
    elf = build.build(args.board, model, build.request_of(args))
    usb = bool(emulator.tool_of(args.board).usb)
    with contextlib.ExitStack() as stack:
        flash: list[str] = []
        if args.update and board_toml.name_of(args.board) in nor.boards():
            path = elf.with_suffix(".nor")
            stack.enter_context(nor.taken(path))
            flash = nor.arguments(board_toml.load(args.board), path)
        machine = stack.enter_context(emulator.machine(args.board, elf, extra=flash, usb=usb))
        terminal.echo(f"{args.board} runs {elf} at {machine.url}")
        if usb:
            terminal.echo(f"its own USB is a serial port, too: {machine.usb_url}")
        if args.protocol == "link":
            engine = tflm_library.make_option(args.engine)
            line = as_typed(f"make validate MODEL={model} PORT={machine.url}{engine}")
            terminal.echo(f"in another terminal:  {line}")
        else:
            terminal.echo(protocols.next_step(machine.url))
        terminal.echo("Ctrl-C ends it.", flush=True)
        try:
            machine.wait()
        except KeyboardInterrupt:
            terminal.echo()
            return 0
        raise machine.ended() or AssertionError("wait() returned while the emulator runs")
