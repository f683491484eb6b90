"""Bytes that two workers exchange in a training step of SqueezeNet v1.0, on this machine's loopback."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.programs import ending_with_us
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.host_tools.claims import alexnet
from squeezenet_mcu.host_tools.claims.claim import Found
from squeezenet_mcu.model.distributed import tf_config
from squeezenet_mcu.model.train import records

WORKERS = 2
_NAME = "claims_training"
_CLASSES, _SIDE, _BATCH = 1000, 35, 500
_TRAINED, _TESTED = 4, 1  # images of a class: the fewest that a training takes
# Small images: what is exchanged is one number a parameter, and does not depend on their size.
_TOML = f"""\
name = "{_NAME}"

[input]
height = {_SIDE}
width = {_SIDE}
channels = 3

[architecture]
family = "v1.0"
classes = {_CLASSES}
bypass = "none"

[data]
source = ""

[train]
epochs = 1
batch = {_BATCH}
learning_rate = 1e-4
"""


def _write_images(path: Path) -> None:
    """Noise: nothing is to be learnt."""
    random = np.random.default_rng(0)

    def images(count: int) -> tuple[np.ndarray, np.ndarray]:
        number = count * _CLASSES
        return random.integers(0, 256, (number, _SIDE, _SIDE, 3), np.uint8), np.arange(number) % _CLASSES

    (x, y), (x_test, y_test) = images(_TRAINED), images(_TESTED)
    np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)


def measure() -> Found:
    """The answer for the claim "training-bytes". UserError: the training failed, or nothing was counted."""
    with tempfile.TemporaryDirectory() as folder:
        _train(Path(folder))
        record = records.read(Path(folder) / "build" / _NAME / "train.json")
    if not record:
        raise UserError(f"two workers: the training left no record; run: make train WORKERS={WORKERS}")
    cost: dict[str, Any] = record["distributed"]
    return answer(cost)


def answer(cost: dict[str, Any]) -> Found:
    """`cost`: model.distributed.traffic.figures. UserError: this system does not count bytes."""
    sent = cost["sent_bytes_a_step_and_worker"]
    if sent is None:
        raise UserError("bytes of connections are not counted on this system; want Linux")
    return Found(
        alexnet.FLOAT_BYTES / sent,
        f"{sent:,} B sent by each of two workers in a step, measured at their TCP connections "
        f"(gradient: {cost['gradient_bytes']:,} B); AlexNet's gradient, computed: {alexnet.FLOAT_BYTES:,} B",
        detail={**cost, "alexnet": {"gradient_bytes": alexnet.FLOAT_BYTES}},
    )


def _train(folder: Path) -> None:
    """Trains an epoch with two workers in `folder`, where build/ of the user is not."""
    files.write_text(folder / f"{_NAME}.toml", _TOML)
    _write_images(folder / "noise.npz")
    command = [sys.executable, "-m", "squeezenet_mcu.model", "train"]
    command += ["--model", f"{_NAME}.toml", "--data", "noise.npz", "--workers", str(WORKERS), "--only"]
    environment = {name: value for name, value in os.environ.items() if name != tf_config.VARIABLE}
    log = folder / "log"
    with _running(ending_with_us(command), folder, environment, log) as process:
        status = process.wait()
    if status:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() or [f"status {status}"]
        raise UserError(f"two workers: {one_line(lines[-1])}")


@contextlib.contextmanager
def _running(
    command: list[str], folder: Path, environment: dict[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """The process, whose end the context's is, and its workers' with it."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
