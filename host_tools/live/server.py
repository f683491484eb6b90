"""The page and its socket, by the library websockets: HTTP for the page, a WebSocket for what happens."""

import contextlib
import errno
import http
import logging
import select
import socket
import struct
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server as WebSocketServer
from websockets.sync.server import ServerConnection, serve

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.live.control import Control
from squeezenet_mcu.host_tools.live.guard import Guard, Listen
from squeezenet_mcu.host_tools.live.hub import Hub, Outbox
from squeezenet_mcu.host_tools.live.page import Page
from squeezenet_mcu.host_tools.live.source import Camera

SOCKET = "/socket"
MOST_PAGES = 16
_MOST_CONNECTIONS = 64  # those that have not said yet what they want, too
_LOOK = 0.1  # seconds between looks at whether all is over
_MOST_WORD = 64  # bytes of a message that is no frame
_BETWEEN = 0.05  # seconds between two batches for a page
_MOST_RATE, _BURST = 60.0, 120.0  # messages a second from a page, and at once
_SEND_TIMEOUT = 10  # seconds that a page's computer may take nothing
_POLICY_VIOLATION = 1008
_FREE = "LISTEN=127.0.0.1:0 takes a free one"
_FIXES = {  # of what does not let us listen
    errno.EADDRINUSE: f"another program has it; end that, or take another: {_FREE}",
    errno.EACCES: f"ports below 1,024 are not for everyone; take another: {_FREE}",
}
_LAST_WORDS = 0.5  # seconds for pages to get what was told last


class _Listening(socket.socket):
    """Refuses connections beyond a number: each takes a thread. Knows those that it has given."""

    def __init__(self, *of: Any, **given: Any) -> None:
        super().__init__(*of, **given)
        self.threads: Callable[[], int] = lambda: 0
        self.accepted: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        """As a socket's; connections that are too many are closed at once."""
        while True:
            found, address = super().accept()
            if self.threads() < _MOST_CONNECTIONS:
                break
            found.close()
            # Not in accept() itself: the library closes this socket to end its loop; nobody wakes there.
            with contextlib.suppress(ValueError):  # of a socket that is closed
                while not select.select([self], [], [], _LOOK)[0]:
                    pass
        # What cannot be sent for so long closes the connection.
        if sys.platform != "win32":
            time_value = struct.pack("ll", _SEND_TIMEOUT, 0)
            found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, time_value)
        self.accepted.add(found)
        return found, address


@dataclass
class Server:
    """What serves a page until it is closed. `url`: for people."""

    url: str
    token: str | None
    _hub: Hub
    _control: Control
    _camera: Camera | None
    _page: Page
    _guard: Guard
    _sockets: set[ServerConnection] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # HTTP

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a request; None: it may become a WebSocket."""
        host = self._guard.host_of(request.headers)
        if host is None:
            return _refusal(
                http.HTTPStatus.FORBIDDEN,
                "This name is not known here. Open the address that make live has printed, with its port.",
            )
        path = request.path.partition("?")[0]
        if not self._guard.knows(request.headers):
            if path == "/" and self._guard.brings_token(request.path):
                return self._welcome()
            return _refusal(
                http.HTTPStatus.FORBIDDEN,
                "Open the whole address that make live has printed: it has a token.",
            )
        if path == SOCKET:
            return self._socket_refused(request, host)
        if path == "/":
            return _response(
                http.HTTPStatus.OK,
                self._page.html,
                {
                    "Content-Type": "text/html; charset=utf-8",
                    "Content-Security-Policy": self._page.policy(host),
                },
            )
        return _refusal(http.HTTPStatus.NOT_FOUND, "There is nothing here; the page is at /.")

    def _welcome(self) -> Response:
        """The token becomes a cookie, so that neither the address line nor a Referer goes on holding it."""
        cookie = f"{self._guard.cookie}={self._guard.token}; HttpOnly; SameSite=Lax; Path=/"
        return _response(http.HTTPStatus.SEE_OTHER, b"", {"Location": "/", "Set-Cookie": cookie})

    def _socket_refused(self, request: Request, host: str) -> Response | None:
        if not self._guard.same_origin(request.headers, host):
            return _refusal(http.HTTPStatus.FORBIDDEN, "The socket is for the page of this server.")
        if len(self._sockets) >= MOST_PAGES:
            return _refusal(http.HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST_PAGES} pages are open already.")
        return None

    # WebSocket

    def handle(self, connection: ServerConnection) -> None:
        """A page, until it is closed; on a thread of its own."""
        with self._lock:
            if len(self._sockets) >= MOST_PAGES:
                connection.close(_POLICY_VIOLATION)
                return
            self._sockets.add(connection)
        outbox = self._hub.join()
        sender = threading.Thread(target=self._send, args=(connection, outbox), daemon=True)
        sender.start()
        try:
            self._listen(connection)
        except ConnectionClosed:
            pass
        finally:
            self._hub.leave(outbox)
            with self._lock:
                self._sockets.discard(connection)

    def _send(self, connection: ServerConnection, outbox: Outbox) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            while batch := outbox.take():
                connection.send(f"[{','.join(batch)}]")
                time.sleep(_BETWEEN)

    def _listen(self, connection: ServerConnection) -> None:
        """What the page says; one that says anything else is no page of ours, and is hung up on."""
        allowed, last = _BURST, time.monotonic()
        for message in connection:
            now = time.monotonic()
            allowed, last = min(_BURST, allowed + (now - last) * _MOST_RATE) - 1, now
            if allowed < 0 or not self._told(message):
                connection.close(_POLICY_VIOLATION)
                return

    def _told(self, message: str | bytes) -> bool:
        if isinstance(message, str):
            return len(message) <= _MOST_WORD and self._control.told(message)
        return self._camera is not None and self._camera.offer(message)

    def say_last_words(self) -> None:
        """Gives pages the time to get what was told last, if they take it."""
        deadline = time.monotonic() + _LAST_WORDS
        while self._sockets and time.monotonic() < deadline:
            time.sleep(_BETWEEN)
            deadline = min(deadline, time.monotonic() + 2 * _BETWEEN) if self._hub.all_told() else deadline


def _response(status: http.HTTPStatus, body: bytes, headers: dict[str, str]) -> Response:
    every = {
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return Response(status.value, status.phrase, Headers(every | headers), body)


def _refusal(status: http.HTTPStatus, text: str) -> Response:
    headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Security-Policy": "default-src 'none'"}
    return _response(status, f"{text}\n".encode(), headers)


def _quiet() -> logging.Logger:
    """The library would print tracebacks, with what strangers have sent."""
    logger = logging.getLogger("squeezenet_mcu.live")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.CRITICAL + 1)
    return logger


def _bound(listen: Listen) -> _Listening:
    listening = _Listening(listen.family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((listen.host, listen.port))
        listening.listen(_MOST_CONNECTIONS)
    except OSError as error:
        listening.close()
        fix = _FIXES.get(error.errno or 0, "want an address of this computer: LISTEN=127.0.0.1:0, say")
        raise UserError(
            f"{listen.host}:{listen.port}: cannot listen there ({error.strerror or error}); {fix}"
        ) from error
    return listening


@contextlib.contextmanager
def serving(
    listen: Listen, page: Page, hub: Hub, control: Control, camera: Camera | None
) -> Iterator[Server]:
    """Serves `page` as long as the context. UserError: the address cannot be had."""
    listening = _bound(listen)
    guard = Guard(listen, listening.getsockname()[1])
    server = Server(guard.url(), guard.token, hub, control, camera, page, guard)
    inner: WebSocketServer = serve(
        server.handle,
        sock=listening,
        process_request=server.answer,
        compression=None,
        server_header=None,
        open_timeout=5,
        close_timeout=1,
        max_size=max(_MOST_WORD, camera.frame_bytes if camera else 0),
        max_queue=4,
        logger=_quiet(),
    )
    listening.threads = lambda: len(inner.handler_threads)
    thread = threading.Thread(target=inner.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.say_last_words()
        hub.close()
        # Browsers open connections ahead of time, and a page may take nothing any more: none is waited for.
        for one in list(listening.accepted):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        inner.shutdown()
        thread.join(1)
