"""What C++ libraries write to stderr of their work is kept from the user; what is wrong is not."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any

# Of TensorFlow's converter and of LiteRT, in C++: what they tell of their work, whatever is set.
_CHATTER = re.compile(
    rb"fully_quantize: |INFO: |WARNING: All log messages before absl|[IW]\d{4} "
    rb"|\d{4}-\d\d-\d\d [\d:.]+: [IW] "
)


@contextlib.contextmanager
def stderr_in(file: IO[Any]) -> Iterator[None]:
    """What C++ writes to stderr goes to `file`, which has a descriptor."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        os.dup2(file.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Drops C++'s lines of information from stderr; all other lines come when the context ends."""
    with tempfile.TemporaryFile() as kept_back:
        try:
            with stderr_in(kept_back):
                yield
        finally:
            kept_back.seek(0)
            for line in kept_back:
                if not _CHATTER.match(line):
                    os.write(2, line)
