"""A board that runs our firmware, on a serial line: `Device(url).infer(image)`. Needs numpy, pyserial."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from types import TracebackType

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.adaptive import Statistics
from squeezenet_mcu.host_tools.link.errors import (
    DamagedError,
    FaultError,
    LinkError,
    LinkTimeoutError,
    PortError,
    ResetError,
    VersionError,
)
from squeezenet_mcu.host_tools.link.exchange import Exchange, Patience, Waiting
from squeezenet_mcu.host_tools.link.faults import Fault
from squeezenet_mcu.host_tools.link.images.pipeline import Answer, Pipeline
from squeezenet_mcu.host_tools.link.images.transfer import DeviceRestartedError, Transfer, refused
from squeezenet_mcu.host_tools.link.messages import (
    Counts,
    ErrorCode,
    Info,
    LastFault,
    Refusal,
    Reply,
    Request,
)
from squeezenet_mcu.host_tools.link.rates.agreement import Agreement
from squeezenet_mcu.host_tools.link.transport import BAUDRATE, SerialTransport, Transport, change_rate
from squeezenet_mcu.host_tools.link.upload.delta import Piece
from squeezenet_mcu.host_tools.link.upload.session import Session
from squeezenet_mcu.host_tools.link.upload_messages import Held, Manifest
from squeezenet_mcu.host_tools.link.watch import MapSeen, Spent, Watch, What
from squeezenet_mcu.host_tools.link.watched.asking import Asking, CannotWatchError

TIMEOUT = 30.0  # seconds of silence; a burst of rows of a large network computes for seconds in an emulator
OPEN_TIMEOUT = 7.0  # seconds; boards whose USB bridge resets them take some to boot
REOPEN_TIMEOUT = 5.0  # seconds; a USB bridge is back after two or three
_FIRST_WAIT = 0.25  # seconds until the first probe, as long as no round trip is measured
_HELLO_WAIT = 0.25  # seconds between HELLOs: a board that boots loses all that came before
_REOPEN_WAIT = 0.1  # seconds between attempts to open a port again
_COUNTS_TIMEOUT = 1.0  # seconds; a statistic is worth no more
_MAX_RESTARTS = 5  # of the device, for one image that it watches
_LONG = 20  # times the longest silence: for an image, if nobody knows better


@dataclass(frozen=True)
class Result:
    """What the device computed for one image, and what it cost."""

    logits: npt.NDArray[np.int8]  # [classes], the tensor before SOFTMAX
    probabilities: npt.NDArray[np.int8]  # [classes]
    count: int  # in units of count_kind
    count_kind: str  # "instructions", "cycles" or "microseconds"
    sram_high_water: int  # bytes: static SRAM + deepest stack so far
    stack_high_water: int  # bytes: deepest stack so far


class Device:
    """A device on a line. Open it with `with`; every trouble a user can mend is a LinkError of one line."""

    def __init__(
        self,
        url: str | Transport,
        timeout: float = TIMEOUT,
        baudrate: int = BAUDRATE,
        first_wait: float = _FIRST_WAIT,
        image_timeout: float | None = None,
        open_timeout: float = OPEN_TIMEOUT,
        reopen_timeout: float = REOPEN_TIMEOUT,
        over: Callable[[Transport], Transport] = lambda line: line,
        speed: int | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Opens the line and says HELLO.

        `url`: any pyserial URL (/dev/ttyACM0, COM5, socket://host:port, a pty) or a line of your own.
        `timeout`: seconds of silence after which the device is given up. `first_wait`: seconds of silence
        after which it is asked again, as long as no round trip is measured. `image_timeout`: seconds for one
        image, resets included, however busy the device seems; None: 20 times `timeout`. `open_timeout`:
        seconds in which it must have answered HELLO, or `timeout` where that is less. `reopen_timeout`:
        seconds in which a port that went away must be back; a line of your own is not opened again. `over`:
        what stands between, made of each line that is opened (faulty_line.FaultyLine, trace.TracedLine).
        `speed`: a faster baud rate, where device and line can; `tell`: is told where not, or no more.
        """
        self._open: Callable[[], Transport] | None = None
        if isinstance(url, str):
            self._open = lambda: over(SerialTransport(url, baudrate))
        self._reopen_timeout = reopen_timeout
        self._transport: Transport = self._open() if self._open else over(url)  # type: ignore[arg-type]
        whole = _LONG * timeout if image_timeout is None else image_timeout
        self._patience = Patience(first_wait, timeout, whole)
        opening = min(timeout, open_timeout)
        try:
            self._exchange = Exchange(self._transport)
            self._rates = Agreement(
                self._exchange, lambda baud: change_rate(self._transport, baud), baudrate, speed, tell
            )
            # Random starts: neither number can be one that an earlier host left in the device.
            self._session = 1 + secrets.randbelow((1 << 32) - 1)
            self._image = secrets.randbelow(1 << 32)
            waiting = Patience(first_wait, opening, opening).begin()
            self.info: Info = self._hello(waiting)
            self.fault_before = self._last_fault(self.info, waiting)  # None: this run follows no fault
            self._rates.agree(self.info)
        except BaseException:
            self._transport.close()
            raise

    def __enter__(self) -> "Device":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the line."""
        self._rates.end()
        self._transport.close()

    def infer(self, image: npt.NDArray[np.int8]) -> Result:
        """Runs the network on one image: int8 [height, width, channels], as the input tensor has it.

        Lost, duplicated or damaged bytes, resets of the device and a port that goes away and comes back are
        cured on the way. Raises LinkError where they cannot be, and ValueError for an image of another shape
        or type.
        """
        return next(self.infer_many([image]))

    def infer_many(self, images: Iterable[npt.NDArray[np.int8]]) -> Iterator[Result]:
        """Runs the network on many images, and gives their results in their order; as `infer`.

        Faster than `infer` for each: the next image travels while the device computes this one. So `images`
        is asked for up to two images more than there are results so far.
        """
        pipeline = Pipeline(self._exchange, self._patience, self._start, self._recover)
        return map(self._result, pipeline.run(map(self._bytes_of, images)))

    def counts(self) -> Counts | None:
        """What the device counts itself; None where it does not say so within a second."""
        waiting = Patience(self._patience.first, _COUNTS_TIMEOUT, _COUNTS_TIMEOUT).begin()

        try:
            reply = self._ask(Request.COUNTS, waiting)
        except LinkError:
            return None
        return reply if isinstance(reply, Counts) else None

    def _ask(self, kind: Request, waiting: Waiting) -> Reply | None:
        """The reply to a request without a payload; None: the time is over."""

        def ask() -> None:
            self._exchange.send(kind, b"")

        ask()
        while silence := waiting.silence():
            first = self._exchange.first_wait(waiting.patience.first)
            sent, reply = self._exchange.answer(silence, ask, first)
            if sent.kind is kind:
                return reply
        return None

    @property
    def exchange(self) -> Exchange:
        """Requests and replies of the line, for those who measure it."""
        return self._exchange

    @property
    def image(self) -> int:
        """The number of the image that was begun last."""
        return self._image

    @property
    def statistics(self) -> Statistics:
        """What passed on the line so far, and what got lost."""
        return self._exchange.statistics

    def _bytes_of(self, image: npt.NDArray[np.int8]) -> bytes:
        shape = (self.info.height, self.info.width, self.info.channels)
        if image.dtype != np.int8 or image.shape != shape:
            raise ValueError(f"image is {image.dtype} {image.shape}; the device wants int8 {shape}")
        return image.tobytes()

    def _start(self, data: bytes, waiting: Waiting, limit_row: int) -> Transfer:
        self._image = (self._image + 1) & 0xFFFFFFFF
        return Transfer(self._exchange, self.info, self._image, data, waiting, limit_row)

    def _result(self, answer: Answer) -> Result:
        return Result(
            np.frombuffer(answer.logits, np.int8),
            np.frombuffer(answer.probabilities, np.int8),
            answer.cost.count,
            self.info.counter_kind,
            answer.cost.sram_high_water,
            answer.cost.stack_high_water,
        )

    def watches(self) -> bool:
        """Whether its firmware was built with INSPECT=1, which `layers` and `profile` want."""
        for _ in range(_MAX_RESTARTS + 1):
            try:
                self._asking().watch(Watch())
            except CannotWatchError:
                return False
            except DeviceRestartedError:
                self._recover(self._patience.begin(), None)
                continue
            return True
        raise self._forgets()

    def infer_watched(
        self, image: npt.NDArray[np.int8], watch: Watch
    ) -> tuple[Result, list[tuple[int, ...]]]:
        """As `infer`, and what the device saw of it: entries as link.watch.ENTRIES[watch.what] has them.

        Needs firmware that was built with INSPECT=1, else RefusedError. `count` of the Result has the work of
        watching in it.
        """
        for _ in range(_MAX_RESTARTS + 1):
            try:
                self._asking().watch(watch)
                result = self.infer(image)  # takes its own time
                asking = self._asking()
                seen = asking.seen(self._image, watch)
                asking.watch(Watch())
            except DeviceRestartedError:
                self._recover(self._patience.begin(), None)
                continue
            if seen is not None:
                return result, seen
        raise self._forgets()

    def _asking(self) -> Asking:
        return Asking(self._exchange, self.info, self._patience.begin())

    def _forgets(self) -> ResetError:
        return ResetError(
            f"{self._exchange.name}: the device forgets what it was asked to watch; check its power supply, "
            "and that no other program uses the port"
        )

    def layers(self, image: npt.NDArray[np.int8]) -> list[MapSeen]:
        """Each feature map of an image, by its shape and the CRC-32 of its rows. See infer_watched."""
        return [MapSeen(*entry) for entry in self.infer_watched(image, Watch(What.MAPS))[1]]

    def profile(self, image: npt.NDArray[np.int8]) -> list[Spent]:
        """What each layer of an image takes, and then what is between them. See infer_watched."""
        return [Spent(*entry) for entry in self.infer_watched(image, Watch(What.TIME))[1]]

    def _last_fault(self, info: Info, waiting: Waiting) -> Fault | None:
        """The fault that the device has restarted after; None: after none, or it does not say."""
        if info.reset_cause != "fault":
            return None
        reply = self._ask(Request.LAST_FAULT, waiting)
        return reply.fault if isinstance(reply, LastFault) else None

    def upload(
        self,
        manifest: Manifest,
        new: bytes,
        old: bytes | None = None,
        on_progress: Callable[[int], None] = lambda received: None,
    ) -> None:
        """Sends the engine's model `new` into the slot that does not run, and waits until it runs.

        `manifest`: what is said of it (host_tools/upload/package.py makes and signs one); `old`: the bytes
        that the device runs, where they are known: then fewer travel. `on_progress` is told how many bytes of
        the new model the device has. An upload that was interrupted goes on where it was.

        UploadRefusedError: the device does not take it, and goes on with its own. LinkError: as infer().
        """
        self._session_of_uploads().run(manifest, new, old, on_progress)

    def upload_held(self) -> Held:
        """What the device holds, and which models it takes. RefusedError: its firmware takes none."""
        return self._session_of_uploads().held()

    def upload_check(self, manifest: Manifest) -> None:
        """UploadRefusedError: the device would not take this model. Nothing changes there."""
        self._session_of_uploads().check(manifest)

    def upload_plan(self, new: bytes, old: bytes | None = None) -> list[Piece]:
        """What of `new` would travel, and what would be copied; see upload()."""
        return self._session_of_uploads().plan(new, old)

    def _session_of_uploads(self) -> Session:
        return Session(self._exchange, self._greet, self._patience, self._open_again)

    def _greet(self, again: bool) -> Info:
        """Who is there; `again`: after a restart, under a new session."""
        if again:
            self._session = 1 + secrets.randbelow((1 << 32) - 1)
            opening = min(self._patience.silence, OPEN_TIMEOUT)
            self._rates.slow_down()
            self.info = self._hello(Patience(self._patience.first, opening, opening).begin())
            self._rates.agree(self.info)
        return self.info

    def _open_again(self) -> bool:
        """Tries once more to open a line that went away; False: it cannot be."""
        if self._open is None:
            return False
        self._transport.close()
        with contextlib.suppress(PortError):
            self._transport = self._open()
            self._exchange.use(self._transport)  # what was in flight is lost
            self._rates.opened()
            self._exchange.statistics.reopened += 1
        return True

    def _hello(self, waiting: Waiting) -> Info:
        def ask() -> None:
            self._exchange.send(Request.HELLO, messages.hello(self._session))

        ask()
        answered = False
        first = min(waiting.patience.first, _HELLO_WAIT)
        while silence := waiting.silence():
            try:
                sent, reply = self._exchange.answer(silence, ask, first, _HELLO_WAIT)
            except LinkTimeoutError:
                if answered:
                    break
                raise
            answered = True
            ours = sent.kind is Request.HELLO  # else about something from before the reset
            if ours and isinstance(reply, Info) and reply.session == self._session:
                if reply.version != messages.VERSION:
                    raise self._other_version(reply.version)
                return reply
            if ours and isinstance(reply, Refusal):
                if reply.code == ErrorCode.VERSION:
                    raise self._other_version(reply.detail)
                raise refused(self._exchange.name, sent, reply)
        raise DamagedError(
            f"{self._exchange.name}: it answers, but for {waiting.patience.whole:.3g} s not to this "
            "program's HELLO; reset the board, and see that no other program uses the port"
        )

    def _other_version(self, version: int) -> VersionError:
        return VersionError(
            f"{self._exchange.name}: the device speaks version {version} of the link, this program version "
            f"{messages.VERSION}; flash firmware of this checkout (make flash)"
        )

    def _recover(self, waiting: Waiting, trouble: PortError | None) -> None:
        """After a reset, or where the line broke: a new session. LinkError for another device."""
        if not trouble:
            self._exchange.statistics.restarts += 1
        deadline = time.monotonic() + self._reopen_timeout
        while True:
            try:
                if trouble:
                    self._reopen(trouble, deadline)
                self._session = 1 + secrets.randbelow((1 << 32) - 1)
                info = self._hello(waiting)
                self._rates.agree(info)
                break
            except PortError as error:
                if self._open is None or time.monotonic() >= deadline:
                    raise
                trouble = error
        fault = self._last_fault(info, waiting)
        if fault and fault != self.fault_before:
            self.fault_before = fault
            raise FaultError(self._exchange.name, fault)
        if info.model_sha256 != self.info.model_sha256:
            raise ResetError(
                f"{self._exchange.name}: the device was reset and now runs model {info.model_sha256}, "
                f"before it was {self.info.model_sha256}; start again"
            )
        if info != replace(self.info, session=info.session, reset_cause=info.reset_cause):
            raise ResetError(
                f"{self._exchange.name}: the device was reset and now says other things of itself than "
                "before, its sizes or its board; start again"
            )
        self.info = info

    def _reopen(self, trouble: PortError, deadline: float) -> None:
        """Opens the port again once it is back; raises `trouble` where it is not before the deadline."""
        times = self._exchange.statistics.reopened
        while time.monotonic() < deadline and self._open_again():
            if self._exchange.statistics.reopened > times:
                return
            time.sleep(_REOPEN_WAIT)
        raise trouble
