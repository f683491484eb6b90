"""The page of `web` in a headless Chromium: a picture's class, what it looks like, a board on Web Serial."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.data import sources
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import board_model
from squeezenet_mcu.host_tools.link import faulty_line
from squeezenet_mcu.host_tools.link.faulty_line import FaultyLine
from squeezenet_mcu.host_tools.link.frame import Frame, FrameReader
from squeezenet_mcu.host_tools.link.messages import Data
from squeezenet_mcu.host_tools.link.transport import SerialTransport
from tests.browser import chromium, web_serial
from tests.e2e import verbs
from tests.host_tools.liars import link_lies, lying_board

WIDTHS = (390, 1280)
STREAM = "document.querySelector('#video').srcObject"
LABEL = "document.querySelector('#picture').getAttribute('aria-label')"


@pytest.fixture(scope="module")
def pages(workplace):
    """URLs, by model, of pages that are opened from disk; `workplace` has a picture of each class."""
    found = {}
    for model in ("digits", "gtsrb"):
        said = verbs.succeed(workplace, "host_tools", "web", "--model", model)
        assert said.startswith(f"wrote build/{model}/web/index.html: ")
        found[model] = (workplace / "build" / model / "web" / "index.html").as_uri()
    return found


@pytest.fixture(scope="module")
def tab():
    with chromium.opened() as new_tab:
        yield new_tab


@pytest.fixture(scope="module")
def seven(workplace):
    """A picture of a seven, of the network's size."""
    found = sources.load("digits", "test", 28, 28, 1, limit=200)
    image = found.x[list(found.y).index(7)]
    Image.fromarray(image[..., 0]).save(workplace / "seven.png")
    return workplace / "seven.png"


def opened(tab, url, **look):
    page = tab()
    page.look(**({"width": 1280} | look))
    page.open(url, "document.documentElement.dataset.ready === 'yes'")
    return page


def answered(page):
    return page.wait(
        "document.querySelector('#classes li .name') && document.querySelector('#answer').textContent"
    )


@pytest.mark.parametrize("way", ["drop", "paste", "choose"])
def test_a_picture_gets_its_class(way, pages, tab, seven):
    page = opened(tab, pages["digits"])
    if way == "choose":
        page.choose("#file", seven)
    else:
        page.drop(seven, event=way)
    assert re.fullmatch(r"7, (9\d|100)\.\d %", answered(page))
    assert page.text("#spoken") == page.text("#answer")
    assert page.text("#classes li:first-child .name") == "7"
    assert re.fullmatch(r"[\d.]+ ms in this browser \(not a board's time\)", page.text("#time"))
    assert page.console == []
    # Nothing but the page itself, from disk. blob: is the picture, in the browser's memory.
    assert [url for url in page.requests if not url.startswith(("data:", "blob:"))] == [pages["digits"]]


def test_the_example_of_the_model(pages, tab):
    """For who has no picture of a digit at hand; and the page has checked itself with it."""
    page = opened(tab, pages["digits"])
    assert "of the model's example, all 10 logits and 10 probabilities are the same here as LiteRT's" in (
        page.text("#about")
    )
    page.click("#example")
    answer = answered(page)
    found = sources.load("digits", "test", 28, 28, 1, limit=1)
    assert re.fullmatch(rf"{found.y[0]}, (9\d|100)\.\d %", answer)
    seen = page.evaluate(
        "[...document.querySelector('#input').getContext('2d').getImageData(0, 0, 28, 28).data]"
        ".filter((_, i) => i % 4 === 0)"
    )
    assert seen == found.x[0].ravel().tolist()
    assert page.console == []


def test_an_engine_that_answers_otherwise_than_python(pages, tab, workplace, tmp_path):
    """A browser that computes wrongly: the page says so, and classifies nothing."""
    path = workplace / "build" / "digits" / "web" / "index.html"
    text = path.read_text(encoding="utf-8")
    (logits,) = re.findall(r'"example": .*?"logits": "(\w{4})', text)
    (tmp_path / "index.html").write_text(text.replace(f'"logits": "{logits}', '"logits": "AAAA'), "utf-8")
    page = tab()
    page.look(390)
    page.open((tmp_path / "index.html").as_uri(), "!document.querySelector('#error').hidden")
    assert page.text("#error").startswith("the engine here differs from Python in the model's example")
    assert page.evaluate(
        "document.querySelector('#file').disabled && document.querySelector('#example').disabled"
    )


def test_it_says_what_classify_says(pages, tab, workplace, tmp_path):
    """Of a PNG in other proportions, in colour: the same pixels, so the same probabilities."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (9, 13, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((517, 301), Image.Resampling.BICUBIC).save(tmp_path / "noise.png")
    for model in ("gtsrb", "digits"):
        page = opened(tab, pages[model])
        page.drop(tmp_path / "noise.png")
        answered(page)
        shown = page.evaluate(
            "[...document.querySelectorAll('#classes li')].map((item) =>"
            " ['.name', '.share'].map((part) => item.querySelector(part).textContent))"
        )
        json_file = tmp_path / "answers.json"
        words = ["--model", model, str(tmp_path / "noise.png"), "--json", str(json_file)]
        verbs.succeed(workplace, "host_tools", "classify", *words)
        (picture,) = json.loads(json_file.read_text())["pictures"]
        wanted = [[top["name"], f"{top['probability']:.1%}".replace("%", " %")] for top in picture["top"]]
        assert shown == wanted


def test_a_photo_is_turned_as_the_camera_was_held(pages, tab, tmp_path):
    """Its left half is black; held on its side, that is its top."""
    half = Image.new("RGB", (64, 64), "white")
    half.paste("black", (0, 0, 32, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    half.save(tmp_path / "turned.jpg", exif=exif)
    page = opened(tab, pages["digits"])
    page.drop(tmp_path / "turned.jpg", kind="image/jpeg")
    answered(page)
    gray = "document.querySelector('#input').getContext('2d').getImageData(14, {}, 1, 1).data[0]"
    assert page.evaluate(gray.format(6)) < 20 and page.evaluate(gray.format(21)) > 235


def test_a_picture_is_inverted_on_request(pages, tab, seven):
    page = opened(tab, pages["digits"])
    page.drop(seven)
    answered(page)
    corner = "document.querySelector('#input').getContext('2d').getImageData(0, 0, 1, 1).data[0]"
    assert page.evaluate(corner) == 0
    page.click("#invert")
    page.wait(f"{corner} === 255")


def test_a_file_that_is_no_picture(pages, tab, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"broken")
    page = opened(tab, pages["digits"])
    page.drop(tmp_path / "broken.png")
    page.wait("!document.querySelector('#error').hidden")
    assert page.text("#error").startswith("broken.png: this browser reads no picture in it; want a JPEG, PNG")
    page.drop(tmp_path / "broken.png", kind="text/plain")
    page.wait(
        "document.querySelector('#error').textContent.startsWith('no picture in it; want an image file')"
    )
    page.drop(tmp_path / "broken.png", kind="")  # as of a file whose name says nothing
    page.wait("document.querySelector('#error').textContent.startsWith('broken.png: this browser reads')")


def test_a_small_file_of_more_pixels_than_a_phone_holds(pages, tab, tmp_path):
    """Its header says so: nothing is unpacked."""
    Image.new("L", (8000, 8000)).save(tmp_path / "large.png")
    page = opened(tab, pages["digits"])
    page.drop(tmp_path / "large.png")
    page.wait("!document.querySelector('#error').hidden")
    assert page.text("#error") == "large.png: 8000 x 8000 pixels; want at most 50331648"


def test_the_camera(pages, tab):
    """Chromium's own test picture."""
    page = opened(tab, pages["gtsrb"])
    page.click("#camera")
    answered(page)
    assert page.text("#camera") == "Stop the camera"
    page.click("#camera")
    assert page.text("#camera") == "Use the camera"
    assert page.evaluate("document.querySelector('video').srcObject === null")
    assert page.console == []


def test_a_camera_that_is_stopped_or_goes_away(pages, tab, seven):
    """The picture that is shown is always that of the answer, and the keyboard stays where it was."""
    page = opened(tab, pages["digits"])
    page.drop(seven)
    answered(page)
    for end in ("document.querySelector('#camera').click()", "track.dispatchEvent(new Event('ended'))"):
        page.evaluate("document.querySelector('#camera').focus()")
        page.press("Enter", 13)
        page.wait("document.querySelector('#camera').textContent === 'Stop the camera'")
        assert page.evaluate("document.activeElement.id") == "camera"
        page.wait("/^[^7]|7, [^9]/.test(document.querySelector('#answer').textContent)")
        page.evaluate(f"(() => {{ const [track] = {STREAM}.getTracks(); {end}; }})()")
        assert page.text("#camera") == "Use the camera"
        assert page.evaluate(f"{LABEL}") == "The picture of the camera"
    assert page.text("#error") == "the camera went away; connect it again, or choose a picture"


def test_of_two_pictures_the_newer_one_is_shown(pages, tab, seven, tmp_path):
    """Though the first takes longer to be decoded; nor does what is wrong with it matter any more."""
    page = opened(tab, pages["digits"])
    Image.new("L", (28, 28)).save(tmp_path / "black.png")
    (tmp_path / "broken.png").write_bytes(b"broken")
    page.evaluate(
        """(() => {
          const [decode, Plain] = [window.createImageBitmap, window.Image];
          window.decoded = 0;
          const count = () => setTimeout(() => ++window.decoded, 300);
          window.createImageBitmap = async (file, how) => {
            if (file.name !== "seven.png") await new Promise((resolve) => setTimeout(resolve, 500));
            return decode(file, how).finally(count);
          };
          window.Image = function () {
            const image = new Plain();
            image.addEventListener("error", (event) => {
              event.stopImmediatePropagation();
              setTimeout(() => (image.onerror(event), count()), 500);
            });
            return image;
          };
        })()"""
    )
    for count, slow in enumerate(("black.png", "broken.png"), 1):
        page.drop(tmp_path / slow)
        page.drop(seven)
        page.wait(f"window.decoded === {2 * count}")
        assert page.text("#answer").startswith("7, ") and page.text("#error") == ""
        assert page.evaluate(LABEL) == "The picture seven.png"


def test_a_picture_that_no_canvas_holds(pages, tab, tmp_path):
    """It would be all black, without a word."""
    Image.new("L", (100_000, 1), 200).save(tmp_path / "long.png")
    page = opened(tab, pages["digits"])
    page.drop(tmp_path / "long.png")
    page.wait("!document.querySelector('#error').hidden")
    assert page.text("#error") == "long.png: 100000 x 1 pixels; want at most 32768 on a side"
    assert page.text("#answer") == "No picture yet."


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_can_be_read(width, dark, pages, tab, seven, tmp_path):
    page = opened(tab, pages["digits"], width=width, dark=dark)
    assert not page.scrolls_sideways()
    page.drop(seven)
    answered(page)
    assert not page.scrolls_sideways()
    page.screenshot(tmp_path / f"page_{width}_{'dark' if dark else 'light'}.png")
    assert page.violations() == []


def test_all_of_it_by_the_keyboard(pages, tab):
    page = opened(tab, pages["digits"])
    reached = []
    for _ in range(5):
        page.press("Tab", 9)
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == ["file", "example", "camera", "invert", "connect"]
    labels = page.evaluate(
        "[...document.querySelectorAll('button, input')].map((element) =>"
        " element.ariaLabel || element.textContent || element.labels[0]?.textContent)"
    )
    assert all(labels) and len(labels) == 5


def test_it_asks_for_nothing_even_if_told_to(pages, tab):
    """The page's own policy, also for what a script in it would try."""
    page = opened(tab, pages["digits"])
    refused = "fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')"
    assert page.evaluate(refused) == "refused"
    assert any("Content Security Policy" in text for text in page.console)


def with_board(tab, url, line):
    """A page that is connected, or has failed to be."""
    page = tab()
    page.look(390)
    cable = web_serial.Cable(page, line)
    page.open(url, "document.documentElement.dataset.ready === 'yes'")
    page.click("#connect")
    text = "document.querySelector('#board').textContent"
    cable.wait(f"!/^Connect/.test({text})")
    return page, cable


@pytest.fixture(scope="module")
def firmware(workplace):
    verbs.succeed(workplace, "host_tools", "firmware", "--model", "digits", "--board", "stm32f405")
    return (
        board_model.folder_for(workplace / "build" / "digits", "stm32f405", "squeeze", False) / "firmware.elf"
    )


@pytest.mark.parametrize("faults", ["", pytest.param("all=0.002,seed=3", marks=pytest.mark.long)])
def test_a_board_on_the_cable_gives_the_same_answers(faults, pages, tab, seven, firmware, tmp_path):
    with emulator.running("stm32f405", firmware) as url, SerialTransport(url) as serial:
        line = FaultyLine(serial, faulty_line.parse(faults)) if faults else serial
        page, cable = with_board(tab, pages["digits"], line)
        assert (
            page.text("#board") == "stm32f405 runs this network: the same .tflite, converted for this board."
        )
        rng = np.random.default_rng(3)
        for count in range(1, 6):
            noise = rng.integers(0, 256, (28, 28), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "noise.png")
            page.drop(seven if count == 1 else tmp_path / "noise.png")
            cable.wait(f"/{count} of {count} pictures/.test(document.querySelector('#verdict').textContent)")
            said = (
                f"Equal in all 10 logits and all 10 probabilities: {count} of {count} pictures equal so far."
            )
            assert page.text("#verdict") == said
        assert not page.scrolls_sideways()
        assert page.violations() == []
        page.screenshot(tmp_path / "board.png")
        page.click("#connect")
        cable.wait("document.querySelector('#board').textContent === 'Disconnected.'")
    assert page.console == []


def test_a_cable_that_is_pulled_out(pages, tab, firmware):
    with emulator.running("stm32f405", firmware) as url, SerialTransport(url) as serial:
        page, cable = with_board(tab, pages["digits"], serial)
        page.evaluate("serialUnplug()")
        page.wait("/port went away/.test(document.querySelector('#board').textContent)")
        assert page.text("#connect") == "Connect a board"
        page.click("#connect")  # plugged in again
        cable.wait("/runs this network/.test(document.querySelector('#board').textContent)")


class WrongByOne:
    """A line to a board whose first logit arrives greater by one, in whole frames."""

    def __init__(self, line):
        self._line, self._reader = line, FrameReader()
        self.name, self.write, self.close = line.name, line.write, line.close

    def read(self, timeout):
        found = b""
        for frame in self._reader.feed(self._line.read(timeout)):
            payload = bytearray(frame.payload)
            if frame.type == lying_board.DATA and payload[4] == Data.LOGITS:
                payload[9] = (payload[9] + 1) & 0xFF
            found += Frame(frame.type, frame.sequence, bytes(payload)).encode()
        return found


def test_a_board_that_answers_otherwise(pages, tab, seven, firmware):
    with emulator.running("stm32f405", firmware) as url, SerialTransport(url) as serial:
        page, cable = with_board(tab, pages["digits"], WrongByOne(serial))
        page.drop(seven)
        cable.wait("/equal so far/.test(document.querySelector('#verdict').textContent)")
        assert page.text("#verdict") == "Different in 1 of 10 classes: 0 of 1 pictures equal so far."
        rows = (
            "[...document.querySelectorAll('#compared tbody tr')].map((row) => row.innerText.split(/\\s+/))"
        )
        ((name, here, there, *probabilities),) = page.evaluate(rows)
        assert name == "0" and int(there) == int(here) + 1 and probabilities[0] == probabilities[1]
        assert page.evaluate("document.querySelectorAll('#compared td.different').length") == 2


EVIL = b"<img src=x onerror=alert(1)>\n"


@pytest.mark.parametrize(
    ("says", "sizes", "said"),
    [
        (
            link_lies.right,
            {"name": EVIL},
            r"<img src=x onerror=alert\(1\)>\? runs another network \(SHA-256 of .*",
        ),
        (
            link_lies.right,
            {"version": 3},
            "Not connected: the board speaks version 3 of the link, this page .*",
        ),
        pytest.param(
            *(link_lies.right, {"classes": 0}, "Not connected: the board has not answered for 7 s; reset .*"),
            marks=pytest.mark.long,
        ),
        (
            lambda board, frame: [link_lies.LINE],
            {},
            "Not connected: the board's program has faulted: .*FAULT exception=00000003 pc=08001234 lr=.*",
        ),
        pytest.param(
            *(lambda board, frame: [bytes(range(256)) * 4], {}, "Not connected: .* not answered for 7 s; .*"),
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_board_that_lies(says, sizes, said, pages, tab, workplace):
    if "sha" in sizes:
        manifest = json.loads((workplace / "build/digits/manifest.json").read_text())
        sizes = sizes | {"sha": bytes.fromhex(manifest["tflite_sha256"])}
    board = lying_board.Board(**sizes)
    with (
        lying_board.speaking(lying_board.conversation(board, says)) as url,
        SerialTransport(url) as serial,
    ):
        page, _ = with_board(tab, pages["digits"], serial)
        assert re.fullmatch(said, page.text("#board"))
        assert page.evaluate("document.querySelectorAll('img').length") == 0
