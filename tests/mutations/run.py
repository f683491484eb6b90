"""Runs a reader as a command line does."""

import argparse
from collections.abc import Callable

from squeezenet_mcu.common import cli


def guarded(run: Callable[[], object]) -> int:
    """The exit status of `run`: a mistake of the user's is one line."""

    def status(_: argparse.Namespace) -> int:
        run()
        return 0

    return cli.guarded(status, argparse.Namespace(), "test")
