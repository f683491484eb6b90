"""A network of keras_import.graph, built with layers of our own Keras 2."""

import math
import re
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line, shown
from squeezenet_mcu.common.tf import keras, tf
from squeezenet_mcu.model.keras_import.graph import Graph
from squeezenet_mcu.model.keras_import.layers import INPUT, Layer

MOST_WEIGHTS = 30_000_000  # 120 MB; SqueezeNet v1.0 has 1.25 million
_MOST_VALUES = 1 << 24  # of one activation, as of a manifest's input
# Their first values are replaced: zeros take no time.
_ZEROS = {
    "Conv2D": ("kernel",), "DepthwiseConv2D": ("depthwise",), "SeparableConv2D": ("depthwise", "pointwise"),
    "Dense": ("kernel",),
}  # fmt: skip


@keras.utils.register_keras_serializable("squeezenet_mcu")  # type: ignore[untyped-decorator]
def hard_sigmoid_3(x: Any) -> Any:
    """Keras 3's hard_sigmoid; Keras 2's has another slope."""
    return tf.nn.relu6(x + 3.0) * (1.0 / 6.0)


@keras.utils.register_keras_serializable("squeezenet_mcu")  # type: ignore[untyped-decorator]
def hard_swish_3(x: Any) -> Any:
    """Keras 3's hard_swish."""
    return x * tf.nn.relu6(x + 3.0) * (1.0 / 6.0)


@keras.utils.register_keras_serializable("squeezenet_mcu")  # type: ignore[untyped-decorator]
def leaky_relu(x: Any) -> Any:
    """Keras 3's activation of this name."""
    return tf.nn.leaky_relu(x, 0.2)


# By name, so that a file that Keras writes holds their names, and no code.
_OWN_ACTIVATIONS = {"hard_sigmoid_3": hard_sigmoid_3, "hard_swish_3": hard_swish_3, "leaky_relu": leaky_relu}


def build(graph: Graph) -> Any:
    """The Keras model, float32 [n, height, width, channels] in. Raises UserError, before memory is taken."""
    tensors, made = _run(graph)
    for layer in graph.layers:
        if layer.kind != INPUT:
            _set(graph, layer, made[id(layer)])
    return keras.Model(tensors[0], tensors[graph.output], name=re.sub(r"\W", "_", graph.name) or "model")


def shapes(graph: Graph) -> list[tuple[int, ...]]:
    """The shape of what each call gives, without the batch. Raises UserError."""
    return [tuple(tensor.shape[1:]) for tensor in _run(graph)[0]]


def _run(graph: Graph) -> tuple[list[Any], dict[int, Any]]:
    """What each call gives, and Keras's layer of each layer, by id()."""
    tensors: list[Any] = []
    made: dict[int, Any] = {}
    names: set[str] = set()
    count = sum(a.size for layer in graph.layers for a in layer.arrays)
    if count > MOST_WEIGHTS:
        raise UserError(f"{graph.path}: over {MOST_WEIGHTS:,} weights; want at most so many")
    for call in graph.calls:
        if call.layer.kind == INPUT:
            tensors.append(keras.Input(graph.input_shape, name="image"))
            names.add("image")
            continue
        given = [tensors[i] for i in call.inputs]
        try:
            if id(call.layer) not in made:
                _check_size(graph, call.layer, given)
                made[id(call.layer)] = _layer(call.layer, _fresh(call.layer.name, names))
            out = made[id(call.layer)](given if len(given) > 1 else given[0])
        except UserError:
            raise
        except Exception as error:  # Keras lets through whatever does not fit together
            raise _fail(graph, call.layer, f"Keras refuses it ({one_line(str(error))})") from error
        if None in out.shape[1:] or math.prod(out.shape[1:]) > _MOST_VALUES:
            raise _fail(graph, call.layer, f"its output has {_sizes(out.shape[1:])} values; want fewer")
        tensors.append(out)
    return tensors, made


def _fail(graph: Graph, layer: Layer, what: str) -> UserError:
    return UserError(f"{graph.path}: layer {shown(layer.name)} ({layer.kind}): {what}")


def _sizes(shape: Any) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)


def _fresh(name: str, taken: set[str]) -> str:
    """A name that TensorFlow takes, and that no other layer has: models within models may repeat them."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII).lstrip("_") or "layer"
    found, number = plain, 1
    while found in taken:
        found, number = f"{plain}_{number}", number + 1
    taken.add(found)
    return found


def _layer(layer: Layer, name: str) -> Any:
    values = dict(layer.values)
    if "activation" in values:
        values["activation"] = _OWN_ACTIVATIONS.get(values["activation"], values["activation"])
    if layer.kind == "Rescaling":  # a number, or one of each channel
        # No arrays: Keras would write them by a class of its own, which keras_config does not read back.
        values = {k: v[0] if len(v) == 1 else list(v) for k, v in values.items()}
    if layer.kind == "Normalization" and layer.arrays:
        values |= {"mean": layer.arrays[0].reshape(-1), "variance": layer.arrays[1].reshape(-1)}
    values |= {f"{part}_initializer": "zeros" for part in _ZEROS.get(layer.kind, ())}
    return getattr(keras.layers, layer.kind)(**values, name=name)


def _kernel_sizes(layer: Layer, channels: int) -> list[tuple[int, ...]]:
    """The shapes of the kernels that Keras would make, where they may be large."""
    v = layer.values
    if layer.kind == "Dense":
        return [(channels, v["units"])]
    if layer.kind == "Conv2D":
        return [(*v["kernel_size"], channels // v["groups"], v["filters"])]
    depthwise = (*v["kernel_size"], channels, v["depth_multiplier"])
    if layer.kind == "DepthwiseConv2D":
        return [depthwise]
    return [depthwise, (1, 1, channels * v["depth_multiplier"], v["filters"])]


def _check_size(graph: Graph, layer: Layer, given: list[Any]) -> None:
    """UserError where the settings want other kernels than the file has, before Keras makes any."""
    if layer.kind not in _ZEROS or not isinstance(given[0].shape[-1], int):
        return
    for wanted, found in zip(_kernel_sizes(layer, given[0].shape[-1]), layer.arrays, strict=False):
        if wanted != found.shape:
            raise _fail(
                graph,
                layer,
                f"its kernel in the file is {_sizes(found.shape)}; its settings want {_sizes(wanted)}",
            )


def _set(graph: Graph, layer: Layer, made: Any) -> None:
    if layer.kind == "Normalization":
        return
    if len(layer.arrays) != len(made.weights):
        raise _fail(graph, layer, f"{len(layer.arrays)} arrays in the file; want {len(made.weights)}")
    for name, array, wanted in zip(layer.variables, layer.arrays, made.weights, strict=True):
        if array.shape != tuple(wanted.shape):
            raise _fail(
                graph, layer, f"its {name} in the file is {_sizes(array.shape)}; want {_sizes(wanted.shape)}"
            )
    made.set_weights(layer.arrays)
