"""`classify` with a network: the host's engine, an emulated board and LiteRT give the same answers."""

import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from squeezenet_mcu.common.data import sources
from tests.e2e import verbs
from tests.host_tools.test_light_host import NOT_IN_HOST, PROGRAM


@pytest.fixture(scope="module")
def digits(workplace):
    """A folder of twelve of the model's test images as PNG, named by their class, and a broken one."""
    found = sources.load("digits", "test", 28, 28, 1, limit=12)
    folder = workplace / "photos of digits"
    folder.mkdir()
    for number, (image, label) in enumerate(zip(found.x, found.y, strict=True)):
        Image.fromarray(image[..., 0]).save(folder / f"{label} {number}.png")
    (folder / "broken.png").write_bytes(b"broken")
    return folder


def answers(workplace, *words: str) -> tuple[list, str]:
    said = verbs.succeed(
        workplace, "host_tools", "classify", "photos of digits", "--json", "answers.json", *words
    )
    found = json.loads((workplace / "answers.json").read_text())
    assert len(found["pictures"]) == 12 and len(found["unreadable"]) == 1
    return found, said


def test_this_computer_and_an_emulated_board_say_the_same(workplace, digits):
    here, said = answers(workplace, "--save", "sheet.png")
    assert said.startswith("digits, by our engine on this computer:\n  photos of digits/0 ")
    named = [picture["file"].removeprefix("photos of digits/")[0] for picture in here["pictures"]]
    right = [picture["top"][0]["name"] == name for picture, name in zip(here["pictures"], named, strict=True)]
    assert sum(right) >= 11
    assert all(picture["milliseconds"] is None for picture in here["pictures"]) and here["cost"] is None
    assert Image.open(workplace / "sheet.png").size[0] > 900
    verbs.succeed(workplace, "host_tools", "firmware", "--model", "digits", "--board", "stm32f405")
    emulated, said = answers(workplace, "--board", "stm32f405")
    assert said.startswith("digits, by the emulated stm32f405:\n")
    assert emulated["pictures"] == here["pictures"]  # its counter counts instructions: no milliseconds
    assert 0 < emulated["cost"]["milliseconds"] < 1000 and " ms an image at 168 MHz: " in said


def test_a_light_host_without_a_compiler_says_the_same(workplace, digits):
    here, _ = answers(workplace)
    program = PROGRAM.format(blocked=NOT_IN_HOST)
    words = ["classify", "photos of digits", "--json", "light.json"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=workplace, env=os.environ | {"PATH": str(workplace)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.startswith("note: cmake is not installed; ")
        and "by LiteRT on this computer" in done.stdout
    )
    assert json.loads((workplace / "light.json").read_text())["pictures"] == here["pictures"]
