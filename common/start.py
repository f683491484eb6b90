"""The first and the last lines of a program. Imports nothing that takes time."""

import signal
import sys
from typing import NoReturn


def begin() -> None:
    """Ctrl-C ends the program without a word until `cli.guarded` has it in hand: imports take seconds."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def end(status: int) -> NoReturn:
    """Ends the program with `status`. What Python then still does is not to be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)
