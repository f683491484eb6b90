"""URLs of ports: what stands in one is checked here, before pyserial takes it at its word."""

import math
import re
from urllib.parse import parse_qsl, urlsplit

from squeezenet_mcu.common.terminal import shown
from squeezenet_mcu.host_tools.link.errors import PortError

_FORMS = {
    "socket": "socket://HOST:PORT",
    "rfc2217": "rfc2217://HOST:PORT, and then ?ign_set_control, ?poll_modem or ?timeout=SECONDS",
    "loop": "loop:// alone",
}
SCHEMES = tuple(_FORMS)
_MOST_PORT = 65_535
_MOST_SECONDS = 10.0  # of ?timeout=: how long each question to a server waits for its answer
_HOST = re.compile(r"[\w.:%-]{1,253}")


def check(url: str) -> None:
    """PortError for a URL that pyserial knows and nobody needs, or that is wrong in itself.

    Some kinds write files, or load classes by name; some options print, or wait for ever.
    """
    scheme, is_url, _ = url.partition("://")
    if not is_url:
        return
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise PortError(f"{shown(url)}: no such kind of port; want /dev/..., COM..., or {known}")
    if wrong := _wrong(scheme, url):
        raise PortError(f"{shown(url)}: {wrong}; want {_FORMS[scheme]}")


def _wrong(scheme: str, url: str) -> str:
    """What is not as it should be; "" if all is."""
    if scheme == "loop":
        return "loop:// takes nothing behind it" if url != "loop://" else ""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "holds other characters than a URL has"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # "x", "99999", an IPv6 address without its end
        return f"its port is no number from 1 to {_MOST_PORT:,}, or its host is no name"
    options = parse_qsl(parts.query, keep_blank_values=True)
    if not parts.hostname or not _HOST.fullmatch(parts.hostname) or "@" in parts.netloc:
        wrong = "names no host"
    elif not port:
        wrong = "names no port" if port is None else "port 0"
    elif parts.path or parts.fragment:
        wrong = f"{shown(parts.path or '#' + parts.fragment)} stands behind the port"
    else:
        wrong = next(filter(None, (_wrong_option(scheme, *option) for option in options)), "")
    return wrong


def _wrong_option(scheme: str, option: str, value: str) -> str:
    if scheme != "rfc2217" or option not in ("ign_set_control", "poll_modem", "timeout"):
        return f"no such option {shown(option)}"
    if option != "timeout":
        return f"{option} takes no value" if value else ""
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _MOST_SECONDS:
        return f"timeout {shown(value)}, which is not above 0 and at most {_MOST_SECONDS:g} seconds"
    return ""
