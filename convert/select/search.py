"""The search for kernels, encodings, rows at once and scratch within given bytes of arena and flash.

For given batches (rows a stage makes at once) the schedule fixes when each ring is live; the SRAM left at the
steps of a stage is what its scratch may take, so each layer's kernel can be chosen by itself. Batches are
chosen greedily, the most expensive stages first; then the answer is polished.
"""

import math
from dataclasses import replace

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.convert.network import WORKERS, ConvKernel, Encoding, Network
from squeezenet_mcu.convert.schedule.arena import ALIGNMENT, BUFFER_STATE_BYTES, LAYER_STATE_BYTES, align
from squeezenet_mcu.convert.schedule.rows import RowStage
from squeezenet_mcu.convert.select.assignment import NOTHING, Assignment, Barred
from squeezenet_mcu.convert.select.known import Known
from squeezenet_mcu.convert.select.ways import Option, ways_of
from squeezenet_mcu.convert.target import Target

MAX_BATCH = 8  # rows a call: kMaxBatch of firmware_cpp/engine/format.h
BATCHES: dict[Family, tuple[int, ...]] = {
    "portable": (2, 3, 4, 5, 6, 7, 8), "v6m": (2, 3, 4, 5, 6, 7, 8),
    "dsp": (2, 3, 4, 6, 8), "mve": (2, 3, 4, 8),
}  # fmt: skip
_FEW_ROWS = 4
_WORTH = 0.998  # a larger batch must save this much
_PASSES = 3  # over all stages, after the greedy choice
_NEAR = 1.02  # times the cost of another answer: what step after step may become cheaper than that
_AROUND = (0.5, 1.0, 2.0)  # the multiplier: what suits other batches
# Where no budget is given: nearly twice the leanest arena (ImageNet's v1.1 then fits 96 KB), four times where
# that is no more than TensorFlow Lite Micro takes (cifar10 runs 25 % faster so: each row more in a call
# spares a decoding of weights), or what leaves a small network within 16 KB in all.
_MORE_SRAM, _MORE_OF_LITTLE, _SMALL_ARENA = 1.98, 4, 64_000
_LITTLE_SRAM = 11_000
UNLIMITED = 1 << 31
# Lagrange multipliers of the limit on flash, in the costs' unit a byte: tried in steps, then narrowed down.
_FIRST_MULTIPLIER, _MULTIPLIER_STEP, _LAST_MULTIPLIER = 4.0, 8.0, 1e6
_MULTIPLIER_ROUNDS = 3
# Winograd's kernels, 10 KB of code, must save this much, and fast_fir's 5 KB too; more beside the decoder, of
# 10 KB as well: all of the engine's code is to stay within 40 KB.
_WORTH_ITS_CODE, _WORTH_IT_BESIDE_DECODER = 0.98, 0.9
# Of gemm, winograd, lanes, sparse_list, fast_fir and the decoder, 5 to 9 KB each: one more would make it over
# 40 KB.
_MOST_PARTS = 4
_DEFERRED_SHARE = 0.12  # of the arena's budget, for the map that a deferred stage waits for
_DEFERRED_TRIED = 1


class Search:
    def __init__(self, known: Known, target: Target, like: Network | None = None) -> None:
        """`like`: with that one's rows at once, which stand for those that a search would find."""
        self.known = known
        self.network = known.network
        self.target = target
        # All of the target that an assignment within given limits depends on.
        self.kind = replace(target, flash_bytes=None, sram_bytes=None, sram_limit=None)
        self.stages = known.peaks.stages
        self.indices = [(stage.first_layer, tuple(stage.indices)) for stage in self.stages]
        self.most = MAX_BATCH  # rows a call
        self.deferred: RowStage | None = None  # begins when the whole map that it reads is there
        self.ways = ways_of(known, target)
        self.best_ways: dict[tuple[int, int, int, float, Barred], Option | None] = {}
        self.floors: dict[tuple[int, int, int, float, Barred], float] = {}
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
        for first, indices in self.indices:
            batch = batches[first]
            left = self._room(first, batch, budget - peaks[first])
            for i in indices:
                best = self._best(i, batch, left, multiplier, barred)
                if best is None:
                    return None
                options[i] = best
        return self._assignment(dict(batches), options, multiplier, barred)

    def _workers(self, first_layer: int, batch: int) -> int:
        """How many share a step of a stage, each with scratch of its own."""
        return WORKERS if self.network.layers[first_layer].shared and batch > 1 else 1

    def _room(self, first_layer: int, batch: int, left: int) -> int:
        """Of `left` bytes for the scratch of a stage, what one worker may take."""
        workers = self._workers(first_layer, batch)
        return left if workers == 1 else left // workers // ALIGNMENT * ALIGNMENT

    def _batches(self, stage: RowStage) -> tuple[int, ...]:
        """Rows at once that are tried first: all that one worker may make, or two together."""
        workers = self._workers(stage.first_layer, WORKERS)
        found = tuple(workers * batch for batch in BATCHES[self.target.family] if batch <= self.most)
        return found if workers == 1 else (workers, *found)

    def _assignment(
        self, batches: dict[int, int], options: dict[int, Option], multiplier: float, barred: Barred
    ) -> Assignment:
        cost, stored, codes = 0.0, 0, 0
        for option in options.values():
            cost += option.cost
            stored += option.stored
            if option.model.encoding is Encoding.HUFFMAN:
                codes = self.known.codes_bytes
        return Assignment(batches, self.deferred, options, cost, stored + codes, codes, multiplier, barred)

    def _best(self, index: int, batch: int, budget: int, multiplier: float, barred: Barred) -> Option | None:
        """The best way to run layer `index`, within `budget` bytes of scratch; None where there is none."""
        most = self.ways.most(index, batch)
        key = (index, batch, budget if budget < most else most, multiplier, barred)
        if key not in self.best_ways:
            ways = self.ways.within(index, batch, budget)
            found = [option for option in ways if not barred.bars(option.model)]
            optimize = self.target.optimize
            if optimize == "sram":
                best = min(found, key=lambda o: (o.scratch, o.cost, o.stored), default=None)
            elif optimize == "flash":
                best = min(found, key=lambda o: (o.stored, o.cost, o.scratch), default=None)
            else:
                best = min(found, key=lambda o: (o.lagrangian(multiplier), o.stored, o.scratch), default=None)
            self.best_ways[key] = best
        return self.best_ways[key]

    def floor(self, stage: RowStage, batch: int, budget: int, multiplier: float, barred: Barred) -> float:
        """What `stage` costs at least, with `multiplier` more for a byte of flash; no schedule is simulated.

        That takes most of the time, and by this most trials are known to be worse.
        """
        key = (stage.first_layer, batch, budget, multiplier, barred)
        if key not in self.floors:
            left = self._room(stage.first_layer, batch, budget - self.known.peaks.least(stage, batch))
            found = [self._best(i, batch, left, multiplier, barred) for i in stage.indices]
            self.floors[key] = sum(o.lagrangian(multiplier) if o else math.inf for o in found)
        return self.floors[key]

    def floor_of_cost(self, batches: dict[int, int], budget: int, multiplier: float, barred: Barred) -> float:
        """What no assignment of these batches that fits the flash costs less than (by Lagrange's duality)."""
        codes = multiplier * self.known.codes_bytes
        uncoded = barred._replace(huffman=True)
        floors = [
            sum(self.floor(s, batches[s.first_layer], budget, multiplier, bars) for s in self.stages)
            for bars in (barred, uncoded)
        ]
        return min(floors[0] + codes, floors[1]) - multiplier * self._limit

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
        key = ("within", self.kind, self.most, waiting, budget, multiplier, barred)
        if key not in self.known.answers:
            self.known.answers[key] = self._find_within(budget, multiplier, barred)
        found: Assignment | None = self.known.answers[key]
        return found

    def _find_within(self, budget: int, multiplier: float, barred: Barred) -> Assignment | None:
        best = self.assign({stage.first_layer: 1 for stage in self.stages}, budget, multiplier, barred)
        if best is None or self.target.optimize == "sram":
            return best
        # Many rows of a few stages may leave too little to the others, or be worth it: both are tried.
        at_once = self._greedy(best, budget, 0, MAX_BATCH)
        in_turn = self._greedy(self._greedy(best, budget, 0, _FEW_ROWS), budget, _FEW_ROWS, MAX_BATCH)
        return in_turn if self._better(in_turn, at_once, multiplier) else at_once

    def _greedy(self, best: Assignment, budget: int, least: int, most: int) -> Assignment:
        """Stage by stage, the costliest first, the rows at once that are worth it: over `least` a worker."""
        multiplier, barred = best.multiplier, best.barred
        costs = {s.first_layer: sum(best.options[i].cost for i in s.indices) for s in self.stages}
        for stage in sorted(self.stages, key=lambda s: -costs[s.first_layer]):
            for count in self._batches(stage):
                if not least < count / self._workers(stage.first_layer, count) <= most:
                    continue
                if self.network.buffers[stage.output].height < count:
                    continue
                if self.target.optimize == "speed":  # what others gain by its batch is not looked for
                    own = sum(best.options[i].lagrangian(multiplier) for i in stage.indices)
                    gain = own - self.floor(stage, count, budget, multiplier, barred)
                    if gain <= (1 - _WORTH) * best.lagrangian(multiplier):
                        continue
                batches = {**best.batches, stage.first_layer: count}
                trial = self.assign(batches, budget, multiplier, barred)
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
        whether it is worth its bytes: where the few layers of winograd or fast_fir save next to nothing, the
        firmware does without.
        """
        best, barred = self._huffman_or_not(budget), NOTHING
        for kernel in (ConvKernel.WINOGRAD, ConvKernel.FAST_FIR):
            if best is None or self.target.optimize != "speed" or not best.runs(kernel):
                continue
            bars = barred._replace(**{kernel.name.lower(): True})
            without = self._huffman_or_not(budget, bars)
            if without is None:
                continue
            beyond, cost, _ = self.rank(without)
            worth = _WORTH_IT_BESIDE_DECODER if best.codes else _WORTH_ITS_CODE
            if self.rank(best)[:2] >= (beyond, cost * worth):
                best, barred = without, bars
        if best is not None and self.target.optimize == "speed" and best.parts > _MOST_PARTS:
            best = self._of_fewer_parts(best, barred, budget)
        return best

    def _of_fewer_parts(self, best: Assignment, barred: Barred, budget: int) -> Assignment:
        """The best answer without one more of the large parts of the engine's code; `best` if none fits."""
        bars = [barred._replace(**{part: True}) for part in Barred._fields]
        found = [self._huffman_or_not(budget, each) for each in bars]
        fewer = [answer for answer in found if answer is not None and answer.parts <= _MOST_PARTS]
        least = min(fewer, key=self.rank, default=best)
        return least if self.rank(least)[0] <= self.rank(best)[0] else best

    def _huffman_or_not(self, budget: int, barred: Barred = NOTHING) -> Assignment | None:
        """As `_pressed`, or, where that is better, without Huffman codes.

        All layers that use the codes pay for them once, together: no multiplier tells layer by layer whether
        they are worth it.
        """
        best = self._pressed(budget, barred)
        if best is None or not best.codes or self.target.optimize == "sram":
            return best
        uncoded = barred._replace(huffman=True)
        without = self.within(budget, _LAST_MULTIPLIER, uncoded)
        if without is not None and without.stored <= self._limit:
            without = self._pressed(budget, uncoded)
        return best if without is None else min(best, without, key=self.rank)

    @property
    def _limit(self) -> int:
        """Bytes that `stored` may take."""
        return max((self.target.flash_bytes or UNLIMITED) - self.known.fixed_bytes, 0)

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

    def _polished(self, best: Assignment, budget: int, known_cost: float = math.inf) -> Assignment:
        """`best`, with what greed and multiplier have missed: other batches, faster ways in bytes left.

        known_cost: of another answer; what can hardly become cheaper than that is not looked for.
        """
        if best.stored > self._limit:
            return best
        best = self._with_bytes_left(best, budget)
        for _ in range(_PASSES):
            before = best
            for stage in self.stages:
                height = self.network.buffers[stage.output].height
                for batch in (1, *(count for count in self._batches(stage) if count <= height)):
                    batches = {**best.batches, stage.first_layer: batch}
                    floor = self.floor_of_cost(batches, budget, best.multiplier, best.barred)
                    if batches == best.batches or floor >= min(best.cost * _WORTH, known_cost * _NEAR):
                        continue
                    for around in _AROUND if best.multiplier else (1.0,):
                        trial = self.assign(batches, budget, around * best.multiplier, best.barred)
                        if trial is not None:
                            trial = self._with_bytes_left(trial, budget)
                            fits = trial.stored <= self._limit and trial.parts <= max(best.parts, _MOST_PARTS)
                            if fits and trial.cost < best.cost * _WORTH:
                                best = trial
            if best is before:
                break
        return best

    def _with_bytes_left(self, given: Assignment, budget: int) -> Assignment:
        """Where flash is left, the layers' ways that save most for it, one after the other."""
        if given.multiplier == 0.0:
            return given  # all have their fastest way
        peaks, _ = self.known.peaks.of(given.batches, self.deferred)
        options, left = dict(given.options), self._limit - given.stored
        while left > 0:
            gains = [
                (options[i].cost - way.cost, i, way)
                for stage in self.stages
                for i in stage.indices
                for way in self.ways.within(
                    i,
                    given.batches[stage.first_layer],
                    self._room(
                        stage.first_layer, given.batches[stage.first_layer], budget - peaks[stage.first_layer]
                    ),
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
        return self._assignment(given.batches, options, given.multiplier, given.barred)

    def budget(self) -> int:
        """Bytes for the arena, of which some are the engine's state."""
        wanted = self.target.sram_bytes
        if wanted is None and self.target.optimize != "sram":
            lean = Search(self.known, replace(self.target, optimize="sram")).within(UNLIMITED)
            assert lean is not None, "without limits there is always a way"
            peaks, arena = self.known.peaks.of(lean.batches, None)
            for first, indices in self.indices:
                scratch = align(max(lean.options[i].scratch for i in indices))
                workers = self._workers(first, lean.batches[first])
                arena = max(arena, peaks[first] + workers * scratch)
            wanted = max(int(_MORE_SRAM * arena), _LITTLE_SRAM)
            if wanted > _LITTLE_SRAM:
                # v6m's words of two pixels take four times a map's bytes.
                small = UNLIMITED if self.target.family == "v6m" else _SMALL_ARENA
                wanted = max(wanted, min(_MORE_OF_LITTLE * arena, small))
            wanted *= self.target.workers  # a step makes so many times the rows
        return min(wanted or UNLIMITED, self.target.sram_limit or UNLIMITED)

    def answers(self, budget: int) -> list[Assignment]:
        """What the target asks for within `budget` bytes of arena, the best first; its plan may need more."""
        state = align(
            len(self.network.layers) * LAYER_STATE_BYTES + len(self.network.buffers) * BUFFER_STATE_BYTES
        )
        budget -= state
        if self.target.optimize == "sram" or self.rows is not None:
            only = self.within_flash(budget)
            return [only] if only else []
        found: list[Assignment] = []
        for deferred in self._deferrable(budget):
            self.deferred = deferred
            # Where flash binds, many rows are not always better in the end.
            for most in (MAX_BATCH, _FEW_ROWS):
                self.most = most
                assignment = self.within_flash(budget)
                if assignment is None:
                    continue
                found.append(assignment)
                if self.target.optimize == "speed":
                    cheapest = min(a.cost for a in found)
                    found.append(self._polished(assignment, budget, cheapest))
                if assignment.multiplier == 0.0:
                    break
        return sorted(found, key=self.rank)

    def rank(self, assignment: Assignment) -> tuple[float, float, float]:
        """What fits the flash best, then what is fastest (or smallest)."""
        beyond = max(assignment.stored - self._limit, 0)
        if self.target.optimize == "flash":
            return beyond, assignment.stored, assignment.cost
        return beyond, assignment.cost, assignment.stored
