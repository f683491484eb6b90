"""Pictures go to device and Python; the device may go away, and no image is lost or counted twice."""

import dataclasses
import threading

import pytest

from squeezenet_mcu.host_tools.link.errors import PortError
from squeezenet_mcu.host_tools.live import command, messages
from squeezenet_mcu.host_tools.live import session as sessions
from squeezenet_mcu.host_tools.live.source import Camera
from squeezenet_mcu.host_tools.live.totals import Totals
from squeezenet_mcu.host_tools.validate.devices import Way
from tests.host_tools.live.stand_in import Board, Live, away, heard
from tests.manifests import manifest


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sessions, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(sessions, "_LOOK", 0.01)


def losing(*numbers: int):
    """Goes away in the midst of the images of these numbers, counted with those that are sent again."""

    def before(number: int) -> None:
        if number in numbers:
            raise away()

    return before


def test_all_images_are_compared():
    with Live(Board(), labels=[f"class {i}" for i in range(10)]) as live:
        live.session.run(30)
        totals = live.session.totals
        assert (totals.images, totals.exact_images, totals.agreement, totals.sound) == (30, 30, 1.0, True)
        assert totals.values == 30 * 20
        assert live.lines == ["toy_board: connected (at toy)"]
        with live.open() as page:
            last = heard(page, lambda told: told["type"] == "figures")
        results = [told for told in last if told["type"] == "result"]
        assert [told["number"] for told in results] == list(range(19, 31))  # the last twelve
        first = results[-1]["classes"][0]
        assert first["said"] == ["96.9 %", "96.9 %"] and first["equal"] and results[-1]["differing"] == 0
        assert results[-1]["ms"] == 16.25
        assert dict(last[-1]["lines"])["An image"] == "16.25 ms by the board's own counter at 168 MHz"


def test_a_device_that_goes_away_and_comes_back():
    board = Board(losing(3, 10))
    with Live(board) as live:
        live.refusals = []
        connect, live.session._connect = live.session._connect, None

        def again():
            if live.session.totals.losses == 1 and not again.refused:
                again.refused = True
                raise PortError("toy: not there yet")
            return connect()

        again.refused = False
        live.session._connect = again
        live.session.run(20)
        totals = live.session.totals
        assert (totals.images, totals.exact_images, totals.losses) == (20, 20, 2)
        assert board.count == 22  # two images were sent again
        assert live.lines == [
            "toy_board: connected (at toy)",
            "away: toy: it went away; plug it in",
            "still away: toy: not there yet",
            "toy_board: back (at toy)",
            "away: toy: it went away; plug it in",
            "toy_board: back (at toy)",
        ]


def test_a_device_that_is_away_for_days(monkeypatch):
    """Many attempts, and a line of each new reason: another model was flashed, say."""
    monkeypatch.setattr(sessions.time, "sleep", lambda seconds: None)
    with Live(Board(losing(3))) as live:
        connect, reasons = live.session._connect, [PortError(f"toy: silent for {i} s") for i in range(2000)]
        reasons.insert(1000, PortError("toy: runs another model"))

        def again():
            if live.session.totals.losses and reasons:
                raise reasons.pop()
            return connect()

        live.session._connect = again
        live.session.run(5)
        assert live.session.totals.images == 5
        assert live.lines[1:] == [
            "away: toy: it went away; plug it in",
            "still away: toy: silent for 1999 s",
            "still away: toy: runs another model",
            "still away: toy: silent for 999 s",
            "toy_board: back (at toy)",
        ]


def test_pages_are_told_while_it_is_away():
    waiting = threading.Event()
    board = Board(losing(3))
    with Live(board) as live, live.open() as page:
        connect = live.session._connect

        def again():
            if live.session.totals.losses and not waiting.wait(10):
                raise AssertionError
            return connect()

        live.session._connect = again
        live.start(10)
        told = heard(page, lambda told: told["type"] == "state" and told["state"] == "away")
        assert "went away" in told[-1]["text"]
        waiting.set()
        told = heard(page, lambda told: told["type"] == "result" and told["number"] == 10)
        assert [one["number"] for one in told if one["type"] == "result"] == list(range(4, 11))
        live.thread.join(10)


def test_an_image_that_always_ends_the_device_is_given_up():
    with Live(Board(losing(*range(2, 7)))) as live:
        live.session.run(5)
        totals = live.session.totals
        assert totals.given_up == ["picture_2.png"] and totals.images_given_up == 1
        assert totals.images == 4 and not totals.sound
        assert "picture_2.png: given up, the device went away 5 times while it had it" in live.lines


def test_a_device_that_was_never_there_is_the_users_mistake():
    with Live(Board()) as live:
        live.refusals = [PortError("toy: no such port")]
        with pytest.raises(PortError, match=r"^toy: no such port$"):
            live.session.run(5)


def test_an_emulator_that_does_not_start_any_more_ends_it():
    with Live(Board(losing(2)), emulated=True) as live:
        connect = live.session._connect

        def again():
            if live.session.totals.losses:
                raise PortError("toy: ended with status 1")
            return connect()

        live.session._connect = again
        with pytest.raises(PortError, match="ended with status 1"):
            live.session.run(5)
        assert live.session.totals.images == 2


def test_differences_are_named_and_told():
    with Live(Board(wrong=[4])) as live:
        live.session.run(6)
        totals = live.session.totals
        assert totals.differing_images == 1 and totals.differing_values == 10 and not totals.sound
        assert totals.first_difference.startswith("image 5, picture_4.png: logits[0]: device ")
        with live.open() as page:
            told = heard(page, lambda told: told["type"] == "figures")
        assert told[-1]["agreement"] == "83.33 %" and told[-1]["first_difference"] == totals.first_difference
        assert [one["differing"] for one in told if one["type"] == "result"] == [0, 0, 0, 0, 10, 0]


def test_pages_pause_step_and_go_on():
    with Live(Board()) as live, live.open() as page:
        live.control.told("pause")
        live.start()
        page.send("step")
        page.send("step")
        heard(page, lambda told: told["type"] == "figures" and told["images"] == 2)
        with pytest.raises(TimeoutError):
            heard(page, lambda told: told["type"] == "figures", 0.3)
        assert live.session.totals.images == 2
        page.send("go")
        heard(page, lambda told: told["type"] == "figures" and told["images"] > 4)


def test_frames_of_a_camera():
    about = manifest()
    with Live(Board(), Camera(about["input"])) as live, live.open() as page:
        live.start(2)
        for number in (1, 2):
            heard(page, lambda told: told["type"] == "want")
            page.send(bytes([number]) * 12)
            told = heard(page, lambda told: told["type"] == "result")
            assert told[-1]["name"] == f"frame {number}" and told[-1]["differing"] == 0
        live.thread.join(10)
        assert live.session.totals.images == 2


def test_a_reset_that_the_link_cures_is_no_loss():
    board = Board()

    def before(number: int) -> None:
        board.statistics.restarts += number == 4

    board.before = before
    with Live(board) as live:
        live.session.run(8)
        totals = live.session.totals
        assert (totals.images, totals.exact_images, totals.losses, totals.resets) == (8, 8, 0, 1)


def test_rows_are_told_as_they_go_in():
    seen = []
    with Live(Board()) as live:
        tell = live.hub.tell
        live.hub.tell = lambda told: (seen.append(told), tell(told))
        live.session.run(1)
    kinds = [told["type"] for told in seen if told["type"] != "state"]
    assert kinds == ["picture", "rows", "rows", "rows", "rows", "result", "figures"]
    assert [told["rows"] for told in seen if told["type"] == "rows"] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("estimated", "said"),
    [(None, "this board counts no time"), (15.74, "15.7 ms estimated (make analyze)")],
)
def test_a_board_that_counts_instructions_says_what_they_take(estimated, said):
    info = Board().info
    told = messages.figures(Totals(), {"ms": None, "count": "1,695,554 instructions"}, info, estimated)
    assert ["An image", f"1,695,554 instructions; {said}"] in told["lines"]


def test_an_emulated_board_has_an_estimate():
    way = Way(None, "stm32f405", "squeeze", 115_200)
    assert 10 < command._estimated(way, "digits") < 30  # ms: docs/figures.md
    assert command._estimated(dataclasses.replace(way, port="socket://x:1", board=None), "digits") is None
