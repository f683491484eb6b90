"""Batch norm of inference as a factor and an offset a channel: the same numbers on every machine."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Norm:
    """Batch norm behind a convolution: [channels] each, and the epsilon under the root."""

    gamma: Array
    beta: Array
    mean: Array
    variance: Array
    epsilon: float

    def affine(self) -> tuple[Array, Array]:
        """factor and offset, float32 [channels]: y = factor * x + offset is gamma * (x - mean) /
        sqrt(variance + epsilon) + beta (Ioffe and Szegedy 2015, algorithm 2).

        Computed in float64, whose root and quotient IEEE 754 rounds in one way, and rounded once. TensorFlow
        computes the root's inverse from an estimate that differs between makers of processors, and with it
        the last bit of the result.
        """
        root = np.sqrt(self.variance.astype(np.float64) + self.epsilon)
        factor = self.gamma.astype(np.float64) / root
        offset = self.beta.astype(np.float64) - self.mean.astype(np.float64) * factor
        return factor.astype(np.float32), offset.astype(np.float32)


def norm_of(layer: Any) -> Norm:
    """What the Keras BatchNormalization `layer` has learnt."""
    return Norm(
        layer.gamma.numpy(),
        layer.beta.numpy(),
        layer.moving_mean.numpy(),
        layer.moving_variance.numpy(),
        layer.epsilon,
    )
