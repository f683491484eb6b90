"""Which kernel runs each convolution, from which encoding, how many rows at once, with how much scratch.

For given batches (rows a stage makes at once) the schedule fixes when each ring is live; the room left at the
steps of a stage is what its scratch may take, so each layer's kernel can be chosen by itself. Batches are
chosen greedily, the most expensive stages first.
"""

from dataclasses import dataclass, replace

import numpy as np

from squeezenet_mcu.convert.encode import blob, entropy
from squeezenet_mcu.convert.encode.weights import placed_bytes
from squeezenet_mcu.convert.network import ConvKernel, Encoding, Kind, Layer, Network
from squeezenet_mcu.convert.schedule.arena import (
    BUFFER_STATE_BYTES,
    LAYER_STATE_BYTES,
    align,
    plan,
    rings_and_sums,
)
from squeezenet_mcu.convert.schedule.rows import Stage, simulate, stages_of
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, shape_of
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from squeezenet_mcu.convert.target import Target

_BATCHES = (2, 3, 4)  # up to kMaxBatch of firmware_cpp/engine/format.h
_WORTH = 0.998  # a larger batch must save this much
# Where no budget is given: twice the leanest arena, or what leaves a small network within 16 KB in all.
_MORE_SRAM = 2
_LITTLE_SRAM = 11_000
_UNLIMITED = 1 << 31
# Instructions that a byte of flash may be worth: tried in steps, then narrowed down.
_FIRST_PRICE, _PRICE_STEP, _LAST_PRICE = 4.0, 8.0, 1e6
_PRICE_ROUNDS = 6
# Winograd's kernels, 10 KB of code, must save this much; more beside the decoder, which is as large.
_WORTH_ITS_CODE, _WORTH_IT_BESIDE_DECODER = 0.98, 0.95
_HOLD_SHARE = 0.12  # of the arena's budget, for a map that is held
_HOLDS_TRIED = 1


@dataclass(frozen=True)
class Option:
    """One way to run a layer. `cost`: instructions an image."""

    model: KernelModel
    scratch: int
    cost: float
    stored: int


@dataclass(frozen=True)
class Barred:
    """What no layer may run: tried because all layers that do pay for it once, together."""

    coded: bool = False
    winograd: bool = False

    def bars(self, model: KernelModel) -> bool:
        """Whether a layer may not run as `model`."""
        coded, winograd = model.encoding is Encoding.CODED, model.kernel is ConvKernel.WINOGRAD
        return (self.coded and coded) or (self.winograd and winograd)


_NOTHING = Barred()


@dataclass(frozen=True)
class Assignment:
    """Batches by stage and options by layer (indices in the network), with what they cost.

    `codes`: bytes of what coded layers share, 0 without any.
    """

    batches: dict[int, int]
    options: dict[int, Option]
    cost: float
    arena: int  # lower bound
    codes: int

    def worth(self, price: float) -> float:
        """Instructions, and bytes at a price of so many instructions."""
        return self.cost + price * self.stored

    @property
    def stored(self) -> int:
        """Bytes of all weights, their parameters and codes, as they are placed."""
        return sum(option.stored for option in self.options.values()) + self.codes

    @property
    def winograd(self) -> bool:
        """Whether any layer runs Winograd's kernels."""
        return any(option.model.kernel is ConvKernel.WINOGRAD for option in self.options.values())


class _Chooser:
    def __init__(self, network: Network, target: Target) -> None:
        self.network = network
        self.target = target
        self.stages: list[Stage] = [
            stage for stage in stages_of(network) if all(la.kind is Kind.CONV_2D for la in stage.layers)
        ]
        self.hold: Stage | None = None  # begins when the whole map that it reads is there
        self.rooms: dict[tuple[int, ...], tuple[dict[int, int], int]] = {}
        self.stored: dict[tuple[int, int], int] = {}
        self.options: dict[tuple[int, int, int], list[Option]] = {}
        self.codes_bytes = blob.codes_bytes(network)

    def _peaks(self, batches: dict[int, int]) -> tuple[dict[int, int], int]:
        """For each stage the most bytes of rings and sums live while it runs; and the most of all."""
        hold = self.hold.first_layer if self.hold else -1
        key = (hold, *(batches[stage.first_layer] for stage in self.stages))
        if key not in self.rooms:
            for stage in self.stages:
                for layer in stage.layers:
                    layer.batch_rows = batches[stage.first_layer]
            _hold_back(self.network, self.hold)
            trace = simulate(self.network)
            blocks = rings_and_sums(self.network, trace)
            live = np.array([b.size for b in blocks]) @ np.stack([b.live for b in blocks]).astype(np.int64)
            peaks = {s.first_layer: int(live[trace.runs[s.first_layer]].max()) for s in self.stages}
            self.rooms[key] = peaks, int(live.max())
        return self.rooms[key]

    def _stored(self, index: int, model: KernelModel) -> int:
        key = (index, model.encoding)
        if key not in self.stored:
            layer = self.network.layers[index]
            kept, layer.encoding = layer.encoding, model.encoding
            self.stored[key] = placed_bytes(layer)
            layer.encoding = kept
        return self.stored[key]

    def _options(self, index: int, layer: Layer, batch: int, room: int) -> list[Option]:
        """Every way to run a layer within `room` bytes of scratch."""
        key = (index, batch, room)
        if key not in self.options:
            self.options[key] = self._find_options(index, layer, batch, room)
        return self.options[key]

    def _find_options(self, index: int, layer: Layer, batch: int, room: int) -> list[Option]:
        source, out = self.network.buffers[layer.inputs[0]], self.network.buffers[layer.output]
        calls, rest = divmod(out.height, batch)
        shapes: list[tuple[Shape, int]] = [(shape_of(layer, source, out, batch), calls)]
        if rest:
            shapes.append((shape_of(layer, source, out, rest), 1))
        largest = shapes[0][0]
        options = []
        forced = self.target.encoding
        taken = [model for model in FAMILY_KERNELS[self.target.family] if model.takes(largest)]
        if forced and any(model.encoding is Encoding[forced.upper()] for model in taken):
            taken = [model for model in taken if model.encoding is Encoding[forced.upper()]]
        for model in taken:
            if model.scratch(largest) > room:
                continue
            scratch = max(model.scratch(largest), min(align(model.useful(largest)), room & ~7))
            cost = sum(count * model.cost(shape, scratch) for shape, count in shapes)
            options.append(Option(model, scratch, cost, self._stored(index, model)))
        return options

    def assign(
        self, batches: dict[int, int], budget: int, price: float, barred: Barred = _NOTHING
    ) -> Assignment | None:
        """The best options within `budget` bytes of arena; None where there are none.

        price: what a byte of flash is worth, in instructions.
        """
        peaks, highest = self._peaks(batches)
        if highest > budget:
            return None
        optimize = self.target.optimize
        options, arena = {}, highest
        for stage in self.stages:
            room = budget - peaks[stage.first_layer]
            for i, layer in enumerate(stage.layers, stage.first_layer):
                found = self._options(i, layer, batches[stage.first_layer], room)
                found = [option for option in found if not barred.bars(option.model)]
                if not found:
                    return None
                if optimize == "sram":
                    best = min(found, key=lambda o: (o.scratch, o.cost, o.stored))
                elif optimize == "flash":
                    best = min(found, key=lambda o: (o.stored, o.cost, o.scratch))
                else:
                    best = min(found, key=lambda o: (o.cost + price * o.stored, o.stored, o.scratch))
                options[i] = best
                arena = max(arena, peaks[stage.first_layer] + align(best.scratch))
        coded_any = any(option.model.encoding is Encoding.CODED for option in options.values())
        cost = sum(option.cost for option in options.values())
        return Assignment(dict(batches), options, cost, arena, self.codes_bytes if coded_any else 0)

    def _holds(self, budget: int) -> list[Stage | None]:
        """Stages worth holding back: those that read a small map. None: none is."""
        found: list[Stage | None] = [None]
        for stage in self.stages:
            source = self.network.buffers[stage.layers[0].inputs[0]]
            same = {layer.inputs[0] for layer in stage.layers} == {stage.layers[0].inputs[0]}
            small = source.height * source.row_bytes <= budget * _HOLD_SHARE
            if same and small and stage.layers[0].inputs[0] != self.network.input_buffer:
                found.append(stage)
        return found[: 1 + _HOLDS_TRIED]

    def within(self, budget: int, price: float = 0.0, barred: Barred = _NOTHING) -> Assignment | None:
        """The best assignment within `budget` bytes of arena, a byte of flash being worth `price`."""
        best = self.assign({stage.first_layer: 1 for stage in self.stages}, budget, price, barred)
        if best is None or self.target.optimize == "sram":
            return best
        costs = {
            s.first_layer: sum(best.options[s.first_layer + k].cost for k in range(len(s.layers)))
            for s in self.stages
        }
        for stage in sorted(self.stages, key=lambda s: -costs[s.first_layer]):
            for batch in _BATCHES:
                if self.network.buffers[stage.output].height < batch:
                    continue
                trial = self.assign({**best.batches, stage.first_layer: batch}, budget, price, barred)
                if trial and self._better(trial, best, price):
                    best = trial
        return best

    def _better(self, trial: Assignment, best: Assignment, price: float) -> bool:
        if self.target.optimize == "flash":  # a batch's rows must not take the room that a decoder needs
            return (trial.stored, trial.cost) < (best.stored, best.cost * _WORTH)
        return trial.worth(price) < best.worth(price) * _WORTH

    def within_flash(self, budget: int) -> Assignment | None:
        """As `within`, and with weights that fit the target's flash where there is a way.

        A kernel's code is linked once for all layers that run it, so no price by layer tells whether it is
        worth its bytes: where one of Winograd's few layers saves next to nothing, the firmware does without.
        """
        best = self._coded_or_not(budget)
        if best is None or self.target.optimize != "speed" or not best.winograd:
            return best
        plain = self._coded_or_not(budget, Barred(winograd=True))
        if plain is None:
            return best
        beyond, cost, _ = self._rank(plain)
        worth = _WORTH_IT_BESIDE_DECODER if best.codes else _WORTH_ITS_CODE
        return best if self._rank(best)[:2] < (beyond, cost * worth) else plain

    def _coded_or_not(self, budget: int, barred: Barred = _NOTHING) -> Assignment | None:
        """As `_pressed`, or, where that is better, without coded weights.

        The codes are paid for once, by all coded layers: no price by layer tells whether they are worth it.
        """
        best = self._pressed(budget, barred)
        if best is None or not best.codes or self.target.optimize == "sram":
            return best
        uncoded = replace(barred, coded=True)
        plain = self.within(budget, _LAST_PRICE, uncoded)
        if plain is not None and plain.stored <= self._limit:
            plain = self._pressed(budget, uncoded)
        return best if plain is None else min(best, plain, key=self._rank)

    @property
    def _limit(self) -> int:
        """Bytes that `stored` may take."""
        return max((self.target.flash_bytes or _UNLIMITED) - blob.fixed_bytes(self.network), 0)

    def _pressed(self, budget: int, barred: Barred) -> Assignment | None:
        """A price on flash is raised until all fits, then narrowed down to the lowest that makes it fit."""
        best = self.within(budget, barred=barred)
        if best is None or self.target.flash_bytes is None:
            return best
        limit = self._limit
        low, high = 0.0, _FIRST_PRICE
        while best.stored > limit and high <= _LAST_PRICE:
            low, high = high, high * _PRICE_STEP
            best = self.within(budget, high, barred) or best
        if low == 0.0 or best.stored > limit:
            return best  # it fits at no price; or nothing does, and the linker says what is missing
        for _ in range(_PRICE_ROUNDS):
            middle = (low * high) ** 0.5
            trial = self.within(budget, middle, barred)
            if trial and trial.stored <= limit:
                high = middle
                best = min(best, trial, key=lambda a: a.cost)
            else:
                low = middle
        return best

    def budget(self) -> int:
        """Bytes for the arena, of which some are the engine's state."""
        wanted = self.target.sram_bytes
        if wanted is None and self.target.optimize != "sram":
            lean = _Chooser(self.network, replace(self.target, optimize="sram")).within(_UNLIMITED)
            assert lean is not None, "without limits there is always a way"
            wanted = max(_MORE_SRAM * lean.arena, _LITTLE_SRAM)
        return min(wanted or _UNLIMITED, self.target.sram_limit or _UNLIMITED)

    def best(self, budget: int) -> Assignment | None:
        """The assignment that the target asks for, within `budget` bytes of arena."""
        state = align(
            len(self.network.layers) * LAYER_STATE_BYTES + len(self.network.buffers) * BUFFER_STATE_BYTES
        )
        budget -= state
        if self.target.optimize == "sram":
            return self.within_flash(budget)
        found = []
        for hold in self._holds(budget):
            self.hold = hold
            found.append((self.within_flash(budget), hold))
        fitting = [(a, hold) for a, hold in found if a is not None]
        if not fitting:
            return None
        best, self.hold = min(fitting, key=lambda f: self._rank(f[0]))
        return best

    def _rank(self, assignment: Assignment) -> tuple[float, float, float]:
        """What fits the flash best, then what is fastest (or smallest)."""
        beyond = max(assignment.stored - self._limit, 0)
        if self.target.optimize == "flash":
            return beyond, assignment.stored, assignment.cost
        return beyond, assignment.cost, assignment.stored


def _hold_back(network: Network, hold: Stage | None) -> None:
    """Has `hold` wait for the whole map that it reads, and no other stage."""
    for layer in network.layers:
        held = hold is not None and layer.output == hold.output
        layer.hold_rows = network.buffers[layer.inputs[0]].height if held else 0


def _apply(network: Network, assignment: Assignment, hold: Stage | None) -> None:
    _hold_back(network, hold)
    stage_batch = 1
    for i, layer in enumerate(network.layers):
        if i in assignment.options:
            stage_batch = assignment.batches.get(i, stage_batch)
            option = assignment.options[i]
            layer.conv_kernel, layer.encoding = option.model.kernel, option.model.encoding
            layer.batch_rows, layer.scratch_bytes = stage_batch, option.scratch
        else:
            layer.batch_rows = 1


def choose(network: Network, target: Target) -> bool:
    """Sets kernel, encoding, batch and scratch of every convolution; False where the SRAM is too small.

    With too little SRAM the leanest choice is set all the same, for the linker to say what is missing.
    """
    entropy.code(network)  # what each layer would take, coded
    chooser = _Chooser(network, target)
    limit = budget = chooser.budget()
    while assignment := chooser.best(budget):
        _apply(network, assignment, chooser.hold)
        made = plan(network).arena_bytes
        if made <= limit:
            return True
        budget -= made - limit  # first fit has wasted some of what the bound promised
    lean = _Chooser(network, replace(target, optimize="sram", flash_bytes=None)).best(_UNLIMITED)
    assert lean is not None, "without limits there is always a way"
    _apply(network, lean, None)
    return False
