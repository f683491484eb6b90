"""What a .keras file may be made of: known layers and plain values, so that loading it runs no code.

Keras makes objects of whatever classes and functions a file's config.json names, from any module that can be
imported. Here a config is checked before Keras sees it: each class must be on the lists below.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.archives import zips
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line, shown
from squeezenet_mcu.model.network import keras_weights

_MODELS = ("Functional", "Model", "Sequential")
MEMBERS = frozenset({"config.json", "metadata.json", "model.weights.h5"})
_MOST_CONFIG = 4 << 20  # bytes of config.json, which take thirty times the memory; v1.1's has 130,000
_MOST_METADATA = 1 << 16
MOST_FILE = 160 << 20  # bytes
_MOST_BYTES = 160 << 20  # of keras_weights.MOST_WEIGHTS in 4 bytes each, and their places
_MOST_NUMBER = 1 << 16  # of a side, a number of filters
_ANY_NUMBER = ("seed", "shared_object_id")
_KERAS = frozenset({
    "keras", "keras.layers", "keras.models", "keras.initializers", "keras.regularizers", "keras.constraints",
    "keras.src.engine.functional", "keras.src.engine.sequential", "tf_keras.src.engine.functional",
    "tf_keras.src.engine.sequential",
})  # fmt: skip
_LAYERS = frozenset({
    "Functional", "Model", "Sequential", "InputLayer", "Conv2D", "DepthwiseConv2D", "SeparableConv2D",
    "Dense", "BatchNormalization", "LayerNormalization", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax",
    "Activation", "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
    "Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Dropout", "SpatialDropout2D",
    "GaussianNoise", "Flatten", "Reshape", "Permute", "ZeroPadding2D", "Cropping2D", "Rescaling",
    "Normalization", "Resizing", "CenterCrop", "RandomFlip", "RandomRotation", "RandomZoom",
    "RandomTranslation", "RandomContrast", "RandomBrightness", "RandomCrop", "RandomHeight", "RandomWidth",
})  # fmt: skip
_PARTS = frozenset({
    "Zeros", "Ones", "Constant", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform",
    "L1", "L2", "L1L2", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "Policy",
})  # fmt: skip
_TFMOT = "tensorflow_model_optimization.python.core.quantization.keras."
_TFMOT_MODULES = frozenset(
    _TFMOT + name for name in ("quantize_layer", "quantize_wrapper", "quantize_aware_activation")
)
_TFMOT_CLASSES = frozenset({
    "QuantizeLayer", "QuantizeWrapper", "QuantizeWrapperV2", "QuantizeAwareActivation", "AllValuesQuantizer",
    "LastValueQuantizer", "MovingAverageQuantizer", "NoOpActivation", "NoOpQuantizeConfig",
    "Default8BitQuantizeConfig", "Default8BitConvQuantizeConfig", "Default8BitOutputQuantizeConfig",
})  # fmt: skip
_ACTIVATIONS = frozenset({
    "linear", "relu", "relu6", "softmax", "sigmoid", "hard_sigmoid", "tanh", "elu", "selu", "gelu", "swish",
    "silu", "mish", "softplus", "softsign", "exponential", "leaky_relu",
})  # fmt: skip
# As Keras writes those that keras_import.build has registered.
_OWN_ACTIVATIONS = tuple(
    {
        "module": "builtins",
        "class_name": "function",
        "config": f"squeezenet_mcu>{name}",
        "registered_name": "function",
    }
    for name in ("hard_sigmoid_3", "hard_swish_3", "leaky_relu")
)
_CODE = ("function", "py_function", "fn")  # what layers that wrap code call it
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    RecursionError,
)


def read(path: Path) -> dict[str, bytes]:
    """The members of the .keras file `path`, checked: these bytes are to be loaded, not the file's again.

    UserError: none, or it holds what is not on the lists, or weights that are not plain arrays.
    """
    found, config = members(path)
    check(config, path)
    keras_weights.check(found["model.weights.h5"], path)
    return found


def members(path: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The members of the .keras file `path`, within limits, and its config, which is not checked yet."""
    try:
        whole = files.read_input(path, MOST_FILE, "want a .keras file")
        with zips.opened(whole) as archive:
            found = {info.filename: info.file_size for info in archive.infolist()}
            if len(found) < len(archive.infolist()):
                raise ValueError("a member is there twice")
            _check_members(path, found)
            taken = {name: archive.read(name) for name in sorted(MEMBERS)}
        config = json.loads(taken["config.json"])
    except _DAMAGED as error:
        raise UserError(
            f"{path}: not a .keras file ({one_line(str(error))}); want the zip that model.save writes; "
            "a file that is HDF5 is to be called .h5"
        ) from error
    if not isinstance(config, dict):
        raise UserError(f"{path}: config.json is no table; want Keras's table of a model")
    return taken, config


def _check_members(path: Path, found: dict[str, int]) -> None:
    for name in found:
        if name not in MEMBERS:
            raise UserError(f"{path}: holds {shown(name)}; want {', '.join(sorted(MEMBERS))} alone")
    if missing := MEMBERS - set(found):
        raise UserError(f"{path}: lacks {', '.join(sorted(missing))}; want a whole .keras file")
    most = {"config.json": _MOST_CONFIG, "metadata.json": _MOST_METADATA, "model.weights.h5": _MOST_BYTES}
    for name, size in found.items():
        if size > most[name]:
            raise UserError(f"{path}: {name} unpacks to {size:,} bytes; want at most {most[name]:,}")


def check(config: dict[str, Any], path: Path) -> None:
    """Raises UserError for the first class, activation or number of `config` that no network here needs."""
    if config.get("class_name") not in _MODELS or not isinstance(config.get("config"), dict):
        raise UserError(f"{path}: config.json describes no model; want one of {', '.join(_MODELS)}")
    for layer, table in _tables(config):
        if isinstance(table.get("layers"), list):
            _check_order(path, table["layers"])
        if "class_name" in table or "module" in table:
            _check_class(path, layer, table)
        for key in _CODE:
            if key in table:
                raise UserError(
                    f"{path}: layer {shown(layer)}: has a {key}, which is code; want plain layers"
                )
        for key, value in table.items():
            if key == "activation" and isinstance(value, str) and value not in _ACTIVATIONS:
                raise UserError(f"{path}: layer {shown(layer)}: activation {shown(value)} is not known here")
            if key not in _ANY_NUMBER and isinstance(value, int | float) and not abs(value) <= _MOST_NUMBER:
                raise UserError(
                    f"{path}: layer {shown(layer)}: {shown(key)} {shown(value)}; want at most "
                    f"{_MOST_NUMBER:,}"
                )


def _check_order(path: Path, layers: list[Any]) -> None:
    """UserError where a layer's input depends on its own output: Keras would wait for it for ever."""
    inputs = {
        str(layer.get("config", {}).get("name") if isinstance(layer.get("config"), dict) else None): [
            *_texts(layer.get("inbound_nodes"))
        ]
        for layer in layers
        if isinstance(layer, dict)
    }
    # Keras 2 counts a model's own making as its first call.
    calls = {
        name: len(layer["inbound_nodes"]) + (layer.get("class_name") in _MODELS)
        if isinstance(layer.get("inbound_nodes"), list)
        else 0
        for name, layer in zip(inputs, (layer for layer in layers if isinstance(layer, dict)), strict=False)
    }
    for layer in layers:
        for name, call in _inputs(layer.get("inbound_nodes") if isinstance(layer, dict) else None):
            # Keras would wait for it for ever.
            if type(call) is not int or not 0 <= call < max(1, calls.get(name, 1)):
                raise UserError(
                    f"{path}: output {shown(call)} of layer {shown(name)} is an input; want one that there is"
                )
    try:
        tuple(TopologicalSorter(inputs).static_order())
    except CycleError as error:
        circle = " <- ".join(shown(name) for name in error.args[1][:4])
        raise UserError(f"{path}: its layers run in a circle ({circle}); want layers in an order") from error


def _inputs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every [layer, call, ...] in what may nest deeply."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            if len(found) > 2 and isinstance(found[0], str):
                yield found[0], found[1]
            waiting += found
        elif isinstance(found, dict):
            waiting += found.values()


def _texts(value: Any) -> Iterator[str]:
    """Every string in what may nest deeply."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            waiting += found.values()


def _check_class(path: Path, layer: str, table: dict[str, Any]) -> None:
    # As text: what a file has there may be a list, which no set takes.
    name, module = (None if table.get(key) is None else str(table[key]) for key in ("class_name", "module"))
    ours = (module is None or module in _TFMOT_MODULES) and name in _TFMOT_CLASSES
    keras = (module is None or module in _KERAS) and name in _LAYERS | _PARTS
    if not (ours or keras or table in _OWN_ACTIVATIONS):
        where = f"{module}.{name}" if module else f"{name}"
        raise UserError(
            f"{path}: layer {shown(layer)}: {shown(where)} is not among the layers that are read; want plain "
            "layers of Keras 2 (convolutions, pools, batch norm, activations), nothing that runs code"
        )


def _tables(config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table in `config`, and the name of its layer. No recursion: a file may nest deeply."""
    waiting: list[tuple[str, Any]] = [("the model", config)]
    while waiting:
        layer, value = waiting.pop()
        if isinstance(value, dict):
            own = value.get("name")
            layer = own if isinstance(own, str) else layer
            yield layer, value
            waiting += [(layer, part) for part in value.values()]
        elif isinstance(value, list):
            waiting += [(layer, part) for part in value]
