"""Activations of Keras 3 that Keras 2 lacks are written by name, and read again: `evaluate` needs that."""

import warnings

import numpy as np
import pytest

from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.keras_import import build
from squeezenet_mcu.model.network import keras_config, keras_files

layers = keras.layers


@pytest.mark.parametrize("name", sorted(build._OWN_ACTIVATIONS))
def test_saved_and_read_again(tmp_path, name):
    image = keras.Input((4, 4, 1))
    model = keras.Model(image, layers.Conv2D(3, 3, activation=build._OWN_ACTIVATIONS[name])(image))
    with warnings.catch_warnings(action="error"):  # of code in the file
        keras_files.save(model, tmp_path / "net.keras")
    again = keras_files.load(tmp_path / "net.keras")
    x = np.random.default_rng(0).normal(0, 4, (5, 4, 4, 1)).astype(np.float32)
    assert np.array_equal(model.predict_on_batch(x), again.predict_on_batch(x))
    assert b"lambda" not in keras_config.read(tmp_path / "net.keras")["config.json"]
