"""Makes a float network ready for int8: it takes plain pixels, and its Dense layers become convolutions.

Everything here is exact but for float32's rounding, and what `take_pixels` says of borders.
"""

from dataclasses import replace

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import shown
from squeezenet_mcu.convert.keras_front.pixels import Pixels
from squeezenet_mcu.model.keras_import.build import shapes
from squeezenet_mcu.model.keras_import.graph import Call, Graph
from squeezenet_mcu.model.keras_import.layers import Layer

_LARGEST = 7  # rows and columns of a convolution's kernel in the engine
_NO_LESS = 1e-7  # than this is a Normalization's divisor: Keras's epsilon


def take_front(graph: Graph, pixels: Pixels) -> tuple[Graph, Pixels]:
    """`graph` without the Rescaling and Normalization that it begins with, which go into `pixels`."""
    while True:
        users = [i for i, call in enumerate(graph.calls) if 0 in call.inputs]
        layer = graph.calls[users[0]].layer if len(users) == 1 else None
        if layer is None or layer.kind not in ("Rescaling", "Normalization"):
            return graph, pixels
        factor, offset = _affine(graph, layer, len(pixels.factor))
        pixels = pixels.then(factor, offset, f"layer {shown(layer.name)} of the network")
        graph = _without(graph, users[0])


def _affine(graph: Graph, layer: Layer, channels: int) -> tuple[np.ndarray, np.ndarray]:
    if layer.kind == "Rescaling":
        factor, offset = (np.array(layer.values[k], np.float64) for k in ("scale", "offset"))
    else:
        given = layer.arrays or [layer.values["mean"], layer.values["variance"]]
        mean, variance = (np.asarray(a, np.float64).reshape(-1) for a in given[:2])
        factor = 1 / np.maximum(np.sqrt(np.maximum(variance, 0)), _NO_LESS)
        offset = -mean * factor
    if {factor.size, offset.size} - {1, channels} or not (np.abs(factor) > 1e-9).all():
        raise UserError(
            f"{graph.path}: layer {shown(layer.name)} ({layer.kind}) has {factor.size} scales; want 1 or "
            f"{channels}, none of them 0"
        )
    return np.broadcast_to(factor, channels), np.broadcast_to(offset, channels)


def _without(graph: Graph, gone: int) -> Graph:
    """Graph without a call of one input, whose readers read that input."""
    source = graph.calls[gone].inputs[0]

    def moved(i: int) -> int:
        i = source if i == gone else i
        return i - (i > gone)

    calls = [
        Call(call.layer, tuple(map(moved, call.inputs))) for i, call in enumerate(graph.calls) if i != gone
    ]
    return replace(graph, calls=calls, output=moved(graph.output))


def _first_convolutions(graph: Graph, through: tuple[str, ...] = ()) -> list[Layer]:
    """The layers that read the image, where all of them are plain Conv2D and read nothing else.

    `through`: kinds of layer that may come between.
    """
    images = {0}
    for i, call in enumerate(graph.calls):
        if call.layer.kind in through and set(call.inputs) <= images:
            images.add(i)
    readers = [c for i, c in enumerate(graph.calls) if i not in images and images & set(c.inputs)]
    found = [call.layer for call in readers]
    uses = [call for call in graph.calls if any(call.layer is layer for layer in found)]
    plain = all(layer.kind == "Conv2D" and layer.values["groups"] == 1 for layer in found)
    return found if plain and len(uses) == len(readers) == len(set(map(id, found))) else []


def _swapped(graph: Graph, old: list[Layer], new: list[Layer]) -> Graph:
    by_id = {id(a): b for a, b in zip(old, new, strict=True)}
    return replace(graph, calls=[Call(by_id.get(id(c.layer), c.layer), c.inputs) for c in graph.calls])


def red_first(graph: Graph, pixels: Pixels) -> tuple[Graph, Pixels]:
    """The same network for RGB pixels, where it was trained on BGR. UserError where it cannot be turned."""
    if not pixels.bgr:
        return graph, pixels
    first = _first_convolutions(graph, through=("ZeroPadding2D",))
    if not first:
        raise UserError(f"{graph.path}: BGR pixels are wanted by a first layer that is no Conv2D; want RGB")
    turned = [replace(layer, arrays=[layer.arrays[0][:, :, ::-1], *layer.arrays[1:]]) for layer in first]
    return _swapped(graph, first, turned), pixels.reversed()


def _folded(layer: Layer, factor: np.ndarray, offset: np.ndarray) -> Layer:
    """A first convolution of what `value * factor + offset` was given to."""
    kernel = layer.arrays[0].astype(np.float64)
    bias = layer.arrays[1] if layer.values["use_bias"] else np.zeros(kernel.shape[3])
    moved = bias + np.einsum("hwio,i->o", kernel, offset)
    scaled = kernel * factor[:, np.newaxis]
    arrays = [scaled.astype(np.float32), moved.astype(np.float32)]
    values = layer.values | {"use_bias": True}
    return replace(layer, values=values, variables=("kernel", "bias"), arrays=arrays)


def take_pixels(graph: Graph, pixels: Pixels) -> tuple[Graph, Pixels, int | None]:
    """Folds `pixels` into the first convolutions, so that int8 = pixel - 128.

    Returns the network, what it now wants of pixels, and the pixel that its 0 stands for; None where nothing
    could be folded. Without padding, or without an offset, the fold is exact. A padded convolution's 0 is a
    pixel of the mean, which has to be whole: 128 for 127.5. The half goes into the bias, so only windows
    over the border see it, as half a step of a pixel there. Means of channels that differ stay outside.
    """
    first = _first_convolutions(graph)
    if not first or not (pixels.factor > 0).all():
        return graph, pixels, None
    inside = all(
        layer.values["padding"] == "valid" or tuple(layer.values["kernel_size"]) == (1, 1) for layer in first
    )
    zero = 0
    if not inside and pixels.offset.any():
        mean = -pixels.offset / pixels.factor
        zero = int(np.ceil(mean[0]))
        if not pixels.uniform or not 0 <= zero <= 255:
            return graph, pixels, None
    # value = (pixel - zero) * factor + (offset + zero * factor)
    folded = [_folded(layer, pixels.factor, pixels.offset + zero * pixels.factor) for layer in first]
    ones = np.ones_like(pixels.factor)
    return _swapped(graph, first, folded), Pixels(ones, -zero * ones, False, pixels.said), zero


def with_convolutional_heads(graph: Graph) -> Graph:
    """Dense layers as convolutions: of 1x1 on a vector, of the whole map behind a Flatten of at most 7x7.

    Our quantization fits convolutions, and the engine runs them.
    """
    sizes = shapes(graph)
    calls: list[Call] = []
    at: list[int] = []  # where each call of `graph` is now
    for i, call in enumerate(graph.calls):
        inputs = tuple(at[j] for j in call.inputs)
        layer = call.layer
        if layer.kind == "Dense" and len(sizes[call.inputs[0]]) == 1:
            before = graph.calls[call.inputs[0]]
            height, width, source = 1, 1, inputs[0]
            if before.layer.kind == "Flatten" and len(sizes[before.inputs[0]]) == 3:
                height, width, _ = sizes[before.inputs[0]]
                source = at[before.inputs[0]]
            if max(height, width) <= _LARGEST:
                at.append(_add_head(calls, layer, source, (height, width), before.layer.kind == "Flatten"))
                continue
        calls.append(Call(layer, inputs))
        at.append(len(calls) - 1)
        assert len(at) == i + 1
    return _pruned(replace(graph, calls=calls, output=at[graph.output]))


def _add_head(calls: list[Call], dense: Layer, source: int, size: tuple[int, int], is_map: bool) -> int:
    kernel = dense.arrays[0]
    units = kernel.shape[1]
    if not is_map:
        shape = {"target_shape": [1, 1, kernel.shape[0]]}
        calls.append(Call(Layer("Reshape", f"{dense.name}_in", shape), (source,)))
        source = len(calls) - 1
    softmax = dense.values["activation"] == "softmax"  # over channels, which a vector's are too
    values = {
        "filters": units, "groups": 1, "kernel_size": size, "strides": (1, 1), "padding": "valid",
        "dilation_rate": (1, 1), "activation": "linear" if softmax else dense.values["activation"],
        "use_bias": dense.values["use_bias"],
    }  # fmt: skip
    arrays = [kernel.reshape(*size, -1, units), *dense.arrays[1:]]
    calls.append(Call(Layer("Conv2D", dense.name, values, dense.variables, arrays=arrays), (source,)))
    calls.append(Call(Layer("Flatten", f"{dense.name}_out", {}), (len(calls) - 1,)))
    if softmax:
        calls.append(Call(Layer("Softmax", f"{dense.name}_softmax", {"axis": -1}), (len(calls) - 1,)))
    return len(calls) - 1


def _pruned(graph: Graph) -> Graph:
    """Without calls that nobody reads any more."""
    wanted = {0, graph.output}
    for i in range(len(graph.calls) - 1, -1, -1):
        if i in wanted:
            wanted |= set(graph.calls[i].inputs)
    kept = sorted(wanted)
    place = {old: new for new, old in enumerate(kept)}
    calls = [Call(graph.calls[i].layer, tuple(place[j] for j in graph.calls[i].inputs)) for i in kept]
    return replace(graph, calls=calls, output=place[graph.output])


def with_pixels(graph: Graph, pixels: Pixels) -> Graph:
    """The float network for RGB pixels 0 to 255: `pixels`, which are red first, as its first layer."""
    assert not pixels.bgr
    if not pixels.offset.any() and (pixels.factor == 1).all():
        return graph
    values = {"scale": pixels.factor.tolist(), "offset": pixels.offset.tolist()}
    front = Call(Layer("Rescaling", "pixels", values), (0,))
    moved = [Call(call.layer, tuple(i + 1 for i in call.inputs)) for call in graph.calls[1:]]
    return replace(graph, calls=[graph.calls[0], front, *moved], output=graph.output + 1)
