"""The command lines: each verb is the command that its module says, and the Makefile's verbs exist."""

import importlib
import re

import pytest

from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.host_tools import console

VERBS = console._MODEL | console._CONVERT | console._HOST_TOOLS
MAKEFILE = (FIRMWARE.parent / "Makefile").read_text()


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_its_modules_name(verb):
    command = importlib.import_module(f"squeezenet_mcu.{VERBS[verb]}")
    assert verb == command.NAME
    assert command.HELP and f" {verb}" in command.EXAMPLES


def test_no_verb_belongs_to_two_command_lines():
    assert len(VERBS) == len(console._MODEL) + len(console._CONVERT) + len(console._HOST_TOOLS)


def test_the_makefile_calls_verbs_that_exist():
    called = re.findall(r"-m (model|host_tools) ([a-z_-]+)", MAKEFILE)
    assert len(called) >= 15
    for line, verb in called:
        assert verb in {"model": console._MODEL, "host_tools": console._HOST_TOOLS}[line], f"{line} {verb}"


def test_help_lists_every_verb(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        console.main(["--help"])
    listed = re.findall(r"^    ([a-z_-]+)(?:  |$)", capsys.readouterr().out, re.M)
    assert sorted(listed) == sorted(VERBS)
