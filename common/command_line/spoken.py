"""What we say names options as its reader types them: DATA=x and `make train`, or --data x and `python -m`.

Messages are written in either way, whichever reads better in the source; `as_typed` makes them the reader's.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from squeezenet_mcu.common import start

# What the Makefile takes beside a verb and hands on as an option of the same name, switches apart.
SWITCHES = (
    "BUILD", "CHECK", "DRY_RUN", "FRESH", "FUNCTIONS", "INSPECT", "LAYERS", "ONLY", "OPEN", "PUBLISH",
    "RESUME", "STAY", "TRUST",
    "UPDATE", "USB",
)  # fmt: skip
VARIABLES = (
    "A", "B", "BOARD", "CALIBRATION", "COMPRESS", "CORES", "DATA", "ELF", "ENCODING", "ENGINE",
    "ENGINE_LIMIT", "EPOCHS", "FAULTS", "FIT", "FLASH_BYTES", "IMAGE", "INIT", "JSON", "KERNELS",
    "KERNEL_FAMILY", "KEY", "LABELS", "LIMIT", "LISTEN", "MAX_FLASH", "MAX_MS", "MAX_SRAM",
    "MIN_ACCURACY", "MODEL", "NAME", "OLD", "OPTIMIZE", "PACKAGE", "PORT", "PORTS", "PREPROCESS",
    "PROTOCOL", "REPORT", "RUNS", "SAVE", "SEED", "SOURCE", "SPEED", "SRAM_BYTES", "TFLITE",
    "TFLM_ARENA_BYTES", "TFLM_INCLUDE", "TFLM_LIB", "TIME", "TOOL", "TRACE", "URL", "WEIGHTS",
    "WEIGHT_BITS", "WORKERS",
)  # fmt: skip
# The verbs that Python has, and its module with each.
DOORS = {
    "model": (
        "train", "prune", "cluster", "quantize", "preview", "import", "evaluate", "search", "curves",
        "weights",
    ),
    "convert": ("convert",),
    "host_tools": (
        "analyze", "bench", "boards", "claims", "classify", "compare", "demo", "firmware", "flash", "key",
        "live", "profile", "report", "report-hardware", "selftest", "simulate", "sizes", "summary", "upload",
        "validate", "web",
    ),
}  # fmt: skip
_VERBS = {verb: door for door, verbs in DOORS.items() for verb in verbs}
_NAMES = "|".join(sorted((*SWITCHES, *VARIABLES), key=len, reverse=True))
# As a shell takes it for one word, or a word that stands for one: PORT=<its port>, or ... for many.
_VALUE = r"""(?:'[^']*'|<[^<>]*>|\.\.\.|[^\s;,()'"]*[^\s;,()'".:?]|)"""
_VARIABLE = rf"(?<![\w-])({_NAMES})=({_VALUE})"
_program = {"name": "python -m"}


@contextlib.contextmanager
def speaking_as(prog: str) -> Iterator[None]:
    """`prog`: what the user has typed, "squeezenet-mcu" or "python -m model"; commands are given so."""
    before = _program["name"]
    _program["name"] = "python -m" if prog.startswith("python -m") else prog
    try:
        yield
    finally:
        _program["name"] = before


def as_typed(text: str, options: Mapping[str, Any] | None = None) -> str:
    """`text` as who has started this program knows its options and commands.

    Under make, NAME=value and `make VERB`; else --name value, and `python -m model VERB` or the like.
    `options`: the value of each by its name, as argparse has them; for values with blanks in them.
    """
    if not start.by_make():
        return _for_python(text)
    known = {name.lower(): name in SWITCHES or None for name in (*VARIABLES, *SWITCHES)}
    return _for_make(text, known | dict(options or {}))


def prog_as_typed(prog: str) -> str:
    """What an error begins with: under make, the verb of `prog` alone, "python -m model train"."""
    return re.sub(r"^python -m (?:(?:model|host_tools) )?", "", prog) if start.by_make() else prog


def _for_make(text: str, options: Mapping[str, Any]) -> str:
    text = re.sub(rf"\bpython -m (?:model |host_tools )?(?={'|'.join(_VERBS)})", "make ", text)
    for name, given in options.items():
        option, variable = f"--{name.replace('_', '-')}", name.upper()
        text = re.sub(rf" \({option}(?: [^ ()]+)?\)", "", text)  # said beside the variable
        text = re.sub(rf"({option}(?: [^ ()]+)?) \({variable}=\)", r"\1", text)
        if isinstance(given, bool):
            text = re.sub(rf"{option}(?![\w-])", f"{variable}=1", text)
        # What follows is its value where it is what was typed, or one word before a comma or the like.
        value = rf"{re.escape(str(given))}(?![\w-])|[^\s:;,()]+(?=[:;,]|$| --| [A-Z])"
        text = re.sub(rf"{option} ({value})", rf"{variable}=\1", text)
        text = re.sub(rf"{option}(?![\w-])", f"{variable}=", text)
    return text


def _for_python(text: str) -> str:
    # Beside the option, or with it in brackets: said twice, in both languages.
    text = re.sub(rf"(--[\w-]+) \((?:{_NAMES})=\)", r"\1", text)
    text = re.sub(rf"{_VARIABLE} \(--[\w-]+(?: [^ ()]+)?\)", lambda found: _option(found[1], found[2]), text)
    commands = rf"(?<![\w-])make ([a-z-]+)((?: (?:{_VARIABLE}|[A-Z_]+={_VALUE}))*)"
    kept: list[str] = []

    def command(found: re.Match[str]) -> str:
        if found[1] not in _VERBS:  # make's alone: its words stay
            kept.append(found[0])
            return "\0"
        return f"{_command(found[1])}{_variables(found[2])}"

    text = commands_as_typed(_variables(re.sub(commands, command, text)))
    for words in kept:
        text = text.replace("\0", words, 1)
    return text


def commands_as_typed(text: str) -> str:
    """`text` with the console command's name in place of `python -m`, for who calls that."""
    name = _program["name"]
    if name == "python -m":
        return text
    return re.sub(r"\bpython -m (?:(?:model|host_tools) )?(?=[a-z])", f"{name} ", text)


def _command(verb: str) -> str:
    if _program["name"] != "python -m":
        return f"{_program['name']} {verb}"
    door = _VERBS[verb]
    return f"python -m {door}" if door == verb else f"python -m {door} {verb}"


def _variables(text: str) -> str:
    return re.sub(_VARIABLE, lambda found: _option(found[1], found[2]), text)


def _option(name: str, value: str) -> str:
    option = f"--{name.lower().replace('_', '-')}"
    return option if name in SWITCHES or not value else f"{option} {value}"
