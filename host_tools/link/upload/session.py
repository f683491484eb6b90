"""A whole upload: offer, bytes, verification, restart, whatever resets come between."""

import contextlib
import time
from collections.abc import Callable, Iterator

from squeezenet_mcu.host_tools.link.errors import (
    DamagedError,
    LinkError,
    PortError,
    ResetError,
    UploadRefusedError,
)
from squeezenet_mcu.host_tools.link.exchange import Exchange, Patience
from squeezenet_mcu.host_tools.link.images.transfer import DeviceRestartedError
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.link.upload.delta import Piece
from squeezenet_mcu.host_tools.link.upload.sender import Sender
from squeezenet_mcu.host_tools.link.upload_messages import Held, Manifest, UploadReason, UploadState

_MAX_RESTARTS = 5  # of the device, for one upload
_RESTART_TIMEOUT = 20.0  # seconds until a board that restarts must be there; its trial takes more
_BETWEEN = 0.5  # seconds between tries to open a port that went away
_MOST_FINISHES = 4  # that a device may answer with: bytes are missing


class Session:
    """The host's end of uploads to one device."""

    def __init__(
        self,
        exchange: Exchange,
        greet: Callable[[bool], Info],
        patience: Patience,
        reopen: Callable[[], bool],
    ) -> None:
        """`greet(False)` gives the device's INFO, `greet(True)` after a restart, under a new session.

        `reopen` tries to open a port that went away; False: the line is none.
        """
        self._reopen = reopen
        self._exchange = exchange
        self._greet = greet
        self._patience = patience

    def _sender(self, again: bool = False) -> Sender:
        return Sender(self._exchange, self._greet(again), self._patience)

    def held(self) -> Held:
        """What the device holds."""
        with self._no_reset():
            return self._sender().held()

    def check(self, manifest: Manifest) -> None:
        """UploadRefusedError: the device would not take the model."""
        with self._no_reset():
            sender = self._sender()
            sender.held()
            sender.check(manifest)

    def plan(self, new: bytes, old: bytes | None) -> list[Piece]:
        """The pieces of `new`. See Device.upload_plan."""
        with self._no_reset():
            sender = self._sender()
            return sender.pieces(sender.held(), new, old)

    @contextlib.contextmanager
    def _no_reset(self) -> Iterator[None]:
        try:
            yield
        except DeviceRestartedError as error:
            raise ResetError(f"{self._exchange.name}: the device was reset; try again") from error

    def run(
        self, manifest: Manifest, new: bytes, old: bytes | None, on_progress: Callable[[int], None]
    ) -> None:
        """See Device.upload."""
        copies = True
        for attempt in range(_MAX_RESTARTS + 1):
            try:
                if self._once(self._sender(again=attempt > 0), manifest, new, old, on_progress, copies):
                    self._await_new(manifest)
                return
            except DeviceRestartedError:
                continue
            except UploadRefusedError as error:
                # Two blocks with one hash, as rare as it is: once more, and nothing is copied.
                if error.reason != UploadReason.WRONG_SHA or old is not None or not copies:
                    raise
                copies = False
        raise ResetError(
            f"{self._exchange.name}: the device was reset {_MAX_RESTARTS + 1} times during one upload; "
            "check its power supply, then upload again: it goes on where it was"
        )

    def _once(
        self,
        sender: Sender,
        manifest: Manifest,
        new: bytes,
        old: bytes | None,
        on_progress: Callable[[int], None],
        copies: bool,
    ) -> bool:
        """One try; True: the device restarts now. False: it runs this model already. `copies`: allowed."""
        held = sender.held()
        if held.sha256 == manifest.sha256:
            return False
        status = sender.offer(manifest)
        if status.state is not UploadState.DONE:
            if held.slots == 1:
                held = sender.held()  # it has left the slot that it ran from
            pieces = sender.pieces(held, new, old) if copies else [Piece(0, 0, new)]
            received = status.received
            for _ in range(_MOST_FINISHES):
                sender.send(manifest, pieces, received, on_progress)
                if sender.finish(manifest):
                    return True
                received = sender.offer(manifest).received
            raise DamagedError(
                f"{self._exchange.name}: the device had all bytes {_MOST_FINISHES} times, and does not "
                "begin to check them; flash firmware of this checkout (make flash)"
            )
        return True

    def _await_new(self, manifest: Manifest) -> None:
        """Returns once the new model answers. ResetError: the device came back with its old one."""
        back = time.monotonic() + _RESTART_TIMEOUT
        end = back + self._patience.whole
        while True:
            try:
                held = self._sender(again=True).held()
                break
            except DeviceRestartedError as error:  # it answered just before it restarted
                if time.monotonic() > end:
                    raise ResetError(
                        f"{self._exchange.name}: the device knows no session since it restarted; reset it, "
                        "and see with the same command which model it runs"
                    ) from error
            except PortError:
                if time.monotonic() > back or not self._reopen():
                    raise
            except LinkError:
                if time.monotonic() > end:
                    raise
            time.sleep(_BETWEEN)
        if held.sha256 != manifest.sha256:
            raise ResetError(
                f"{self._exchange.name}: the device has restarted, but runs its old model: the new one did "
                "not answer after the restart, and was rolled back"
            )
