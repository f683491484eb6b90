"""What a device has seen of an image: asked before it, and fetched after it. Needs firmware with INSPECT."""

import shlex
from typing import TypeVar

from squeezenet_mcu.host_tools.link import watch
from squeezenet_mcu.host_tools.link.errors import DamagedError, LinkTimeoutError, RefusedError
from squeezenet_mcu.host_tools.link.exchange import PROBE_RESERVE, Exchange, Sent, Waiting
from squeezenet_mcu.host_tools.link.frame import OVERHEAD, encoded_size
from squeezenet_mcu.host_tools.link.images.transfer import DeviceRestartedError, refused
from squeezenet_mcu.host_tools.link.messages import ErrorCode, Info, Refusal, Reply, Request
from squeezenet_mcu.host_tools.link.watch import SeenPart, Watch, Watching

_Wanted = TypeVar("_Wanted", Watching, SeenPart)


class CannotWatchError(RefusedError):
    """The device's firmware was built without INSPECT."""


class Asking:
    """WATCH and SEEN on an exchange that carries no image at the moment."""

    def __init__(self, exchange: Exchange, info: Info, waiting: Waiting) -> None:
        self._exchange = exchange
        self._info = info
        self._waiting = waiting

    def watch(self, asked: Watch) -> Watching:
        """Has the device watch images that begin from now on.

        CannotWatchError: its firmware watches nothing. RefusedError: not that. DeviceRestartedError: it knows
        no session.
        """
        reply = self._ask(Request.WATCH, watch.watch(asked), Watching)
        if reply.watch != asked:
            raise self._lie(f"watches {reply.watch.what.name} where {asked.what.name} was asked for")
        return reply

    def seen(self, image: int, asked: Watch) -> list[tuple[int, ...]] | None:
        """What the device has seen of `image`, its last one: entries as ENTRIES[asked.what] has them.

        None: it did not watch this image so; it was reset before.
        """
        entries: list[tuple[int, ...]] = []
        total = None
        while total is None or len(entries) < total:
            reply = self._ask(Request.SEEN, watch.seen(image, len(entries)), SeenPart)
            if reply.watch != asked:
                return None
            more = list(watch.ENTRIES[asked.what].iter_unpack(reply.data))
            wrong = (reply.image, reply.first) != (image, len(entries)) or total not in (None, reply.total)
            if wrong or not more or len(entries) + len(more) > reply.total:
                raise self._lie("has seen other things than it was asked for")
            total = reply.total
            entries += more
        return entries

    def _ask(self, kind: Request, payload: bytes, wanted: type[_Wanted]) -> _Wanted:
        size = encoded_size(OVERHEAD + len(payload))

        def ask() -> None:
            if self._exchange.bytes_in_flight + size <= self._info.window_bytes + PROBE_RESERVE:
                self._exchange.send(kind, payload, tag=payload)

        ask()
        first = self._exchange.first_wait(self._waiting.patience.first)
        while silence := self._waiting.silence():
            sent, reply = self._exchange.answer(silence, ask, first)
            if sent.tag != payload:
                continue  # about what was asked before, and asked twice
            if isinstance(reply, wanted):
                return reply
            self._take(sent, reply)
        raise LinkTimeoutError(
            f"{self._exchange.name}: it answers, but for {self._waiting.patience.whole:.3g} s not to "
            f"{kind.name}; reset the board, and see that no other program uses the port"
        )

    def _take(self, sent: Sent, reply: Reply) -> None:
        """Raises what a reply of another kind means, if it is final."""
        if not isinstance(reply, Refusal):
            return
        if reply.code in (ErrorCode.NO_SESSION, ErrorCode.WRONG_IMAGE):
            raise DeviceRestartedError
        if reply.code == ErrorCode.UNKNOWN_TYPE:
            raise CannotWatchError(
                f"{self._exchange.name}: its firmware cannot watch its layers; flash one that can: "
                f"make flash BOARD={shlex.quote(self._info.board)} INSPECT=1"
            )
        raise refused(self._exchange.name, sent, reply)

    def _lie(self, what: str) -> DamagedError:
        return DamagedError(
            f"{self._exchange.name}: the device {what}; flash firmware of this checkout: make flash INSPECT=1"
        )
