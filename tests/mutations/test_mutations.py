"""Damaged files of every kind end in success or in one line, within 20 seconds and 500 MB.

The long test reads 2,000 of each kind (500 images and lists of labels); a sample of the same ones is in
`make test`. A seed that failed is read again by: python -m tests.mutations.worker KIND SEED 1 FOLDER
"""

import json
import subprocess
import sys

import pytest

from squeezenet_mcu.common.paths import ROOT
from tests.mutations.kinds import KINDS
from tests.mutations.worker import SECONDS

MEGABYTES = 500
# TensorFlow alone takes 600 MB as soon as it is imported; a file may not add what others may take in all.
MEGABYTES_OF = {"keras": 600 + MEGABYTES}
SAMPLE = {
    "manifest": 40,
    "records": 40,
    "toml": 40,
    "tflite": 2,
    "operators": 20,
    "net": 60,
    "npz": 60,
    "caffemodel": 60,
    "pth": 60,
    "keras": 1,
    "arrays": 60,
    "images": 40,
}
ALL = dict.fromkeys(KINDS, 2000) | {"images": 500}
PARTS = {"tflite": 4, "operators": 4, "keras": 4}  # so that several processes share the work


def outcomes(kind: str, first: int, count: int, folder) -> list[dict]:
    command = [sys.executable, "-m", "tests.mutations.worker", kind, str(first), str(count), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == count, done.stderr[-2000:]
    return found


def wrong(outcome: dict, kind: str) -> str | None:
    """What is not as promised; None if all is."""
    said = outcome["said"]
    lines = said.splitlines()
    if outcome["status"] not in (0, 1):
        return f"status {outcome['status']}"
    if len(lines) != outcome["status"] or not all(line.isprintable() for line in lines):
        return "not one line"
    if lines and len(lines[0]) > 1000:
        return "a long line"
    if outcome["seconds"] > SECONDS:
        return f"{outcome['seconds']} s"
    if outcome["megabytes"] > MEGABYTES_OF.get(kind, MEGABYTES):
        return f"{outcome['megabytes']} MB"
    return None


def check(kind: str, first: int, count: int, folder) -> None:
    found = outcomes(kind, first, count, folder)
    bad = [(why, o["seed"], o["said"][-600:]) for o in found if (why := wrong(o, kind))]
    assert not bad, f"{len(bad)} of {count}; the first: {bad[0]}"
    refused = sum(o["status"] for o in found)
    assert count / 10 < refused <= count, "damage is noticed"
    seconds, megabytes = (max(o[key] for o in found) for key in ("seconds", "megabytes"))
    print(f"{kind}: {count} files, {refused} refused; at most {seconds:.1f} s, {megabytes} MB")


@pytest.mark.parametrize("kind", KINDS)
def test_some(kind, tmp_path):
    check(kind, 0, SAMPLE[kind], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "part"), [(kind, part) for kind in KINDS for part in range(PARTS.get(kind, 1))]
)
def test_all(kind, part, tmp_path):
    count = ALL[kind] // PARTS.get(kind, 1)
    check(kind, part * count, count, tmp_path)


def test_what_counts_as_wrong():
    right = {"status": 1, "said": "x: error: y\n", "seconds": 1.0, "megabytes": 100}
    assert wrong(right, "net") is None
    for changed in (
        {"status": 70}, {"status": -11}, {"said": ""}, {"said": "a\nb\n"}, {"said": "\x1b[31m\n"},
        {"status": 0}, {"seconds": 21.0}, {"megabytes": 501}, {"said": "x" * 2000},
    ):  # fmt: skip
        assert wrong(right | changed, "net"), changed
