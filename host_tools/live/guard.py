"""Who may see the page: on loopback any program of this computer, beyond it whoever has the token."""

import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import shown

DEFAULT = "127.0.0.1:8321"
_MOST_PORT = 65_535
_HOST = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)
_TOKEN_BYTES = 32


class Headers(Protocol):
    """Of an HTTP request."""

    def get_all(self, name: str) -> Sequence[str]:
        """The values of all headers of this name."""
        ...


@dataclass(frozen=True)
class Listen:
    """Where the page is served. `host`: an address or a name; `port`: 0 for any free one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this computer can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def family(self) -> socket.AddressFamily:
        """IPv6 where the host is such an address."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET


def parse(text: str) -> Listen:
    """ADDRESS:PORT, of IPv6 [ADDRESS]:PORT. UserError: it is none."""
    wanted = f"{shown(text)}: want ADDRESS:PORT, {DEFAULT} say, or [::1]:8321"
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        raise UserError(f"--listen (LISTEN=): {wanted}; the port from 0 to {_MOST_PORT:,}") from None
    host = parts.hostname
    if host is None or port is None or parts.path or parts.query or parts.fragment or "@" in text:
        raise UserError(f"--listen (LISTEN=): {wanted}")
    if not _HOST.fullmatch(host):
        raise UserError(f"--listen (LISTEN=): {wanted}")
    return Listen(host, port)


def _in_url(host: str) -> str:
    """As a URL has it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


class Guard:
    """Looks at each request before anything is done for it."""

    def __init__(self, listen: Listen, port: int) -> None:
        """`port`: that is listened on."""
        self.token = None if listen.loopback else secrets.token_urlsafe(_TOKEN_BYTES)
        self.cookie = f"live-{port}"
        self._port = port
        self._ours = {"127.0.0.1", "localhost", "[::1]", _in_url(listen.host)}
        self._listen = listen

    def url(self) -> str:
        """That a person opens; beyond loopback it holds the token."""
        if self.token is None:
            return f"http://{_in_url(self._listen.host)}:{self._port}/"
        anywhere = self._listen.host in ("0.0.0.0", "::")
        host = socket.gethostname() if anywhere else self._listen.host
        return f"http://{_in_url(host)}:{self._port}/?token={self.token}"

    def host_of(self, headers: Headers) -> str | None:
        """The Host header, where it is one that we answer to; else None.

        A page of somebody else, whose name leads to this computer (DNS rebinding), says its own name there.
        """
        found = headers.get_all("Host")
        if len(found) != 1 or not _HOST.fullmatch(found[0]):
            return None
        if self.token is not None:  # reached by whatever name; the token is bound to it, as a cookie
            return found[0]
        ours = {f"{host}:{self._port}" for host in self._ours}
        if self._port == 80:
            ours |= self._ours
        return found[0] if found[0].lower() in ours else None

    def same_origin(self, headers: Headers, host: str) -> bool:
        """Whether a socket is opened by our own page: browsers say which page wants it."""
        return list(headers.get_all("Origin")) == [f"http://{host}"]

    def brings_token(self, path: str) -> bool:
        """Whether the request's path has ?token= with the token."""
        given = parse_qs(path.partition("?")[2]).get("token", [])
        return len(given) == 1 and self._is_token(given[0])

    def knows(self, headers: Headers) -> bool:
        """Whether the request may be answered: there is no token, or a cookie has it."""
        if self.token is None:
            return True
        cookies = [part.strip() for line in headers.get_all("Cookie") for part in line.split(";")]
        values = [part.partition("=")[2] for part in cookies if part.partition("=")[0] == self.cookie]
        return any(self._is_token(value) for value in values)

    def _is_token(self, given: str) -> bool:
        assert self.token is not None
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())
