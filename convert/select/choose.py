"""Which kernel runs each convolution, from which encoding, how many rows at once, with how much scratch.

For given batches (rows a stage makes at once) the schedule fixes when each ring is live; the SRAM left at the
steps of a stage is what its scratch may take, so each layer's kernel can be chosen by itself. Batches are
chosen greedily, the most expensive stages first.
"""

from dataclasses import dataclass, replace

from squeezenet_mcu.convert.network import Encoding, Network
from squeezenet_mcu.convert.schedule.arena import (
    BUFFER_STATE_BYTES,
    LAYER_STATE_BYTES,
    Plan,
    align,
    plan,
)
from squeezenet_mcu.convert.schedule.rows import RowStage
from squeezenet_mcu.convert.select.assignment import NOTHING, Assignment, Barred, applied
from squeezenet_mcu.convert.select.known import Known
from squeezenet_mcu.convert.select.ways import Option, ways_of
from squeezenet_mcu.convert.target import Target

_BATCHES = (2, 3, 4)  # up to kMaxBatch of firmware_cpp/engine/format.h
_WORTH = 0.998  # a larger batch must save this much
_PASSES = 3  # over all stages, after the greedy choice
_AROUND = (0.5, 0.7, 1.0, 1.4, 2.0)  # the multiplier: what suits other batches
# Where no budget is given: twice the leanest arena, a quarter more where that stays small (so ResNet-8 and
# cifar10 run 10 % faster), or what leaves a small network within 16 KB in all.
_MORE_SRAM, _MORE_OF_LITTLE, _SMALL_ARENA = 2, 2.25, 32_000
_LITTLE_SRAM = 11_000
_UNLIMITED = 1 << 31
# Lagrange multipliers of the limit on flash, in the costs' unit a byte: tried in steps, then narrowed down.
_FIRST_MULTIPLIER, _MULTIPLIER_STEP, _LAST_MULTIPLIER = 4.0, 8.0, 1e6
_MULTIPLIER_ROUNDS = 6
# Winograd's kernels, 10 KB of code, must save this much; more beside the decoder, which is as large: all
# of the engine's code is to stay within 40 KB.
_WORTH_ITS_CODE, _WORTH_IT_BESIDE_DECODER = 0.98, 0.9
_DEFERRED_SHARE = 0.12  # of the arena's budget, for the map that a deferred stage waits for
_DEFERRED_TRIED = 1


class _Chooser:
    def __init__(
        self, known: Known, target: Target, like: Network | None = None, polish: bool = True
    ) -> None:
        """`like`: with that one's rows at once, which stand for those that a search would find.

        polish: makes the most of the budget: its plan is more often too large.
        """
        self.polish = polish
        self.known = known
        self.network = known.network
        self.target = target
        # All of the target that an assignment within given limits depends on.
        self.kind = replace(target, flash_bytes=None, sram_bytes=None, sram_limit=None)
        self.stages = known.peaks.stages
        self.deferred: RowStage | None = None  # begins when the whole map that it reads is there
        self.ways = ways_of(known, target)
        self.best_ways: dict[tuple[int, float, Barred], Option | None] = {}
        self.rows: dict[int, int] | None = None
        if like is not None:
            heights = {s.first_layer: known.network.buffers[s.output].height for s in self.stages}
            self.rows = {i: min(like.layers[i].batch_rows, height) for i, height in heights.items()}
            waiting = [s for s in self.stages if like.layers[s.first_layer].defer_rows]
            self.deferred = waiting[0] if waiting else None

    def assign(
        self, batches: dict[int, int], budget: int, multiplier: float, barred: Barred = NOTHING
    ) -> Assignment | None:
        """The best options within `budget` bytes of arena; None where there are none.

        multiplier: what a byte of flash is worth, in the costs' unit.
        """
        peaks, highest = self.known.peaks.of(batches, self.deferred)
        if highest > budget:
            return None
        options = {}
        for stage in self.stages:
            left = budget - peaks[stage.first_layer]
            for i in stage.indices:
                best = self._best(self.ways.within(i, batches[stage.first_layer], left), multiplier, barred)
                if best is None:
                    return None
                options[i] = best
        made = Assignment(dict(batches), options, 0.0, 0, 0, multiplier, barred)
        return self._assignment(made, peaks, highest)

    def _assignment(self, given: Assignment, peaks: dict[int, int], highest: int) -> Assignment:
        """With what its options cost. `peaks`, `highest`: of its batches."""
        options = given.options
        arena = highest
        for stage in self.stages:
            for i in stage.indices:
                arena = max(arena, peaks[stage.first_layer] + align(options[i].scratch))
        any_huffman = any(option.model.encoding is Encoding.HUFFMAN for option in options.values())
        cost = sum(option.cost for option in options.values())
        codes = self.known.codes_bytes if any_huffman else 0
        return replace(given, cost=cost, arena=arena, codes=codes)

    def _best(self, ways: list[Option], multiplier: float, barred: Barred) -> Option | None:
        """The best of `ways`, which are a list that Ways keeps; None where there is none."""
        key = (id(ways), multiplier, barred)
        if key not in self.best_ways:
            found = [option for option in ways if not barred.bars(option.model)]
            optimize = self.target.optimize
            if optimize == "sram":
                best = min(found, key=lambda o: (o.scratch, o.cost, o.stored), default=None)
            elif optimize == "flash":
                best = min(found, key=lambda o: (o.stored, o.cost, o.scratch), default=None)
            else:
                best = min(
                    found, key=lambda o: (o.cost + multiplier * o.stored, o.stored, o.scratch), default=None
                )
            self.best_ways[key] = best
        return self.best_ways[key]

    def _deferrable(self, budget: int) -> list[RowStage | None]:
        """Stages worth deferring: those that read a small map. None: none is."""
        found: list[RowStage | None] = [None]
        for stage in self.stages:
            source = self.network.buffers[stage.layers[0].inputs[0]]
            same = {layer.inputs[0] for layer in stage.layers} == {stage.layers[0].inputs[0]}
            small = source.height * source.row_bytes <= budget * _DEFERRED_SHARE
            if same and small and stage.layers[0].inputs[0] != self.network.input_buffer:
                found.append(stage)
        return found[: 1 + _DEFERRED_TRIED]

    def within(self, budget: int, multiplier: float = 0.0, barred: Barred = NOTHING) -> Assignment | None:
        """The best assignment within `budget` bytes of arena; `multiplier`: that of the limit on flash.

        Targets of one kind ask the same, as long as their own limits do not bind.
        """
        if self.rows is not None:
            return self.assign(self.rows, budget, multiplier, barred)
        waiting = self.deferred.first_layer if self.deferred else -1
        key = ("within", self.kind, waiting, budget, multiplier, barred)
        if key not in self.known.answers:
            self.known.answers[key] = self._find_within(budget, multiplier, barred)
        found: Assignment | None = self.known.answers[key]
        return found

    def _find_within(self, budget: int, multiplier: float, barred: Barred) -> Assignment | None:
        best = self.assign({stage.first_layer: 1 for stage in self.stages}, budget, multiplier, barred)
        if best is None or self.target.optimize == "sram":
            return best
        costs = {s.first_layer: sum(best.options[i].cost for i in s.indices) for s in self.stages}
        for stage in sorted(self.stages, key=lambda s: -costs[s.first_layer]):
            for batch in _BATCHES:
                if self.network.buffers[stage.output].height < batch:
                    continue
                trial = self.assign({**best.batches, stage.first_layer: batch}, budget, multiplier, barred)
                if trial and self._better(trial, best, multiplier):
                    best = trial
        return best

    def _better(self, trial: Assignment, best: Assignment, multiplier: float) -> bool:
        if self.target.optimize == "flash":  # a batch's rows must not take the scratch that a decoder needs
            return (trial.stored, trial.cost) < (best.stored, best.cost * _WORTH)
        return trial.lagrangian(multiplier) < best.lagrangian(multiplier) * _WORTH

    def within_flash(self, budget: int) -> Assignment | None:
        """As `within`, and with weights that fit the target's flash where there is a way.

        A kernel's code is linked once for all layers that run it, so no multiplier tells layer by layer
        whether it is worth its bytes: where one of Winograd's few layers saves next to nothing, the firmware
        does without.
        """
        best = self._huffman_or_not(budget)
        if best is None or self.target.optimize != "speed" or not best.winograd:
            return best
        without = self._huffman_or_not(budget, Barred(winograd=True))
        if without is None:
            return best
        beyond, cost, _ = self.rank(without)
        worth = _WORTH_IT_BESIDE_DECODER if best.codes else _WORTH_ITS_CODE
        return best if self.rank(best)[:2] < (beyond, cost * worth) else without

    def _huffman_or_not(self, budget: int, barred: Barred = NOTHING) -> Assignment | None:
        """As `_pressed`, or, where that is better, without Huffman codes.

        All layers that use the codes pay for them once, together: no multiplier tells layer by layer whether
        they are worth it.
        """
        best = self._pressed(budget, barred)
        if best is None or not best.codes or self.target.optimize == "sram":
            return best
        uncoded = replace(barred, huffman=True)
        without = self.within(budget, _LAST_MULTIPLIER, uncoded)
        if without is not None and without.stored <= self._limit:
            without = self._pressed(budget, uncoded)
        return best if without is None else min(best, without, key=self.rank)

    @property
    def _limit(self) -> int:
        """Bytes that `stored` may take."""
        return max((self.target.flash_bytes or _UNLIMITED) - self.known.fixed_bytes, 0)

    def _pressed(self, budget: int, barred: Barred) -> Assignment | None:
        """The multiplier is raised until all fits, then narrowed down to the least that makes it fit."""
        best = self.within(budget, barred=barred)
        if best is None or self.target.flash_bytes is None:
            return best
        limit = self._limit
        low, high = 0.0, _FIRST_MULTIPLIER
        while best.stored > limit and high <= _LAST_MULTIPLIER:
            low, high = high, high * _MULTIPLIER_STEP
            best = self.within(budget, high, barred) or best
        if low == 0.0 or best.stored > limit:
            return best  # it fits without a multiplier; or nothing does, and the linker says what is missing
        for _ in range(_MULTIPLIER_ROUNDS):
            middle = (low * high) ** 0.5
            trial = self.within(budget, middle, barred)
            if trial and trial.stored <= limit:
                high = middle
                best = min(best, trial, key=lambda a: a.cost)
            else:
                low = middle
        return best

    def _polished(self, best: Assignment, budget: int) -> Assignment:
        """`best`, with what greed and multiplier have missed: other batches, faster ways in bytes left."""
        if best.stored > self._limit:
            return best
        best = self._with_bytes_left(best, budget)
        for _ in range(_PASSES):
            before = best
            for stage in self.stages:
                for batch in range(1, 1 + min(max(_BATCHES), self.network.buffers[stage.output].height)):
                    batches = {**best.batches, stage.first_layer: batch}
                    if batches == best.batches:
                        continue
                    for around in _AROUND if best.multiplier else (1.0,):
                        trial = self.assign(batches, budget, around * best.multiplier, best.barred)
                        if trial is not None:
                            trial = self._with_bytes_left(trial, budget)
                            if trial.stored <= self._limit and trial.cost < best.cost * _WORTH:
                                best = trial
            if best is before:
                break
        return best

    def _with_bytes_left(self, given: Assignment, budget: int) -> Assignment:
        """Where flash is left, the layers' ways that save most for it, one after the other."""
        if given.multiplier == 0.0:
            return given  # all have their fastest way
        peaks, highest = self.known.peaks.of(given.batches, self.deferred)
        options, left = dict(given.options), self._limit - given.stored
        while left > 0:
            gains = [
                (options[i].cost - way.cost, i, way)
                for stage in self.stages
                for i in stage.indices
                for way in self.ways.within(
                    i, given.batches[stage.first_layer], budget - peaks[stage.first_layer]
                )
                if way.cost < options[i].cost
                and way.stored - options[i].stored <= left
                and not given.barred.bars(way.model)
                and (given.codes or way.model.encoding is not Encoding.HUFFMAN)
            ]
            if not gains:
                break
            _, i, way = max(gains, key=lambda gain: gain[:2])
            left -= way.stored - options[i].stored
            options[i] = way
        return self._assignment(replace(given, options=options), peaks, highest)

    def budget(self) -> int:
        """Bytes for the arena, of which some are the engine's state."""
        wanted = self.target.sram_bytes
        if wanted is None and self.target.optimize != "sram":
            lean = _Chooser(self.known, replace(self.target, optimize="sram")).within(_UNLIMITED)
            assert lean is not None, "without limits there is always a way"
            generous = min(int(_MORE_OF_LITTLE * lean.arena), _SMALL_ARENA)
            wanted = max(_MORE_SRAM * lean.arena, generous, _LITTLE_SRAM)
        return min(wanted or _UNLIMITED, self.target.sram_limit or _UNLIMITED)

    def best(self, budget: int) -> Assignment | None:
        """The assignment that the target asks for, within `budget` bytes of arena."""
        state = align(
            len(self.network.layers) * LAYER_STATE_BYTES + len(self.network.buffers) * BUFFER_STATE_BYTES
        )
        budget -= state
        if self.target.optimize == "sram" or self.rows is not None:
            return self.within_flash(budget)
        found = []
        for deferred in self._deferrable(budget):
            self.deferred = deferred
            assignment = self.within_flash(budget)
            if assignment is not None and self.polish and self.target.optimize == "speed":
                assignment = self._polished(assignment, budget)
            found.append((assignment, deferred))
        fitting = [(a, deferred) for a, deferred in found if a is not None]
        if not fitting:
            return None
        best, self.deferred = min(fitting, key=lambda f: self.rank(f[0]))
        return best

    def rank(self, assignment: Assignment) -> tuple[float, float, float]:
        """What fits the flash best, then what is fastest (or smallest)."""
        beyond = max(assignment.stored - self._limit, 0)
        if self.target.optimize == "flash":
            return beyond, assignment.stored, assignment.cost
        return beyond, assignment.cost, assignment.stored


@dataclass(frozen=True)
class Choice:
    """`network`: a copy with kernel, encoding, batch and scratch of every convolution, and its memory `plan`.

    `fits`: its SRAM.
    """

    network: Network
    plan: Plan
    fits: bool


def _planned(known: Known, assignment: Assignment, deferred: RowStage | None) -> tuple[Network, Plan]:
    waiting = deferred.first_layer if deferred else -1
    options = tuple((i, o.model.kernel, o.model.encoding, o.scratch) for i, o in assignment.options.items())
    key = ("planned", waiting, tuple(assignment.batches.items()), options)
    if key not in known.answers:
        made = applied(known.network, assignment, deferred)
        known.answers[key] = made, plan(made)
    found: tuple[Network, Plan] = known.answers[key]
    return found


@dataclass(frozen=True)
class _Fitting:
    """A choice whose plan keeps the limit; `at_once`: already the first one that was planned did."""

    rank: tuple[float, float, float]
    network: Network
    plan: Plan
    at_once: bool


def _fitting(known: Known, chooser: _Chooser) -> _Fitting | None:
    limit = budget = chooser.budget()
    while assignment := chooser.best(budget):
        made, memory = _planned(known, assignment, chooser.deferred)
        if memory.arena_bytes <= limit:
            return _Fitting(chooser.rank(assignment), made, memory, budget == limit)
        budget -= memory.arena_bytes - limit  # first fit has wasted some of what the bound allowed
    return None


def choose(network: Network, target: Target) -> Choice:
    """The network as it is best run on `target`; its codes (`entropy.code`) are set in `network` too."""
    return choose_for(Known(network), target)


def choose_for(known: Known, target: Target, like: Network | None = None) -> Choice:
    """As `choose`; who asks for several targets shares what is `known` of the network.

    like: a network of the same layers, whose rows at once are taken where they fit; there is no search then.
    With too little SRAM the leanest choice is made all the same, for the linker to say what is missing.
    """
    best = _fitting(known, _Chooser(known, target, like, polish=like is None))
    if like is None and not (best and best.at_once):  # less polish, and more of the budget, may be better
        rough = _fitting(known, _Chooser(known, target, polish=False))
        best = min((each for each in (best, rough) if each), key=lambda each: each.rank, default=None)
    if best is not None:
        return Choice(best.network, best.plan, True)
    if like is not None:
        return choose_for(known, target)
    lean = _Chooser(known, replace(target, optimize="sram", flash_bytes=None)).best(_UNLIMITED)
    assert lean is not None, "without limits there is always a way"
    return Choice(*_planned(known, lean, None), False)
