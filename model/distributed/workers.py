"""Training by several processes: each takes its share of every batch, gradients are summed over the network.

The engine is TensorFlow's MultiWorkerMirroredStrategy: its servers, its ring all-reduce over gRPC, its
heartbeats. Every process holds plain variables of its own and makes the same step with the same sum, so that
they stay equal; the model, its checkpoint and what follows know nothing of the number of workers.
"""

import contextlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import tf
from squeezenet_mcu.model.distributed import traffic
from squeezenet_mcu.model.distributed.tf_config import Task

# (images, classes) -> gradients, mean loss, images right.
Gradients = Callable[[Any, Any], tuple[list[Any], Any, Any]]


class LostWorkerError(UserError):
    """Another process of the training has ended, or does not answer."""


def reason(message: str) -> str:
    """What a TensorFlow error's message says of its cause, in one line: not where in the program it was."""
    where = ("Graph execution error", "Detected at node", "File ")
    lines = (re.sub(r"\{\{.*?\}\}", "", line).strip() for line in message.splitlines())
    told = next((line for line in lines if line and not line.startswith(where)), "no reason given")
    return told.removeprefix("Collective ops is aborted by: ")[:200]


class Alone:
    """Training in one process: nothing to share, nothing to wait for."""

    workers, number = 1, 0
    towers = 2  # parts of this process's share of a batch that are computed at the same time
    figures: dict[str, Any] | None = None

    @property
    def is_chief(self) -> bool:
        """Whether this process validates, reports and writes."""
        return self.number == 0

    def share(self, batch: int) -> slice:
        """Which of the `batch` images of a step are this process's."""
        return slice(self.number * batch // self.workers, (self.number + 1) * batch // self.workers)

    def stream(self, rng: np.random.Generator, seed: int, epoch: int) -> np.random.Generator:
        """The random numbers of the epoch's augmentation; `rng` has drawn its order."""
        return rng

    def summed(self, gradients: Gradients, batch: int) -> Gradients:
        """`gradients` of the process's share, made those of the whole `batch`. For use in a tf.function."""
        return gradients

    def begin(
        self, history: list[dict[str, float]], state: Sequence[Any], trainable: int
    ) -> list[dict[str, float]]:
        """Makes `state` that of the chief, and the history its loss and accuracy; `trainable`: parameters."""
        return history

    def begin_steps(self) -> None:
        """Before an epoch's first step."""

    def end_steps(self, state: Sequence[Any], steps: int, batch: int) -> str:
        """After its last: `state` becomes the workers' mean. What to report of the first epoch, else ""."""
        return ""

    def watched(self, kept: Callable[[], str]) -> contextlib.AbstractContextManager[None]:
        """Turns what TensorFlow raises when a worker is lost into LostWorkerError, which ends in kept()."""
        return contextlib.nullcontext()


ALONE = Alone()


class Team(Alone):
    """This process as one of a cluster. Make it before TensorFlow has computed anything.

    The constructor returns once all others are there. Raises UserError, LostWorkerError.
    """

    towers = 1

    def __init__(self, task: Task) -> None:
        self.task, self.workers, self.number = task, task.workers, task.number
        ring = tf.distribute.experimental.CommunicationImplementation.RING  # also without GPUs
        options = tf.distribute.experimental.CommunicationOptions(implementation=ring)
        with self.watched(lambda: "no training has begun"):
            self._strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
        replicas = self._strategy.num_replicas_in_sync
        if replicas != self.workers:
            raise UserError(
                f"{task}: {replicas} devices for {self.workers} workers; want one each: start a process for "
                "each GPU, with CUDA_VISIBLE_DEVICES"
            )
        self._total = tf.function(lambda values: self._strategy.run(_all_reduced, (values,)))
        self._before: traffic.Counters | None = None
        self._trainable, self._reported = 0, False

    def agree(self, fingerprint: str, done: bool) -> bool:
        """The chief's `done`, at all workers. UserError where `fingerprint` (hex) is not the chief's."""
        mine = np.array([done, int(fingerprint[:12], 16)], np.float64)  # 48 bits: exact
        with self.watched(lambda: "no training has begun"):
            chief = self._sum(mine * self.is_chief)
        if chief[1] != mine[1]:
            raise UserError(
                f"{self.task}: its TOML, data or options are not those of {self.task.name(0)}; want the same "
                "on every machine"
            )
        return bool(chief[0])

    def stream(self, rng: np.random.Generator, seed: int, epoch: int) -> np.random.Generator:
        """A stream of each worker's own."""
        return np.random.default_rng([seed, epoch, self.number + 1])  # not 0: [a, b, 0] seeds as [a, b] does

    def summed(self, gradients: Gradients, batch: int) -> Gradients:
        """One all-reduce a step: of the gradients, the loss and the number of images right, in one vector."""

        def shared(x: Any, y: Any) -> Any:
            parts, loss, right = gradients(x, y)
            # Means of shares of different sizes: each counts by its size: the sum is the batch's mean.
            weight = tf.cast(tf.shape(x)[0], tf.float32) / batch
            flat = [tf.reshape(part, [-1]) * weight for part in [*parts, loss]]
            total = _all_reduced(tf.concat([*flat, [tf.cast(right, tf.float32)]], 0))
            pieces = tf.split(total, [math.prod(part.shape) for part in parts] + [1, 1])
            shaped = [tf.reshape(piece, part.shape) for piece, part in zip(pieces, parts, strict=False)]
            return shaped, pieces[-2][0], tf.cast(pieces[-1][0], tf.int64)

        return lambda x, y: self._strategy.run(shared, (x, y))

    def begin(
        self, history: list[dict[str, float]], state: Sequence[Any], trainable: int
    ) -> list[dict[str, float]]:
        """Only the chief needs the checkpoint: the others are sent its contents."""
        self._trainable = trainable
        done = int(self._sum(np.array([len(history) if self.is_chief else 0], np.float64))[0])
        self._unite(state, 1.0 if self.is_chief else 0.0)
        self.figures = traffic.figures(self.workers, trainable)
        known = [value for entry in history for value in (entry["loss"], entry["accuracy"])]
        told = self._sum(np.array(known if self.is_chief else [0.0] * 2 * done)) if done else np.zeros(0)
        if self.is_chief:
            return history
        # What shows that a training diverges is to end it here, too.
        return [{"loss": float(loss), "accuracy": float(share)} for loss, share in told.reshape(-1, 2)]

    def begin_steps(self) -> None:
        """Counts bytes from here."""
        self._before = traffic.counters()

    def end_steps(self, state: Sequence[Any], steps: int, batch: int) -> str:
        """The moving averages of batch norm, which each worker has of its own images, become their mean.

        They are linear in what was seen, so that once an epoch is as good as every step. All else is equal
        already, up to rounding where machines differ.
        """
        seen = traffic.since(self._before)
        share = self.share(batch)
        self._unite(state, (share.stop - share.start) / batch)
        measured = [math.nan, math.nan] if seen is None else [seen.sent / steps, seen.received / steps]
        sent, received = self._sum(np.array(measured)) / self.workers
        if self._reported:
            return ""
        self._reported = True
        addresses = () if seen is None else seen.addresses
        self.figures = traffic.figures(self.workers, self._trainable, (sent, received), addresses)
        return traffic.readable(self.figures)

    @contextlib.contextmanager
    def watched(self, kept: Callable[[], str]) -> Iterator[None]:
        """See Alone."""
        errors = tf.errors
        lost = (
            errors.UnavailableError,
            errors.DeadlineExceededError,
            errors.CancelledError,
            errors.AbortedError,
            errors.FailedPreconditionError,
            errors.InternalError,
        )
        try:
            yield
        except lost as error:
            raise LostWorkerError(f"{self._blamed(str(error))} ({reason(str(error))}); {kept()}") from error

    def _blamed(self, message: str) -> str:
        # The task at the other end of the connection that broke; heartbeats go to the chief, unnamed.
        found = re.search(r"/job:(chief|worker)(?:/replica:\d+)?/task:(\d+)(?!/device)", message)
        number = 0 if found is None else self.task.number_of(found[1], int(found[2]))
        others = "" if self.workers == 2 else ", or one that it waits for,"
        return f"lost {self.task.name(number)}: it{others} has ended or does not answer"

    def _sum(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The sum of float64 [n] over all workers, at all of them."""
        found: npt.NDArray[np.float64] = self._total(tf.constant(values, tf.float64)).numpy()
        return found

    def _unite(self, variables: Sequence[Any], weight: float) -> None:
        """Every variable becomes the sum of weight * value over the workers, whose weights add up to 1."""
        values = [variable.numpy() for variable in variables]
        flat = np.concatenate([value.astype(np.float64).ravel() for value in values]) * weight
        ends = np.cumsum([value.size for value in values])[:-1]
        for variable, value, part in zip(variables, values, np.split(self._sum(flat), ends), strict=True):
            whole = np.issubdtype(value.dtype, np.integer)  # the optimizer's count of steps
            variable.assign((np.rint(part) if whole else part).astype(value.dtype).reshape(value.shape))


def _all_reduced(values: Any) -> Any:
    values = tf.identity(values)  # an op of this replica's device, which an argument has none of
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)
