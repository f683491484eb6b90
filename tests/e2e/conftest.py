"""Converted models and test images, made once a test run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from tests.convert.shared_files import SHARED
from tests.e2e import verbs


@pytest.fixture(scope="session")
def workplace(tmp_path_factory) -> Path:
    """A folder with the two smaller zoo models converted in build/."""
    once = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        once = once.parent  # that of all workers
    with FileLock(once / "converted.lock"):
        if not (once / "converted").exists():
            making = tmp_path_factory.mktemp("converting")
            for model in ("digits", "gtsrb"):
                verbs.succeed(making, "convert", "--model", model)
            making.rename(once / "converted")
    folder = tmp_path_factory.mktemp("workplace")
    shutil.copytree(once / "converted", folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def made_signs(tmp_path_factory) -> str:
    """Pictures and labels of the shape of GTSRB's as an .npz, at random: for all but accuracies."""
    rng = np.random.default_rng(43)
    arrays = {}
    for part, count in (("train", 86), ("test", 86)):
        squares = rng.integers(0, 256, (count, 8, 8, 3)).repeat(4, axis=1).repeat(4, axis=2)
        noise = rng.integers(-30, 31, (count, 32, 32, 3))
        arrays[f"x_{part}"] = np.clip(squares + noise, 0, 255).astype(np.uint8)
        arrays[f"y_{part}"] = np.arange(count) % 43
    path = tmp_path_factory.mktemp("made_signs") / "signs.npz"
    np.savez(path, **arrays)
    return str(path)


@pytest.fixture(scope="session")
def signs(tmp_path_factory) -> str:
    """GTSRB as an .npz."""
    return unpacked("gtsrb", tmp_path_factory)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory) -> str:
    """CIFAR-10 as an .npz."""
    return unpacked("cifar10", tmp_path_factory)


def unpacked(name: str, tmp_path_factory) -> str:
    """The path of the data set's .npz; skips where the test inputs are missing."""
    script = SHARED / "data" / "unpack.py"
    if not script.is_file():
        pytest.skip(f"needs the images of {name}, test inputs that are not part of the repository")
    out = tmp_path_factory.mktemp(name) / f"{name}.npz"
    subprocess.run([sys.executable, script, name, out], check=True, capture_output=True)
    return str(out)
