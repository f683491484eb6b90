"""Small sound models that between them have every kernel, encoding and kind of layer, to be damaged."""

import re
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from squeezenet_mcu.convert.encode import blob, entropy
from squeezenet_mcu.convert.network import Kind, Network
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.schedule.workers import shared
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from squeezenet_mcu.convert.verify import host_engine
from tests.kernels import random_layers, strided_layers, variants

_EACH = 2  # models that have it, of each kernel with each encoding, and of each kind of layer
_MOST_BYTES = 12_000  # small ones: the same damage is found in less time
_MOST_MACS = 60_000
_MOST_SEEDS = 4000
_SHARED_ONE_IN = 3
SHARED = "SHARED"
_FOR_TWO = (Kind.CONV_2D, Kind.MAX_POOL, Kind.ADD)  # the others are made as ADD is, or pooled


def features(network: Network) -> frozenset[str]:
    """The kinds of its layers, and the kernels of its convolutions with their encodings; what two share."""
    return frozenset(f"{layer.kind.name} {SHARED}" for layer in network.layers if layer.shared) | frozenset(
        f"{layer.conv_kernel.name} {layer.encoding.name}" if layer.kind is Kind.CONV_2D else layer.kind.name
        for layer in network.layers
    )


def wanted() -> set[str]:
    """What there is: whatever kernel the converter has comes in by itself."""
    kernels = {
        f"{model.kernel.name} {model.encoding.name}" for models in FAMILY_KERNELS.values() for model in models
    }
    # A MEAN and a SOFTMAX stand at a whole network's end: the tests add one.
    others = {kind.name for kind in Kind} - {Kind.CONV_2D.name, Kind.MEAN.name, Kind.SOFTMAX.name}
    return kernels | others | {f"{kind.name} {SHARED}" for kind in _FOR_TWO}


@dataclass(frozen=True)
class Sound:
    """An engine model, and what it has."""

    content: bytes
    features: frozenset[str]


def of(network: Network) -> Sound:
    """The engine model of a network whose kernels are chosen."""
    entropy.code(network)
    return Sound(blob.serialize(network, arena.plan(network), ["one", "zwei", "drü"]), features(network))


def sound_models() -> list[Sound]:
    """Engine models that together have each of wanted(), _EACH times; the same ones every time."""
    missing = Counter(dict.fromkeys(wanted(), _EACH))
    models: list[Sound] = []
    for seed in range(_MOST_SEEDS):
        for family in (*FAMILY_KERNELS, None):
            if family is None:
                network, _ = strided_layers.strided(seed)  # of which the others have few
            else:
                network = random_layers.sample(seed).network
            if network.macs > _MOST_MACS:
                continue
            if family is not None:
                if seed % _SHARED_ONE_IN == 0:
                    network = shared(network)
                variants.force(network, family, seed)
            news = [name for name in features(network) if missing[name] > 0]
            if not news:
                continue
            made = of(network)
            if len(made.content) > _MOST_BYTES or made in models:
                continue
            models.append(made)
            missing.subtract(news)
        if not +missing:
            return models
    raise AssertionError(f"no small model with {sorted(+missing)} among {_MOST_SEEDS} seeds")


@dataclass(frozen=True)
class Outcome:
    """What became of the mutants of one model."""

    mutants: int
    refused: int
    ran: int
    ran_data: int  # of these, with damage behind the records only
    statuses: dict[int, int]


_LINE = re.compile(r"mutants (\d+) refused (\d+) ran (\d+) of it data (\d+) statuses (.*)")


def run(models: Sequence[Sound], seed: int, count: int, folder: Path) -> list[Outcome]:
    """`count` mutants of each model under the sanitizers; a report of theirs fails the test with its text."""
    program = host_engine.build(sanitize=True).with_name("mutate_model")
    paths = [folder / f"{i}.sqz" for i in range(len(models))]
    for path, model in zip(paths, models, strict=True):
        path.write_bytes(model.content)
    command = [program, str(seed), str(count), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-3000:]}"
    found = [_LINE.search(line) for line in done.stdout.splitlines()]
    return [
        Outcome(
            *map(int, line.groups()[:4]), {int(s): int(n) for s, n in re.findall(r"(\d+)=(\d+)", line[5])}
        )
        for line in found
    ]
