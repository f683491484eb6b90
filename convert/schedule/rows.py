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


class _Simulation:
    """Counters of the engine (rows_done, in_row), and the trace."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.stages = stages_of(network)
        self.readers = [direct_readers(self.stages, s) for s in range(len(self.stages))]
        self.first_reader = deepest_reader(self.stages, network.input_buffer, -1)
        self.heights = [b.height for b in network.buffers]
        self.reads = [[(la, i) for la in stage.layers for i in la.inputs] for stage in self.stages]
        self.rows_done = [0] * len(self.heights)
        self.in_row = [0] * len(self.stages)  # next input row of the accumulating stages
        self.trace = Trace(rows=[[[-1, -1] for _ in range(h)] for h in self.heights])

    def touch(self, buffer: int, row: int) -> None:
        life = self.trace.rows[buffer][row]
        if life[0] < 0:
            life[0] = self.trace.steps
        life[1] = self.trace.steps

    def next_rows(self, s: int) -> range:
        """Output rows that the next step of stage `s` makes."""
        stage = self.stages[s]
        first = self.rows_done[stage.output]
        return range(first, min(first + stage.batch_rows, self.heights[stage.output]))

    def ready(self, s: int) -> bool:
        stage, done = self.stages[s], self.rows_done
        first, height = done[stage.output], self.heights[stage.output]
        if first == height or done[stage.layers[0].inputs[0]] < stage.defer_rows:
            return False
        last = min(first + stage.batch_rows, height) - 1
        for layer, i in self.reads[s]:  # a loop, for the converter asks this a million times
            if rows_needed(layer, last, self.in_row[s], self.heights[i])[1] >= done[i]:
                return False
        return True

    def accumulate(self, s: int) -> bool:
        """Folds one input row into every window that holds it; True when it completes any."""
        layer = self.stages[s].layers[0]
        row, height = self.in_row[s], self.heights[layer.inputs[0]]
        self.in_row[s] += 1
        completed = 0
        for o in windows_of(layer, row, self.heights[layer.output]):
            if completed:  # use up the finished row before the next window needs its place
                self.trace.steps += 1
                self.run_readers(s)
            self.touch(layer.output, o)
            if last_row(layer, o, height) == row:
                self.rows_done[layer.output] += 1
                completed += 1
        self.touch(layer.inputs[0], row)
        if layer.scratch_bytes:
            steps = self.trace.steps
            life = self.trace.accumulators.setdefault(self.stages[s].first_layer, [steps, steps])
            life[1] = steps
        return completed > 0

    def drains(self, s: int) -> bool:
        """Whether it uses up all waiting rows before deeper stages go on: its own are the smaller ones."""
        layer = self.stages[s].layers[0]
        buffers = self.network.buffers
        return buffers[layer.output].row_bytes < buffers[layer.inputs[0]].row_bytes

    def run_readers(self, s: int) -> None:
        """Runs the stages that do not accumulate and read the output of stage `s`, as far as they go."""
        for reader in self.readers[s]:
            while self.ready(reader):
                self.run(reader)
                self.trace.steps += 1

    def run(self, s: int) -> bool:
        """One step of stage `s`; True when it completes output rows."""
        stage = self.stages[s]
        if stage.accumulating:
            return self.accumulate(s)
        for out_row in self.next_rows(s):
            self.touch(stage.output, out_row)
            for layer, i in self.reads[s]:
                first, last = rows_needed(layer, out_row, 0, self.heights[i])
                for row in range(first, last + 1):
                    self.touch(i, row)
        self.trace.runs.setdefault(stage.first_layer, []).append(self.trace.steps)
        self.rows_done[stage.output] = self.next_rows(s).stop
        return True

    def push(self, row: int) -> None:
        """One input row, and everything that it makes possible."""
        source = self.network.input_buffer
        self.touch(source, row)
        self.trace.steps += 1
        self.rows_done[source] += 1
        s = self.first_reader
        completed = False
        while s >= 0:
            if self.ready(s):
                done = self.run(s)
                completed = done or completed
                self.trace.steps += 1
                if (self.drains(s) or not done) and self.ready(s):
                    if completed and self.stages[s].accumulating:
                        self.run_readers(s)
                    continue
            s = self.stages[s].resume if completed else s - 1
            completed = False


def simulate(network: Network) -> Trace:
    """Runs one image through the schedule and records when every row lives."""
    simulation = _Simulation(network)
    for row in range(simulation.heights[network.input_buffer]):
        simulation.push(row)
    trace = simulation.trace
    for kept in {network.logits_buffer, network.output_buffer}:
        for life in trace.rows[kept]:
            life[1] = trace.steps  # results stay until the next image
    incomplete = [b for b, done in enumerate(simulation.rows_done) if done != simulation.heights[b]]
    assert not incomplete, f"the schedule left buffers {incomplete} incomplete"
    return trace
