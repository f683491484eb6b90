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
from dataclasses import dataclass, field

from squeezenet_mcu.convert.network import ACCUMULATING, Kind, Layer, Network


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


@dataclass
class Trace:
    """Lives of rows: of each buffer, [first write, last read] of each row, in steps; and of accumulators."""

    steps: int = 0
    rows: list[list[list[int]]] = field(default_factory=list)  # [buffer][row] -> [first write, last use]
    accumulators: dict[int, list[int]] = field(default_factory=dict)  # layer index -> [first use, last use]
    runs: dict[int, list[int]] = field(default_factory=dict)  # first layer of any other stage -> its steps


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
        self.windows = [self._windows(stage) for stage in self.stages]
        self._steps: dict[tuple[int, int], list[_Step]] = {}

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

    def waits(self, s: int, batch: int, defer: int) -> list[_Needs]:
        """What each step of stage `s` waits for; one behind the last waits for what never comes."""
        stage = self.stages[s]
        layer, never = stage.layers[0], ((stage.output, _NEVER),)
        if stage.accumulating:
            rows = last_row(layer, self.heights[stage.output] - 1, self.heights[layer.inputs[0]]) + 1
            found: list[_Needs] = [tuple((i, row + 1) for i in layer.inputs) for row in range(rows)]
        else:
            found = [step.needs for step in self.steps(s, batch)]
        if defer:
            found[0] = (*found[0], (layer.inputs[0], defer))
        return [*found, never]

    def trace(self, batches: Sequence[int], defers: Sequence[int]) -> Trace:
        """One image's way, for so many rows at once in each stage, and so many that each waits for."""
        simulation = _Simulation(self, batches, defers)
        for row in range(self.heights[self.network.input_buffer]):
            simulation.push(row)
        trace = simulation.trace
        for kept in {self.network.logits_buffer, self.network.output_buffer}:
            for life in trace.rows[kept]:
                life[1] = trace.steps  # results stay until the next image
        incomplete = [b for b, done in enumerate(simulation.rows_done) if done != self.heights[b]]
        assert not incomplete, f"the schedule left buffers {incomplete} incomplete"
        return trace


class _Simulation:
    """Counters of the engine (rows_done, in_row), and the trace."""

    def __init__(self, schedule: Schedule, batches: Sequence[int], defers: Sequence[int]) -> None:
        self.schedule = schedule
        self.stages = schedule.stages
        self.steps = [
            [] if stage.accumulating else schedule.steps(s, batches[s]) for s, stage in enumerate(self.stages)
        ]
        self.steps_done = [0] * len(self.stages)
        self.rows_done = [0] * len(schedule.heights)
        # What each step of each stage waits for.
        self.waits: list[list[_Needs]] = [
            schedule.waits(s, batches[s], defers[s]) for s in range(len(self.stages))
        ]
        # Of the next step; and the first of that by itself, which is looked at most.
        self.needs = [waits[0] for waits in self.waits]
        self.first_need = [needs[0][0] for needs in self.needs]
        self.first_rows = [needs[0][1] for needs in self.needs]
        self.trace = Trace(rows=[[[-1, -1] for _ in range(h)] for h in schedule.heights])

    def touch(self, buffer: int, row: int) -> None:
        life = self.trace.rows[buffer][row]
        if life[0] < 0:
            life[0] = self.trace.steps
        life[1] = self.trace.steps

    def advance(self, s: int) -> None:
        """Stage `s` has made a step: notes what the next one waits for."""
        self.steps_done[s] += 1
        needs = self.needs[s] = self.waits[s][self.steps_done[s]]
        self.first_need[s], self.first_rows[s] = needs[0]

    def ready(self, s: int) -> bool:
        done = self.rows_done
        for i, rows in self.needs[s]:  # noqa: SIM110  # all() takes twice as long, and we are asked so often
            if done[i] < rows:
                return False
        return True

    def accumulate(self, s: int) -> bool:
        """Folds one input row into every window that holds it; True when it completes any."""
        layer = self.stages[s].layers[0]
        row = self.steps_done[s]  # of the input
        completed = 0
        for o, last in self.schedule.windows[s][row]:
            if completed:  # use up the finished row before the next window needs its place
                self.trace.steps += 1
                self.run_readers(s)
            self.touch(layer.output, o)
            if last:
                self.rows_done[layer.output] += 1
                completed += 1
        self.touch(layer.inputs[0], row)
        if layer.scratch_bytes:
            steps = self.trace.steps
            life = self.trace.accumulators.setdefault(self.stages[s].first_layer, [steps, steps])
            life[1] = steps
        self.advance(s)
        return completed > 0

    def run_readers(self, s: int) -> None:
        """Runs the stages that do not accumulate and read the output of stage `s`, as far as they go."""
        for reader in self.schedule.readers[s]:
            while self.ready(reader):
                self.run(reader)
                self.trace.steps += 1

    def run(self, s: int) -> bool:
        """One step of stage `s`; True when it completes output rows."""
        stage = self.stages[s]
        if stage.accumulating:
            return self.accumulate(s)
        trace = self.trace
        step, now = self.steps[s][self.steps_done[s]], trace.steps
        first, end = step.makes
        for life in trace.rows[stage.output][first:end]:
            life[:] = now, now
        for i, rows in step.reads:
            lives = trace.rows[i]
            for row in rows:
                lives[row][1] = now
        trace.runs.setdefault(stage.first_layer, []).append(now)
        self.rows_done[stage.output] = end
        self.advance(s)
        return True

    def push(self, row: int) -> None:
        """One input row, and everything that it makes possible."""
        source = self.schedule.network.input_buffer
        self.touch(source, row)
        self.trace.steps += 1
        self.rows_done[source] += 1
        s = self.schedule.first_reader
        completed = False
        done_rows, first_need, first_rows = self.rows_done, self.first_need, self.first_rows
        while s >= 0:
            # The converter comes here a million times: mostly the first row that a stage needs is missing.
            if done_rows[first_need[s]] >= first_rows[s] and self.ready(s):
                done = self.run(s)
                completed = done or completed
                self.trace.steps += 1
                if (self.schedule.drains[s] or not done) and self.ready(s):
                    if completed and self.stages[s].accumulating:
                        self.run_readers(s)
                    continue
            s = self.stages[s].resume if completed else s - 1
            completed = False


def simulate(network: Network) -> Trace:
    """Runs one image through the schedule and records when every row lives."""
    schedule = Schedule(network)
    stages = schedule.stages
    return schedule.trace([stage.batch_rows for stage in stages], [stage.defer_rows for stage in stages])
