"""Command lines of sub-commands, one module each: NAME, HELP, EXAMPLES, add_arguments(parser), run(args)."""

import argparse
import contextlib
import errno
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, Protocol

from squeezenet_mcu.common import start, terminal
from squeezenet_mcu.common.command_line import spoken
from squeezenet_mcu.common.command_line.nearest import did_you_mean
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.programs import missing_package
from squeezenet_mcu.common.version import DISTRIBUTION, version


class Command(Protocol):
    """What a sub-command's module offers. `run` returns the exit status."""

    NAME: str
    HELP: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line and status 1, as everywhere here."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's; an empty value is a mistake too: it is what an unset variable of a script leaves."""
        given = sys.argv[1:] if args is None else list(args)
        for before, word in zip(["", *given], given, strict=False):
            if word == "" or re.fullmatch(r"--[\w-]+=", word):
                option = before if word == "" else word[:-1]
                self.error(f"{option or 'an argument'}: is empty; want a value")
        found, unknown = super().parse_known_args(given, namespace)
        if unknown:
            option = unknown[0].partition("=")[0]
            hint = did_you_mean(option, self._options(found)) if option.startswith("--") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return found

    def _options(self, found: argparse.Namespace) -> Iterator[str]:
        """The long options of this parser, and of the sub-command that `found` names."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                parser = action.choices.get(getattr(found, action.dest, ""))
                yield from parser._options(found) if isinstance(parser, Parser) else ()
            elif action.help != argparse.SUPPRESS:
                yield from (option for option in action.option_strings if option.startswith("--"))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As argparse's, which says what can be chosen; with what was meant, where something is like it."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean(str(value), [str(choice) for choice in action.choices or ()])
            raise

    def error(self, message: str) -> NoReturn:
        options = {action.dest: False if action.nargs == 0 else None for action in self._actions}
        said = as_typed(terminal.one_line(message, _LONG), options)
        said += "" if re.search(r"; did you mean [^;]+\?$", said) else ";"
        more = "make help" if start.by_make() else "--help"
        self.exit(1, f"{spoken.prog_as_typed(self.prog)}: error: {said} see {more}\n")


def add_version(parser: argparse.ArgumentParser) -> None:
    """--version, the same on every command line."""
    parser.add_argument("--version", action="version", version=f"{DISTRIBUTION} {version()}")


_LONG = 1000  # characters of an error
_OF_WRITING = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_GOES = "0.3.0"  # the version that no longer knows the old spellings


def _note_rename(old: str, new: str) -> None:
    terminal.error(f"note: {old} is now {new}; the old spelling goes with version {_GOES}")


def add_old_spelling(parser: argparse.ArgumentParser, old: str, new: str) -> None:
    """Lets `old` do what the parser's option `new` does, with a notice; --help does not show it."""
    (option,) = (action for action in parser._actions if new in action.option_strings)

    class Old(argparse.Action):
        def __call__(
            self,
            given: argparse.ArgumentParser,
            namespace: argparse.Namespace,
            values: object,
            option_string: str | None = None,
        ) -> None:
            _note_rename(option_string or old, new)
            setattr(namespace, self.dest, values)

    parser.add_argument(
        old,
        action=Old,
        dest=option.dest,
        choices=option.choices,
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
    )


def value_with_old_spelling(option: str, old: str, new: str) -> Callable[[str], str]:
    """The `type` of `option`, one of whose values was called `old`: that goes on working, with a notice."""

    def value(text: str) -> str:
        if text != old:
            return text
        _note_rename(f"{option} {old}", f"{option} {new}")
        return new

    return value


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def guarded(run: Callable[[argparse.Namespace], int], args: argparse.Namespace, prog: str) -> int:
    """`run(args)`; a mistake the user can mend becomes one line and status 1, an interruption status 130.

    Being told to end (SIGTERM), or losing the terminal (SIGHUP), counts as Ctrl-C: what was started, an
    emulator say, ends too.
    """
    _open_streams()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _interrupt)
    try:
        status = run(args)
        sys.stdout.flush()
        return status
    except UserError as error:
        return failed(UserError(as_typed(str(error), vars(args))), prog)
    except ModuleNotFoundError as error:  # commands import what is large when they run
        return failed(missing_package(error), prog)
    except OSError as error:  # a full disk, a folder that is not to be written in
        _drop_output()
        where = error.filename or ("the output" if error.errno in _OF_WRITING else "")
        said = f"{where}{': ' if where else ''}{error.strerror or error}"
        terminal.error(f"{spoken.prog_as_typed(prog)}: error: {said}")
        return 1
    except KeyboardInterrupt:
        terminal.error(f"\n{spoken.prog_as_typed(prog)}: interrupted")
        return 130


def _open_streams() -> None:
    """Opens standard input, output and error where they are closed (`>&-`).

    Else the next file or socket takes their number, and children take it for theirs.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nothing = Path(os.devnull).open("w", errors="backslashreplace")  # noqa: SIM115  # as long as we run
            setattr(sys, name, nothing)


def _drop_output() -> None:
    """If standard output takes no more, lets nothing try again: Python does as it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):  # no file, in a test
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def failed(error: UserError, prog: str) -> int:
    """Says it on stderr, in one line, whatever names are in it; returns the exit status."""
    said = terminal.printable(str(error))
    if len(said) > _LONG:  # a name of thousands of characters; the fix stands at the end
        said = f"{said[: _LONG // 2]} ... {said[-_LONG // 4 :]}"
    terminal.error(f"{spoken.prog_as_typed(prog)}: error: {said}")
    return 1


def examples(text: str, prog: str) -> str:
    """Examples that are written with `python -m`, as somebody types them who calls `prog`."""
    with spoken.speaking_as(prog):
        return spoken.commands_as_typed(text)


def parser_of(prog: str, description: str, commands: Sequence[Command], epilog: str | None = None) -> Parser:
    """The parser of a command line with these sub-commands. `epilog` ends its --help."""
    parser = Parser(
        prog=prog,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands:
        sub = subparsers.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.HELP,
            epilog="examples:\n" + examples(command.EXAMPLES, prog),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    return parser


def main(
    prog: str,
    description: str,
    commands: Sequence[Command],
    argv: Sequence[str] | None = None,
    epilog: str | None = None,
) -> int:
    """Parses `argv` and runs the sub-command it names; returns the exit status. See parser_of."""
    with spoken.speaking_as(prog):
        args = parser_of(prog, description, commands, epilog).parse_args(argv)
        return guarded(args.run, args, f"{prog} {args.command}")
