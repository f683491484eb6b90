"""The host's side without what only Unix has: it imports, and says in one line what else a system lacks."""

import subprocess
import sys

import pytest

from squeezenet_mcu.common import programs

# pyserial has a module for each system. Its module for Unix needs fcntl, so a stand-in takes its place.
PROGRAM = """
import sys, types
for name in ("fcntl", "termios", "pwd"):
    sys.modules[name] = None
posix = types.ModuleType("serial.serialposix")
posix.Serial = posix.PosixPollSerial = posix.VTIMESerial = type("Serial", (), {})
sys.modules["serial.serialposix"] = posix
"""
EVERY_MODULE = (
    PROGRAM
    + """
import importlib, pkgutil
from squeezenet_mcu import common, host_tools
import squeezenet_mcu.convert.command  # and what it imports: the host's engine, whose build takes a lock
names = []
for room in (common, host_tools):
    for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        names.append(module.name)
        # Those two import TensorFlow: it takes half a minute, and has wheels of its own for each system.
        if not module.name.endswith(("__main__", "common.tf", "search.figures")):
            importlib.import_module(module.name)
print(len(names))
"""
)
CONSOLE = (
    PROGRAM
    + """
from squeezenet_mcu.host_tools.console import main
sys.exit(main())
"""
)


def run(program: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_host_tools_import_without_fcntl_termios_and_pwd():
    assert int(run(EVERY_MODULE)) > 50


def test_the_command_line_works_without_fcntl_termios_and_pwd():
    said = run(CONSOLE, "--help")
    assert "validate" in said
    assert "not usable here" not in said
    for verb in ("validate", "flash", "selftest", "simulate", "convert"):
        assert run(CONSOLE, verb, "--help").startswith(f"usage: squeezenet-mcu {verb} ")


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ("linux", "ninja is not installed; run: sudo apt-get install ninja-build"),
        (
            "darwin",
            "ninja is not installed; install it so that it is on PATH (Debian's package: ninja-build)",
        ),
        (
            "win32",
            "ninja is not installed; install it so that it is on PATH (Debian's package: ninja-build; "
            "on Windows, WSL has them all)",
        ),
    ],
)
def test_a_missing_program_names_apt_get_only_where_there_is_one(monkeypatch, system, message):
    monkeypatch.setattr(programs.sys, "platform", system)
    assert str(programs.missing_program("ninja", "ninja-build")) == message
