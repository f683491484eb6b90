"""Where the photographs and trained weights beside the repository are, which tests of accuracies need."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def data_file(name: str) -> Path:
    """The path of a file or folder of the test data; skips the test, with the reason, where missing."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"needs {name}, test data that is not part of the repository")
    return path
