"""Work that may end the whole program, done by a child process."""

import faulthandler
import os
import signal
from collections.abc import Callable

_LONGEST = 300  # seconds
MOST_BYTES = 4000  # of an answer: what a pipe takes at once


def apart(work: Callable[[], bytes]) -> bytes | None:
    """What `work` returns, at most MOST_BYTES of it; None where it ended the child, as by abort().

    `work` must not raise. Where a system has no fork this program does it.
    """
    if not hasattr(os, "fork"):
        return work()
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            faulthandler.disable()
            signal.alarm(_LONGEST)
            os.write(writes, work()[:MOST_BYTES])
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as said:
        answer = said.read()
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else answer
