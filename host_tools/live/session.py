"""The device's loop: picture after picture to it and to Python, however often it goes away and comes back."""

import dataclasses
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.host_tools.link.device import Device, Result
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.live import messages
from squeezenet_mcu.host_tools.live.control import Control
from squeezenet_mcu.host_tools.live.hub import Hub
from squeezenet_mcu.host_tools.live.source import Picture, Source
from squeezenet_mcu.host_tools.live.totals import Totals
from squeezenet_mcu.host_tools.validate import devices
from squeezenet_mcu.host_tools.validate.compare import InfersInPython, Report
from squeezenet_mcu.host_tools.validate.devices import Way
from squeezenet_mcu.host_tools.validate.inputs import Artefacts

MOST_TRIES = 5  # for a picture; one that ends each session is given up
MOST_STARTS = 5  # of our own emulator without an answer in between
_FIRST_WAIT, _MOST_WAIT = 0.25, 2.0  # seconds between attempts to reach a device that is away
_MOST_DOUBLED = 10  # times that the first wait is doubled
_QUIET = 2.0  # seconds of silence that pages are told of
_LOOK = 0.25  # seconds between looks at what pages want
_MOST_TEXT = 300  # characters of an error

Int8 = npt.NDArray[np.int8]


@dataclasses.dataclass(frozen=True)
class Here:
    """A device that answers. `place`: where it is, for people."""

    device: Device
    place: str


def _kind(why: str) -> str:
    """Equal for errors that differ in numbers alone: seconds, bytes, ports."""
    return re.sub(r"\d+", "", why)


def connector(way: Way, artefacts: Artefacts) -> Callable[[], AbstractContextManager[Here]]:
    """Makes connections to the device of `way`: an emulator starts and ends with each."""
    # Pages are to know at once that it is away, so the loop here waits for its return, not the link.
    once = dataclasses.replace(way, reopens=False)

    @contextmanager
    def connected() -> Iterator[Here]:
        seen: list[int] = []
        with devices.connected(once, artefacts, seen.append) as device:
            place = f"emulated, process {seen[0]}" if seen else f"at {way.port}"
            yield Here(device, place)

    return connected


class Session:
    """Runs pictures on a device and in Python, compares them, and tells pages of it."""

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Here]],
        artefacts: Artefacts,
        reference: InfersInPython,
        source: Source,
        hub: Hub,
        control: Control,
        emulated: bool,
        say: Callable[[str], None] = lambda line: None,
        on_image: Callable[[Totals], None] = lambda totals: None,
        estimated: float | None = None,
    ) -> None:
        """`connect`: makes a connection, again after each loss; `emulated`: by starting an emulator of ours.

        `say`: told a line of each connection and loss; `on_image`: after each image; `estimated`:
        milliseconds of an image, for a device that counts no time.
        """
        self.totals = Totals()
        self.info: Info | None = None  # of the device, once it was there
        self._connect, self._emulated, self._estimated = connect, emulated, estimated
        self._manifest, self._reference = artefacts.manifest, reference
        self._source, self._hub, self._control = source, hub, control
        self._say, self._on_image = say, on_image
        self._picture: Picture | None = None  # that is under way, also while the device is away
        self._tries = 0
        self._failures = 0  # connections in a row without an answer
        self._said_kind = ""  # why it is away, as told last
        self._python = ThreadPoolExecutor(1)
        self._told = ("starting", "Starting …")
        control.on_change = self._tell_state
        self._tell_state()

    def run(self, limit: int | None) -> None:
        """Until `limit` images are done (None: for ever).

        UserError: the device cannot be reached the first time, or our emulator does not start any more.
        """
        try:
            while not self._done(limit):
                self._one_connection(limit)
        finally:
            self._python.shutdown(wait=False, cancel_futures=True)

    def end(self, stays: bool = False) -> None:
        """Tells the pages that this is all. `stays`: the page goes on being served."""
        done = "All images are done." if stays else "make live has ended. The figures are those of its end."
        self._set_state("ended", done)

    def _done(self, limit: int | None) -> bool:
        return limit is not None and self.totals.tried >= limit

    def _one_connection(self, limit: int | None) -> None:
        """From one connection to its end, by the limit or by a loss."""
        here = False
        try:
            with self._connect() as connected:
                here = True
                self._arrived(connected)
                while not self._done(limit):
                    self._step(connected.device)
        except UserError as error:
            if self.info is None:
                raise  # nothing was ever there: a wrong port, no firmware, another model
            self._lost(error, here)

    def _arrived(self, connected: Here) -> None:
        device = connected.device
        first = self.info is None
        self.info = device.info
        device.exchange.on_silence = self._silent
        device.exchange.on_progress = self._progress
        self._set_state("here", f"{device.info.board} is connected ({connected.place}).")
        self._say(f"{device.info.board}: {'connected' if first else 'back'} ({connected.place})")

    def _lost(self, error: UserError, here: bool) -> None:
        """The device is away: says so, and waits a little."""
        why = one_line(str(error), _MOST_TEXT)
        self._failures += 1
        if here:
            self.totals.losses += 1
            self._say(f"away: {why}")
            if self._picture is not None:
                self._give_up_after_many()
        elif self._emulated and self._failures >= MOST_STARTS:
            raise error
        elif _kind(why) != self._said_kind:  # another model, say, was flashed meanwhile
            self._say(f"still away: {why}")
        self._said_kind = _kind(why)
        self._set_state("away", f"The device is away; tries to reach it again. ({why})")
        # A device may be away for days: the power must not grow with that.
        time.sleep(min(_FIRST_WAIT * 2 ** min(self._failures - 1, _MOST_DOUBLED), _MOST_WAIT))

    def _give_up_after_many(self) -> None:
        assert self._picture is not None
        self._tries += 1
        if self._tries < MOST_TRIES:
            return
        self._say(f"{self._picture.name}: given up, the device went away {MOST_TRIES} times while it had it")
        self.totals.give_up(self._picture.name)
        self._picture, self._tries = None, 0

    def _step(self, device: Device) -> None:
        """One picture, if one may go and there is one; else looks again soon."""
        if self._picture is None:
            if not self._control.may_go(_LOOK):
                return
            if self._source.camera:
                self._hub.tell(messages.want())
            self._picture = self._source.take(_LOOK)
            if self._picture is None:
                return
        self._infer(device, self._picture)
        self._picture, self._tries, self._failures = None, 0, 0
        self._control.did_one()
        self._on_image(self.totals)

    def _infer(self, device: Device, shown: Picture) -> None:
        number = self._number
        self._hub.tell(messages.picture(number, shown, self._manifest))
        logits: int = self._manifest["output"]["logits_tensor"]
        theirs = self._python.submit(self._reference.infer, shown.image, logits)
        resets = device.statistics.restarts
        began = time.perf_counter()
        result = device.infer(shown.image)
        seconds = time.perf_counter() - began
        if self._told[0] == "quiet":
            self._set_state("here", f"{device.info.board} answers again.")
        self.totals.resets += device.statistics.restarts - resets
        self._count(shown, result, theirs.result(), seconds, device.info)

    def _count(
        self, shown: Picture, result: Result, python: tuple[Int8, Int8], seconds: float, info: Info
    ) -> None:
        number = self._number
        one = Report()
        one.add(result, python[0], python[1], shown.label)
        self.totals.add(one, shown.name, seconds)
        ms = messages.milliseconds(result, info)
        told = messages.result(number, shown, self._manifest, result, python, ms)
        self._hub.tell(told)
        self._hub.tell(messages.figures(self.totals, told, info, self._estimated))

    @property
    def _number(self) -> int:
        """That of the picture under way, from 1."""
        return self.totals.tried + 1

    # From the link, while an image goes in

    def _progress(self, image: int, acknowledged: int) -> None:
        assert self.info is not None
        if self._told[0] == "quiet":
            self._set_state("here", f"{self.info.board} answers again.")
        self._hub.tell(messages.rows(self._number, acknowledged // self.info.row_bytes))

    def _silent(self, silent: float, patience: float) -> None:
        if silent >= _QUIET and self.info is not None:
            self._set_state(
                "quiet", f"{self.info.board} has not answered for {_QUIET:g} seconds; it may be computing."
            )

    def _set_state(self, kind: str, text: str) -> None:
        if (kind, text) != self._told:
            self._told = kind, text
            self._tell_state()

    def _tell_state(self) -> None:
        board = self.info.board if self.info else ""
        self._hub.tell(messages.state(*self._told, board, self._control.paused))
