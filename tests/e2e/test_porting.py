"""docs/porting.md: whoever follows it has a new board, and has changed nothing outside of its folder."""

import hashlib
import json
import re
import shlex
import shutil

import pytest

from tests.e2e import verbs

PAGE = verbs.REPO / "docs" / "porting.md"
BOARD = "mps2_an505"
FILES = {"board.toml", "memory.ld", "board_config.h", "board.cc"}


def blocks():
    """The page's fenced blocks: [(what follows the fence, text)]."""
    return re.findall(r"^```([^\n]*)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def sources():
    """A digest of all that a port must not touch."""
    digest = hashlib.sha256()
    for folder in ("firmware_cpp", "convert", "host_tools", "model"):
        for path in sorted((verbs.REPO / folder).rglob("*.*")):
            if path.is_file() and "__pycache__" not in path.parts and "node_modules" not in path.parts:
                digest.update(path.relative_to(verbs.REPO).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def commands():
    """What the page has typed for the board, as `python -m host_tools` takes it."""
    (text,) = [body for info, body in blocks() if info == "sh" and BOARD in body]
    for line in text.splitlines():
        make, verb, *settings = shlex.split(line)
        assert make == "make"
        options = (setting.split("=", 1) for setting in settings)
        yield [verb, *(word for name, value in options for word in (f"--{name.lower()}", value))]


@pytest.fixture(scope="module")
def ported(workplace, tmp_path_factory):
    """An empty folder but for the page's files, and a converted model."""
    folder = tmp_path_factory.mktemp("port")
    made = {info.split()[1]: body for info, body in blocks() if f" {BOARD}/" in info}
    assert set(made) == {f"{BOARD}/{name}" for name in FILES}
    for name, text in made.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    ours = shutil.ignore_patterns("firmware")
    shutil.copytree(workplace / "build" / "digits", folder / "build" / "digits", ignore=ours)
    return folder


@pytest.mark.long
def test_a_board_from_the_page_alone(ported):
    before = sources()
    typed = list(commands())
    assert [line[0] for line in typed] == ["selftest", "firmware", "validate"]
    for line in typed[:-1]:
        verbs.succeed(ported, "host_tools", *line)
    verbs.succeed(ported, "host_tools", *typed[-1], "--json", "report.json")
    report = json.loads((ported / "report.json").read_text())
    assert report["board"] == BOARD
    assert report["images"] == 50
    assert report["differing_values"] == 0
    assert sources() == before


def test_the_page_has_the_files_of_the_board():
    """In full, and no others."""
    ours = {path.name: path.read_text() for path in (verbs.REPO / "firmware_cpp/boards" / BOARD).iterdir()}
    assert {info.split()[1]: body for info, body in blocks() if f" {BOARD}/" in info} == {
        f"{BOARD}/{name}": text for name, text in ours.items()
    }


def test_the_page_describes_every_key_of_the_settings():
    """A key that a board uses is in the page's table."""
    text = PAGE.read_text()
    keys = set()
    for path in (verbs.REPO / "firmware_cpp" / "boards").glob("*/board.toml"):
        keys |= set(re.findall(r"^(\w+) = ", path.read_text(), re.M))
        keys |= set(re.findall(r"^\[+(\w+)\]+$", path.read_text(), re.M))
    unknown = {key for key in keys if not re.search(rf"`\[*{key}\]*`", text)}
    assert unknown == set()


def test_a_path_without_a_board_is_one_line(ported):
    line = verbs.error_line(ported, "host_tools", "selftest", "--board", "./nowhere")
    assert "nowhere/board.toml: no such file" in line
