"""Programs that are called end with us, however early we end."""

import os
import subprocess
import sys

import pytest

from squeezenet_mcu.common import programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")


def test_arguments_reach_the_program_as_they_are():
    arguments = ["a b", "$HOME", "", "'", "--", "*"]
    command = programs.ending_with_us([sys.executable, "-c", "import sys; print(sys.argv[1:])", *arguments])
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == f"{arguments}\n"


def test_nothing_starts_for_who_has_ended_already(monkeypatch):
    """Between the fork and prctl() the starter may be killed: the kernel then tells the program nothing."""
    monkeypatch.setattr(os, "getpid", lambda: 1 << 30)  # any process but the one that starts it
    command = programs.ending_with_us([sys.executable, "-c", "print('runs')"])
    monkeypatch.undo()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 1)
