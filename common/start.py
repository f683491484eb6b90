"""The first and the last lines of a program. Imports nothing that takes time."""

import io
import signal
import sys
from typing import NoReturn


def begin() -> None:
    """Ctrl-C ends the program without a word until `cli.guarded` has it in hand: imports take seconds.

    From here on, a letter that the terminal's encoding lacks is printed as its number (\\u732b). Python would
    end the program: names of files and classes may hold any letter, and Windows writes files in a code page.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it is closed
            stream.reconfigure(errors="backslashreplace")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def end(status: int) -> NoReturn:
    """Ends the program with `status`. What Python then still does is not to be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)
