"""Where the test inputs beside the repository are, and how tests skip without them."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"
BASELINES = {
    "v1_0": SHARED / "baselines" / "squeezenet_v1_0_deep_compression_227.int8.tflite",
    "v1_1": SHARED / "baselines" / "squeezenet_v1_1_224.int8.tflite",
    "resnet8": SHARED / "baselines" / "mlperf_tiny_resnet8.int8.tflite",
}


def baseline(name: str) -> Path:
    """The path of a baseline .tflite; skips the test, with the reason, where it is not there."""
    path = BASELINES[name]
    if not path.is_file():
        pytest.skip(f"needs {path.name}, a test input that is not part of the repository")
    return path


def data_file(name: str) -> Path:
    """The path of a file or folder of the test data; skips the test, with the reason, where missing."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"needs {name}, test data that is not part of the repository")
    return path
