"""What a kernel must keep to while the network trains on: its zeros, its clusters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.tf import keras, tf

LEAST_FACTOR = 1e-3


def keep_zeros(kernel: Any, values: npt.NDArray[np.float32]) -> Callable[[], None]:
    """After a step: `kernel` is zero wherever `values`, of its shape, is."""
    mask = tf.constant((values != 0).astype(np.float32))
    return lambda: kernel.assign(kernel * mask)


def make_positive(model: Any) -> None:
    """Makes all batch norm factors of `model` LEAST_FACTOR at least; a negative one by mirroring its channel.

    The conversion folds the factors into the scales of the int8 weights. A negative one would mirror its
    channel's weights there, and with them the clusters; one near zero leaves its bias more steps than int32
    has, and TFLite cuts that off without a word.
    """
    convolutions = {layer.name: layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)}
    for norm in model.layers:
        if not isinstance(norm, keras.layers.BatchNormalization):
            continue
        factors = norm.gamma.numpy()
        sign = np.where(factors < 0, np.float32(-1), np.float32(1))
        layer = convolutions[norm.name.removesuffix("_bn")]
        for variable in (
            layer.kernel,
            norm.gamma,
            norm.moving_mean,
            *([] if layer.bias is None else [layer.bias]),
        ):
            variable.assign(variable * sign)
        norm.gamma.assign(np.maximum(norm.gamma.numpy(), LEAST_FACTOR))


def keep_positive(model: Any) -> list[Callable[[], None]]:
    """After a step: all batch norm factors of `model`, wrapped or not, are LEAST_FACTOR at least."""

    def floored(factors: Any) -> Callable[[], None]:
        return lambda: factors.assign(tf.maximum(factors, LEAST_FACTOR))

    norms = (getattr(layer, "layer", layer) for layer in model.layers)
    return [floored(norm.gamma) for norm in norms if isinstance(norm, keras.layers.BatchNormalization)]


def keep_clusters(kernel: Any, values: npt.NDArray[np.float32]) -> Callable[[], None]:
    """After a step: weights of `kernel` that are equal in `values` are equal, and those that are 0 are 0.

    Each group takes the mean of what the step made of its members: the gradient of a shared weight (Han et
    al. 2016, arXiv:1510.00149, section 3.2), divided by their number.
    """
    centroids, groups = np.unique(values, return_inverse=True)
    groups = tf.constant(groups.reshape(-1), tf.int32)
    free = tf.constant((centroids != 0).astype(np.float32))

    def constrain() -> None:
        means = tf.math.unsorted_segment_mean(tf.reshape(kernel, [-1]), groups, len(centroids)) * free
        kernel.assign(tf.reshape(tf.gather(means, groups), kernel.shape))

    return constrain
