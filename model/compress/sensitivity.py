"""One share of zeros for the whole network, spread over its layers by what zeros cost each of them.

Each layer is pruned alone, without training, to several shares, and the loss of the whole network noted, as
in Han et al. 2015 (arXiv:1506.02626, figure 6). Zeros are then taken where they cost least: every layer up to
the same Lagrange multiplier, in loss a weight.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.tf import keras, tf

LEVELS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
IMAGES = 512


@dataclass(frozen=True)
class Curve:
    """Of one layer: its weights, and how much the loss grows when the share LEVELS[i] of them is zero."""

    weights: int
    growth: tuple[float, ...]


def measure(model: Any, images: Set) -> dict[str, Curve]:
    """The curve of every convolution of `model` (which stays as it is), on at most IMAGES of `images`."""
    chosen = np.arange(min(IMAGES, len(images.y))) * len(images.y) // min(IMAGES, len(images.y))
    x = tf.constant(images.x[chosen].astype(np.float32) / 255)
    y = tf.constant(images.y[chosen])

    @tf.function  # type: ignore[untyped-decorator]
    def loss() -> Any:
        return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=False)))

    whole = float(loss())
    curves = {}
    for layer in model.layers:
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        kernel = layer.kernel.numpy()
        growth = []
        for level in LEVELS:
            layer.kernel.assign(pruned(kernel, level))
            growth.append(float(loss()) - whole)
        layer.kernel.assign(kernel)
        # More zeros never cost less: what noise says otherwise is not to be built on.
        curves[layer.name] = Curve(kernel.size, tuple(itertools.accumulate(growth, max, initial=0.0))[1:])
    return curves


def pruned(kernel: npt.NDArray[np.float32], share: float) -> npt.NDArray[np.float32]:
    """`kernel` with the share of its weights that are least, rounded down, set to zero."""
    gone = np.argsort(np.abs(kernel), axis=None)[: int(share * kernel.size)]
    out = kernel.copy()
    out.reshape(-1)[gone] = 0
    return out


def allocate(curves: Mapping[str, Curve], share: float, fixed: Mapping[str, float]) -> dict[str, float]:
    """Each layer's share of zeros, `share` of all weights in total, but for the layers in `fixed`.

    With a Lagrange multiplier of p, a layer takes the level at which p * zeros - growth is greatest. The
    least multiplier at which all layers together have enough zeros is found by bisection, and the surplus
    is given back evenly.
    """
    free = {name: curve for name, curve in curves.items() if name not in fixed}
    wanted = share * sum(curve.weights for curve in curves.values())
    wanted -= sum(fixed[name] * curves[name].weights for name in fixed if name in curves)

    def level(curve: Curve, multiplier: float) -> float:
        points = zip(LEVELS, curve.growth, strict=True)
        return max(points, key=lambda point: multiplier * point[0] * curve.weights - point[1])[0]

    def levels(multiplier: float) -> dict[str, float]:
        return {name: level(curve, multiplier) for name, curve in free.items()}

    def zeros(shares: Mapping[str, float]) -> float:
        return sum(shares[name] * curve.weights for name, curve in free.items())

    low, high = 0.0, 1.0
    while zeros(levels(high)) < wanted and high < 1e9:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if zeros(levels(middle)) >= wanted else (middle, high)
    chosen = levels(high)
    surplus = min(1.0, wanted / max(zeros(chosen), 1e-9))
    return dict(fixed) | {name: max(0.0, level * surplus) for name, level in chosen.items()}


def record(curves: Mapping[str, Curve], shares: Mapping[str, float]) -> dict[str, Any]:
    """What sensitivity.json holds: the curves, and the share of each layer."""
    return {
        "levels": LEVELS,
        "layers": {name: vars(curve) | {"share": shares[name]} for name, curve in curves.items()},
    }
