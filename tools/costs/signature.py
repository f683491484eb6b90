"""What signed models cost a firmware: instructions and cycles of a check, its stack, and bytes of flash.

  .venv/bin/python -m tools.costs.signature stm32f405

Builds the firmware of digits, which has to be converted, in build/bench/signature/: as it is, with UPDATE=1,
and with UPDATE=1 and a key; and boots a program that does nothing but check a signature
(firmware_cpp/bench/signature.cc).
"""

import argparse
import socket
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlparse

from rich.table import Table

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.cycles import profile
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import board_model, build
from squeezenet_mcu.host_tools.firmware.usage import Usage, usage
from squeezenet_mcu.host_tools.signing import monocypher

MODEL = "digits"
_SEED = bytes(range(32))
_SILENCE = 600.0  # seconds; an emulator with a busy machine


def built(board: Board, folder: Path) -> tuple[dict[str, Usage], Path]:
    """What each firmware takes, by what it can; and the program that checks a signature."""
    source = BUILD / MODEL
    plain = board_model.ModelRequest()
    updated = replace(plain, update=True)
    signed = replace(updated, public_key=monocypher.key_pair(_SEED)[1])
    made = board_model.prepare(board, source, folder / "model", updated)
    found = {}
    for name, request in {"as it is": plain, "UPDATE=1": updated, "and KEY=": signed}.items():
        options = build.options(board, source, folder, request, made)
        found[name] = usage(build.compile_target(board, folder, "firmware", options))
    return found, build.compile_target(board, folder, "signature", options)


def run(board: Board, program: Path) -> tuple[dict[str, list[str]], profile.Profile | None]:
    """What the program prints, by its labels, and the cycles, where they are known. UserError: it failed."""
    lines: dict[str, list[str]] = {}
    with profile.counting(board, program) as counting:
        with emulator.machine(board.name, program, counting.arguments) as machine:
            place = urlparse(machine.url)
            with socket.create_connection((place.hostname, place.port), timeout=_SILENCE) as line:
                for text in line.makefile("r", encoding="ascii", errors="replace"):
                    label, *values = text.split() or [""]
                    lines[label] = values
                    if label == "end":
                        break
        priced = counting.profile(0)
    if "end" not in lines or lines["check"][1] != "1":
        raise UserError(f"{program}: found the signature wrong, or ended early")
    return lines, priced


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("board", nargs="?", default="stm32f405", help="an emulated board with slots")
    board = board_toml.load(parser.parse_args().board)
    found, program = built(board, BUILD / "bench" / "signature" / board.name)
    lines, priced = run(board, program)
    table = Table(title=f"signed models on {board.name}")
    for name in ("firmware of digits", "flash", "more", "SRAM", "more"):
        table.add_column(name, justify="left" if name == "firmware of digits" else "right")
    before: Usage | None = None
    for name, used in found.items():
        more = ("", "") if before is None else (
            f"{used.flash_used - before.flash_used:+,} B", f"{used.sram_used - before.sram_used:+,} B",
        )  # fmt: skip
        table.add_row(name, f"{used.flash_used:,} B", more[0], f"{used.sram_used:,} B", more[1])
        before = used
    console = Console()
    console.print(table)
    console.print(f"a check: {int(lines['check'][0]):,} {lines['unit'][0]}, {lines['stack'][0]} B of stack")
    if priced is not None:
        milliseconds = board.milliseconds(priced.total.cycles)
        console.print(f"{priced.total.cycles:,} cycles; {milliseconds or 0:.1f} ms at the board's clock")
    return 0


if __name__ == "__main__":
    sys.exit(main())
