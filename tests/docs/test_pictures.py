"""The pictures of docs/pictures: small, in light and dark, each on a page, drawn of what the report says."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from squeezenet_mcu.common.errors import UserError
from tests.browser import chromium
from tools.docs import arena_chart, pictures

REPO = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
SECTION = {
    "arena_bytes": 1080, "state_bytes": 80, "columns": 4, "steps": 8, "peak_step": 5, "ticks": [0, 500, 1000],
    "peak": [{"name": "a<b>&c", "kind": "rows", "bytes": 700}],
    "blocks": [
        {"name": "a<b>&c", "kind": "rows", "offset": 0, "bytes": 700, "at_peak": True, "spans": [[1, 3]]},
        {"name": "d", "kind": "scratch", "offset": 700, "bytes": 300, "at_peak": False, "spans": [[0, 0]]},
    ],
    "tflm_arena_bytes": 2816,
}  # fmt: skip
PAGE = """<!doctype html><title>x</title><style>
body { margin: 0; background: #ffffff; } @media (prefers-color-scheme: dark) { body { background: #101418; } }
p { margin: 0; height: 100px; }</style><p id="top">top<p class="time">3 ms<p id="last">last<p>below"""


def test_the_chart_is_the_reports_two():
    drawn = ElementTree.fromstring(arena_chart.chart(SECTION, "my<model>"))
    assert drawn.findtext(f"{SVG}title") == (
        "Our engine runs my<model> in an arena of 1,080 bytes, TFLite Micro in one of 2,816 bytes."
    )
    inner = drawn.findall(f"{SVG}svg")
    assert [len(each.findall(f"{SVG}rect")) for each in inner] == [2 + 1 + 4, 2]  # with counters and a legend
    texts = [each.text for each in drawn.iter(f"{SVG}text")]
    assert {"a<b>&c", "fullest: step 5", "1,080 B", "2,816 B"} <= set(texts)
    # All of it lies on the ground, which is drawn for readers whose page is dark when their system is light.
    wide, high = (float(drawn.get(name)) for name in ("width", "height"))
    assert drawn.find(f"{SVG}rect").get("class") == "ground"
    for each in inner:
        assert float(each.get("x")) + float(each.get("width")) <= wide
        assert float(each.get("y")) + float(each.get("height")) <= high
    style = drawn.findtext(f"{SVG}style")
    assert "@media (prefers-color-scheme: dark)" in style
    classes = {name for each in drawn.iter() for name in each.get("class", "").split()}
    assert classes and all(re.search(rf"\.{name}\b", style) for name in classes)


@pytest.fixture(scope="module")
def tab():
    with chromium.opened() as new_tab:
        yield new_tab


def shot(tab, tmp_path, html, **how):
    (tmp_path / "page.html").write_text(html)
    url = (tmp_path / "page.html").as_uri()
    pictures.take(
        tab, tmp_path, pictures.Shot("x", 300, "#last", **how), url, pictures.COMPLETE, pictures.nothing
    )
    return [Image.open(tmp_path / f"x-{look}.png") for look in ("light", "dark")]


def test_a_page_is_taken_in_light_and_dark(tab, tmp_path):
    light, dark = shot(tab, tmp_path, PAGE, margin=0)
    assert light.mode == dark.mode == "P" and light.size == dark.size == (600, 600)
    assert [each.convert("RGB").getpixel((599, 0)) for each in (light, dark)] == [(255,) * 3, (16, 20, 24)]
    light, _ = shot(tab, tmp_path, PAGE, hidden=".time, .nothing", margin=0)
    assert light.size == (600, 400)


def test_a_page_that_fails_is_no_picture(tab, tmp_path):
    with pytest.raises(UserError, match=r"page.html: says on the console: .*broken"):
        shot(tab, tmp_path, PAGE + "<script>console.error('broken')</script>")
    assert not list(tmp_path.glob("*.png"))


def test_a_page_that_is_served_ends_with_the_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "WORK", tmp_path)
    serve = "import time; print('the page is at http://127.0.0.1:1/'); {}"
    with pictures.served("timeit", "-n1", "-r1", serve.format("time.sleep(600)")) as url:
        assert url == "http://127.0.0.1:1/"
    with (
        pytest.raises(UserError, match=r"^timeit -n1 -r1 pass: has told no address, see above; no picture"),
        pictures.served("timeit", "-n1", "-r1", "pass"),
    ):
        pass


def test_a_picture_that_is_too_large_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"^x.png: 150,001 bytes; want at most 150,000: show less of the page$"
    ):
        pictures.keep(tmp_path, "x.png", bytes(150_001))
    assert not list(tmp_path.iterdir())


def test_the_committed_ones_are_those_that_are_taken_and_shown():
    there = {path.name for path in pictures.PICTURES.iterdir()}
    wanted = {f"{name}-{look}.png" for name in pictures.TAKEN for look in ("light", "dark")}
    assert there == wanted - {"memory-light.png", "memory-dark.png"} | {"memory.svg"}
    shown = "".join(path.read_text() for path in (REPO / "README.md", *(REPO / "docs").glob("*.md")))
    for name in there:
        path = pictures.PICTURES / name
        assert path.stat().st_size <= pictures.MOST_BYTES
        assert f"pictures/{name}" in shown
        if path.suffix == ".png":
            assert Image.open(path).mode == "P"


@pytest.mark.parametrize(
    "page", [REPO / "README.md", *(REPO / "docs").glob("*.md")], ids=lambda page: page.name
)
def test_pictures_in_pages_have_words_and_two_looks(page):
    text = page.read_text(encoding="utf-8")
    for tag in re.findall(r"<img [^>]*>", text):
        assert len(re.search(r'alt="([^"]*)"', tag)[1]) > 30, tag
        (source,) = re.findall(r'src="([^"]*)"', tag)
        assert (page.parent / source).is_file(), source
        if source.endswith("-light.png"):
            dark = source.replace("-light", "-dark")
            assert f'<source media="(prefers-color-scheme: dark)" srcset="{dark}">{tag}' in text
    for link in re.findall(r'href="([^":#]*)"', text):
        assert (page.parent / link).is_file(), link
