"""What pages have told the device's loop to do: pause, go on, one image and then pause."""

import threading
from collections.abc import Callable

WORDS = ("pause", "go", "step")
_MOST_STEPS = 10  # that are not done yet; a key that is held down asks for many


class Control:
    """Shared by the pages' threads and the device's."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = False
        self._steps = 0
        self.on_change: Callable[[], None] = lambda: None

    @property
    def paused(self) -> bool:
        """Whether no image begins by itself."""
        return self._paused

    def told(self, word: str) -> bool:
        """A word of WORDS, from a page; False: it is none of them."""
        if word not in WORDS:
            return False
        with self._changed:
            self._paused = word != "go"
            self._steps = min(self._steps + 1, _MOST_STEPS) if word == "step" else 0
            self._changed.notify_all()
        self.on_change()
        return True

    def may_go(self, seconds: float) -> bool:
        """Whether an image may begin; waits for that, so many seconds at most."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._paused or self._steps > 0, seconds)

    def did_one(self) -> None:
        """An image is done."""
        with self._changed:
            self._steps = max(0, self._steps - 1)
