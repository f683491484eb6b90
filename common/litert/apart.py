"""Work that may end the whole program, done by a child process."""

import faulthandler
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from squeezenet_mcu.common import start

_LONGEST = 60  # seconds
_MOST_MORE = 2 << 30  # bytes of memory, beside those that this program has taken
MOST_BYTES = 4000  # of an answer: what a pipe takes at once


def apart(work: Callable[[], bytes]) -> bytes | None:
    """What `work` returns, at most MOST_BYTES of it; None where it ended the child, as by abort().

    It also ends where it takes more than a minute or 2 GiB of memory. `work` must not raise. Where a system
    has no fork this program does it.
    """
    if not hasattr(os, "fork"):
        return work()
    reads, writes = os.pipe()
    parent, child = os.getpid(), os.fork()
    if child == 0:
        try:
            start.end_with_parent(parent, signal.SIGKILL)
            _limit_memory()
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


def _limit_memory() -> None:
    """No more address space than _MOST_MORE beside what there is now (on Linux)."""
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + _MOST_MORE
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
