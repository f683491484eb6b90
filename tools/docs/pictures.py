"""Takes the pictures of docs/pictures: our pages as Chromium shows them, and the chart of an arena.

    make pictures, or .venv/bin/python -m tools.docs.pictures [NAME ...]

The pages are of digits as it is shipped, made anew in build/pictures/, which is left there: your own
build/digits is not looked at. A page is taken twice, <name>-light.png and <name>-dark.png, with two pixels
for each of its own. What differs from run to run, as this computer's milliseconds do, is left out; but the
cycles of the emulated board differ in the fifth digit, and some pixels with them. Letters are this
computer's: on Debian, DejaVu's.
"""

import argparse
import contextlib
import functools
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from squeezenet_mcu.common import cli, files, start
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import echo
from tools.browser.chromium import BrowserError, Page, opened
from tools.docs import arena_chart

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
WORK = ROOT / "build" / "pictures"
MODEL, BOARD = "digits", "stm32f405"
IMAGES = 200  # that the emulated board is asked about
LIVE_IMAGES = 198  # the same on the live page: the last one is a two that is easy to read
MOST_BYTES = 150_000  # of one picture: a README is read over slow lines, too
COLOURS = 64  # of its palette
COMPLETE = "document.readyState === 'complete'"
NewTab = Callable[[], Page]


@dataclass(frozen=True)
class Shot:
    """A page: the width of its window, the last element that is seen, and the elements that are left out."""

    name: str
    width: int
    last: str
    hidden: str = ""
    margin: int = 20  # below the last element


def command(*words: str) -> None:
    """`python -m <words>` in build/pictures. UserError: it fails; it has said why."""
    echo(f"pictures: {' '.join(words)}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", *words], cwd=WORK, env=environment, check=False)
    if done.returncode != 0:
        raise UserError(f"{' '.join(words)}: failed, see above; no picture was taken")


def in_palette(png: bytes) -> bytes:
    """The same picture in few colours, which letters and areas of one colour do not miss."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def keep(folder: Path, name: str, data: bytes) -> None:
    """Writes one picture. UserError: it is too large for a page that is read on the net."""
    if len(data) > MOST_BYTES:
        raise UserError(f"{name}: {len(data):,} bytes; want at most {MOST_BYTES:,}: show less of the page")
    files.write_bytes(folder / name, data)
    echo(f"wrote {folder / name}: {len(data):,} bytes")


def take(
    new_tab: NewTab, folder: Path, shot: Shot, url: str, ready: str, prepare: Callable[[Page], None]
) -> None:
    """Both pictures of a page: opens `url` until the expression `ready` holds, then calls `prepare`.

    UserError: the page says something on the console, or a picture is too large.
    """
    for dark in (False, True):
        page = new_tab()
        page.look(shot.width, 900, dark)
        page.open(url, ready)
        prepare(page)
        if shot.hidden:
            hide = "(each) => { each.style.display = 'none'; }"
            page.evaluate(f"document.querySelectorAll({json.dumps(shot.hidden)}).forEach({hide})")
        last = f"document.querySelector({json.dumps(shot.last)}).getBoundingClientRect().bottom + scrollY"
        bottom = page.evaluate(last) + shot.margin
        if page.console:
            raise UserError(f"{url}: says on the console: {page.console[0]}")
        with tempfile.TemporaryDirectory() as temporary:
            raw = Path(temporary) / "raw.png"
            page.screenshot(raw, (0, 0, shot.width, bottom))
            keep(folder, f"{shot.name}-{'dark' if dark else 'light'}.png", in_palette(raw.read_bytes()))
        page.close()


def nothing(_: Page) -> None:
    """For pages that are ready as they are opened."""


@functools.cache
def _report() -> Path:
    """The report's folder, made once a run."""
    of = ("--model", MODEL, "--board", BOARD)
    command("host_tools", "firmware", *of)
    command("host_tools", "validate", *of, "--limit", str(IMAGES), "--json", f"build/{MODEL}/validated.json")
    command("host_tools", "report", *of)
    return WORK / "build" / MODEL / "report"


def report(new_tab: NewTab) -> None:
    """The top of `make report`."""
    page = _report() / "report.html"
    take(new_tab, PICTURES, Shot("report", 620, "#summary figure", "nav"), page.as_uri(), COMPLETE, nothing)


def memory(_: NewTab) -> None:
    """The report's charts of the arena, as one drawing."""
    section = json.loads((_report() / "report.json").read_text(encoding="utf-8"))["sections"]["memory"]
    keep(PICTURES, "memory.svg", arena_chart.chart(section, MODEL).encode())


def web(new_tab: NewTab) -> None:
    """The page of `make web`, with a seven."""
    command("host_tools", "web", "--model", MODEL)
    seven = WORK / "seven.png"
    found = sources.load(MODEL, "test", 28, 28, 1, limit=200)
    Image.fromarray(found.x[list(found.y).index(7)][..., 0]).save(seven)

    def drop(page: Page) -> None:
        page.drop(seven)
        page.wait("document.querySelector('#classes li .name')")

    url = (WORK / "build" / MODEL / "web" / "index.html").as_uri()
    take(
        new_tab,
        PICTURES,
        Shot("web", 880, "section[aria-labelledby=answer-title]", "#time", 12),
        url,
        "document.documentElement.dataset.ready === 'yes'",
        drop,
    )


@contextlib.contextmanager
def served(*words: str) -> Iterator[str]:
    """`python -m <words>` in build/pictures, as long as the context; the address of the page that it tells.

    UserError: it ends without one; it has said why.
    """
    echo(f"pictures: {' '.join(words)}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", *words]
    with subprocess.Popen(command, cwd=WORK, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            for line in server.stdout:
                if found := re.search(r"http://\S+", line):
                    yield found[0]
                    return
            raise UserError(f"{' '.join(words)}: has told no address, see above; no picture was taken")
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=60)  # what else it says has been seen on the page


# Of the live page, what is not the same in each run: times of this computer, the emulator's process.
_OF_THIS_RUN = """for (const name of document.querySelectorAll("#figures dt")) {
  if (/second|here/.test(name.textContent)) { name.nextElementSibling.remove(); name.remove(); }
}
const state = document.querySelector("#state");
state.textContent = state.textContent.replace(/, process [0-9]+/, "");"""


def _step_to(page: Page, images: int) -> None:
    """Pauses the live page, and takes one picture after the other until the device has answered `images`."""
    answered = "parseInt(document.querySelector('#agreed').textContent)"
    page.wait(f"{answered} > 0", 60)
    if not page.evaluate("document.documentElement.dataset.paused === 'yes'"):
        page.evaluate("document.querySelector('#pause').click()")
    before = 0
    while (now := page.wait(f"{answered} > {before} && {answered}", 60)) < images:
        before = now
        page.evaluate("document.querySelector('#step').click()")


def live(new_tab: NewTab) -> None:
    """The page of `make live`, when the emulated board has answered some pictures."""
    command("host_tools", "firmware", "--model", MODEL, "--board", BOARD)
    shot = Shot("live", 1040, "section[aria-labelledby=agreement-title]", margin=12)

    def step(page: Page) -> None:
        _step_to(page, LIVE_IMAGES)
        page.evaluate(_OF_THIS_RUN)

    words = ("live", "--model", MODEL, "--board", BOARD, "--listen", "127.0.0.1:0")
    with served("host_tools", *words) as url:
        take(new_tab, PICTURES, shot, url, COMPLETE, step)


TAKEN: dict[str, Callable[[NewTab], None]] = {
    "report": report, "memory": memory, "web": web, "live": live,
}  # fmt: skip


@contextlib.contextmanager
def browser() -> Iterator[NewTab]:
    """A browser whose mistakes are the user's to mend."""
    try:
        with opened(Page) as new_tab:
            yield new_tab
    except BrowserError as error:
        raise UserError(str(error)) from error


def run(args: argparse.Namespace) -> int:
    """Takes the pictures."""
    names = args.names or list(TAKEN)
    if unknown := set(names) - set(TAKEN):
        raise UserError(f"{min(unknown)}: no such picture; want {', '.join(TAKEN)}")
    WORK.mkdir(parents=True, exist_ok=True)
    with browser() as new_tab:
        command("convert", "--model", MODEL)
        for name in names:
            TAKEN[name](new_tab)
    return 0


def main() -> int:
    parser = cli.Parser(
        prog="pictures.py",
        description="Take the pictures of docs/pictures/.",
        epilog="examples:\n  make pictures\n  .venv/bin/python -m tools.docs.pictures report web",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(TAKEN)} (all)")
    return cli.guarded(run, parser.parse_args(), "pictures.py")


if __name__ == "__main__":
    start.begin()
    sys.exit(main())
