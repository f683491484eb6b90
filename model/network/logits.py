"""A network without its softmax."""

from typing import Any

from squeezenet_mcu.common.tf import keras


def logits_of(model: Any) -> Any:
    """A Keras model of images in [0, 1] to logits, which shares the variables of `model`."""
    # Not layers[-1].input: TFMOT wraps layers that another model has called before.
    return keras.Model(model.input, model.output.node.keras_inputs[0])
