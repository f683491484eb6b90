"""The layers that are read: of each the settings that count in inference, and the arrays that it has."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from squeezenet_mcu.model.keras_import.settings import Settings

Values = dict[str, Any]
INPUT = "InputLayer"
# In inference they hand on what they get.
TRAINING_ONLY = frozenset({
    "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
    "ActivityRegularization",
    "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness",
    "Identity",
})  # fmt: skip
MERGES = frozenset({"Add", "Subtract", "Multiply", "Average", "Maximum", "Concatenate"})
_SAME_IN_BOTH = (
    "linear", "relu", "relu6", "softmax", "sigmoid", "tanh", "elu", "selu", "gelu", "softplus", "softsign",
    "exponential", "mish",
)  # fmt: skip
# name in the file -> Keras 2's. Keras 3 has another hard_sigmoid: relu6(x + 3) / 6.
_ACTIVATIONS = {
    2: {name: name for name in _SAME_IN_BOTH}
    | {"swish": "swish", "silu": "swish", "hard_sigmoid": "hard_sigmoid", "leaky_relu": "leaky_relu"},
    3: {name: name for name in _SAME_IN_BOTH}
    | {"swish": "swish", "silu": "swish", "hard_sigmoid": "hard_sigmoid_3", "leaky_relu": "leaky_relu"}
    | {"hard_silu": "hard_swish_3", "hard_swish": "hard_swish_3"},
}


@dataclass(eq=False)
class Layer:
    """A layer of the network; it may be called more than once.

    `values`: what its constructor in Keras 2 is told. `variables`: names of its arrays, in their order.
    `place`: where a .keras file keeps them. `names`: those of the models around it, and its own.
    """

    kind: str
    name: str
    values: Values
    variables: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    arrays: list[np.ndarray] = field(default_factory=list)


def _activation(s: Settings, version: int) -> str:
    found = s.get("activation", "linear")
    if isinstance(found, dict):  # {"class_name": "function", "config": "relu6"}
        found = found.get("config")
    known = _ACTIVATIONS[version]
    if not isinstance(found, str) or found not in known:
        raise s.fail(f"activation {found!r:.60} is not known here; want one of {', '.join(sorted(known))}")
    return known[found]


def _last_axis(s: Settings) -> int:
    """The axis, which may be that of the channels alone: of an image 3, of a vector 1."""
    axis = s.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int or axis not in (-1, 1, 3):
        raise s.fail(f"axis is {axis!r:.60}; want -1, the channels")
    return axis


def _convolution(s: Settings, version: int) -> Values:
    return {
        "kernel_size": s.pair("kernel_size"),
        "strides": s.pair("strides", 1),
        "padding": s.choice("padding", ("valid", "same"), "valid"),
        "dilation_rate": s.pair("dilation_rate", 1),
        "activation": _activation(s, version),
        "use_bias": s.flag("use_bias", True),
    }


def _conv(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    values = {"filters": s.integer("filters"), "groups": s.integer("groups", 1), **_convolution(s, version)}
    return values, ("kernel", "bias") if values["use_bias"] else ("kernel",)


def _depthwise(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    s.get("groups", 1), s.get("filters", None)  # Keras 2 notes them down; they follow from the input
    values = {"depth_multiplier": s.integer("depth_multiplier", 1), **_convolution(s, version)}
    return values, ("depthwise_kernel", "bias") if values["use_bias"] else ("depthwise_kernel",)


def _separable(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    if s.integer("groups", 1) != 1:
        raise s.fail("groups; want 1")
    values = {"filters": s.integer("filters"), "depth_multiplier": s.integer("depth_multiplier", 1)}
    values |= _convolution(s, version)
    kernels = ("depthwise_kernel", "pointwise_kernel")
    return values, (*kernels, "bias") if values["use_bias"] else kernels


def _dense(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    values = {"units": s.integer("units"), "activation": _activation(s, version)}
    values["use_bias"] = s.flag("use_bias", True)
    return values, ("kernel", "bias") if values["use_bias"] else ("kernel",)


def _batch_norm(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    values = {
        "axis": _last_axis(s),
        "epsilon": s.number("epsilon", 1e-3),
        "center": s.flag("center", True),
        "scale": s.flag("scale", True),
    }
    names = (("gamma",) if values["scale"] else ()) + (("beta",) if values["center"] else ())
    return values, (*names, "moving_mean", "moving_variance")


def _relu(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {
        "max_value": s.maybe_number("max_value"),
        "negative_slope": s.number("negative_slope", 0.0),
        "threshold": s.number("threshold", 0.0),
    }, ()


def _leaky(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {"alpha": s.number("negative_slope" if "negative_slope" in s.table else "alpha", 0.3)}, ()


def _elu(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {"alpha": s.number("alpha", 1.0)}, ()


def _prelu(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    axes = s.get("shared_axes", [])
    if not isinstance(axes, list) or any(type(a) is not int or not 1 <= a <= 3 for a in axes):
        raise s.fail(f"shared_axes is {axes!r:.60}; want [1, 2]")
    return {"shared_axes": axes or None}, ("alpha",)


def _softmax(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {"axis": _last_axis(s)}, ()


def _activation_layer(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {"activation": _activation(s, version)}, ()


def _pool(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    size = s.pair("pool_size", 2)
    values = {"pool_size": size, "strides": s.pair("strides", list(size))}
    return values | {"padding": s.choice("padding", ("valid", "same"), "valid")}, ()


def _global_pool(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {"keepdims": s.flag("keepdims", False)}, ()


def _reshape(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    shape = s.get("target_shape")
    if not isinstance(shape, list) or not 1 <= len(shape) <= 4 or any(type(v) is not int for v in shape):
        raise s.fail(f"target_shape is {shape!r:.60}; want a list of sizes")
    return {"target_shape": shape}, ()


def _concatenate(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    axis = s.get("axis", -1)
    if type(axis) is not int or not -3 <= axis <= 3 or axis == 0:
        raise s.fail(f"axis is {axis!r:.60}; want -1, the channels")
    return {"axis": axis}, ()


def _padding(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {"padding": s.border("padding")}, ()


def _cropping(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {"cropping": s.border("cropping")}, ()


def _rescaling(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {"scale": s.numbers("scale"), "offset": s.numbers("offset", 0.0)}, ()


def _normalization(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    # Without an axis, one mean and one variance stand for all.
    axis = None if s.table.get("axis", -1) in (None, []) else _last_axis(s)
    s.get("axis", -1)
    if s.flag("invert", False):
        raise s.fail("invert is true; want a layer that normalizes")
    if s.get("mean", None) is None:
        return {"axis": axis}, ("mean", "variance", "count")
    return {"axis": axis, "mean": s.numbers("mean"), "variance": s.numbers("variance")}, ()


def _nothing(s: Settings, version: int) -> tuple[Values, tuple[str, ...]]:
    return {}, ()


_Reader = Callable[[Settings, int], tuple[Values, tuple[str, ...]]]
_MERGE_READERS: dict[str, _Reader] = dict.fromkeys(MERGES - {"Concatenate"}, _nothing)
READERS: dict[str, _Reader] = {
    "Conv2D": _conv, "DepthwiseConv2D": _depthwise, "SeparableConv2D": _separable, "Dense": _dense,
    "BatchNormalization": _batch_norm, "ReLU": _relu, "LeakyReLU": _leaky, "ELU": _elu, "PReLU": _prelu,
    "Softmax": _softmax, "Activation": _activation_layer, "MaxPooling2D": _pool, "AveragePooling2D": _pool,
    "GlobalAveragePooling2D": _global_pool, "GlobalMaxPooling2D": _global_pool, "Flatten": _nothing,
    "Reshape": _reshape, "Concatenate": _concatenate, "ZeroPadding2D": _padding, "Cropping2D": _cropping,
    "Rescaling": _rescaling, "Normalization": _normalization,
    **_MERGE_READERS,
}  # fmt: skip


def read(s: Settings, version: int) -> Layer:
    """The layer that `s` describes, without its arrays. Raises UserError."""
    if s.kind in TRAINING_ONLY:  # whatever it is told
        return Layer(s.kind, s.name, {})
    if s.kind not in READERS:
        raise s.fail(
            "is not among the layers that are read; want plain layers, nothing that runs code: "
            + ", ".join(sorted(READERS))
        )
    values, variables = READERS[s.kind](s, version)
    s.close()
    return Layer(s.kind, s.name, values, variables)
