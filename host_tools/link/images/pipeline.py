"""Images one behind the other: the next one's rows travel while the device computes this one."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from squeezenet_mcu.host_tools.link.errors import DamagedError, LinkTimeoutError, PortError, ResetError
from squeezenet_mcu.host_tools.link.exchange import Exchange, Patience, Sent, Waiting
from squeezenet_mcu.host_tools.link.images.transfer import DeviceRestartedError, Transfer
from squeezenet_mcu.host_tools.link.messages import Cost, Reply

MAX_RESTARTS = 5  # of the device, for one image


class Answer(NamedTuple):
    """What the device computed for an image: int8[classes] as bytes, twice, and the cost."""

    cost: Cost
    logits: bytes
    probabilities: bytes


@dataclass
class _Job:
    """An image to be sent. `alone`: nothing is begun before its results are in."""

    index: int
    data: bytes
    restarts: int = 0
    alone: bool = False


class _SupersededError(Exception):
    """The device has begun the next image, and the results of this one, which got lost, are gone."""


class Pipeline:
    """Runs images on a device, at most two at a time.

    The device keeps an image's results until the next one begins. So the next one begins only once the device
    has all rows of this one and the requests for its results are on their way before the next one's BEGIN:
    the line keeps the order. If one of the answers gets lost all the same, this image is sent again later. On
    a line that loses much, the next image waits for the results.
    """

    def __init__(
        self,
        exchange: Exchange,
        patience: Patience,
        start: Callable[[bytes, Waiting, int], Transfer],
        recover: Callable[[Waiting, PortError | None], None],
    ) -> None:
        """`start`: makes the transfer of an image, whose rows below a limit may be sent at once; `recover`:
        a new session, after a reset or where the line broke."""
        self._exchange = exchange
        self._patience = patience
        self._start = start
        self._recover = recover
        self._again: deque[_Job] = deque()
        self._job: _Job | None = None
        self._current: Transfer | None = None
        self._next_job: _Job | None = None
        self._next: Transfer | None = None

    def run(self, images: Iterator[bytes]) -> Iterator[Answer]:
        """The answers to `images`, each the bytes of an image, in their order.

        Takes up to two images ahead of the answer that it gives. LinkError where the device fails for good.
        """
        source = (_Job(index, data) for index, data in enumerate(images))
        finished: dict[int, Answer] = {}
        due = 0
        while self._job or self._take(source):
            job, answer = self._finish_one(source)
            finished[job.index] = answer
            while due in finished:
                yield finished.pop(due)
                due += 1
            # What the caller did meanwhile is not the device's time.
            self._exchange.resume()
            if self._current:
                self._current.promote(self._patience.begin())

    def _take(self, source: Iterator[_Job]) -> bool:
        """Makes the next image the current one. False: there is none."""
        self._job = self._again.popleft() if self._again else next(source, None)
        return self._job is not None

    def _finish_one(self, source: Iterator[_Job]) -> tuple[_Job, Answer]:
        """Works until the results of an image are in; leaves the line busy with the one behind it."""
        waiting = self._current.waiting if self._current else self._patience.begin()
        while True:
            assert self._job is not None
            try:
                if self._current is None:
                    self._current = self._start(self._job.data, waiting, 0)
                    self._current.probe()
                while not self._current.done:
                    self._current.fill()
                    self._look_ahead(source)
                    self._deliver(*self._answer(self._current))
                return self._promote(source)
            except _SupersededError:
                self._step_over()
                waiting = self._patience.begin()
            except (DeviceRestartedError, PortError) as error:
                trouble = error if isinstance(error, PortError) else None
                self._drop(trouble)
                self._recover(waiting, trouble)

    def _look_ahead(self, source: Iterator[_Job]) -> None:
        """Begins the next image where it is time, and sends its rows."""
        assert self._job is not None
        assert self._current is not None
        if self._next is None:
            allowed = self._exchange.loss.allows_look_ahead and not self._job.alone
            if not allowed or not self._current.only_results_to_come:
                return
            self._next_job = self._again.popleft() if self._again else next(source, None)
            if self._next_job is None:
                return
            limit = self._current.first_limit_row
            self._next = self._start(self._next_job.data, self._patience.begin(), limit)
            self._next.probe()
        self._next.fill()

    def _answer(self, current: Transfer) -> tuple[Sent, Reply]:
        # What is begun already must not be begun again: the later one alone may be asked for.
        probe = self._next.ask_again if self._next else current.ask_again
        if silence := current.waiting.silence():
            first = self._exchange.first_wait(self._patience.first)
            try:
                return self._exchange.answer(silence, probe, first)
            except (LinkTimeoutError, DamagedError):
                if not current.waiting.over():
                    raise
        raise LinkTimeoutError(
            f"{self._exchange.name}: the device answered, but the image is not done after "
            f"{current.waiting.patience.whole:.3g} s; reset it and try again"
        )

    def _deliver(self, sent: Sent, reply: Reply) -> None:
        """Gives an answer to the image that it is about; one about an older image is nobody's."""
        assert self._current is not None
        if self._next is None or sent.image == self._current.image:
            if sent.image == self._current.image:
                try:
                    self._current.take(sent, reply)
                except DeviceRestartedError as error:
                    if self._next is not None and error.image == self._next.image:
                        raise _SupersededError from error
                    raise
            return
        if sent.image != self._next.image:
            return
        self._next.take(sent, reply)
        if self._next.begun and not self._current.done:
            raise _SupersededError  # the line keeps the order: the results would have come before

    def _promote(self, source: Iterator[_Job]) -> tuple[_Job, Answer]:
        """The current image is done; the next one takes its place, or the one after it begins."""
        assert self._job is not None
        assert self._current is not None
        found = self._job, Answer(*self._current.results())
        limit = self._current.first_limit_row
        self._job, self._current = self._next_job, self._next
        self._next = self._next_job = None
        if self._current:
            self._current.promote(self._patience.begin())
        elif self._take(source):
            assert self._job is not None
            self._current = self._start(self._job.data, self._patience.begin(), limit)
            self._current.probe()
            self._current.fill()
        return found

    def _step_over(self) -> None:
        """The device has begun the next image: that is the current one now, and this one comes after it."""
        assert self._job is not None
        assert self._next is not None
        self._exchange.statistics.images_again += 1
        self._job.alone = True
        self._again.appendleft(self._job)
        self._job, self._current = self._next_job, self._next
        self._next = self._next_job = None
        self._current.promote(self._patience.begin())

    def _drop(self, trouble: PortError | None) -> None:
        """The device knows nothing any more: both images start again. LinkError after too many times."""
        assert self._job is not None
        self._exchange.statistics.images_again += self._current is not None
        if self._next_job:
            self._again.appendleft(self._next_job)
        self._current = self._next = self._next_job = None
        self._job.restarts += 1
        if self._job.restarts <= MAX_RESTARTS:
            return
        if trouble:
            raise trouble
        raise ResetError(
            f"{self._exchange.name}: the device was reset {MAX_RESTARTS + 1} times during one image; "
            "check its power supply, and that no other program uses the port"
        )
