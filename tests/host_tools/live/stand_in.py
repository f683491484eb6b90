"""A device that is a few lines of Python, and a live session with it: what pages see, without a firmware."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from websockets.sync.client import ClientConnection, connect

from squeezenet_mcu.host_tools.link.device import Result
from squeezenet_mcu.host_tools.link.errors import PortError
from squeezenet_mcu.host_tools.live import guard, server
from squeezenet_mcu.host_tools.live.control import Control
from squeezenet_mcu.host_tools.live.hub import Hub
from squeezenet_mcu.host_tools.live.page import Page
from squeezenet_mcu.host_tools.live.session import Here, Session
from squeezenet_mcu.host_tools.live.source import Camera, Folder
from squeezenet_mcu.host_tools.validate.inputs import Artefacts
from tests.manifests import manifest

CLASSES = 10
LOOPBACK = guard.Listen("127.0.0.1", 0)


def answer(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and probabilities of an image, int8 [10]; the sum of its pixels is its class."""
    top = int(image.astype(np.int64).sum()) % CLASSES
    order = (np.arange(CLASSES) - top) % CLASSES
    return (100 - 3 * order).astype(np.int8), np.where(order == 0, 120, -128 + order).astype(np.int8)


class Board:
    """Answers as `answer`.

    `before`: called with the number of each image, from 0; may raise. `wrong`: numbers of images whose answer
    is damaged.
    """

    def __init__(self, before: Callable[[int], None] = lambda number: None, wrong=(), size=(4, 3, 1)) -> None:
        self.before, self.wrong, self.count = before, set(wrong), 0
        height, width, channels = size
        self.info = SimpleNamespace(
            board="toy_board", row_bytes=width * channels, height=height, width=width, channels=channels,
            classes=CLASSES, counter_kind="cycles", counter_hz=168_000_000, sram_total_bytes=131_072,
            arena_bytes=48, flash_used_bytes=4000, flash_total_bytes=1 << 20, model_sha256="a" * 64,
            engine_sha256="e" * 64, build_id="b" * 16,
        )  # fmt: skip
        self.exchange = SimpleNamespace()
        self.statistics = SimpleNamespace(restarts=0)

    def infer(self, image: np.ndarray) -> Result:
        number = self.count
        self.count += 1
        for row in range(1, self.info.height + 1):
            self.exchange.on_progress(0, row * self.info.row_bytes)
        self.before(number)
        logits, probabilities = answer(image)
        if number in self.wrong:
            logits = logits ^ 1
        return Result(logits, probabilities, 2_730_000, "cycles", 15_872, 1_348)


class Python:
    """In the place of LiteRT."""

    def infer(self, image: np.ndarray, logits_tensor: int) -> tuple[np.ndarray, np.ndarray]:
        return answer(image)


def pictures(count: int, about: dict, labels=None) -> Folder:
    """`count` of them, of the size of the manifest `about`."""
    size = about["input"]
    shape = (count, size["height"], size["width"], size["channels"])
    pixels = np.random.RandomState(1).randint(0, 256, shape).astype(np.uint8)
    return Folder("made up", pixels, labels or [-1] * count, [f"picture_{i}.png" for i in range(count)], size)


class Live:
    """A session with `board` and its page; `lines`: what it has said. Nothing runs before start()."""

    def __init__(self, board: Board, source=None, emulated=False, listen=LOOPBACK, **changed) -> None:
        about = manifest(**changed)
        self.board, self.source = board, source or pictures(20, about)
        self.refusals: list[Exception] = []  # that the next attempts to connect meet
        self.hub, self.control, self.lines = Hub(), Control(), []
        self.page = Page(about, self.source)
        self.hub.tell({"type": "hello", "run": self.page.run})
        artefacts = Artefacts(about, b"the model", Path("build/toy"))
        self.session = Session(
            self._connect, artefacts, Python(), self.source, self.hub, self.control, emulated,
            self.lines.append,
        )  # fmt: skip
        camera = self.source if isinstance(self.source, Camera) else None
        self._serving = server.serving(listen, self.page, self.hub, self.control, camera)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[Here]:
        if self.refusals:
            raise self.refusals.pop(0)
        yield Here(self.board, "at toy")

    def __enter__(self) -> "Live":
        self.server = self._serving.__enter__()
        self.thread = None
        return self

    def __exit__(self, *error) -> None:
        if self.thread:
            self.control.told("go")
            self.session._done = lambda limit: True
            self.thread.join(10)
            assert not self.thread.is_alive()
        self._serving.__exit__(None, None, None)

    def start(self, limit: int | None = None) -> None:
        """The loop, on a thread."""
        self.thread = threading.Thread(target=self.session.run, args=(limit,))
        self.thread.start()

    @property
    def url(self) -> str:
        return self.server.url

    def open(self, **more) -> ClientConnection:
        """A page's socket."""
        given = {"origin": self.url.rstrip("/"), "compression": None, "max_size": None} | more
        return connect(self.url.replace("http", "ws") + "socket", **given)


def heard(socket: ClientConnection, until: Callable[[dict], bool], seconds: float = 10) -> list[dict]:
    """All messages up to the first one that `until` holds of."""
    found: list[dict] = []
    deadline = time.monotonic() + seconds
    while True:
        for message in json.loads(socket.recv(deadline - time.monotonic())):
            found.append(message)
            if until(message):
                return found


def away() -> PortError:
    return PortError("toy: it went away; plug it in")
