"""The results of MLPerf Tiny's commands have three digits behind the point, rounded as C's printf does it."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common.paths import FIRMWARE


@pytest.fixture(scope="module")
def thousandths(tmp_path_factory):
    """Calls it, built under the sanitizers: float32 values to their thousandths."""
    program = tmp_path_factory.mktemp("thousandths") / "thousandths"
    sources = [Path(__file__).with_name("thousandths.cc"), FIRMWARE / "mlperf_tiny" / "commands.cc"]
    options = [
        "-std=c++17",
        "-O1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-Wall",
        "-Werror",
    ]
    subprocess.run(["g++", *options, f"-I{FIRMWARE}", *sources, "-o", program], check=True)

    def call(values):
        lines = "".join(f"{bits:08x}\n" for bits in np.asarray(values, np.float32).view(np.uint32).tolist())
        done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
        return [int(line) for line in done.stdout.split()]

    return call


def printed(value):
    return int(f"{float(value):.3f}".replace(".", ""))


def test_every_probability(thousandths):
    """16/256 and its like are ties: to the even digit."""
    probabilities = np.arange(256, dtype=np.float32) / 256
    assert thousandths(probabilities) == [printed(p) for p in probabilities]
    assert thousandths([16 / 256, 48 / 256]) == [62, 188]
    assert len(set(thousandths(probabilities))) == 256


def test_other_values(thousandths):
    random = np.random.default_rng(0)
    scales = (10.0 ** random.uniform(-8, 11, 4000)).astype(np.float32)
    values = (random.integers(-255, 256, 4000).astype(np.float32) * scales / 255).astype(np.float32)
    assert thousandths(values) == [printed(v) for v in values]


def test_the_ends(thousandths):
    most = 10**15
    ends = [0.0, -0.0, 1e-45, -1e-30, 1e13, -1e13, 3e38, np.inf, -np.inf]
    assert thousandths(ends) == [0, 0, 0, 0, most, -most, most, most, -most]
