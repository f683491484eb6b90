"""What is known of a network whatever it is chosen for: found once, shared by the choices for all targets."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from squeezenet_mcu.convert.encode import blob, entropy
from squeezenet_mcu.convert.encode.weights import placed_bytes
from squeezenet_mcu.convert.network import Encoding, Kind, Network
from squeezenet_mcu.convert.schedule.arena import in_use, ring_bytes
from squeezenet_mcu.convert.schedule.rows import RowStage, Schedule
from squeezenet_mcu.convert.select.cost.shape import Shape, Weights, calls_of, weights_of


class Peaks:
    """How much of the arena rings and accumulators take, by the rows that each stage makes at once.

    Weights do not matter: networks of the same layers may share it.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._schedule = Schedule(network)
        self._found: dict[tuple[int, ...], tuple[dict[int, int], int]] = {}
        self._least: dict[tuple[int, int], int] = {}
        self.stages: list[RowStage] = [
            stage for stage in self._schedule.stages if all(la.kind is Kind.CONV_2D for la in stage.layers)
        ]

    def of(self, batches: Mapping[int, int], deferred: RowStage | None) -> tuple[dict[int, int], int]:
        """For each stage of convolutions what is in use at any of its steps, and the most at one step of all.

        A stage's scratch keeps its place: what is in use at one of its steps lies apart from it, and so does
        what is at another; with the sum of both nearly every plan keeps its limit.

        In bytes. batches: by a stage's first layer; deferred: the stage that waits for the whole map that it
        reads.
        """
        waiting = deferred.first_layer if deferred else -1
        key = (waiting, *(batches[stage.first_layer] for stage in self.stages))
        if key not in self._found:
            stages, buffers = self._schedule.stages, self._network.buffers
            maps = {i: buffers[i].height for i in (deferred.layers[0].inputs if deferred else ())}
            defers = [
                buffers[stage.layers[0].inputs[0]].height if stage.first_layer == waiting else 0
                for stage in stages
            ]
            trace = self._schedule.trace(
                [batches.get(stage.first_layer, stage.batch_rows) for stage in stages], defers
            )
            sizes, live = in_use(self._network, trace, maps)
            runs = {s.first_layer: live[:, trace.runs[s.first_layer]].any(axis=1) for s in self.stages}
            peaks = {first: int(sizes @ ever) for first, ever in runs.items()}
            self._found[key] = peaks, int((sizes @ live).max())
        return self._found[key]

    def least(self, stage: RowStage, batch: int) -> int:
        """Bytes of the rows that a step of `stage` reads and makes: in use then, whatever other stages do."""
        key = (stage.first_layer, batch)
        if key not in self._least:
            buffers = self._network.buffers
            rows = {stage.output: 0}
            for step in self._schedule.steps(self._schedule.stages.index(stage), batch):
                first, end = step.makes
                for i, count in ((stage.output, end - first), *((i, len(read)) for i, read in step.reads)):
                    rows[i] = max(rows.get(i, 0), count)
            self._least[key] = sum(ring_bytes(count, buffers[i]) for i, count in rows.items())
        return self._least[key]


class Known:
    """Of one network, whose weights and maps stay as they are: peaks, shapes, stored bytes, earlier choices.

    `answers`: what a question about it has been answered with, by all that the answer depends on.
    """

    def __init__(self, network: Network, peaks: Peaks | None = None) -> None:
        """Finds what each layer would take, entropy-coded, where `network` has no codes yet.

        peaks: of a network with the same layers.
        """
        if not network.codes:
            entropy.code(network)
        self.network = network
        self.peaks = peaks or Peaks(network)
        self.codes_bytes = blob.codes_bytes(network)
        self.fixed_bytes = blob.fixed_bytes(network)
        self.answers: dict[Hashable, Any] = {}
        self._stored: dict[tuple[int, Encoding], int] = {}
        self._weights: dict[int, Weights] = {}
        self._shapes: dict[tuple[int, int], list[tuple[Shape, int]]] = {}

    def stored(self, index: int, encoding: Encoding) -> int:
        """Bytes that layer `index` takes, in this encoding."""
        key = (index, encoding)
        if key not in self._stored:
            self._stored[key] = placed_bytes(replace(self.network.layers[index], encoding=encoding))
        return self._stored[key]

    def shapes(self, index: int, batch: int) -> list[tuple[Shape, int]]:
        """The calls that run convolution `index`, so many rows at once: shapes, and how many of each."""
        key = (index, batch)
        if key not in self._shapes:
            layer, buffers = self.network.layers[index], self.network.buffers
            source, out = buffers[layer.inputs[0]], buffers[layer.output]
            if index not in self._weights:
                self._weights[index] = weights_of(layer)
            self._shapes[key] = calls_of(layer, source, out, batch, self._weights[index])
        return self._shapes[key]
