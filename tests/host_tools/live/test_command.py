"""The command around a session: what it leaves when that ends badly."""

import contextlib
import json
from pathlib import Path

import pytest

from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.link.errors import PortError
from squeezenet_mcu.host_tools.live import command, session
from squeezenet_mcu.host_tools.live.totals import Totals
from squeezenet_mcu.host_tools.validate.inputs import Artefacts
from tests.host_tools.live.stand_in import Board, Python, pictures
from tests.manifests import manifest


@pytest.fixture
def run(monkeypatch, tmp_path):
    """`live` for 5 images of an emulated `board`, which starts as often as `starts` says; its JSON if any."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session.time, "sleep", lambda seconds: None)
    about = manifest()
    monkeypatch.setattr(
        command, "load_artefacts", lambda model: Artefacts(about, b"model", Path("build/toy"))
    )
    monkeypatch.setattr(command.Reference, "of", lambda *_: Python())
    monkeypatch.setattr(command.sources, "of", lambda *_: pictures(20, about))
    monkeypatch.setattr(command, "_estimated", lambda *_: None)

    def live(board, starts):
        left = iter(range(starts))

        @contextlib.contextmanager
        def connect():
            if next(left, None) is None:
                raise PortError("toy: ended with status 1")
            yield session.Here(board, "at toy")

        monkeypatch.setattr(command, "connector", lambda *_: connect)
        words = ["--model=toy", "--board=stm32f405", "--listen=127.0.0.1:0", "--limit=5", "--json=live.json"]
        status = console.host_tools(["live", *words])
        written = Path("live.json")
        return status, json.loads(written.read_text()) if written.exists() else None

    return live


def test_figures_are_kept_where_the_emulator_does_not_start_again(run, capsys):
    def ends_at_3(number):
        if number == 3:
            raise PortError("toy: it went away")

    status, kept = run(Board(ends_at_3), starts=1)
    said = capsys.readouterr()
    assert status == 1 and said.err.count("\n") == 1 and "ended with status 1" in said.err
    assert "3 images on toy_board, 3 of them exact" in said.out
    assert (kept["images"], kept["times_away"]) == (3, 1)


def test_an_emulator_that_never_starts_leaves_nothing(run, capsys):
    status, kept = run(Board(), starts=0)
    said = capsys.readouterr()
    assert (status, kept) == (1, None) and "ended with status 1" in said.err and "exact" not in said.out


def test_names_of_what_is_given_up_are_not_collected_for_ever():
    totals = Totals()
    for number in range(1000):
        totals.give_up(f"{number}.png")
    assert totals.images_given_up == totals.tried == 1000 and not totals.sound
    assert totals.given_up == [f"{number}.png" for number in range(100)]
