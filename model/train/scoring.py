"""How many images a network gets right: Keras models, and the int8 ones made of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.tf import tf
from squeezenet_mcu.model.network.logits import logits_of

_BATCH = 256
_ROUNDING = 1e-6  # of float32, in sums of another order


def scorer(model: Any) -> Callable[[Set], float]:
    """A function that gives the share of images a Keras model (float32 in [0, 1] to softmax) gets right.

    It follows the model's variables as they change, and is compiled once.
    """
    logits = logits_of(model)
    signature = [tf.TensorSpec(logits.input_shape, tf.uint8), tf.TensorSpec([None], tf.int64)]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def right(x: Any, y: Any) -> Any:
        found = tf.argmax(logits(tf.cast(x, tf.float32) / 255, training=False), axis=1)
        return tf.reduce_sum(tf.cast(found == y, tf.int64))

    def score(images: Set) -> float:
        parts = (slice(i, i + _BATCH) for i in range(0, len(images.y), _BATCH))
        return sum(int(right(images.x[part], images.y[part])) for part in parts) / len(images.y)

    return score


def same_answers(model: Any, x: npt.NDArray[np.uint8]) -> bool:
    """Whether a Keras model (float32 in [0, 1] to softmax) has the same logits for all images x [n, h, w, c].

    As in training: batch norm looks at these images. What that moves in the model is put back.
    """
    kept = [variable.numpy() for variable in model.weights]
    found = logits_of(model)(x.astype(np.float32) / np.float32(255), training=True).numpy()
    for variable, value in zip(model.weights, kept, strict=True):
        variable.assign(value)
    return bool(np.ptp(found, axis=0).max() <= _ROUNDING * max(1.0, np.abs(found).max()))
