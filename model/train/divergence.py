"""Stops a training that the learning rate has broken, and says what to lower. Imports no TensorFlow.

The rules only stop what cannot recover: a loss that is not a number, or such weights (whose loss may be one:
ReLU makes 0 of them, on some processors); a loss that grows; a network that no
longer looks at its images (all ways to the answer end in ReLUs that give zero for every image, and no
gradient passes them); and after the last epoch one that still guesses, or guesses again. A slow start is none
of these: its answers differ from image to image. A training whose loss rose far in between, and came down
again, gets a notice: trained weights that it began with are lost then, or half of a short training.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import statistics
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train.chain import table_of

# So long, both, ReLUs have to be dead. After an epoch of few steps they may come back: small on 60 images a
# class was dead for 5 steps, and went on.
_EPOCHS, _STEPS = 4, 40
_WARMUP, _EPOCHS_AFTER, _SPARSE, _FEW_CLUSTERS = 3, 5, 0.7, 16  # what is advised
_SMALL = 5e-4  # a learning rate that breaks nothing
_GROWN = 10.0  # times log(classes)
_SIGMAS = 2.0
# A shorter trial need not learn. Else the mean loss of the last epochs is below that of guessing times this:
_ALL_EPOCHS, _ALL_STEPS, _LAST, _LEARNT = 10, 60, 3, 0.97
# Times the loss of guessing. With photos at a rate of 0.002, the loss rose so far in four of 14 trainings, by
# 0.4 to 0.9 of it; they came out 7 to 25 points worse than others of the same folder. At 0.0005, in 15, it
# rose by 0.1 of it at most.
_ROSE = 0.3


@dataclass(frozen=True)
class Rate:
    """The learning rate of a stage, as the table `table` of the TOML `toml` has it."""

    toml: Path
    table: str
    value: float
    warmup_epochs: int | None = None  # None: the stage has none
    more: str = ""  # what else would help
    epochs: int = 1
    trained: bool = False  # it begins from the weights of another model

    @classmethod
    def of(cls, settings: Config, stage: str, epochs: int, init: bool = False) -> "Rate":
        """That of a stage which runs for `epochs`; `init`: from the weights of another model."""
        own, more, warmup = table_of(settings, stage), "", None
        if stage == "train":
            warmup = own.warmup_epochs
            if not settings.architecture.batch_norm and not init:
                more = ", or start from weights that are trained (--init)"
        elif stage == "prune" and own.sparsity > _SPARSE:
            more = f", or sparsity from {own.sparsity:g} to {_SPARSE:g}"
        elif stage == "cluster" and own.clusters < _FEW_CLUSTERS:
            more = f", or raise clusters from {own.clusters} to {_FEW_CLUSTERS}"
        table = "quantize" if stage == "dense" else stage
        return cls(settings.path, table, own.learning_rate, warmup, more, epochs, init)

    def advice(self, learnt_little: bool = False) -> str:
        """What to lower, from what to what; a very small rate that has `learnt_little` is to be raised."""
        if not self.epochs:
            return f"raise epochs in [{self.table}] of {self.toml} from 0 to {_EPOCHS_AFTER}"
        where = f"learning_rate in [{self.table}] of {self.toml}"
        if learnt_little and self.value < _SMALL:
            return f"raise {where} from {self.value:g} to {self.value * 10:.2g}, or epochs{self.more}"
        said = f"lower {where} from {self.value:g} to {self.value / 10:.2g}"
        if self.warmup_epochs is not None and self.warmup_epochs < _WARMUP:
            said += f", or raise warmup_epochs from {self.warmup_epochs} to {_WARMUP}"
        return said + self.more


class DivergedError(UserError):
    """A training that cannot recover: what it has learnt is lost, its checkpoint worth nothing."""


@dataclass
class Watch:
    """Follows one training: `step` after each step, `epoch` after each epoch. Both raise DivergedError.

    `finite()`: whether all weights are numbers. `same_answers()`: whether the network gives the same answers
    for all of some images of several classes.
    `guess`: loss_of_guessing. `taught`: a teacher's answers are part of the loss, which has another scale.
    """

    name: str
    rate: Rate
    y: npt.NDArray[np.int64]
    classes: int
    guess: float
    taught: bool
    same_answers: Callable[[], bool]
    finite: Callable[[], bool]
    _losses: list[float] = field(default_factory=list)
    _same: tuple[int, int] = (0, 0)  # epochs, steps

    def step(self, epoch: int, loss: float) -> None:
        """`epoch` counts from 1; `loss` of the step's images."""
        if not math.isfinite(loss):  # it stays so
            self._stop(epoch, f"the loss is {loss}, no number any more")

    def epoch(self, epoch: int, steps: int, loss: float, accuracy: float) -> None:
        """`loss` and `accuracy` (of the augmented training images) are the epoch's means."""
        self._losses.append(loss)
        if not self.finite():
            self._stop(epoch, "weights are no numbers any more")
        # A forward pass only where it may tell something: who knows images looks at them.
        dead = self.guesses(accuracy, 1) and self.same_answers()
        self._same = (self._same[0] + 1, self._same[1] + steps) if dead else (0, 0)
        if self._same[0] >= _EPOCHS and self._same[1] >= _STEPS:
            self._stop(
                epoch, "the network gives the same answer for every image and learns no more (dead ReLUs)"
            )
        uniform = math.log(self.classes)
        if not self.taught and len(self._losses) > 1:
            before, now = self._losses[-2:]
            if now >= before > _GROWN * uniform:
                self._stop(epoch, f"the loss grows without end: {now:.4g}, before {before:.4g}")

    def end(self, steps: int, history: Sequence[Mapping[str, float]]) -> None:
        """After the last epoch; `steps` of one, `history` of all, those before an interruption too.

        Where the loss of `train` rose far and fell again, a notice says so. In later stages it may: they take
        weights away.
        """
        if self._same[0] >= _EPOCHS:  # however few the steps: it has none left to come back in
            self._stop(len(history), "the network gives the same answer for every image (dead ReLUs)")
        self._check_learnt(steps, history)
        known = [self.guess, *(entry["loss"] for entry in history)]
        if self.rate.table != "train" or (rose := self._rose(known)) is None:
            return
        said = _rise(known, *rose)
        end = float(np.mean(known[rose[0] + 1 :][-_LAST:]))
        if not self.taught and end > _LEARNT * self.guess:
            self._stop(
                len(history),
                f"what it knew is lost: {said}, and ends at {end:.4g}; guessing costs {self.guess:.4g}",
            )
        notice(f"{self.name}: {said}: {self.rate.advice()}")

    def _check_learnt(self, steps: int, history: Sequence[Mapping[str, float]]) -> None:
        """Of a training that was long enough."""
        if len(history) < _ALL_EPOCHS or len(history) * steps < _ALL_STEPS:
            return
        loss, accuracy = (
            float(np.mean([entry[key] for entry in history[-_LAST:]])) for key in ("loss", "accuracy")
        )
        if self.guesses(accuracy, _LAST) if self.taught else loss > _LEARNT * self.guess:
            self._stop(
                len(history),
                f"it has learnt next to nothing: {accuracy:.1%} of the training images right, by guessing "
                f"{chance_of(self.y):.1%}",
                learnt_little=True,
            )

    def _rose(self, known: Sequence[float]) -> tuple[int, int] | None:
        """Between which of `known` (what guessing costs, then each epoch's loss) it rose most; None: not far.

        Trained weights begin below guessing. From above it the loss may rise, before the network knows
        anything. A teacher's has another scale.
        """
        start = 0 if self.rate.trained and not self.taught else 1
        best, rose = start, (start, start)
        for epoch in range(start + 1, len(known)):
            knew = self.taught or self.rate.trained or known[best] <= _LEARNT * self.guess
            if knew and known[epoch] - known[best] > known[rose[1]] - known[rose[0]]:
                rose = (best, epoch)
            best = min(best, epoch, key=known.__getitem__)
        return rose if known[rose[1]] - known[rose[0]] > _ROSE * self.guess else None

    def guesses(self, accuracy: float, epochs: int) -> bool:
        """Whether `accuracy`, over so many epochs, is no better than taking all for the commonest class."""
        return accuracy <= chance_of(self.y) + _SIGMAS * _deviation(self.y, epochs)

    def _stop(self, epoch: int, what: str, learnt_little: bool = False) -> None:
        raise DivergedError(f"{self.name}: epoch {epoch}: {what}: {self.rate.advice(learnt_little)}")


def _rise(known: Sequence[float], least: int, most: int) -> str:
    where = f"in epoch {least}" if least else "of guessing"
    return f"the loss rose from {known[least]:.3g} {where} to {known[most]:.3g} in epoch {most}"


def chance_of(y: npt.NDArray[np.int64]) -> float:
    """The accuracy of taking every image for the commonest class of `y` [n]."""
    return float(np.bincount(y).max() / len(y))


def loss_of_guessing(y: npt.NDArray[np.int64], weights: npt.NDArray[np.float32] | None) -> float:
    """The least cross-entropy of a network that does not look at the images of classes `y` [n].

    `weights` [classes]: what an image of each class weighs; None: 1.
    """
    counts = np.bincount(y).astype(np.float64)
    if weights is not None:
        counts = counts * weights[: len(counts)]
    counts = counts[counts > 0]
    return float(-(counts * np.log(counts / counts.sum())).sum() / len(y))


def _deviation(y: npt.NDArray[np.int64], epochs: int) -> float:
    share = chance_of(y)
    return math.sqrt(share * (1 - share) / (len(y) * epochs))


def check_collapse(name: str, rate: Rate, before: float, after: float, y: npt.NDArray[np.int64]) -> None:
    """DivergedError where a stage has fallen to about chance from an accuracy well above it.

    `before`, `after`: accuracies on images of the classes `y` [n].
    """
    chance = chance_of(y)
    known = statistics.interval(before, len(y))[0] > chance
    if known and after - chance < max(0.1 * (before - chance), _deviation(y, 1)):
        raise DivergedError(
            f"{name}: accuracy fell from {before:.1%} to {after:.1%}, about that of guessing ({chance:.1%}): "
            f"{rate.advice()}"
        )
