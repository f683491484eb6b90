"""What pages are told. A page that reads slowly gets less, and holds up neither the device nor the others."""

import json
import threading
from collections import deque
from typing import Any

RESULTS = 12  # of the last images, which a new page gets, and pages show
_MOST_WAITING = 100  # results that wait for one page; of a page slower than that the oldest are dropped


class Outbox:
    """What one page has not got yet: of each kind of message the newest, and results one by one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._latest: dict[str, str] = {}
        self._results: deque[str] = deque(maxlen=_MOST_WAITING)
        self._closed = False

    def put(self, kind: str, text: str) -> None:
        """A message of a kind."""
        with self._changed:
            if kind == "result":
                self._results.append(text)
            else:
                self._latest.pop(kind, None)  # the order is that of the newest
                self._latest[kind] = text
            self._changed.notify_all()

    def take(self) -> list[str] | None:
        """All that waits, results first; waits for something. None: closed, and all is taken."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._latest or self._results)
            found = [*self._results, *self._latest.values()]
            self._results.clear()
            self._latest.clear()
            return found or None

    @property
    def empty(self) -> bool:
        """Whether the page has got all."""
        return not self._latest and not self._results

    def close(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Hub:
    """All pages, and what a new one has to know."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: set[Outbox] = set()
        self._latest: dict[str, str] = {}
        self._results: deque[str] = deque(maxlen=RESULTS)

    def tell(self, message: dict[str, Any]) -> None:
        """Tells all pages; "type" is its kind."""
        kind, text = message["type"], json.dumps(message, separators=(",", ":"))
        with self._lock:
            if kind == "result":
                self._results.append(text)
            else:
                self._latest.pop(kind, None)
                self._latest[kind] = text
            for page in self._pages:
                page.put(kind, text)

    def join(self) -> Outbox:
        """A new page, with what the others know."""
        page = Outbox()
        with self._lock:
            for text in self._results:
                page.put("result", text)
            for kind, text in self._latest.items():
                page.put(kind, text)
            self._pages.add(page)
        return page

    def leave(self, page: Outbox) -> None:
        """It is closed."""
        with self._lock:
            self._pages.discard(page)
        page.close()

    def all_told(self) -> bool:
        """Whether each page has got all."""
        with self._lock:
            return all(page.empty for page in self._pages)

    def close(self) -> None:
        """Nothing more is told."""
        with self._lock:
            for page in self._pages:
                page.close()
