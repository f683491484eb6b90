"""The live page in a headless Chromium: what it shows, its keys, its looks."""

import re
import threading
import time

import numpy as np
import pytest

from squeezenet_mcu.host_tools.live import session as sessions
from squeezenet_mcu.host_tools.live.source import Camera
from tests.browser import chromium
from tests.host_tools.live.stand_in import Board, Live, away, pictures
from tests.manifests import manifest

LOOKS = [(width, dark) for width in (390, 1280) for dark in (False, True)]
NAMES = ["no entry", "speed limit (30 km/h) for vehicles over 3.5 t", "ß <b>bold</b>", *"defghij"]
SIZE = {**manifest()["input"], "height": 32, "width": 32, "channels": 3}


@pytest.fixture(scope="module")
def tab():
    with chromium.opened() as new_tab:
        yield new_tab


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sessions, "_LOOK", 0.01)
    monkeypatch.setattr(sessions, "_FIRST_WAIT", 0.01)


def live(board=None, source=None, **changed):
    """A session of a network with long names, at 32 x 32 in colour."""
    about = {"labels": NAMES, "input": SIZE} | changed
    source = source or pictures(20, manifest(**about), labels=[i % 10 for i in range(20)])
    return Live(board or Board(size=(32, 32, 3)), source, **about)


def opened(tab, url, **look):
    page = tab()
    page.look(**({"width": 1280} | look))
    page.open(url, "document.documentElement.dataset.state")
    return page


def shown(page, images):
    """Waits until so many images are counted, and the newest one's answer is there."""
    page.wait(f"document.documentElement.dataset.images === '{images}'")
    page.wait("document.querySelectorAll('#answers tbody tr').length > 0")


def check_looks(page, dark):
    assert page.console == []
    assert not page.scrolls_sideways()
    assert page.violations() == []
    drawn = """[...document.querySelectorAll('canvas')].map((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(data).size;
    })"""
    assert all(different > 20 for different in page.evaluate(drawn))
    all_of_it = "[...document.querySelectorAll('main *')]"
    assert min(page.evaluate(f"{all_of_it}.map((e) => parseFloat(getComputedStyle(e).fontSize))")) >= 13
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    shade = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
    assert shade < 60 if dark else shade > 200


def test_what_it_shows(tab):
    with live() as running:
        page = opened(tab, running.url, width=390)
        running.start(30)
        shown(page, 30)
        check_looks(page, dark=False)
        assert page.text("#agreement") == "100.00 %"
        assert page.text("#agreed") == "30 of 30 images equal to the last int8"
        page.wait("document.querySelector('#name').textContent.startsWith('Picture 30: picture_9.png')")
        assert page.text("#rows-text") == "row 32 of 32"
        assert page.text("#verdict") == "Equal in all 10 logits and all 10 probabilities."
        assert page.text("#answers tbody tr td") == page.text("#answers tbody tr td:last-child") == "96.9 %"
        assert page.evaluate("document.querySelectorAll('#last li').length") == 12
        assert "16.25 ms by the board's own counter" in page.text("#figures")
        assert "15,872 of 131,072 bytes" in page.text("#figures")
        # The picture on the page is the one that went in.
        pixels = running.source._pixels[9]
        seen = page.evaluate(
            "Array.from(document.querySelector('#picture').getContext('2d').getImageData(0, 0, 32, 32).data)"
        )
        assert (np.array(seen).reshape(32, 32, 4)[..., :3] == pixels).all()
        urls = {url for url in page.requests if not url.startswith("data:")}
        assert urls <= {running.url, running.url.replace("http", "ws") + "socket"}


def test_a_picture_that_takes_long(tab):
    """Its rows as they go in; beside it the answer before, which says so."""
    goes_on = threading.Event()

    class Slow(Board):
        def infer(self, image):
            if self.count == 3:
                for row in range(1, 12):
                    self.exchange.on_progress(0, row * self.info.row_bytes)
                assert goes_on.wait(30)
            return super().infer(image)

    with live(Slow(size=(32, 32, 3))) as running:
        page = opened(tab, running.url)
        running.start(4)
        page.wait("document.querySelector('#rows-text').textContent === 'row 11 of 32'")
        page.wait("document.querySelector('#verdict').textContent !== ''")
        assert page.text("#verdict") == "The device has picture 4 now; this was picture 3."
        assert page.text("#answers caption").startswith("Probabilities of picture 3, ")
        alpha = "document.querySelector('#picture').getContext('2d').getImageData(0, {}, 1, 1).data[3]"
        assert page.evaluate(alpha.format(10)) == 255 and page.evaluate(alpha.format(11)) < 100
        goes_on.set()
        page.wait("document.querySelector('#answers caption').textContent.includes('of picture 4, ')")
        assert page.text("#rows-text") == "row 32 of 32"
        assert page.text("#verdict").startswith("Equal in all 10 logits")


@pytest.mark.long
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_it_looks_right(width, dark, tab, tmp_path):
    board = Board(size=(32, 32, 3), wrong=[27])
    with live(board) as running:
        page = opened(tab, running.url, width=width, dark=dark)
        running.start(30)
        shown(page, 30)
        check_looks(page, dark)
        assert page.evaluate("document.querySelectorAll('#last li.differs').length") == 1
        assert page.text("#first").startswith("First difference: image 28, picture_7.png: logits[0]: device ")
        assert page.text("#alarm").startswith("A difference: image 28, ")
        page.screenshot(tmp_path / "page.png")


def test_keys_and_buttons(tab):
    with live() as running:
        page = opened(tab, running.url)
        page.press("Space", 32)  # before the first image
        page.wait("document.documentElement.dataset.paused === 'yes'")
        running.start()
        for images in (1, 2):
            page.press("ArrowRight", 39)
            shown(page, images)
        time.sleep(0.3)
        assert running.session.totals.images == 2
        assert page.text("#pause") == "Go on" and page.text("#state").startswith("Paused. ")
        page.evaluate("document.querySelector('#step').focus()")
        page.press("Space", 32)  # a button's own key: the page's handler leaves it alone
        page.press("Enter", 13)
        shown(page, 3)
        assert page.evaluate("document.documentElement.dataset.paused") == "yes"
        page.click("#pause")
        page.wait("document.documentElement.dataset.images > 3")
        assert page.text("#pause") == "Pause"
        assert page.console == []


def test_a_device_that_is_away(tab):
    gone = [True]

    def before(number: int) -> None:
        if number >= 5 and gone[0]:
            raise away()

    with live(Board(before, size=(32, 32, 3))) as running:
        page = opened(tab, running.url)
        connect = running.session._connect

        def again():
            if running.session.totals.losses and gone[0]:
                raise away()
            return connect()

        running.session._connect = again
        running.start(8)
        page.wait("document.documentElement.dataset.state === 'away'")
        assert "plug it in" in page.text("#state")
        assert page.evaluate("document.querySelector('#state').getAttribute('role')") == "status"
        gone[0] = False
        shown(page, 8)
        assert page.evaluate("document.documentElement.dataset.state") == "here"
        assert page.text("#agreed") == "8 of 8 images equal to the last int8"
        assert "1 x away" in page.text("#figures")
        assert page.violations() == []


def test_the_camera(tab):
    """Chromium's own test picture, made to the network's size in the page."""
    with live(source=Camera(SIZE)) as running:
        page = opened(tab, running.url, width=390)
        running.start()
        page.click("#camera")
        page.wait("document.documentElement.dataset.images > 3")
        assert page.text("#camera") == "Stop the camera"
        assert not page.scrolls_sideways() and page.console == [] and page.violations() == []
        page.click("#camera")
        page.wait("document.querySelector('#video').srcObject === null")
        assert running.session.totals.exact_images == running.session.totals.images


def test_the_camera_stops_when_make_live_ends(tab):
    with live(source=Camera(SIZE)) as running:
        page = opened(tab, running.url)
        running.start(3)
        page.click("#camera")
        shown(page, 3)
        running.session.end()
        page.wait("document.documentElement.dataset.state === 'ended'")
        page.wait("document.querySelector('#video').srcObject === null")
        assert page.text("#camera") == "Use the camera"
        assert page.evaluate("document.querySelector('#camera').disabled")
        assert page.console == [] and page.violations() == []


def test_screen_readers_are_not_talked_to_death(tab):
    """One sentence in eight seconds, however many images come."""
    with live() as running:
        page = opened(tab, running.url)
        page.evaluate(
            "window.said = []; new MutationObserver(() => said.push(document.querySelector('#spoken')"
            ".textContent)).observe(document.querySelector('#spoken'), { childList: true }); 1"
        )
        running.start()
        page.wait("document.documentElement.dataset.images > 100")
        time.sleep(1)
        assert len(page.evaluate("said")) <= 1
