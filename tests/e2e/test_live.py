"""`live` as a user types it: an emulated board, watched over the page's socket."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from websockets.sync.client import connect

from tests.browser import chromium
from tests.e2e import verbs

IMAGES = 200
KILLED_AFTER = (60, 130)


@pytest.fixture(scope="module")
def firmware(workplace):
    verbs.succeed(workplace, "host_tools", "firmware", "--model", "digits", "--board", "stm32f405")
    return workplace


class Running:
    """`live` in a process of its own; `url`: of its page."""

    def __init__(self, folder, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "host_tools", "live", "--model", "digits", "--board", "stm32f405",
             "--listen", "127.0.0.1:0", *words],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(verbs.REPO), "COLUMNS": "120"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.lines = [self.process.stdout.readline()]
        self.url = re.fullmatch(r"live: the page is at (http://127.0.0.1:\d+/)\n", self.lines[0])[1]

    def end(self, number: int | None = None) -> tuple[int, str]:
        """Its exit status, and all that it has said."""
        if number is not None:
            self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=120)
        return self.process.returncode, "".join(self.lines) + said


@pytest.mark.long
def test_two_hundred_images_while_the_board_is_killed_twice(firmware):
    """Each image once, all equal, whatever was under way when the emulator was killed."""
    running = Running(firmware, "--limit", str(IMAGES), "--json", "live.json")
    results, states, killed = [], [], []
    with connect(running.url.replace("http", "ws") + "socket", origin=running.url.rstrip("/")) as page:
        while len(results) < IMAGES:
            for told in json.loads(page.recv(60)):
                if told["type"] == "state":
                    states.append(told)
                elif told["type"] == "result":
                    results.append(told)
            if len(killed) < 2 and len(results) >= KILLED_AFTER[len(killed)]:
                here = [state["text"] for state in states if state["state"] == "here"][-1]
                pid = int(re.search(r"process (\d+)", here)[1])
                assert pid not in killed
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
    status, said = running.end()
    assert status == 0, said
    assert [told["number"] for told in results] == list(range(1, IMAGES + 1))
    assert all(told["differing"] == 0 and told["all"] == 10 for told in results)
    kinds = [state["state"] for state in states]
    assert kinds.count("away") >= 2 and len(killed) == 2
    assert said.count("live: away: ") == 2 and said.count("live: stm32f405: back (emulated, process ") == 2
    report = json.loads((firmware / "live.json").read_text())
    assert (report["images"], report["agreement"], report["times_away"]) == (IMAGES, 1.0, 2)
    assert report["differing_values"] == 0 and report["compared_values"] == IMAGES * 20
    print(
        f"{IMAGES} images, agreement {report['agreement']:.0%}, killed and started again {len(killed)} times"
    )


@pytest.mark.long
def test_ctrl_c_ends_it_with_a_summary_and_a_report(firmware):
    running = Running(firmware, "--json", "cut.json")
    with connect(running.url.replace("http", "ws") + "socket", origin=running.url.rstrip("/")) as page:
        while not any(told["type"] == "result" for told in json.loads(page.recv(60))):
            pass
        status, said = running.end(signal.SIGINT)
        words = ""
        while "ended" not in words:
            words = page.recv(10)
    assert status == 0 and "Traceback" not in said and "interrupted" not in said
    assert re.search(r"live: \d+ images on stm32f405, \d+ of them exact \(100.00%\)", said)
    assert json.loads((firmware / "cut.json").read_text())["agreement"] == 1.0


@pytest.mark.long
def test_the_page_in_a_browser_while_the_board_is_killed(firmware):
    running = Running(firmware, "--limit", "40", "--stay")
    with chromium.opened() as tab:
        page = tab()
        page.look(width=1280)
        page.open(running.url, "Number(document.documentElement.dataset.images) > 5")
        text = page.text("#state")
        os.kill(int(re.search(r"process (\d+)", text)[1]), signal.SIGKILL)
        page.wait("document.documentElement.dataset.state === 'away'", meanwhile=lambda: time.sleep(0.005))
        page.wait("document.documentElement.dataset.state === 'ended'", 60)
        page.wait("document.querySelector('#agreed').textContent.startsWith('40 of 40 images')")
        assert page.text("#state") == "All images are done."
        assert page.text("#agreement") == "100.00 %"
        assert page.console == []
    status, said = running.end(signal.SIGTERM)
    assert status == 0 and "x away" in said


def test_mistakes_are_one_line(workplace):
    words = ("host_tools", "live", "--model", "digits", "--port", "socket://127.0.0.1:1")
    assert "socket://127.0.0.1:1" in verbs.error_line(workplace, *words, "--listen", "127.0.0.1:0")
    assert "want ADDRESS:PORT" in verbs.error_line(workplace, *words, "--listen", "x")
    assert "want at least 1 image" in verbs.error_line(workplace, *words, "--limit", "0")
    assert "wants --limit" in verbs.error_line(workplace, *words, "--stay")
