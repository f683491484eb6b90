"""Many devices share the images of a comparison: PORTS=a,b,c. Each takes the next one that nobody has."""

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console, shown
from squeezenet_mcu.host_tools.link.device import Device, Result
from squeezenet_mcu.host_tools.link.errors import LinkError
from squeezenet_mcu.host_tools.validate.compare import InfersInPython, Report

_MOST = 64  # ports
_END = 5.0  # seconds for the threads to end


@dataclass
class Share:
    """What one device has done. `ended`: why it does no more; None: it is well."""

    port: str
    device: Device
    images: int = 0
    differing_images: int = 0
    counts: list[int] = field(default_factory=list)
    seconds: float = 0.0
    ended: LinkError | None = None

    @property
    def rate(self) -> float:
        """Images a second."""
        return self.images / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "port": self.port,
            "board": self.device.info.board,
            "images": self.images,
            "differing_images": self.differing_images,
            "images_per_second": round(self.rate, 3),
            "mean_count": round(sum(self.counts) / len(self.counts)) if self.counts else 0,
            "counter": self.device.info.counter_kind,
            "ended": str(self.ended) if self.ended else None,
            "link": self.device.statistics.as_json(),
        }


def ports_of(text: str) -> list[str]:
    """The ports in "a,b,c". UserError where there is none, one stands twice, or there are too many."""
    found = [port.strip() for port in text.split(",")]
    if not all(found) or len(set(found)) < len(found) or len(found) > _MOST:
        wanted = f"want up to {_MOST} different ports with commas between them"
        raise UserError(f"--ports: {shown(text)}; {wanted}")
    return found


def check_alike(shares: list[Share]) -> None:
    """UserError where the devices' counters do not count the same."""
    kinds = {share.device.info.counter_kind: share.port for share in shares}
    if len(kinds) > 1:
        said = ", ".join(f"{port} counts {kind}" for kind, port in kinds.items())
        raise UserError(
            f"--ports: {said}; want boards that count alike, so validate these one by one (PORT=)"
        )


def show(console: Console, shares: list[Share]) -> None:
    """Prints a table of what each device has done."""
    table = Table(title="devices")
    for name in ("port", "board", "images", "differing", "images/s", "link"):
        words = name in ("port", "board", "link")
        table.add_column(name, overflow="fold", justify="left" if words else "right")
    for share in shares:
        table.add_row(
            share.port,
            share.device.info.board,
            f"{share.images:,}",
            f"{share.differing_images:,}",
            f"{share.rate:.1f}",
            f"ended: {share.ended}" if share.ended else share.device.statistics.line(),
        )
    console.print(table)
    ended = [share for share in shares if share.ended]
    if ended:
        names = ", ".join(share.port for share in ended)
        notice(f"{len(ended)} of {len(shares)} devices ended before all was done: {names}")


class _Images:
    """The numbers of the images that no device has done: each is given to one device at a time."""

    def __init__(self, numbers: range) -> None:
        self._waiting = deque(numbers)
        self._undone = set(numbers)
        self._changed = threading.Condition()
        self._stopped = False

    def taken(self, given: "deque[int]") -> Iterator[int]:
        """Numbers that are now `given` to the one who asks, as long as there are any at hand."""
        while True:
            with self._changed:
                if self._stopped or not self._waiting:
                    return
                given.append(self._waiting.popleft())
            yield given[-1]

    def wait(self) -> bool:
        """Waits until there are images again, which a device has given back. False: all are done."""
        with self._changed:
            while self._undone and not self._stopped and not self._waiting:
                self._changed.wait()
            return bool(self._undone) and not self._stopped

    def done(self, number: int) -> None:
        """Nobody needs it again."""
        with self._changed:
            self._undone.discard(number)
            self._changed.notify_all()

    def give_back(self, numbers: "deque[int]") -> None:
        """Those that a device had and will not do."""
        with self._changed:
            self._waiting.extendleft(reversed(numbers))
            self._changed.notify_all()

    def stop(self) -> None:
        """No more are given."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


_Found = tuple[Share, int, Result] | tuple[Share, LinkError | None]


def _work(share: Share, images: npt.NDArray[np.int8], left: _Images, found: "queue.Queue[_Found]") -> None:
    """One device's thread."""
    given: deque[int] = deque()
    began = time.monotonic()
    trouble: LinkError | None = None
    try:
        while left.wait():
            for result in share.device.infer_many(images[number] for number in left.taken(given)):
                number = given.popleft()
                left.done(number)
                share.seconds = time.monotonic() - began
                found.put((share, number, result))
    except LinkError as error:
        trouble = error
    finally:
        left.give_back(given)
        found.put((share, trouble))


def compare_all(
    shares: list[Share],
    reference: InfersInPython,
    images: npt.NDArray[np.int8],
    labels: npt.NDArray[np.int64],
    logits_tensor: int,
    *,
    on_image: Callable[[Report], None] | None = None,
    report: Report | None = None,
) -> Report:
    """As compare.compare_all, by all devices together; `shares` then say what each has done.

    The report has the images in their order. A device that fails gives its images back to the others; only
    where all have failed the report has the last one's error as `ended`.
    """
    report = report or Report()
    left = _Images(range(report.images, len(images)))
    found: queue.Queue[_Found] = queue.Queue()
    threads = [
        threading.Thread(target=_work, args=(share, images, left, found), daemon=True) for share in shares
    ]
    for thread in threads:
        thread.start()
    early: dict[int, tuple[Share, Result]] = {}
    working = len(threads)
    try:
        while working:
            match found.get():
                case share, number, result:
                    early[number] = share, result
                case share, ended:
                    share.ended = ended
                    working -= 1
            while report.images in early:
                _add(report, early.pop(report.images), reference, images, labels, logits_tensor)
                if on_image:
                    on_image(report)
    except KeyboardInterrupt:
        report.interrupted = True
    finally:
        left.stop()
        _end(threads, shares)
    if report.images < len(images) and not report.interrupted:
        report.ended = next(share.ended for share in reversed(shares) if share.ended)
    return report


def _add(
    report: Report,
    found: tuple[Share, Result],
    reference: InfersInPython,
    images: npt.NDArray[np.int8],
    labels: npt.NDArray[np.int64],
    logits_tensor: int,
) -> None:
    share, result = found
    number, before = report.images, report.differing_images
    logits, probabilities = reference.infer(images[number], logits_tensor)
    report.add(result, logits, probabilities, int(labels[number]))
    share.images += 1
    share.differing_images += report.differing_images - before
    share.counts.append(result.count)


def _end(threads: list[threading.Thread], shares: list[Share]) -> None:
    """Waits for the threads; one that still waits for its device is woken by the end of its line."""
    deadline = time.monotonic() + _END
    for thread, share in zip(threads, shares, strict=True):
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            with contextlib.suppress(LinkError):
                share.device.close()
