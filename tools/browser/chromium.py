"""A headless Chromium for tests and pictures of pages: DevTools' protocol over a pipe, without a driver.

What the page may do stays as it is for a user, its Content-Security-Policy too: the browser itself runs the
scripts of tests. Started as a program, it prints the browser that it would start, else its exit status is 1.
"""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

_PROGRAMS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
# Its pipe is file descriptors 3 and 4; Popen cannot hand on others under these numbers.
_START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_ARGUMENTS = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--hide-scrollbars", "--force-device-scale-factor=1",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip
_TIMEOUT = 30.0  # seconds; the machine may be busy


class BrowserError(Exception):
    """The browser does not do what it was told, or a script in the page failed."""


class Page:
    """One tab. Notes what the console says, and what the page asks for from anywhere."""

    def __init__(self, browser: "_Pipe") -> None:
        self._pipe = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.console: list[str] = []  # errors and warnings, and exceptions
        self.requests: list[str] = []  # URLs
        self.bindings: dict[str, Callable[[str], str | None]] = {}
        self._target = target
        browser.listeners[self._session] = self._event
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of DevTools' protocol for this tab."""
        return self._pipe.call(method, self._session, **parameters)

    def close(self) -> None:
        """Ends the tab; nothing may be asked of it any more."""
        self._pipe.call("Target.closeTarget", targetId=self._target)
        self._pipe.listeners.pop(self._session)

    def _event(self, method: str, told: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.console.append(told["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.console.append(json.dumps(told["exceptionDetails"])[:1000])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.console.append(json.dumps(told["args"])[:1000])
        elif method == "Runtime.bindingCalled":
            script = self.bindings[told["name"]](told["payload"])
            if script:
                self._pipe.send("Runtime.evaluate", self._session, expression=script)

    def bind(self, name: str, called: Callable[[str], str | None]) -> None:
        """window[name](text) of the page calls `called`; a script that this returns is run in the page."""
        self.bindings[name] = called
        self.call("Runtime.addBinding", name=name)

    def before_scripts(self, script: str) -> None:
        """Runs `script` in each page before its own scripts."""
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def look(self, width: int, height: int = 900, dark: bool = False) -> None:
        """The size of the window in pixels, and which colours its user likes."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str, ready: str) -> None:
        """Goes to `url`, until the expression `ready` holds."""
        self.call("Page.navigate", url=url)
        self.wait(ready)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, as JSON has it; promises are awaited."""
        told = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise BrowserError(json.dumps(told["exceptionDetails"])[:2000])
        return told["result"].get("value")

    def wait(
        self,
        expression: str,
        seconds: float = _TIMEOUT,
        meanwhile: Callable[[], None] = lambda: time.sleep(0.05),
    ) -> Any:
        """Until the expression holds; its value. `meanwhile`: called again and again."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(BrowserError):  # the page is on its way
                value = self.evaluate(expression)
                if value or value == {}:  # an element is {}
                    return value
            if time.monotonic() > deadline:
                text = self.evaluate("document.body.innerText")
                raise BrowserError(f"{expression}: not within {seconds} s; {self.console}; {text}")
            meanwhile()

    def text(self, selector: str) -> str:
        """What an element shows."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent.trim()")

    def click(self, selector: str) -> None:
        """A press of the mouse where the element is: some doors open only to a user."""
        middle = self.evaluate(
            f"""(() => {{
              const element = document.querySelector({json.dumps(selector)});
              element.scrollIntoView({{ block: "center" }});
              const box = element.getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            where = {"x": middle[0], "y": middle[1], "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, **where)

    def press(self, key: str, code: int) -> None:
        """A key, with its Windows code: Tab 9, Enter 13, Space 32."""
        text = {"Enter": "\r", "Space": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more
            )

    def choose(self, selector: str, path: Path) -> None:
        """A file in an <input type=file>."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def drop(self, path: Path, kind: str = "image/png", selector: str = "body", event: str = "drop") -> None:
        """A file dropped on an element, or (event="paste") pasted."""
        content = base64.b64encode(path.read_bytes()).decode()
        self.evaluate(
            f"""(() => {{
              const bytes = Uint8Array.from(atob("{content}"), (c) => c.charCodeAt(0));
              const data = new DataTransfer();
              data.items.add(new File([bytes], {json.dumps(path.name)}, {{ type: "{kind}" }}));
              const how = {{ bubbles: true, cancelable: true }};
              const event = "{event}" === "drop" ? new DragEvent("drop", {{ ...how, dataTransfer: data }})
                : new ClipboardEvent("paste", {{ ...how, clipboardData: data }});
              document.querySelector({json.dumps(selector)}).dispatchEvent(event);
            }})()"""
        )

    def screenshot(self, path: Path, box: tuple[float, float, float, float] | None = None) -> None:
        """All of the page as a PNG; or of a `box` of it, x, y, width and height, two pixels for each."""
        clip = {}
        if box:
            clip["clip"] = dict(zip(("x", "y", "width", "height"), box, strict=True)) | {"scale": 2}
        told = self.call("Page.captureScreenshot", captureBeyondViewport=True, **clip)
        path.write_bytes(base64.b64decode(told["data"]))

    def scrolls_sideways(self) -> bool:
        """Whether anything is wider than the window."""
        return bool(self.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


class _Pipe:
    """Commands and events of DevTools' protocol: JSON, each ended by a zero byte."""

    def __init__(self, program: str, folder: Path, sandbox: bool) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        how = [] if sandbox else ["--no-sandbox"]
        command = [sys.executable, "-c", _START, str(to_read), str(to_write), program, *_ARGUMENTS, *how]
        self.process = subprocess.Popen(
            [*command, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(folder)},
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._number = 0
        self._partial = b""
        self._waiting: list[dict[str, Any]] = []
        self.listeners: dict[str, Callable[[str, dict[str, Any]], None]] = {}

    def send(self, method: str, session: str | None = None, **parameters: Any) -> int:
        """Sends a command without waiting for its answer; returns its number."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        return self._number

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The answer to a command; events meanwhile go to the tabs."""
        number = self.send(method, session, **parameters)
        deadline = time.monotonic() + _TIMEOUT
        while True:
            told = self._receive(deadline, method)
            if told.get("id") == number:
                if "error" in told:
                    raise BrowserError(f"{method}: {told['error']}")
                return told["result"]
            if "method" in told and told.get("sessionId") in self.listeners:
                self.listeners[told["sessionId"]](told["method"], told["params"])

    def _receive(self, deadline: float, method: str) -> dict[str, Any]:
        while not self._waiting:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                raise BrowserError(f"{method}: no answer within {_TIMEOUT} s")
            data = os.read(self._from, 1 << 16)
            if not data:
                raise BrowserError(f"{method}: the browser has ended")
            *whole, self._partial = (self._partial + data).split(b"\0")
            self._waiting += map(json.loads, whole)
        return self._waiting.pop(0)

    def close(self) -> None:
        os.close(self._to)  # it ends then
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._from)


PageKind = TypeVar("PageKind", bound=Page)


def program() -> str | None:
    """The browser's path: the first on PATH that starts and is not a snap; None: there is none.

    A snap sees neither our folders for temporary files nor the HOME that we give it.
    """
    for path in filter(None, map(shutil.which, _PROGRAMS)):
        with Path(path).open("rb") as file:
            if Path(path).resolve().name == "snap" or b"/snap/bin/" in file.read(4096):
                continue
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            if (
                subprocess.run(
                    [path, "--version"], capture_output=True, timeout=_TIMEOUT, check=False
                ).returncode
                == 0
            ):
                return path
    return None


def _started(path: str, folder: Path) -> _Pipe:
    """The browser, in its sandbox if there can be one: root has none, and few containers let a user make one.

    The pages are our own, so without it they can do no more than we.
    """
    for sandbox in (True, False) if os.geteuid() != 0 else (False,):
        pipe = _Pipe(path, folder, sandbox)
        try:
            pipe.call("Browser.getVersion")
            return pipe
        except (BrowserError, BrokenPipeError):
            pipe.close()
    raise BrowserError(f"{path}: does not start; try: {path} --headless --dump-dom about:blank")


@contextlib.contextmanager
def opened(kind: type[PageKind]) -> Iterator[Callable[[], PageKind]]:
    """Makes tabs, of class `kind`, of one browser, as long as the context.

    BrowserError: there is no browser, or it does not start.
    """
    path = program()
    if path is None:
        raise BrowserError("Chromium is not installed; run: ./setup.sh --tests")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        pipe = _started(path, Path(folder))
        try:
            yield lambda: kind(pipe)
        finally:
            pipe.close()


if __name__ == "__main__":
    found = program()
    print(found or "no Chromium")
    sys.exit(0 if found else 1)
