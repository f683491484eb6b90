"""Files by http(s): within a limit, going on where a download broke off, checked, then put in place."""

import http.client
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar, cast

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.version import DISTRIBUTION, version

_SECONDS = 30  # without a byte, after which a server counts as gone
_ANSWER_SECONDS = 60  # for an answer's headers, or its next bytes
_SLOWEST = 1000  # bytes a second, on average, of a server that is worth waiting for
_PIECE = 1 << 16
_SCHEMES = ("http://", "https://")
T = TypeVar("T")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows none that leaves https, or goes to another scheme than the web's."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """As urllib's."""
        wanted = "https://" if req.full_url.lower().startswith("https://") else _SCHEMES
        if not newurl.lower().startswith(wanted):
            raise urllib.error.URLError(f"it redirects to {newurl}")
        fp.close()  # urllib would read all of what comes with it, which may never end
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, path: Path, most: int, check: Callable[[Path], object]) -> None:
    """Writes what `url` gives to `path`: at most `most` bytes, once `check` has looked at them.

    `check` raises UserError for another file. Until then the bytes stand in `path`.part, from which a later
    call goes on. Proxies are those of the environment (http_proxy, https_proxy, no_proxy), as urllib takes
    them. Raises UserError in one line, with the URL and the reason: not reached, an answer other than the
    file, too large, cut off, not as `check` wants.
    """
    if not url.lower().startswith(_SCHEMES):
        raise UserError(f"{url}: want an address that begins with https:// or http://")
    part = path.with_name(f"{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    if part.is_file() and part.stat().st_size > most:
        part.unlink()
    try:
        _fill(url, part, most)
    except urllib.error.HTTPError as error:
        raise UserError(f"{url}: the server answers {error.code} {terminal.one_line(error.reason)}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:  # no network, a reset, a bad header
        if isinstance(error, OSError) and error.filename is not None:
            raise  # of the disk
        cause = getattr(error, "reason", None) or error  # urllib wraps what the system says
        reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        had = part.stat().st_size if part.is_file() else 0
        so_far = f"; {had:,} bytes are kept, and the same command goes on from there" if had else ""
        raise UserError(f"{url}: {terminal.one_line(str(reason), 120)}{so_far}") from None
    try:
        check(part)
    except UserError:
        part.unlink()
        raise
    part.replace(path)


def _within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises; TimeoutError where it takes longer: a server may keep it for ever."""
    found: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            found.put((work(), None))
        except BaseException as error:
            found.put((None, error))

    threading.Thread(target=run, daemon=True).start()  # ends with this program, if not before
    try:
        value, error = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return cast(T, value)


def _opened(
    opener: urllib.request.OpenerDirector, url: str, headers: dict[str, str]
) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers=headers)
    found: http.client.HTTPResponse = _within(_ANSWER_SECONDS, lambda: opener.open(request, timeout=_SECONDS))
    return found


def _fill(url: str, part: Path, most: int) -> None:
    """Downloads what `part` lacks."""
    had = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": f"{DISTRIBUTION}/{version()}", "Accept-Encoding": "identity"}
    if had:
        headers["Range"] = f"bytes={had}-"
    opener = urllib.request.build_opener(_Redirects)
    try:
        answer = _opened(opener, url, headers)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not had:
            raise
        part.unlink()  # it is whole, or of another file: from the beginning
        answer = _opened(opener, url, {**headers, "Range": "bytes=0-"})
    with answer:
        begins, total = _extent(answer)
        if begins not in (0, had):
            raise ValueError(f"asked for byte {had:,} on, it answers with byte {begins:,} on")
        if total is not None and total > most:
            raise _too_large(url, part, total, most)
        with part.open("ab" if begins else "wb") as file, terminal.progress(part.stem, total) as advance:
            done, started = begins, time.monotonic()
            advance(done)
            while piece := _within(_ANSWER_SECONDS, lambda: answer.read1(_PIECE)):
                if (spent := time.monotonic() - started) > _SECONDS and done - begins < _SLOWEST * spent:
                    raise TimeoutError(f"slower than {_SLOWEST:,} bytes a second")
                done += len(piece)
                if done > most:
                    raise _too_large(url, part, done, most)
                file.write(piece)
                advance(len(piece))
    if total is not None and done < total:
        raise ValueError(f"cut off after {done:,} of {total:,} bytes")


def _extent(answer: http.client.HTTPResponse) -> tuple[int, int | None]:
    """At which byte of the file an answer begins, and how many the file has, where it says so. ValueError."""
    if answer.status == http.client.PARTIAL_CONTENT:
        said = answer.headers.get("Content-Range", "")
        unit, _, rest = said.partition(" ")
        extent, _, total = rest.partition("/")
        begins = extent.partition("-")[0]
        if unit != "bytes" or not (begins.isdecimal() and total.isdecimal()) or len(begins + total) > 30:
            raise ValueError(f"Content-Range: {said[:60]}; want bytes first-last/all")
        return int(begins), int(total)
    said = answer.headers.get("Content-Length", "")
    return 0, int(said) if said.isdecimal() and len(said) < 16 else None


def _too_large(url: str, part: Path, size: int, most: int) -> UserError:
    part.unlink(missing_ok=True)
    return UserError(f"{url}: {size:,} bytes or more; want at most {most:,}: it is another file")
