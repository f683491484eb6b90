"""The ways to run each convolution of a network on one kind of CPU: kernel, encoding, scratch, and cost."""

from dataclasses import dataclass

from squeezenet_mcu.convert.network import Encoding
from squeezenet_mcu.convert.schedule.arena import align
from squeezenet_mcu.convert.select.cost import coefficients
from squeezenet_mcu.convert.select.cost.shape import KernelModel
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from squeezenet_mcu.convert.select.known import Known
from squeezenet_mcu.convert.target import Target


@dataclass(frozen=True)
class Option:
    """One way to run a layer. `cost`: cycles or instructions an image."""

    model: KernelModel
    scratch: int
    cost: float
    stored: int

    def lagrangian(self, multiplier: float) -> float:
        """The cost, and `multiplier` more for every byte of flash."""
        return self.cost + multiplier * self.stored


@dataclass(frozen=True)
class _Way:
    """A kernel that runs a layer: with `least` bytes of scratch, and with no use for more than `most`."""

    model: KernelModel
    least: int
    most: int
    stored: int


class Ways:
    """Of a network on CPUs of one kind. Costs are found once for each scratch that makes a difference."""

    def __init__(self, known: Known, target: Target) -> None:
        """Of `target` only what does not depend on memory counts."""
        self._known = known
        self._target = target
        self._coefficients = coefficients.of(target)
        self._ways: dict[tuple[int, int], list[_Way]] = {}
        self._most: dict[tuple[int, int], int] = {}
        self._within: dict[tuple[int, int, int], list[Option]] = {}
        self._options: dict[tuple[int, int, int, int], Option] = {}

    def most(self, index: int, batch: int) -> int:
        """Bytes of scratch, with more of which no way to run layer `index` does anything."""
        key = (index, batch)
        if key not in self._most:
            self._most[key] = max(way.most for way in self._of(index, batch))
        return self._most[key]

    def within(self, index: int, batch: int, budget: int) -> list[Option]:
        """Every way to run layer `index`, `batch` rows at once, within `budget` bytes of scratch."""
        ways = self._of(index, batch)
        key = (index, batch, min(budget, self.most(index, batch)))
        if key not in self._within:
            self._within[key] = [
                self._option(index, batch, number, max(way.least, min(way.most, budget & ~7)))
                for number, way in enumerate(ways)
                if way.least <= budget
            ]
        return self._within[key]

    def _of(self, index: int, batch: int) -> list[_Way]:
        key = (index, batch)
        if key not in self._ways:
            shape = self._known.shapes(index, batch)[0][0]
            forced = self._target.encoding
            models = [model for model in FAMILY_KERNELS[self._target.family] if model.supports(shape)]
            if forced and any(model.encoding is Encoding[forced.upper()] for model in models):
                models = [model for model in models if model.encoding is Encoding[forced.upper()]]
            self._ways[key] = [
                _Way(model, least, max(least, align(model.useful_scratch(shape))), stored)
                for model in models
                for least, stored in [(model.scratch(shape), self._known.stored(index, model.encoding))]
            ]
        return self._ways[key]

    def _option(self, index: int, batch: int, number: int, scratch: int) -> Option:
        key = (index, batch, number, scratch)
        if key not in self._options:
            way = self._of(index, batch)[number]
            shapes = self._known.shapes(index, batch)
            cost = sum(count * way.model.cost(shape, scratch, self._coefficients) for shape, count in shapes)
            self._options[key] = Option(way.model, scratch, cost, way.stored)
        return self._options[key]


def ways_of(known: Known, target: Target) -> Ways:
    """Those for `target`, shared by the targets that differ in memory alone."""
    key = ("ways", target.family, target.cpu, target.encoding)
    if key not in known.answers:
        known.answers[key] = Ways(known, target)
    found: Ways = known.answers[key]
    return found
