"""`python -m tests.mutations.worker KIND FIRST COUNT FOLDER`: reads damaged files, each in a child process.

A program of its own, so that what a file costs is measured without what the tests themselves have in memory.
Prints a line of JSON for each: seed, status, what stderr said, seconds of the processor and of the clock,
megabytes at most.
"""

import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from random import Random

from tests.mutations.kinds import KINDS

SECONDS = 20  # of the processor
PATIENCE = 60  # seconds of the clock: tests share the machine, but who waits for ever uses no processor
CRASHED = 70  # sysexits.h: an internal error


def read_one(kind, number: int, sound, folder: Path) -> dict:
    """Damages one of the sound files, as the seed `number` says, and lets a child read the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(folder.with_name("sound"), folder, symlinks=True, copy_function=_copy)
    random = Random(number)
    name, content = sound[number % len(sound)]
    for other, whole in sound:
        # Of several formats of one kind there is one at a time; what belongs together is there.
        if other == name or Path(other).suffix != Path(name).suffix or "/" in other or len(sound) > 6:
            (folder / other).parent.mkdir(parents=True, exist_ok=True)
            (folder / other).write_bytes(whole)
    (folder / name).write_bytes(kind.damage(random, content))
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _child(kind, folder)
    _, status, usage = os.wait4(child, 0)
    said = (folder.parent / "stderr").read_text(encoding="utf-8", errors="backslashreplace")
    return {
        "seed": number,
        "file": name,
        "status": os.waitstatus_to_exitcode(status),
        "said": said[-2000:],
        "seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "clock": round(time.monotonic() - began, 3),
        "megabytes": usage.ru_maxrss // 1024,
    }


def _copy(source, target):
    return os.mkfifo(target) if Path(source).is_fifo() else shutil.copy2(source, target)


def _child(kind, folder: Path) -> None:
    status = CRASHED
    try:
        for stream, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(folder.parent / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.chdir(folder)
        status = kind.read(folder)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else CRASHED
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main(name: str, first: int, count: int, folder: Path) -> None:
    kind = KINDS[name]()
    whole = folder / "sound"
    whole.mkdir(parents=True)
    sound = kind.sound(whole)
    for number in range(first, first + count):
        print(json.dumps(read_one(kind, number, sound, folder / "damaged")), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
