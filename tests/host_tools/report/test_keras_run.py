"""Which Keras network the report runs, and what it says where it cannot."""

import dataclasses

import numpy as np
import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.report import keras_run
from squeezenet_mcu.host_tools.report.keras_run import KerasRun

PIXELS = np.zeros((3, 28, 28, 1), np.uint8)
TAKEN = np.array([1, 2, 3])


@pytest.fixture
def artefacts(seen, tmp_path):
    """Of digits, whose manifest names a Keras file quantized.keras that is there."""
    path = tmp_path / "quantized.keras"
    path.write_bytes(b"QAT")
    made = {"file": str(path), "sha256": files.sha256(b"QAT"), "divisor": 255.0}
    return dataclasses.replace(seen.artefacts, folder=tmp_path, manifest=seen.manifest | {"float": made})


@pytest.fixture
def stages(artefacts):
    """Records of a training whose float network lies there, and whose pruned one does not."""
    (artefacts.folder / "float.keras").write_bytes(b"float")
    names = {"train": b"float", "prune": b"pruned"}
    return {name: {"output_sha256": files.sha256(content)} for name, content in names.items()}


@pytest.fixture
def runs(monkeypatch):
    """The files that were run, which give TAKEN."""
    found = []

    def classes(file, pixels, count):
        assert pixels is PIXELS and count == 10
        found.append((file.path.name, file.divisor))
        return TAKEN

    monkeypatch.setattr(keras_run, "_classes", classes)
    return found


def test_the_float_network_comes_first(artefacts, stages, runs):
    found = KerasRun.of(artefacts, stages, PIXELS)
    assert (found.network, found.taken is TAKEN) == ("float", True)
    assert runs == [("float.keras", 255.0)]


def test_else_the_nearest_that_lies_there(artefacts, stages, runs):
    (artefacts.folder / "float.keras").write_bytes(b"of another training")
    assert KerasRun.of(artefacts, stages, PIXELS).network == "QAT"
    assert runs == [("quantized.keras", 255.0)]
    (artefacts.folder / "quantized.keras").unlink()
    assert KerasRun.of(artefacts, stages, PIXELS) is None


def test_what_is_not_trained_here_is_the_float_network(artefacts, runs):
    made = artefacts.manifest["float"] | {"divisor": 1.0}
    brought = dataclasses.replace(artefacts, manifest=artefacts.manifest | {"float": made})
    assert KerasRun.of(brought, {}, PIXELS).network == "float"
    assert runs == [("quantized.keras", 1.0)]
    assert (
        KerasRun.of(dataclasses.replace(brought, manifest=brought.manifest | {"float": None}), {}, PIXELS)
        is None
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("no", name="tensorflow"), "needs the Python package tensorflow"),
        (UserError("x.keras: not a model"), "x.keras: not a model"),
    ],
)
def test_what_cannot_be_run_is_said(error, said, artefacts, monkeypatch):
    def classes(*_):
        raise error

    monkeypatch.setattr(keras_run, "_classes", classes)
    found = KerasRun.of(artefacts, {}, PIXELS)
    assert found.taken is None and found.why.startswith(said)
