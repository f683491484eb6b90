"""The first and the last lines of a program. Imports nothing that takes time."""

import io
import os
import signal
import sys
from typing import NoReturn


def begin() -> None:
    """Ctrl-C ends the program without a word until `cli.guarded` has it in hand: imports take seconds.

    From here on, a letter that the terminal's encoding lacks is printed as its number (\\u732b). Python would
    end the program: names of files and classes may hold any letter, and Windows writes files in a code page.
    """
    _end_with_make()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it is closed
            stream.reconfigure(errors="backslashreplace")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


_started = {"by make": False}


def by_make() -> bool:
    """Whether make has started this program: then its user has typed OPTION=, not --option."""
    return _started["by make"]


_SET_DEATH_SIGNAL = 1  # prctl(2): PR_SET_PDEATHSIG


def _end_with_make() -> None:
    """Ends as by SIGTERM where make, which has started this program, is killed (on Linux).

    make hands signals on, but not SIGKILL; a program that is left alone would hold its emulator for ever.
    """
    make = os.environ.pop("ENDS_WITH_MAKE", "")
    _started["by make"] = make == str(os.getppid())  # not by a test that make has started
    if make == str(os.getppid()):  # else somebody's script between, whose end is not ours
        end_with_parent(int(make), signal.SIGTERM)


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Sends this process the signal `number` where its parent, of this process id, ends (on Linux)."""
    if sys.platform != "linux":
        return
    import ctypes  # takes time, elsewhere than under make

    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, number)
    if parent != os.getppid():  # it was killed before
        os.kill(os.getpid(), number)


def end(status: int) -> NoReturn:
    """Ends the program with `status`. What Python then still does is not to be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)
