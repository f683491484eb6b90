"""Networks of real Keras 2 and 3, built anew from their files, answer as Keras itself does."""

import numpy as np
import pytest

from squeezenet_mcu.model.keras_import.build import build
from squeezenet_mcu.model.network import keras_files, keras_graphs
from tests.keras_files import NETWORKS

NAMES = [f"{version}_{network.__name__}" for version in (2, 3) for network in NETWORKS]


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_answers(folder, name, ending):
    model = build(keras_graphs.read(folder / f"{name}{ending}"))
    with np.load(folder / f"{name}.npz") as known:
        x, y = known["x"], known["y"]
    assert np.ptp(y) > 1e-3  # a network that is dead proves nothing
    np.testing.assert_allclose(model(x, training=False).numpy(), y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["3_branches.keras", "3_branches.h5", "2_branches.h5", "2_branches.keras"])
def test_what_other_verbs_load(folder, name):
    """--init goes by the names of layers: conv1, conv1_bn. It is checked before TensorFlow is there."""
    keras_graphs.check(folder / name)
    names = [layer.name for layer in keras_files.load(folder / name).layers]
    assert {"conv1", "conv1_bn", "head"} <= set(names)
