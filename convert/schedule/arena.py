"""The memory plan: ring sizes from the simulated schedule, then offsets such that live rows never overlap."""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.convert.network import ACCUMULATING, Buffer, Kind, Network
from squeezenet_mcu.convert.schedule.rows import Trace, simulate

ALIGNMENT = 8  # kernels' scratch (firmware_cpp/engine/format.h, kArenaAlignment)
LAYER_STATE_BYTES = 2  # uint16 next input row of the accumulating kinds (firmware_cpp/engine/engine.h)
BUFFER_STATE_BYTES = 2  # uint16 rows completed
_TRIED = 12_000  # blocks placed, in all the orders that are tried


def align(n: int) -> int:
    """`n` rounded up to ALIGNMENT."""
    return -(-n // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True)
class Block:
    """A piece of the arena to place (ring, accumulators, or scratch of a stage), and when it is in use."""

    name: str
    size: int
    live: np.ndarray  # bool [steps + 1]
    buffer: int | None
    layers: tuple[int, ...]  # whose accumulators or scratch it is; none for a ring
    second: bool = False  # the second worker's scratch


@dataclass(frozen=True)
class Plan:
    """The arena: `arena_bytes` in all, the engine's state at `state_offset`; `lower_bound` for comparison."""

    arena_bytes: int
    state_offset: int
    lower_bound: int
    blocks: list[tuple[Block, int]]  # with their offsets

    def at_peak(self) -> list[Block]:
        """The blocks in use at the moment when most bytes are, the largest first."""
        live = sum(block.size * block.live.astype(np.int64) for block, _ in self.blocks)
        moment = int(np.argmax(live))
        return sorted((b for b, _ in self.blocks if b.live[moment]), key=lambda b: -b.size)


def _ring_rows(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> int:
    """Fewest slots such that row r + slots is first written after the last use of row r.

    first, last: of each row its first and last use; the first ones rise.
    """
    begun = np.searchsorted(first, last, side="right")  # rows by the last use of each
    return max(int((begun - np.arange(len(first))).max()), 1)


def _live(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], steps: int) -> np.ndarray:
    """bool [steps + 1]: whether any row is in use."""
    begun = np.bincount(first, minlength=steps + 2) - np.bincount(last + 1, minlength=steps + 2)
    return begun.cumsum()[: steps + 1] > 0


def live_at(steps: list[int], last: int) -> np.ndarray:
    """bool [last + 1]: True at `steps`."""
    live = np.zeros(last + 1, bool)
    live[steps] = True
    return live


def ring_bytes(rows: int, buffer: Buffer) -> int:
    """Of the arena, for a ring of so many rows."""
    return align(rows * buffer.row_bytes)


def _accumulators(network: Network, trace: Trace) -> Iterator[tuple[int, int, np.ndarray]]:
    """Layers that accumulate: which, bytes, and when they are in use (bool [steps + 1])."""
    for i, layer in enumerate(network.layers):
        if layer.kind in ACCUMULATING and layer.scratch_bytes:
            steps = np.array(trace.runs[i])
            yield i, align(layer.scratch_bytes), _live(steps[:1], steps[-1:], trace.steps)


def in_use(
    network: Network, trace: Trace, deferred: Mapping[int, int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Rings and accumulators: the bytes of each, and for each and each step whether it is in use.

    `network` stays as it is. deferred: by a buffer's index, the rows that a stage waits for.
    """
    sizes, lives = [], []
    for i, (buffer, first, last) in enumerate(zip(network.buffers, trace.first, trace.last, strict=True)):
        rows = max(_ring_rows(first, last), deferred.get(i, 0))
        sizes.append(ring_bytes(rows, buffer))
        lives.append(_live(first, last, trace.steps))
    for _, size, live in _accumulators(network, trace):
        sizes.append(size)
        lives.append(live)
    return np.array(sizes, np.int64), np.stack(lives)


def rings_and_accumulators(network: Network, trace: Trace) -> list[Block]:
    """The rings, whose rows this sets in `network`, and the accumulating layers' accumulators."""
    blocks = []
    for i, (buffer, first, last) in enumerate(zip(network.buffers, trace.first, trace.last, strict=True)):
        # Rows that a stage waits for stand in the ring, even those that no window reads.
        deferred = max((layer.defer_rows for layer in network.layers if i in layer.inputs), default=0)
        buffer.ring_rows = max(_ring_rows(first, last), deferred)
        size = ring_bytes(buffer.ring_rows, buffer)
        blocks.append(Block(buffer.name, size, _live(first, last, trace.steps), i, ()))
    for i, size, live in _accumulators(network, trace):
        blocks.append(Block(f"{network.layers[i].name} accumulators", size, live, None, (i,)))
    return blocks


def _scratch(network: Network, trace: Trace) -> list[Block]:
    blocks = []
    for first, steps in trace.runs.items():
        # The layers of a stage run one after the other: they share their scratch.
        output = network.layers[first].output
        users = [
            i
            for i, layer in enumerate(network.layers)
            if layer.output == output and layer.kind is Kind.CONV_2D and layer.scratch_bytes
        ]
        if users:
            size = align(max(network.layers[i].scratch_bytes for i in users))
            live = live_at(steps, trace.steps)
            layer = network.layers[first]
            blocks.append(Block(f"{layer.name} scratch", size, live, None, tuple(users)))
            if layer.shared:
                name = f"{layer.name} scratch of the second worker"
                blocks.append(Block(name, size, live, None, tuple(users), second=True))
    return blocks


def _place(
    order: list[int], sizes: list[int], conflicts: list[list[int]], most: float = math.inf
) -> tuple[int, list[int]] | None:
    """First fit in the given order: lowest gap among the conflicting blocks that are already placed.

    conflicts: of each block, those in use while it is; most: None where more bytes are needed.
    """
    offsets = [-1] * len(sizes)
    total = 0
    for i in order:
        taken = [(at, at + sizes[j]) for j in conflicts[i] if (at := offsets[j]) >= 0]
        taken.sort()
        end = size = sizes[i]
        for start, stop in taken:
            if end <= start:
                break
            end = max(end, stop + size)
        if end > most:
            return None
        offsets[i] = end - size
        total = max(total, end)
    return total, offsets


def _best_placement(blocks: list[Block]) -> tuple[int, list[int], int]:
    sizes = [b.size for b in blocks]
    live = np.stack([b.live for b in blocks])
    together = live.astype(np.float32) @ live.T.astype(np.float32)
    conflicts = [np.flatnonzero(row).tolist() for row in together]
    bound = int((live * np.array(sizes)[:, None]).sum(axis=0).max())
    by_size = sorted(range(len(blocks)), key=lambda i: -sizes[i])
    by_life = sorted(range(len(blocks)), key=lambda i: (-int(live[i].sum()), -sizes[i]))
    placed = [_place(order, sizes, conflicts) for order in (by_size, by_life)]
    best = min((each for each in placed if each), key=lambda p: p[0])
    rng = random.Random(0)
    order = list(by_size)
    for _ in range(_TRIED // len(blocks)):
        if best[0] == bound:
            break
        trial = list(order)
        i, j = rng.randrange(len(trial)), rng.randrange(len(trial))
        trial[i], trial[j] = trial[j], trial[i]
        if found := _place(trial, sizes, conflicts, most=best[0]):
            best, order = found, trial
    return best[0], best[1], bound


def plan(network: Network) -> Plan:
    """Sets ring sizes and offsets in `network`; returns the plan."""
    trace = simulate(network)
    blocks = rings_and_accumulators(network, trace) + _scratch(network, trace)
    total, offsets, bound = _best_placement(blocks)
    for block, offset in zip(blocks, offsets, strict=True):
        if block.buffer is not None:
            network.buffers[block.buffer].offset = offset
        for i in block.layers:
            if block.second:
                network.layers[i].second_scratch = offset
            else:
                network.layers[i].scratch_offset = offset
    state = len(network.layers) * LAYER_STATE_BYTES + len(network.buffers) * BUFFER_STATE_BYTES
    return Plan(
        align(total) + align(state),
        align(total),
        bound + align(state),
        list(zip(blocks, offsets, strict=True)),
    )
