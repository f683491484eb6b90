"""What a kernel must keep to while the network trains on: its zeros, its clusters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from model.tf import tf


def keep_zeros(kernel: Any, values: npt.NDArray[np.float32]) -> Callable[[], None]:
    """After a step: `kernel` is zero wherever `values`, of its shape, is."""
    mask = tf.constant((values != 0).astype(np.float32))
    return lambda: kernel.assign(kernel * mask)


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
