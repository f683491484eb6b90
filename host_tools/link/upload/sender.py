"""Sends a new model to a device: only what it does not have, and from where an upload was interrupted."""

import bisect
import hashlib
import time
from collections.abc import Callable, Sequence

from squeezenet_mcu.host_tools.link import upload_messages as messages
from squeezenet_mcu.host_tools.link.errors import DamagedError, LinkTimeoutError, RefusedError
from squeezenet_mcu.host_tools.link.exchange import Exchange, Patience, Sent, Waiting
from squeezenet_mcu.host_tools.link.images.transfer import DeviceRestartedError
from squeezenet_mcu.host_tools.link.images.transfer import refused as request_refused
from squeezenet_mcu.host_tools.link.messages import ErrorCode, Info, Refusal, Reply, max_payload
from squeezenet_mcu.host_tools.link.upload import delta
from squeezenet_mcu.host_tools.link.upload.delta import Piece
from squeezenet_mcu.host_tools.link.upload.refusals import refused
from squeezenet_mcu.host_tools.link.upload_messages import (
    Hashes,
    Held,
    Manifest,
    UploadRequest,
    UploadState,
    UploadStatus,
)

_MOST_FRUITLESS = 8  # replies in a row that bring nothing further
_FRUITLESS_SECONDS = 6.0
_SECTORS = 5  # that one request may erase
_MOST_ERASE_MS = 10_000  # that a device is believed; the slowest sector here takes 4 s
_MOST_BLOCKS = 1 << 14  # whose hashes are fetched: of 64 MB
_HASHES_PATIENCE = 4  # times as long as for one image, for all hashes together


def _rest(plan: Sequence[tuple[int, Piece]], offset: int) -> Piece:
    """What is left of the piece that `offset` lies in. `plan`: where each piece begins, and the piece."""
    start, piece = plan[bisect.bisect_right(plan, offset, key=lambda entry: entry[0]) - 1]
    inside = offset - start
    if inside < piece.length:
        return Piece(piece.source + inside, piece.length - inside, piece.data)
    return Piece(0, 0, piece.data[inside - piece.length :])


class Sender:
    """The requests of one upload, one at a time: while a device writes its flash it may lose what arrives."""

    def __init__(self, exchange: Exchange, info: Info, patience: Patience) -> None:
        """`patience`: of one request; `whole` of it is what the device may take to try the model."""
        self._exchange = exchange
        self._info = info
        self._patience = patience
        self._room = max_payload(info.max_frame)
        self._erase = 0.0  # seconds more that a request may take

    def held(self) -> Held:
        """What the device holds. RefusedError: its firmware takes no models."""
        reply = self._ask(UploadRequest.OFFER, b"", Held)
        assert isinstance(reply, Held)
        if reply.erase_ms > _MOST_ERASE_MS:
            raise self._lie(f"its flash takes {reply.erase_ms:,} ms for a sector")
        self._erase = _SECTORS * reply.erase_ms / 1000
        return reply

    def check(self, manifest: Manifest) -> None:
        """UploadRefusedError: the device would not take the model. Nothing changes."""
        reply = self._ask(UploadRequest.OFFER, messages.offer(manifest, True), UploadStatus)
        assert isinstance(reply, UploadStatus)
        if reply.state is UploadState.REFUSED:
            raise refused(self._exchange.name, reply)

    def offer(self, manifest: Manifest) -> UploadStatus:
        """Begins or resumes. UploadRefusedError: the device does not take the model; nothing was erased."""
        reply = self._ask(UploadRequest.OFFER, messages.offer(manifest, False), UploadStatus)
        assert isinstance(reply, UploadStatus)
        return self._of(manifest, reply)

    def pieces(self, held: Held, new: bytes, old: bytes | None) -> list[Piece]:
        """What travels of `new`, and what is copied. `old`: the bytes that the device runs, where known."""
        if old is not None and hashlib.sha256(old).digest() == held.sha256:
            return delta.from_bytes(old, new)
        block = delta.block_bytes(held.size)
        count = held.size // block
        if count > _MOST_BLOCKS:
            raise self._lie(f"its model has {held.size:,} bytes")
        pairs: list[tuple[int, bytes]] = []
        deadline = time.monotonic() + _HASHES_PATIENCE * self._patience.whole
        while len(pairs) < count:
            if time.monotonic() > deadline:
                raise LinkTimeoutError(
                    f"{self._exchange.name}: {len(pairs):,} of {count:,} hashes of its model came in "
                    f"{_HASHES_PATIENCE * self._patience.whole:.3g} s; reset the board and try again"
                )
            reply = self._ask(UploadRequest.HASHES, messages.hashes(block, len(pairs)), Hashes)
            assert isinstance(reply, Hashes)
            asked = (reply.block, reply.first) == (block, len(pairs))
            if not asked or not reply.pairs or len(pairs) + len(reply.pairs) > count:
                raise self._lie(f"its model has {held.size:,} bytes, but other blocks than these")
            pairs += reply.pairs
        return delta.from_hashes(pairs, block, new)

    def send(
        self, manifest: Manifest, pieces: Sequence[Piece], received: int, on_progress: Callable[[int], None]
    ) -> None:
        """All bytes from `received` on. DeviceRestartedError: offer it again, it goes on from there."""
        starts, at = [], 0
        for piece in pieces:
            starts.append(at)
            at += piece.size
        plan = list(zip(starts, pieces, strict=True))
        if received > manifest.size:
            raise self._lie(f"it has {received:,} bytes of a model of {manifest.size:,}")
        fruitless, since = 0, time.monotonic()
        on_progress(received)
        while received < manifest.size:
            kind, payload, end = self._next(manifest, plan, received)
            status = self._of(manifest, self._place(manifest, kind, payload, received))
            if status.received not in (received, end):  # a device takes all of a request, or nothing
                raise self._lie(f"it has {status.received:,} bytes of a model of which {end:,} were sent")
            fruitless += 1
            if status.received > received:
                fruitless, since = 0, time.monotonic()
                received = status.received
                on_progress(received)
            elif fruitless > _MOST_FRUITLESS and time.monotonic() - since > _FRUITLESS_SECONDS:
                raise LinkTimeoutError(
                    f"{self._exchange.name}: the device answers, but takes nothing; reset it and try again"
                )

    def finish(self, manifest: Manifest) -> bool:
        """Has the device verify the model; True: it starts it now. False: bytes are missing, send them.

        UploadRefusedError: it has found it wrong.
        """
        patience = Patience(self._patience.first, self._patience.whole, self._patience.whole)
        reply = self._ask(UploadRequest.FINISH, messages.of_upload(manifest.id), UploadStatus, patience)
        assert isinstance(reply, UploadStatus)
        return self._of(manifest, reply).state is UploadState.DONE

    # One request at a time

    def _next(
        self, manifest: Manifest, plan: Sequence[tuple[int, Piece]], offset: int
    ) -> tuple[UploadRequest, bytes, int]:
        """The request that goes on at `offset`: kind, payload, and where the next one begins."""
        begins = messages.at(manifest.id, offset)
        room = self._room - len(begins)
        first = _rest(plan, offset)
        if first.length == 0 and len(first.data) > room - messages.PIECE_HEADER:  # no header: more bytes
            return UploadRequest.DATA, begins + first.data[:room], offset + min(room, len(first.data))
        payload, end, left = begins, offset, messages.MAX_COPY
        while end < manifest.size and room > messages.PIECE_HEADER and left > 0:
            piece = _rest(plan, end)
            length = min(piece.length, left)
            literal = piece.data if length == piece.length else b""  # the rest of the copy comes first
            literal = literal[: min(room - messages.PIECE_HEADER, left - length)]
            payload += messages.piece(length, piece.source, literal)
            room -= messages.PIECE_HEADER + len(literal)
            left -= length + len(literal)
            end += length + len(literal)
        return UploadRequest.COPY, payload, end

    def _place(self, manifest: Manifest, kind: UploadRequest, payload: bytes, received: int) -> UploadStatus:
        """Sends a piece of the model; in silence asks how far the device is, in few bytes."""

        def probe() -> None:
            self._exchange.send(UploadRequest.DATA, messages.of_upload(manifest.id), tag="probe")

        self._exchange.send(kind, payload, tag=payload)
        waiting = self._waiting(self._patience)
        while silence := waiting.silence():
            sent, reply = self._exchange.answer(silence, probe, waiting.patience.first)
            self._look(sent, reply)
            if not isinstance(reply, UploadStatus) or reply.id != manifest.id:
                continue
            # Of a request before this one, and no news: this one may still be on its way.
            ours = sent.tag == payload or (sent.tag == "probe" and not self._unanswered(payload))
            if ours or reply.received != received or reply.state is not UploadState.RECEIVING:
                return reply
        raise self._silent()

    def _unanswered(self, tag: object) -> bool:
        return any(sent.tag == tag for sent in self._exchange.in_flight)

    def _ask(
        self, kind: UploadRequest, payload: bytes, want: type, patience: Patience | None = None
    ) -> Reply:
        """The reply, of type `want`; the request is sent again in silence. All of them are short."""
        tag = (kind, payload)

        def again() -> None:
            self._exchange.send(kind, payload, tag=tag)

        again()
        waiting = self._waiting(patience or self._patience)
        while silence := waiting.silence():
            sent, reply = self._exchange.answer(silence, again, waiting.patience.first)
            self._look(sent, reply)
            if sent.tag == tag and isinstance(reply, want):
                return reply
        raise self._silent()

    def _waiting(self, patience: Patience) -> Waiting:
        silence = patience.silence + self._erase
        return Patience(patience.first, silence, silence + self._erase).begin()

    def _look(self, sent: Sent, reply: Reply) -> None:
        """Raises for an ERROR that no repetition cures."""
        if not isinstance(reply, Refusal) or not isinstance(sent.kind, UploadRequest):
            return
        if reply.code in (ErrorCode.NO_SESSION, ErrorCode.WRONG_IMAGE):
            raise DeviceRestartedError
        if reply.code == ErrorCode.UNKNOWN_TYPE:
            raise RefusedError(
                f"{self._exchange.name}: the device's firmware takes no new models; flash firmware of this "
                "checkout that does (make flash UPDATE=1)"
            )
        raise request_refused(self._exchange.name, sent, reply)

    def _of(self, manifest: Manifest, status: UploadStatus) -> UploadStatus:
        """`status`, which is of this upload and goes on; else what it means."""
        if status.state is UploadState.REFUSED:
            raise refused(self._exchange.name, status)
        if status.id != manifest.id or status.state is UploadState.IDLE:
            raise DeviceRestartedError  # or somebody else has begun another one
        return status

    def _lie(self, what: str) -> DamagedError:
        return DamagedError(
            f"{self._exchange.name}: the device says that {what}; "
            "flash firmware of this checkout (make flash)"
        )

    def _silent(self) -> LinkTimeoutError:
        return LinkTimeoutError(
            f"{self._exchange.name}: no answer to the upload; reset the board and upload again: it goes on "
            "where it was"
        )
