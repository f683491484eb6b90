"""Comments and docstrings of the sources name files and modules that exist."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
ROOMS = ("common", "model", "convert", "host_tools", "firmware_cpp")
SUFFIXES = {".py", ".h", ".cc", ".c"}
ENDS = "py|h|cc|c|ld|md|toml|cmake|js|json|svg"
PATH = re.compile(rf"(?<![\w./<>$}}-])((?:[\w-]+/)+[\w.-]*\w\.(?:{ENDS})|\w+\.(?:py|h|cc))\b")
MODULE = re.compile(
    rf"(?<![\w./])(?:squeezenet_mcu\.)?((?:common|model|convert|host_tools)(?:\.(?!(?:{ENDS}|sqz|tflite)\b)[a-z]\w*)+)\b"
)
C_COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
MADE = ("build/", "engine/squeeze_config.h", "model_io.h", "model_settings.h", "model_sqz.h")  # by a command
# Of Linux, of TFLM, and of Deep Compression's authors.
OTHERS = ("linux/", "micro_mutable_op_resolver.h", "debug_log.h", "decode.py")


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


FILES = tracked()
# A path may begin at any folder above its file: boards include "common/hooks.h", from firmware_cpp/boards/.
ENDINGS = {"/".join(parts[i:]) for parts in (file.split("/") for file in FILES) for i in range(len(parts))}


def python_comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.lineno, str(first.value.value)


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each comment and docstring."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from python_comments(text)
    elif path.name == "CMakeLists.txt":
        for i, line in enumerate(text.splitlines(), 1):
            yield i, line.partition("#")[2]
    else:
        for found in C_COMMENT.finditer(text):
            if not found[0].startswith('"'):
                yield text.count("\n", 0, found.start()) + 1, found[0]


def is_file(path: str) -> bool:
    return path.startswith((*MADE, *OTHERS)) or path in ENDINGS or f"{path}.in" in ENDINGS


def is_module(name: str) -> bool:
    """Whether a dotted name is a module of ours, or a name that a module of ours defines."""
    folder = REPO
    *parts, last = name.split(".")
    while parts and (folder / parts[0]).is_dir():
        folder /= parts.pop(0)
    if not parts and ((folder / last).is_dir() or (folder / f"{last}.py").exists()):
        return True
    if parts and (folder / f"{parts[0]}.py").exists():
        return defines(folder / f"{parts[0]}.py", (*parts[1:], last)[0])
    return False


def defines(module: Path, name: str) -> bool:
    return re.search(rf"^(?:def |class |)\b{name}\b", module.read_text(encoding="utf-8"), re.M) is not None


def sources() -> list[str]:
    kept = (Path(file) for file in FILES if file.startswith(tuple(f"{room}/" for room in ROOMS)))
    return [file.as_posix() for file in kept if file.suffix in SUFFIXES or file.name == "CMakeLists.txt"]


@pytest.mark.parametrize("room", ROOMS)
def test_comments_name_files_and_modules_that_exist(room):
    gone = []
    for source in sources():
        if source.startswith(f"{room}/"):
            for line, text in comments(REPO / source):
                gone += [f"{source}:{line}: {path}" for path in PATH.findall(text) if not is_file(path)]
                gone += [f"{source}:{line}: {name}" for name in MODULE.findall(text) if not is_module(name)]
    assert gone == []
