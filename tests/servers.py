"""A web server on loopback that gives one file, well or badly."""

import contextlib
import http.server
import sys
import threading
import time
from collections.abc import Iterator

BREAKS_AFTER = 100_000


class Server(http.server.ThreadingHTTPServer):
    """Gives `content` as `manner` says; `seen`: path and Range header of each request.

    manner: "" well; "breaks" off after BREAKS_AFTER bytes; "gone": 404; "redirect URL"; "no ranges": all of
    it, whatever part is asked for; "no length"; "other range", "nonsense": a wrong Content-Range; "endless
    redirect": with a body that never ends; "endless headers"; "drip": a byte now and then, for ever.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.manner = content, ""
        self.sent = 0  # bytes beside an endless redirect
        self.seen: list[tuple[str, str | None]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of a client that hangs up, as one does that has seen enough."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """The address of the file."""
        return f"http://127.0.0.1:{self.server_port}/w.bin"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        server.seen.append((self.path, self.headers.get("Range")))
        content, manner = server.content, server.manner
        if manner == "gone":
            self.send_error(404)
            return
        if manner.startswith("redirect "):
            self.send_response(302)
            self.send_header("Location", manner.removeprefix("redirect "))
            self.end_headers()
            return
        if manner == "endless redirect" and not self.path.startswith("/there"):
            self.send_response(302)
            self.send_header("Location", "/there")
            self.end_headers()
            with contextlib.suppress(OSError):  # until the other side hangs up
                while True:
                    self.wfile.write(bytes(1 << 16))
                    server.sent += 1 << 16
            return
        if manner in ("endless headers", "drip"):
            self.send_response(100 if manner == "endless headers" else 200)
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(
                        b"HTTP/1.1 100 Continue\r\n\r\n" if manner == "endless headers" else b"x"
                    )
                    time.sleep(0.01)
            return
        begins = 0
        if self.headers.get("Range") and manner != "no ranges":
            begins = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if begins >= len(content):
                self.send_error(416)
                return
            said = f"bytes {begins + (manner == 'other range')}-{len(content) - 1}/{len(content)}"
            self.send_response(206)
            self.send_header("Content-Range", "nonsense" if manner == "nonsense" else said)
        else:
            self.send_response(200)
        if manner != "no length":
            self.send_header("Content-Length", str(len(content) - begins))
        self.end_headers()
        self.wfile.write(content[begins : begins + (BREAKS_AFTER if manner == "breaks" else len(content))])

    def log_message(self, format: str, *given: object) -> None:
        pass


@contextlib.contextmanager
def serving(content: bytes) -> Iterator[Server]:
    """A Server that runs."""
    with Server(content) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


PROXIES = tuple(
    name for one in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for name in (one, one.upper())
)
"""Variables of the environment that lead around loopback."""
