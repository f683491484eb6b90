"""The three command lines, `python -m model`, `-m convert` and `-m host_tools`, and all verbs in one.

The modules of the commands are imported when a command line needs them: a light host has no TensorFlow.
"""

import importlib
import sys
from collections.abc import Sequence

from squeezenet_mcu.common import cli

_MODEL = (
    "model.commands.train",
    "model.commands.prune",
    "model.commands.cluster",
    "model.commands.quantize",
    "model.commands.preview",
    "model.commands.import_weights",
    "host_tools.studies.evaluate",
    "model.commands.info",
    "host_tools.studies.search.command",
    "model.card.curves",
    "model.card.publish",
    "model.card.card",
)
_CONVERT = ("convert.command",)
_HOST_TOOLS = (
    "host_tools.bench",
    "host_tools.studies.board_table",
    "host_tools.validate.demo",
    "host_tools.firmware.build",
    "host_tools.firmware.flash",
    "host_tools.selftest.command",
    "host_tools.emulate.simulate",
    "host_tools.studies.sizes",
    "host_tools.validate.command",
)


def _commands(names: Sequence[str]) -> list[cli.Command]:
    return [importlib.import_module(f"squeezenet_mcu.{name}") for name in names]


def model(argv: Sequence[str] | None = None) -> int:
    """`python -m model`; returns the exit status."""
    return cli.main("python -m model", "Train and compress a SqueezeNet.", _commands(_MODEL), argv)


def host_tools(argv: Sequence[str] | None = None) -> int:
    """`python -m host_tools`; returns the exit status."""
    return cli.main("python -m host_tools", "The host's side of a board.", _commands(_HOST_TOOLS), argv)


def main(argv: Sequence[str] | None = None) -> int:
    """`squeezenet-mcu`: every verb; returns the exit status."""
    given = sys.argv[1:] if argv is None else list(argv)
    return cli.main(
        "squeezenet-mcu",
        "Take a SqueezeNet from Keras to a development board, and prove that it gives the same answers.",
        _commands(_MODEL + _CONVERT + _HOST_TOOLS),
        given,
    )
