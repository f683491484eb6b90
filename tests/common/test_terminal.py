"""Text of files, devices and names neither steers the terminal nor is taken for markup."""

import io
import sys

import pytest
from rich.progress import Progress
from rich.table import Table

from squeezenet_mcu.common import cli, terminal
from squeezenet_mcu.common.errors import UserError

NAMES = {
    "my pics[/x]": "my pics[/x]",
    "pics [old]": "pics [old]",
    "[bold]loud[/bold]": "[bold]loud[/bold]",
    "\x1b[31mred\x1b[0m": "?[31mred?[0m",
    "\x1b]0;title\x07": "?]0;title?",
    "\x9b31m": "?31m",
    "up\x08\x08\x7f": "up???",
    "over\rwritten": "over?written",
    "right\u202eto left": "right?to left",
    ":smile:": ":smile:",
    "ä 漢 €": "ä 漢 €",
}
EACH = pytest.mark.parametrize(("name", "seen"), NAMES.items(), ids=map(ascii, NAMES))


def console():
    return terminal.Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None)


@EACH
def test_a_line_of_a_console(name, seen):
    to = console()
    to.print(f"board {name}")
    assert to.file.getvalue() == f"board {seen}\n"


@EACH
def test_a_cell_title_and_heading_of_a_table(name, seen):
    to, table = console(), Table(title=f"title {name}", caption=name)
    table.add_column(f"head {name}")
    table.add_row(f"cell {name}")
    to.print(table)
    text = to.file.getvalue()
    assert all(f"{place} {seen}" in text for place in ("title", "head", "cell"))
    assert "\x1b" not in text


@EACH
def test_a_progress_bar(name, seen):
    to = console()
    with Progress(terminal.TextColumn("{task.description} {task.fields[x]}"), console=to) as progress:
        progress.add_task(f"board {name}", total=1, x=name)
        progress.refresh()
        shown = "".join(progress.columns[0](task).plain for task in progress.tasks)
    assert shown.isprintable()
    assert shown == f"board {seen} {seen}" or shown.count("?") < 2 * seen.count("?")  # rich drops some itself


@EACH
def test_echo_and_errors(name, seen, capsys):
    terminal.echo(f"wrote {name}")
    terminal.error(f"no {name}")
    assert cli.failed(UserError(f"{name}: missing"), "convert") == 1
    out, err = capsys.readouterr()
    assert (out, err) == (f"wrote {seen}\n", f"no {seen}\nconvert: error: {seen}: missing\n")


@EACH
def test_a_mistake_on_the_command_line(name, seen, capsys):
    with pytest.raises(SystemExit, match=r"^1$"):
        cli.Parser(prog="convert").parse_args([f"--no{name}"])
    assert capsys.readouterr().err == f"convert: error: unrecognized arguments: --no{seen}; see --help\n"


def test_tracking_goes_through_all(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert list(terminal.track([1, 2, 3], "reading pics[/x]")) == [1, 2, 3]
    assert list(terminal.track([1], "reading", disable=True)) == [1]


def test_a_line_that_is_written_over_may_begin_with_a_carriage_return(capsys):
    terminal.echo("\r1/2\r", end="")
    assert capsys.readouterr().out == "\r1/2?"


@pytest.mark.parametrize(("text", "line"), [("a\n  b\tc\x1b", "a b c?"), ("x" * 300, "x" * 200)])
def test_one_line(text, line):
    assert terminal.one_line(text) == line
