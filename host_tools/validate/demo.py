"""`python -m host_tools demo`: the whole chain without a board, from the shipped model to checked answers."""

import argparse
from pathlib import Path

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.validate import command as validate

NAME = "demo"
HELP = "convert the shipped model, build its firmware, boot the emulated board, check real images"
EXAMPLES = "  python -m host_tools demo"
MODEL = "digits"
BOARD = "stm32f405"
IMAGES = 200
REPORT = Path("build/demo/report.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    from squeezenet_mcu.convert import command as convert

    console = Console()

    def step(number: int, what: str) -> None:
        console.rule(f"{number}/3  {what}", align="left")

    step(1, f"convert the '{MODEL}' network, pruned and quantized")
    convert.run(convert.parser().parse_args(["--model", MODEL]))
    step(2, f"build bare-metal firmware for the {BOARD}")
    build.make(BOARD, MODEL)
    step(3, f"boot it in QEMU and compare the answers to {IMAGES} images")
    REPORT.unlink(missing_ok=True)
    parser = argparse.ArgumentParser()
    validate.add_arguments(parser)
    options = ["--model", MODEL, "--board", BOARD, "--limit", str(IMAGES), "--json", str(REPORT)]
    return validate.run(parser.parse_args(options))
