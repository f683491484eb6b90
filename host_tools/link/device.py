"""A board that runs our firmware, on a serial line: `Device(url).infer(image)`. Needs numpy, pyserial."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.errors import DamagedError, LinkTimeoutError, ResetError, VersionError
from squeezenet_mcu.host_tools.link.exchange import Exchange, Patience, Waiting
from squeezenet_mcu.host_tools.link.messages import ErrorCode, Info, Refusal, Request
from squeezenet_mcu.host_tools.link.transfer import DeviceRestartedError, Transfer, refused
from squeezenet_mcu.host_tools.link.transport import BAUDRATE, SerialTransport, Transport
from squeezenet_mcu.host_tools.link.upload.delta import Piece
from squeezenet_mcu.host_tools.link.upload.session import Session
from squeezenet_mcu.host_tools.link.upload_messages import Held, Manifest

TIMEOUT = 30.0  # seconds of silence; a burst of rows of a large network computes for seconds in an emulator
OPEN_TIMEOUT = 7.0  # seconds; boards whose USB bridge resets them take some to boot
_FIRST_WAIT = 0.25  # seconds until the first probe
_MAX_RESTARTS = 5  # of the device, for one image
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
    ) -> None:
        """Opens the line and says HELLO.

        `url`: any pyserial URL (/dev/ttyACM0, COM5, socket://host:port, a pty) or a line of your own.
        `timeout`: seconds of silence after which the device is given up. `first_wait`: seconds of silence
        after which it is asked again; doubles from probe to probe. `image_timeout`: seconds for one image,
        resets included, however busy the device seems; None: 20 times `timeout`. `open_timeout`: seconds in
        which it must have answered HELLO, or `timeout` where that is less.
        """
        self._transport: Transport = SerialTransport(url, baudrate) if isinstance(url, str) else url
        whole = _LONG * timeout if image_timeout is None else image_timeout
        self._patience = Patience(first_wait, timeout, whole)
        opening = min(timeout, open_timeout)
        try:
            self._exchange = Exchange(self._transport)
            # Random starts: neither number can be one that an earlier host left in the device.
            self._session = 1 + secrets.randbelow((1 << 32) - 1)
            self._image = secrets.randbelow(1 << 32)
            self.info: Info = self._hello(Patience(first_wait, opening, opening).begin())
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
        self._transport.close()

    def infer(self, image: npt.NDArray[np.int8]) -> Result:
        """Runs the network on one image: int8 [height, width, channels], as the input tensor has it.

        Lost, duplicated or damaged bytes and resets of the device are cured on the way. Raises LinkError
        where they cannot be, and ValueError for an image of another shape or type.
        """
        shape = (self.info.height, self.info.width, self.info.channels)
        if image.dtype != np.int8 or image.shape != shape:
            raise ValueError(f"image is {image.dtype} {image.shape}; the device wants int8 {shape}")
        data = image.tobytes()
        waiting = self._patience.begin()
        for _ in range(_MAX_RESTARTS + 1):
            self._image = (self._image + 1) & 0xFFFFFFFF
            try:
                transfer = Transfer(self._exchange, self.info, self._image, data, waiting)
                cost, logits, probabilities = transfer.run()
            except DeviceRestartedError:
                self._greet_again(waiting)
                continue
            return Result(
                np.frombuffer(logits, np.int8),
                np.frombuffer(probabilities, np.int8),
                cost.count,
                self.info.counter_kind,
                cost.sram_high_water,
                cost.stack_high_water,
            )
        raise ResetError(
            f"{self._exchange.name}: the device was reset {_MAX_RESTARTS + 1} times during one image; "
            "check its power supply, and that no other program uses the port"
        )

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
        Session(self._exchange, self._greet, self._patience).run(manifest, new, old, on_progress)

    def upload_held(self) -> Held:
        """What the device holds, and which models it takes. RefusedError: its firmware takes none."""
        return Session(self._exchange, self._greet, self._patience).held()

    def upload_check(self, manifest: Manifest) -> None:
        """UploadRefusedError: the device would not take this model. Nothing changes there."""
        Session(self._exchange, self._greet, self._patience).check(manifest)

    def upload_plan(self, new: bytes, old: bytes | None = None) -> list[Piece]:
        """What of `new` would travel, and what would be copied; see upload()."""
        return Session(self._exchange, self._greet, self._patience).plan(new, old)

    def _greet(self, again: bool) -> Info:
        """Who is there; `again`: after a restart, under a new session."""
        if again:
            self._session = 1 + secrets.randbelow((1 << 32) - 1)
            opening = min(self._patience.silence, OPEN_TIMEOUT)
            self.info = self._hello(Patience(self._patience.first, opening, opening).begin())
        return self.info

    def _hello(self, waiting: Waiting) -> Info:
        def ask() -> None:
            self._exchange.send(Request.HELLO, messages.hello(self._session))

        ask()
        answered = False
        while schedule := waiting.schedule():
            try:
                sent, reply = self._exchange.answer(schedule, ask)
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

    def _greet_again(self, waiting: Waiting) -> None:
        """After a reset: a new session with the same device. LinkError for another one."""
        self._session = 1 + secrets.randbelow((1 << 32) - 1)
        info = self._hello(waiting)
        if info.model_sha256 != self.info.model_sha256:
            raise ResetError(
                f"{self._exchange.name}: the device was reset and now runs model {info.model_sha256}, "
                f"before it was {self.info.model_sha256}; start again"
            )
        if info != replace(self.info, session=info.session):
            raise ResetError(
                f"{self._exchange.name}: the device was reset and now says other things of itself than "
                "before, its sizes or its board; start again"
            )
        self.info = info
