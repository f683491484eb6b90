"""A notice is said once a run: of a process, and of all that one make starts."""

import os
import subprocess
import sys

from squeezenet_mcu.common.command_line import notices

PROGRAM = """
import sys
from squeezenet_mcu.common import start
start.begin()
from squeezenet_mcu.common.command_line.notices import notice
for word in sys.argv[1:]:
    notice(word)
"""


def test_once_a_process(capsys):
    for text in ("3 images: left out", "other", "3 images: left out"):
        notices.notice(text)
    assert capsys.readouterr().out == "note: 3 images: left out\nnote: other\n"


def say(folder, *words, make=True):
    """What a program says that this process, or nobody, starts as make does."""
    environment = os.environ | {"ENDS_WITH_MAKE": str(os.getpid()) if make else ""}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_once_a_make(tmp_path):
    assert say(tmp_path, "a", "b DATA=") == ["note: a", "note: b DATA="]
    assert say(tmp_path, "a", "c", "b DATA=") == ["note: c"]
    assert say(tmp_path, "a", "b DATA=", make=False) == ["note: a", "note: b --data"]
    found = (tmp_path / "build/notices.json").read_text()
    (tmp_path / "build/notices.json").write_text(found.replace(str(os.getpid()), "1"))  # of another make
    assert say(tmp_path, "a") == ["note: a"]
    for damaged in ("", "[]", '{"run": 1}', "{", '{"said": "x"}'):
        (tmp_path / "build/notices.json").write_text(damaged)
        assert say(tmp_path, "a") == ["note: a"]
