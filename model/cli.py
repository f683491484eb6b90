"""Command lines of sub-commands, one module each: NAME, HELP, EXAMPLES, add_arguments(parser), run(args)."""

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from model.errors import UserError


class Command(Protocol):
    """What a sub-command's module offers. `run` returns the exit status."""

    NAME: str
    HELP: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


def guarded(function: object, args: argparse.Namespace, prog: str) -> int:
    """Runs `function(args)`; a UserError becomes one line and status 1, Ctrl-C one line and status 130."""
    try:
        return function(args)  # type: ignore[operator]
    except UserError as error:
        print(f"{prog}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{prog}: interrupted", file=sys.stderr)
        return 130


def main(prog: str, description: str, commands: Sequence[Command], argv: Sequence[str] | None = None) -> int:
    """Parses `argv` and runs the sub-command it names; returns the exit status."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands:
        sub = subparsers.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.HELP,
            epilog="examples:\n" + command.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    args = parser.parse_args(argv)
    return guarded(args.run, args, f"{prog} {args.command}")
