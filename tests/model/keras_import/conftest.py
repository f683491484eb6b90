"""Files of real Keras, made once."""

import warnings

import pytest

from tests import keras_files


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """NAME.keras, NAME.h5 and NAME.npz of tests/keras_files.py."""
    with warnings.catch_warnings(action="ignore"):  # Keras 2's, of .h5
        return keras_files.made(tmp_path_factory.mktemp("keras"))
