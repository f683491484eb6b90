"""Which browser is taken, and what happens where there is none."""

from pathlib import Path

import pytest

from tests.browser import chromium as in_tests
from tools.browser import chromium

STARTS = 'case "$*" in --version) exit 0 ;; esac; exit 1'
REAL = chromium.program()


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The only folder on PATH, where a program is made of a line of shell."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def add(name: str, line: str) -> Path:
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
        return tmp_path / name

    return add


def test_it_takes_what_starts_and_is_no_snap(path, tmp_path):
    assert chromium.program() is None
    path("chromium", "exit 127")
    # As Ubuntu's package has it: it asks for the snap, or hands over to it.
    path("chromium-browser", "[ -x /snap/bin/chromium ] || exit 0; exec /snap/bin/chromium")
    path("snap", STARTS)
    (tmp_path / "google-chrome").symlink_to(tmp_path / "snap")
    assert chromium.program() is None
    stable = path("google-chrome-stable", STARTS)
    assert chromium.program() == str(stable)


@pytest.mark.parametrize(
    ("told", "wanted"), [(None, pytest.skip.Exception), ("required", pytest.fail.Exception)]
)
def test_without_one_a_test_is_skipped_or_fails(path, monkeypatch, told, wanted):
    monkeypatch.delenv("BROWSER_TESTS", raising=False)
    if told:
        monkeypatch.setenv("BROWSER_TESTS", told)
    # Either, or the other one would skip this test.
    either = (pytest.skip.Exception, pytest.fail.Exception)
    with (
        pytest.raises(either, match=r"Chromium is not installed; run: ./setup\.sh --tests") as raised,
        in_tests.opened(),
    ):
        pass
    assert raised.type is wanted
    monkeypatch.setattr(in_tests, "AXE", Path("nowhere"))
    with pytest.raises(either, match=r"axe-core is not installed; run: ./setup\.sh --tests") as raised:
        in_tests.Page.violations(None)
    assert raised.type is wanted


def test_one_that_does_not_start_is_named(path):
    broken = path("chromium", STARTS)
    with (
        pytest.raises(chromium.BrowserError, match=f"^{broken}: does not start; try: {broken} --headless"),
        chromium.opened(chromium.Page),
    ):
        pass


def test_where_no_sandbox_can_be_made_it_starts_without(path, monkeypatch):
    """As in most containers, also for a user who is not root."""
    if REAL is None:
        in_tests.missing("Chromium is not installed")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    shell = f'case "$*" in --version | *--no-sandbox*) exec {REAL} "$@" ;; esac; exit 1'
    path("chromium", f"PATH=/usr/bin:/bin; {shell}")
    with chromium.opened(chromium.Page) as new_tab:
        assert new_tab().evaluate("1 + 1") == 2
