"""docs/python.md: its programs run as written, against the fake device."""

import re

import pytest

from tests.host_programs import ROOT
from tests.host_tools.link.link_lines import on_socket
from tests.protocol.link_binaries import FakeDevice, random_images

PROGRAMS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_of_the_page(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    imports = "\n".join(line for line in PROGRAMS[0].splitlines() if "import" in line)
    with on_socket(FakeDevice()) as url:
        program = PROGRAMS[number].replace("/dev/ttyACM0", url)
        exec(f"{imports}\n{program}", {"images": random_images(3), "image": random_images(1)[0]})
    said = capsys.readouterr().out
    assert number or said.startswith("fake 4 3 1\n")


def test_there_are_programs():
    assert len(PROGRAMS) == 3
