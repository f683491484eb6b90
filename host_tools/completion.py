"""`squeezenet-mcu completion bash`: what a shell needs to complete verbs, options, boards and models.

A script without our program in it: to start Python at each press of the key would take a second. It is kept
in a file; a new board, or a new version of the program, wants it made again.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.paths import CONFIGS
from squeezenet_mcu.host_tools.boards import board_toml

NAME = "completion"
HELP = "print the script by which bash, zsh or fish completes this program's words"
EXAMPLES = """\
  squeezenet-mcu completion bash > ~/.local/share/bash-completion/completions/squeezenet-mcu
  squeezenet-mcu completion zsh >> ~/.zshrc
  squeezenet-mcu completion fish > ~/.config/fish/completions/squeezenet-mcu.fish"""

PROGRAM = "squeezenet-mcu"
# Values that are not in an option's `choices`.
_BOARDS, _MODELS = "--board", "--model"


@dataclass(frozen=True)
class Option:
    """`values`: what can follow it; empty where that is a file or free. `flag`: nothing follows."""

    name: str
    help: str
    flag: bool
    values: tuple[str, ...]


@dataclass(frozen=True)
class Verb:
    """One that the program has: its line of --help, its options, and words or files that stand alone."""

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...]
    files: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("shell", choices=tuple(_SHELLS), help="whose script")


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    terminal.echo(_SHELLS[args.shell](verbs()), end="")
    return 0


def verbs() -> list[Verb]:
    """The verbs that can be used here."""
    from squeezenet_mcu.host_tools import console  # which knows all modules, this one too

    found = []
    for command in console.commands():
        parser = argparse.ArgumentParser(add_help=False)
        command.add_arguments(parser)
        options = tuple(_option(action) for action in parser._actions if _shown(action))
        alone = [action for action in parser._actions if not action.option_strings]
        words = tuple(str(word) for action in alone for word in action.choices or ())
        files = bool(alone) and not words
        found.append(Verb(command.NAME, command.HELP, options, words, files))
    return found


def _shown(action: argparse.Action) -> bool:
    return bool(action.option_strings) and action.help != argparse.SUPPRESS


def _option(action: argparse.Action) -> Option:
    name = action.option_strings[-1]
    values = tuple(str(choice) for choice in action.choices or ())
    if name == _BOARDS:
        values = tuple(board_toml.names())
    if name == _MODELS:
        values = tuple(sorted(path.stem for path in CONFIGS.glob("*.toml")))
    return Option(name, action.help or "", action.nargs == 0, values)


# `compgen -W` would run what is in the names of folders: words are compared here, and only plain ones taken.
_BASH = r"""# Completes @PROGRAM@ in bash, and in zsh by bashcompinit; made by: @PROGRAM@ completion
_@NAME@() {
  local word="${COMP_WORDS[COMP_CWORD]}" verb="${COMP_WORDS[1]}" option="" front="" words="" each=""
  [[ $COMP_CWORD -gt 1 ]] && option="${COMP_WORDS[COMP_CWORD-1]}"
  if [[ $word == "=" ]]; then  # to bash, --board=rp is three words, to zsh one
    word=""
  elif [[ $option == "=" ]]; then
    option="${COMP_WORDS[COMP_CWORD-2]}"
  elif [[ $word == --*=* ]]; then
    option="${word%%=*}" front="${word%%=*}=" word="${word#*=}"
  fi
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    words="@VERBS@ --help --version"
  else
    case "$verb $option" in
@VALUES@
      *) case "$verb" in
@OPTIONS@
      esac ;;
    esac
  fi
  for each in $words; do
    [[ $each == "$word"* ]] && COMPREPLY+=("$front$each")
  done
  if [[ $option == "--model" ]]; then
    for each in build/*/manifest.json; do
      each="${each#build/}" each="${each%/manifest.json}"
      [[ $each =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ && $each == "$word"* ]] && COMPREPLY+=("$front$each")
    done
  fi
  return 0
}
complete -o default -F _@NAME@ @PROGRAM@
"""
_ZSH = "autoload -Uz compinit bashcompinit\ncompinit -C\nbashcompinit\n"
_NAME = PROGRAM.replace("-", "_")


def _filled(text: str, **places: str) -> str:
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text


def bash(found: Sequence[Verb]) -> str:
    """The script for bash. Nothing in it comes from files: names of boards, models and options are plain."""
    values, options = [], []
    for verb in found:
        free = [f'"{verb.name} {o.name}"' for o in verb.options if not o.flag and not o.values]
        if free:
            values.append(f"      {'|'.join(free)}) ;;")
        for option in verb.options:
            if option.values:
                values.append(f'      "{verb.name} {option.name}") words="{" ".join(option.values)}" ;;')
        words = " ".join((*verb.words, *(option.name for option in verb.options), "--help"))
        only = "[[ -n $word ]] && " if verb.files else ""  # nothing yet: files, which the shell completes
        options.append(f'        {verb.name}) {only}words="{words}" ;;')
    return _filled(
        _BASH,
        PROGRAM=PROGRAM,
        NAME=_NAME,
        VERBS=" ".join(verb.name for verb in found),
        VALUES="\n".join(values),
        OPTIONS="\n".join(options),
    )


def zsh(found: Sequence[Verb]) -> str:
    """The script for zsh: bash's, with what lets zsh take it."""
    return _ZSH + bash(found)


def fish(found: Sequence[Verb]) -> str:
    """The script for fish, which shows the help beside each word."""
    lines = [f"# Completes {PROGRAM} in fish; made by: {PROGRAM} completion fish"]
    names = " ".join(verb.name for verb in found)
    first = f"not __fish_seen_subcommand_from {names}"
    for verb in found:
        lines.append(_fish(first, f"-f -a {verb.name}", verb.help))
        inside = f"__fish_seen_subcommand_from {verb.name}"
        if verb.words:
            lines.append(_fish(inside, f"-f -a {_quoted(' '.join(verb.words))}", ""))
        for option in verb.options:
            more = (
                ""
                if option.flag
                else f" -x -a {_quoted(' '.join(option.values))}"
                if option.values
                else " -r"
            )
            lines.append(_fish(inside, f"-l {option.name.removeprefix('--')}{more}", option.help))
    return "\n".join(lines) + "\n"


def _fish(condition: str, words: str, help: str) -> str:
    about = f" -d {_quoted(terminal.one_line(help, 80))}" if help else ""
    return f"complete -c {PROGRAM} -n {_quoted(condition)} {words}{about}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SHELLS: dict[str, Callable[[Sequence[Verb]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
