"""The arrays of a network's layers, from the HDF5 of a Keras file that has been looked through before."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line, shown
from squeezenet_mcu.model.keras_import.graph import Graph
from squeezenet_mcu.model.keras_import.layers import Layer

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # of Keras 2.12 the latter
_OTHER_NAMES = {"depthwise_kernel": ("depthwise_kernel", "kernel")}  # Keras 3's DepthwiseConv2D
_MAY_LACK = "count"  # of a Normalization: of no use in inference


def fill(graph: Graph, hdf5: bytes, legacy: bool) -> None:
    """Gives every layer of `graph` its arrays.

    `hdf5`: the weights in a .keras file, or a whole `legacy` .h5. UserError: an array is missing, or is
    of no numbers.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(hdf5), "r") as file:
            root = file.get("model_weights", file) if legacy else file
            for layer in graph.layers:
                if layer.variables:
                    find = _legacy if legacy else _by_place
                    layer.arrays = [_array(graph, layer, *found) for found in find(graph, layer, root)]
    except UserError:
        raise
    except Exception as error:  # h5py lets through whatever a damaged file causes
        raise UserError(
            f"{graph.path}: its weights are damaged ({one_line(str(error))}); want a whole file"
        ) from error


def _fail(graph: Graph, layer: Layer, what: str) -> UserError:
    return UserError(f"{graph.path}: layer {shown(layer.name)} ({layer.kind}): {what}")


def _array(graph: Graph, layer: Layer, name: str, data: Any) -> np.ndarray:
    found = np.asarray(data[()], np.float32)
    if not np.isfinite(found).all():
        raise _fail(graph, layer, f"{name} holds values that are no numbers; want finite")
    return found


def _by_place(graph: Graph, layer: Layer, root: Any) -> Iterator[tuple[str, Any]]:
    """In a .keras file, by the layer's class and its place among those of that class."""
    group = root
    for part in layer.place:
        inside = next((group[name] for name in _CONTAINERS if name in group), None)
        if inside is None or part not in inside:
            raise _fail(graph, layer, f"its weights are not in the file, as layers/{'/'.join(layer.place)}")
        group = inside[part]
    variables = group.get("vars", {})
    said = getattr(variables, "attrs", {}).get("name")
    if isinstance(said, str) and said != layer.name:
        raise _fail(graph, layer, f"its place in the file has the weights of {shown(said)}; want its own")
    for number, name in enumerate(layer.variables):
        if str(number) in variables:
            yield name, variables[str(number)]
        elif name != _MAY_LACK:
            raise _fail(graph, layer, f"its {name} is not in the file; want all of its weights")


def _legacy(graph: Graph, layer: Layer, root: Any) -> Iterator[tuple[str, Any]]:
    """In an .h5, by name: each layer of the outermost model has a group; models within share one."""
    top = root.get(layer.names[0])
    here = [] if top is None else list(_datasets(top))
    for name in layer.variables:
        ends = _OTHER_NAMES.get(name, (name,))
        whole = {f"/{end}" if len(layer.names) == 1 else f"/{layer.name}/{end}" for end in ends}
        found = [data for path, data in here if any(f"/{path}".endswith(end) for end in whole)]
        if len(found) == 1:
            yield name, found[0]
        elif found or name != _MAY_LACK:
            raise _fail(graph, layer, f"the file has {len(found)} arrays for its {name}; want one")


def _datasets(group: Any) -> Iterator[tuple[str, Any]]:
    """(path, data) of each below `group`; the path without the ":0" of Keras 2."""
    waiting = [("", group)]
    while waiting:
        path, found = waiting.pop()
        if hasattr(found, "keys"):
            waiting += [(f"{path}/{name}".lstrip("/"), found[name]) for name in found]
        else:
            yield path.removesuffix(":0"), found
