"""Messages name options and commands as their reader types them."""

import ast
import re

import pytest

from squeezenet_mcu.common import start
from squeezenet_mcu.common.command_line import spoken
from squeezenet_mcu.common.paths import ROOT
from squeezenet_mcu.host_tools import console

SAID = [  # as written, under make, from python -m
    ("give a folder: CALIBRATION=folder (--calibration)", None, "give a folder: --calibration folder"),
    ("say TRUST=1 (--trust); a file", "say TRUST=1; a file", "say --trust; a file"),
    ("no --tflm-lib (TFLM_LIB=); see", "no TFLM_LIB=; see", "no --tflm-lib; see"),
    ("images show exactness (DATA=)", "images show exactness (DATA=)", "images show exactness (--data)"),
    ("name the classes (LABELS=) and", "name the classes (LABELS=) and", "name the classes (--labels) and"),
    ("openocd needs PORT=; ports: none", None, "openocd needs --port; ports: none"),
    ("or use TOOL=a or TOOL=b", "or use TOOL=a or TOOL=b", "or use --tool a or --tool b"),
    ("leave PREPROCESS= out", "leave PREPROCESS= out", "leave --preprocess out"),
    ("run: make convert MODEL=digits", None, "run: python -m convert --model digits"),
    ("run: make train MODEL=a.toml.", None, "run: python -m model train --model a.toml."),
    ("run: make flash MODEL=a BOARD='b c' ENGINE=tflm", None,
     "run: python -m host_tools flash --model a --board 'b c' --engine tflm"),
    ("make validate PORT=<its port>, or not", None,
     "python -m host_tools validate --port <its port>, or not"),
    ("as of: make selftest BOARD=x BUILD=1", None, "as of: python -m host_tools selftest --board x --build"),
    ("make convert ENGINE=tflm TFLITE=... says", None, "python -m convert --engine tflm --tflite ... says"),
    ("run: make zoo MODEL=a TEACHER=b; DATA= too", None, "run: make zoo MODEL=a TEACHER=b; --data too"),
    ("see make help; CMAKE_X=1 SQUEEZE_CORES=2", None, "see make help; CMAKE_X=1 SQUEEZE_CORES=2"),
    ("run first: python -m model train --model a.toml", "run first: make train MODEL=a.toml",
     "run first: python -m model train --model a.toml"),
    ("to make sure of it", None, "to make sure of it"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "make", "python"), SAID)
def test_each_way(said, make, python, monkeypatch):
    assert spoken.as_typed(said) == python
    monkeypatch.setattr(start, "by_make", lambda: True)
    assert spoken.as_typed(said) == (make or said.replace(" (--calibration)", ""))


def test_the_console_command(monkeypatch):
    monkeypatch.setitem(spoken._program, "name", "squeezenet-mcu")
    assert spoken.as_typed("python -m model card --model x") == "squeezenet-mcu card --model x"
    said = "run: make convert MODEL=digits; then: make flash"
    assert spoken.as_typed(said) == "run: squeezenet-mcu convert --model digits; then: squeezenet-mcu flash"


def test_what_it_knows_is_what_there_is():
    text = (ROOT / "Makefile").read_text()
    (listed,) = re.findall(r"^VARIABLES := ((?:.*\\\n)*.*)$", text, re.M)
    alone = {"PYTHON", "TEACHER", "CANDIDATES"}  # of make, or of a verb that Python does not have
    assert {*spoken.VARIABLES, *spoken.SWITCHES} == set(listed.replace("\\\n", "").split()) - alone
    (switches,) = re.findall(r"^SWITCHES := (.*)$", text, re.M)
    assert set(spoken.SWITCHES) == set(switches.split())
    doors = {"model": console._MODEL, "convert": console._CONVERT, "host_tools": console._HOST_TOOLS}
    (verbs,) = re.findall(r"^VERBS := ((?:.*\\\n)*.*)$", text, re.M)
    for door, its in spoken.DOORS.items():
        assert set(its) == set(doors[door]) & set(verbs.replace("\\\n", "").split()), door


def printed():
    """The texts in the sources that are printed at once, and are no errors: (file, line, text)."""
    for path in (p for room in ("model", "convert", "host_tools") for p in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in ("print", "echo", "say", "_say"):
                yield path.relative_to(ROOT), node.lineno, ast.unparse(node)


def test_nothing_is_printed_around_it():
    """A line that names an option goes through as_typed, or is an error or a notice, which do."""
    names = "|".join((*spoken.VARIABLES, *spoken.SWITCHES))
    verbs = "|".join(verb for its in spoken.DOORS.values() for verb in its)
    leak = re.compile(rf"\b(?:{names})=|\bmake (?:{verbs})\b|python -m |(?<![\w-])--[a-z]{{3}}")
    leaks = [f"{path}:{line}: {text}" for path, line, text in printed() if leak.search(text)
             and "as_typed" not in text]  # fmt: skip
    assert not leaks
