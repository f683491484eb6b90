"""The engine's row schedule, simulated: which row is written and last read when.

Mirrors Engine::PushRow (firmware_cpp/engine/engine.cc) step by step; the plan is exact because this is.
A stage is the layers that write one buffer (a fire module's two expands, say); they make a row together.
After each row the deepest stage that can go on goes on, so that rows are used up before more are made.
A stage whose rows are smaller than those it reads uses up all that wait for it before deeper ones go on.
A stage may be deferred until so many rows of its input are there: with the whole of a small map waiting,
what is above it is done and leaves its memory to the deeper stages, which then make more rows at once.
A pool whose windows overlap uses an input row for two output rows; between the two, the other readers of the
finished row (the next squeeze) take it, so that both output rows share one place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.convert.network import ACCUMULATING, Kind, Layer, Network

_Numbers = npt.NDArray[np.int64]


@dataclass
class RowStage:
    """Consecutive layers that write one buffer. `resume`: the deepest stage that its row may set going."""

    first_layer: int
    layers: list[Layer]
    output: int
    resume: int = -1

    @property
    def indices(self) -> range:
        """Of its layers, in the network."""
        return range(self.first_layer, self.first_layer + len(self.layers))

    @property
    def accumulating(self) -> bool:
        return self.layers[0].kind in ACCUMULATING

    @property
    def batch_rows(self) -> int:
        return self.layers[0].batch_rows

    @property
    def defer_rows(self) -> int:
        return self.layers[0].defer_rows


def stages_of(network: Network) -> list[RowStage]:
    """Groups layers into stages and finds where to go on after each."""
    stages: list[RowStage] = []
    for i, layer in enumerate(network.layers):
        if stages and stages[-1].output == layer.output:
            stages[-1].layers.append(layer)
        else:
            stages.append(RowStage(i, [layer], layer.output))
    for i in reversed(range(len(stages))):
        readers = direct_readers(stages, i) if stages[i].accumulating else []
        # The direct readers of a pool may already have run: go on behind them.
        stages[i].resume = max(
            [deepest_reader(stages, stages[i].output, i), *(stages[r].resume for r in readers)]
        )
    return stages


def direct_readers(stages: list[RowStage], s: int) -> list[int]:
    """The stages that do not accumulate and that read the output of stage `s`."""
    return [
        r
        for r, stage in enumerate(stages)
        if not stage.accumulating and any(stages[s].output in layer.inputs for layer in stage.layers)
    ]


def deepest_reader(stages: list[RowStage], buffer: int, otherwise: int) -> int:
    """Index of the last stage that reads `buffer`, or `otherwise` when none does."""
    readers = [s for s, stage in enumerate(stages) if any(buffer in layer.inputs for layer in stage.layers)]
    return readers[-1] if readers else otherwise


def rows_needed(layer: Layer, out_row: int, in_row: int, in_height: int) -> tuple[int, int]:
    """First and last input row that a step reads; last is -1 when it reads none."""
    if layer.kind in ACCUMULATING:
        return in_row, in_row
    if layer.kind in (Kind.CONV_2D, Kind.DEPTHWISE):
        top = out_row * layer.stride[0] - layer.pad_top
        return max(top, 0), min(top + layer.kernel[0] - 1, in_height - 1)
    if layer.kind is Kind.PAD:
        row = out_row - layer.pad_top
        return (row, row) if 0 <= row < in_height else (0, -1)
    return out_row, out_row


def windows_of(layer: Layer, in_row: int, out_height: int) -> range:
    """Output rows of an accumulating layer whose windows hold input row `in_row`."""
    below = in_row + layer.pad_top
    first = max(-(-(below - layer.kernel[0] + 1) // layer.stride[0]), 0)
    return range(first, min(below // layer.stride[0], out_height - 1) + 1)


def last_row(layer: Layer, out_row: int, in_height: int) -> int:
    """Last input row of the window of output row `out_row` of an accumulating layer."""
    return min(out_row * layer.stride[0] - layer.pad_top + layer.kernel[0] - 1, in_height - 1)


@dataclass(frozen=True)
class Trace:
    """Lives of rows. `first`, `last`: of each buffer, for each row, the steps when it is first and last used.

    `runs`: by a stage's first layer, the steps when it runs.
    """

    steps: int
    first: list[_Numbers]
    last: list[_Numbers]
    runs: dict[int, list[int]]


_NEVER = 1 << 30  # rows
_Needs = tuple[tuple[int, int], ...]  # buffers, and how many rows of each must be there


@dataclass(frozen=True)
class _Step:
    """A step of a stage that does not accumulate.

    `makes`: the first output row and the one behind the last; `needs`: how many rows of which buffers must be
    there; `reads`: which rows of which buffers it uses.
    """

    makes: tuple[int, int]
    needs: _Needs
    reads: tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True)
class _Steps:
    """All steps of a stage, in the form that is quickest to simulate.

    `needs`: what each waits for, as the first buffer and its rows (looked at most, and mostly missing) and
    the others; one behind the last never comes. `ends`: the rows of the output that are there behind each.
    `reads`: of each buffer the rows, and the last steps that use them.
    """

    needs: list[tuple[int, int, _Needs]]
    ends: list[int]
    reads: list[tuple[int, _Numbers, _Numbers]]


class Schedule:
    """A network's stages, and what is the same however many rows they make at once.

    The converter simulates one network hundreds of times, with other batches.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.stages = stages_of(network)
        self.readers = [direct_readers(self.stages, s) for s in range(len(self.stages))]
        self.first_reader = deepest_reader(self.stages, network.input_buffer, -1)
        self.heights = [b.height for b in network.buffers]
        # A stage uses up all waiting rows before deeper stages go on where its own are the smaller ones.
        widths = [b.row_bytes for b in network.buffers]
        self.drains = [widths[st.output] < widths[st.layers[0].inputs[0]] for st in self.stages]
        self.accumulated = [stage.output for stage in self.stages if stage.accumulating]
        self.windows = [self._windows(stage) for stage in self.stages]
        self._steps: dict[tuple[int, int], list[_Step]] = {}
        self._all_steps: dict[tuple[int, int, int], _Steps] = {}

    def _windows(self, stage: RowStage) -> list[list[tuple[int, bool]]]:
        """Of an accumulating stage: for each input row the windows that hold it, and whether it ends them."""
        if not stage.accumulating:
            return []
        layer = stage.layers[0]
        height, out_height = self.heights[layer.inputs[0]], self.heights[layer.output]
        return [
            [(o, last_row(layer, o, height) == row) for o in windows_of(layer, row, out_height)]
            for row in range(height)
        ]

    def steps(self, s: int, batch: int) -> list[_Step]:
        """The steps of stage `s`, which does not accumulate, so many rows at once."""
        key = (s, batch)
        if key not in self._steps:
            height = self.heights[self.stages[s].output]
            firsts = range(0, height, batch)
            self._steps[key] = [self._step(s, first, min(first + batch, height)) for first in firsts]
        return self._steps[key]

    def _step(self, s: int, first: int, end: int) -> _Step:
        needs: dict[int, int] = {}
        reads: dict[int, set[int]] = {}
        for layer in self.stages[s].layers:
            for i in layer.inputs:
                ranges = [rows_needed(layer, row, 0, self.heights[i]) for row in range(first, end)]
                needs[i] = max(needs.get(i, 0), ranges[-1][1] + 1)
                for low, high in ranges:
                    reads.setdefault(i, set()).update(range(low, high + 1))
        rows = tuple((i, tuple(sorted(found))) for i, found in reads.items())
        return _Step((first, end), tuple(needs.items()), rows)

    def all_steps(self, s: int, batch: int, defer: int) -> _Steps:
        """Those of stage `s`, so many rows at once, the first of which waits for `defer` rows."""
        key = (s, batch, defer)
        if key not in self._all_steps:
            steps = self._accumulating(s) if self.stages[s].accumulating else self._making(s, batch)
            if defer:
                buffer, rows, others = steps.needs[0]
                steps.needs[0] = buffer, rows, (*others, (self.stages[s].layers[0].inputs[0], defer))
            self._all_steps[key] = steps
        return self._all_steps[key]

    def _accumulating(self, s: int) -> _Steps:
        layer = self.stages[s].layers[0]
        count = last_row(layer, self.heights[layer.output] - 1, self.heights[layer.inputs[0]]) + 1
        rows = np.arange(count)
        needs = [tuple((i, row + 1) for i in layer.inputs) for row in range(count)]
        return _Steps(self._in_order(s, needs), [0] * count, [(layer.inputs[0], rows, rows)])

    def _making(self, s: int, batch: int) -> _Steps:
        steps = self.steps(s, batch)
        last: dict[int, dict[int, int]] = {}
        for number, step in enumerate(steps):
            for i, rows in step.reads:
                last.setdefault(i, {}).update(dict.fromkeys(rows, number))
        reads = [(i, np.array(list(of), int), np.array(list(of.values()), int)) for i, of in last.items()]
        needs = self._in_order(s, [step.needs for step in steps])
        return _Steps(needs, [step.makes[1] for step in steps], reads)

    def _in_order(self, s: int, needs: Sequence[_Needs]) -> list[tuple[int, int, _Needs]]:
        never = ((self.stages[s].output, _NEVER),)
        return [(*each[0], each[1:]) for each in (*needs, never)]

    def trace(self, batches: Sequence[int], defers: Sequence[int]) -> Trace:
        """One image's way, for so many rows at once in each stage, and so many that each waits for."""
        simulation = _Simulation(self, batches, defers)
        for row in range(self.heights[self.network.input_buffer]):
            simulation.push(row)
        incomplete = [b for b, done in enumerate(simulation.rows_done) if done != self.heights[b]]
        assert not incomplete, f"the schedule left buffers {incomplete} incomplete"
        return simulation.trace(batches)


class _Simulation:
    """Counters of the engine (rows_done, in_row), and when each step was made."""

    def __init__(self, schedule: Schedule, batches: Sequence[int], defers: Sequence[int]) -> None:
        self.schedule = schedule
        self.stages = schedule.stages
        self.outputs = [stage.output for stage in self.stages]
        self.accumulating = [stage.accumulating for stage in self.stages]
        self.all_steps = [schedule.all_steps(s, batches[s], defers[s]) for s in range(len(self.stages))]
        self.rows_done = [0] * len(schedule.heights)
        self.now = 0
        self.times: list[list[int]] = [[] for _ in self.stages]
        self.first: dict[int, list[int]] = {}  # of the input and of what accumulates
        self.last: dict[int, list[int]] = {}
        for buffer in (schedule.network.input_buffer, *schedule.accumulated):
            self.first[buffer] = [-1] * schedule.heights[buffer]
            self.last[buffer] = [-1] * schedule.heights[buffer]
        # Of the next step of each stage; and what it makes, with what the one behind it waits for.
        self.need_buffer, self.need_rows, self.need_others = (
            list(each) for each in zip(*(steps.needs[0] for steps in self.all_steps), strict=True)
        )
        self.coming = [zip(steps.ends, steps.needs[1:], strict=True) for steps in self.all_steps]

    def touch(self, buffer: int, row: int) -> None:
        """Of the input and of what accumulates: all others are told by the steps' times."""
        if self.first[buffer][row] < 0:
            self.first[buffer][row] = self.now
        self.last[buffer][row] = self.now

    def ready(self, s: int) -> bool:
        done = self.rows_done
        if done[self.need_buffer[s]] < self.need_rows[s]:
            return False
        for i, rows in self.need_others[s]:  # noqa: SIM110  # all() takes twice as long, and is asked so often
            if done[i] < rows:
                return False
        return True

    def accumulate(self, s: int) -> bool:
        """Folds one input row into every window that holds it; True when it completes any."""
        output = self.outputs[s]
        completed = 0
        for o, last in self.schedule.windows[s][len(self.times[s])]:
            if completed:  # use up the finished row before the next window needs its place
                self.now += 1
                self.run_readers(s)
            self.touch(output, o)
            if last:
                self.rows_done[output] += 1
                completed += 1
        self.times[s].append(self.now)
        _, (self.need_buffer[s], self.need_rows[s], self.need_others[s]) = next(self.coming[s])
        return completed > 0

    def run_readers(self, s: int) -> None:
        """Runs the stages that do not accumulate and read the output of stage `s`, as far as they go."""
        for reader in self.schedule.readers[s]:
            while self.ready(reader):
                self.run(reader)
                self.now += 1

    def run(self, s: int) -> bool:
        """One step of stage `s`; True when it completes output rows."""
        if self.accumulating[s]:
            return self.accumulate(s)
        self.times[s].append(self.now)
        self.rows_done[self.outputs[s]], needs = next(self.coming[s])
        self.need_buffer[s], self.need_rows[s], self.need_others[s] = needs
        return True

    def push(self, row: int) -> None:
        """One input row, and everything that it makes possible."""
        source = self.schedule.network.input_buffer
        self.touch(source, row)
        self.now += 1
        self.rows_done[source] += 1
        s = self.schedule.first_reader
        completed = False
        done_rows, need_buffer, need_rows = self.rows_done, self.need_buffer, self.need_rows
        need_others, accumulating = self.need_others, self.accumulating
        while s >= 0:
            # The converter comes here a million times: mostly the first row that a stage needs is missing.
            if done_rows[need_buffer[s]] >= need_rows[s] and (not need_others[s] or self.ready(s)):
                done = self.run(s)
                completed = done or completed
                self.now += 1
                if (self.schedule.drains[s] or not done) and self.ready(s):
                    if completed and accumulating[s]:
                        self.run_readers(s)
                    continue
            s = self.stages[s].resume if completed else s - 1
            completed = False

    def trace(self, batches: Sequence[int]) -> Trace:
        """What has been simulated, of so many rows at once in each stage."""
        heights, network = self.schedule.heights, self.schedule.network
        times = [np.array(each) for each in self.times]
        first = {i: np.array(steps) for i, steps in self.first.items()}
        last = {i: np.array(steps) for i, steps in self.last.items()}
        for s, stage in enumerate(self.stages):
            if not self.accumulating[s]:
                first[stage.output] = np.repeat(times[s], batches[s])[: heights[stage.output]]
                last[stage.output] = first[stage.output].copy()
        for s, steps in enumerate(self.all_steps):
            for i, rows, numbers in steps.reads:
                last[i][rows] = np.maximum(last[i][rows], times[s][numbers])
        for kept in (network.logits_buffer, network.output_buffer):
            last[kept][:] = self.now  # results stay until the next image
        runs = {stage.first_layer: self.times[s] for s, stage in enumerate(self.stages)}
        buffers = range(len(heights))
        return Trace(self.now, [first[i] for i in buffers], [last[i] for i in buffers], runs)


def simulate(network: Network) -> Trace:
    """Runs one image through the schedule and records when every row lives."""
    schedule = Schedule(network)
    stages = schedule.stages
    return schedule.trace([stage.batch_rows for stage in stages], [stage.defer_rows for stage in stages])
