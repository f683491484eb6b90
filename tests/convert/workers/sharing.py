"""Runs models for two workers with a thread as the second one (firmware_cpp/host/share_model.cc)."""

import functools
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.common.paths import FIRMWARE, tool_build
from squeezenet_mcu.convert.encode import blob, entropy
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.schedule.workers import shared
from squeezenet_mcu.convert.verify import host_engine
from tests.kernels import random_layers, variants


@dataclass(frozen=True)
class Case:
    """One network's models for one worker and for two, and an int8 image."""

    one: bytes
    two: bytes
    image: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """Rows compared, and how often the thread computed a half."""

    rows: int
    halves: int


def serialized(network: Network) -> bytes:
    """The engine model of a network whose kernels are chosen."""
    return blob.serialize(network, arena.plan(network), [])


def random_case(seed: int, family: Family) -> Case | None:
    """A random network; for two workers on random kernels of the family, random rows at once.

    None: it has no step of two rows, or what is not shared.
    """
    sample = random_layers.sample(seed)
    network = sample.network
    two = shared(network)
    variants.force(two, family, seed)
    if not any(layer.shared for layer in two.layers):
        return None
    entropy.code(network)  # as lowered: the plainest kernel, dense weights
    return Case(serialized(network), serialized(two), sample.image)


def _said(program: Path, cases: Sequence[Case], folder: Path) -> list[str]:
    path = folder / "cases.bin"
    with path.open("wb") as file:
        for case in cases:
            image = case.image.tobytes()
            file.write(np.array([len(case.one), len(case.two), len(image)], "<i4").tobytes())
            file.write(case.one + case.two + image)
    done = subprocess.run([program, path], capture_output=True, text=True, check=False)
    path.unlink()
    assert done.returncode == 0, f"{done.stdout[-500:]}\n{done.stderr[-3000:]}"
    return done.stdout.splitlines()


def run(cases: Sequence[Case], folder: Path, program: Path | None = None) -> list[Outcome]:
    """All cases in one process, under ASan and UBSan or in `program`; any row that differs fails the test."""
    program = program or host_engine.build(sanitize=True).with_name("share_model")
    found = [
        re.fullmatch(r"case \d+ rows (\d+) halves (\d+) same", line) for line in _said(program, cases, folder)
    ]
    assert len(found) == len(cases)
    return [Outcome(*map(int, match.groups())) for match in found]


@functools.cache
def under_tsan() -> Path:
    """share_model built with ThreadSanitizer."""
    folder = tool_build() / "host_threads"
    for command in (
        [
            "cmake",
            "-G",
            "Ninja",
            "-S",
            FIRMWARE / "host",
            "-B",
            folder,
            "-DSANITIZE=ON",
            "-DSANITIZERS=thread",
        ],
        ["cmake", "--build", folder, "--target", "share_model"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:]
    return folder / "share_model"
