"""The page in a headless Chromium: nothing is loaded, nothing scrolls sideways, keys sort the tables."""

import itertools
import re

import pytest

from tests.browser import chromium

LOOKS = [(width, dark) for width in (390, 1280) for dark in (False, True)]


@pytest.fixture(scope="module")
def tab():
    with chromium.opened() as new_tab:
        yield new_tab


@pytest.fixture(scope="module")
def url(full_html, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(full_html, encoding="utf-8")
    return path.as_uri()


def opened(tab, url, **look):
    page = tab()
    page.look(**look)
    page.open(url, "document.readyState === 'complete'")
    return page


@pytest.mark.long
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_it_looks_right(width, dark, tab, url):
    page = opened(tab, url, width=width, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.console == []
    assert [each for each in page.requests if not each.startswith("data:")] == [url]
    assert not page.scrolls_sideways()
    assert page.evaluate("[...document.images].every((each) => each.complete && each.naturalWidth > 0)")
    assert page.evaluate("document.images.length") >= 10
    drawn = "[...document.querySelectorAll('svg')].map((each) => each.getBoundingClientRect().height)"
    assert all(height > 50 for height in page.evaluate(drawn))
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    shade = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
    assert shade < 60 if dark else shade > 200
    assert page.violations() == []
    assert not re.search(r"\bNot known\b", page.text("main"))


def test_it_prints_on_a_page(tab, url):
    page = opened(tab, url, width=720)  # A4 without its margins has about as many pixels
    page.call("Emulation.setEmulatedMedia", media="print")
    assert not page.scrolls_sideways()
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    cut = (
        "[...document.querySelectorAll('.scroll')].filter((each) => each.scrollWidth > each.clientWidth + 1)"
    )
    assert page.evaluate(f"{cut}.map((each) => each.ariaLabel)") == []


def column(page, number):
    """What the column of the table of layers holds, from top to bottom."""
    rows = (
        f"[...document.querySelectorAll('#layers tbody tr')].map((row) => row.cells[{number}].dataset.value)"
    )
    return [float(value) if value else None for value in page.evaluate(rows)]


def test_keys_sort_a_table(tab, url):
    page = opened(tab, url, width=1280)
    before = column(page, 5)
    head = "document.querySelectorAll('#layers thead th')[5]"
    page.evaluate(f"{head}.querySelector('button').focus()")
    for wanted in ("ascending", "descending", None):
        page.press("Enter", 13)
        assert page.evaluate(f"{head}.getAttribute('aria-sort')") == wanted
        values = column(page, 5)
        if wanted is None:
            assert values == before
            continue
        pairs = itertools.pairwise(values)
        assert all(a <= b if wanted == "ascending" else a >= b for a, b in pairs)
    # Of the column of zeros, layers without weights come last, both ways.
    page.evaluate("document.querySelectorAll('#layers thead button')[7].focus()")
    for _ in range(2):
        page.press("Enter", 13)
        values = column(page, 7)
        known = [value is not None for value in values]
        assert known == sorted(known, reverse=True) and not all(known)
    assert page.console == []
