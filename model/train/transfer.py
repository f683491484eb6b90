"""Transfer: a network that starts from the weights of another, layer by layer. Imports TensorFlow late."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import trained_files
from squeezenet_mcu.model.importers import official
from squeezenet_mcu.model.importers.imported_model import OUTPUT as IMPORTED
from squeezenet_mcu.model.importers.imported_model import pixel_scale
from squeezenet_mcu.model.network import foreign_files
from squeezenet_mcu.model.network.batch_norm import Array, Norm, norm_of
from squeezenet_mcu.model.network.keras_graphs import HDF5
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.settings.config import NO_INIT, Config

_LAST = "conv10"  # has the shape of the classes


@dataclass(frozen=True)
class LayerWeights:
    """A convolution's kernel [height, width, in, out], bias [out] (None: batch norm has it), batch norm."""

    kernel: Array
    bias: Array | None
    norm: Norm | None


def initial(settings: Config, asked: str | None, build: Path) -> Path | None:
    """The file whose weights the float network of `settings` starts from; None: random weights.

    `asked`: what --init says, which goes before the TOML's [train] init. Raises UserError: there is no such
    file, or it is of a model none of whose layers has the shape of one of `settings`.
    """
    name = asked or settings.train.init
    if name in ("", NO_INIT):
        return None
    said = f"--init {name}" if asked else f'{settings.path}: [train] init = "{name}"'
    return initial_file(name, build, said, settings)


def initial_file(name: str, build: Path, said: str, settings: Config | None = None) -> Path:
    """The .keras or .h5 file `name`, or that of a model trained, imported or shipped.

    `name`: a file, a model's name or its TOML; `said`: where it stands, for the errors. See `initial`.
    """
    foreign_files.refuse(name, "--init", "want a .keras or .h5 file, or the name of a model")
    theirs = None
    if name.lower().endswith((".keras", *HDF5)):
        candidates = [Path(name)]
    else:
        theirs = config.load(name)
        own, shipped = trained_files(theirs.name, build)
        candidates = [own, build / theirs.name / IMPORTED, shipped]
    if theirs is not None and theirs.weights is not None and settings is not None:
        _check_shapes(said, settings, theirs)
    for path in candidates:
        if path.is_file():
            return path
    if theirs is not None and theirs.name in official.FILES:
        raise UserError(
            f"{said}: {build / theirs.name / IMPORTED}: no such file; {official.fix(theirs.name)}"
        )
    raise UserError(
        f"{said}: {', '.join(map(str, candidates))}: no such file; want a .keras or .h5 file, or the "
        "name of a model that has been trained, imported or shipped"
    )


def _check_shapes(said: str, settings: Config, theirs: Config) -> None:
    """UserError, before images are read, where not one layer of `settings` can start from `theirs`."""
    own, found = settings.kernels, theirs.kernels
    if all(own.get(name) != shape for name, shape in found.items() if name != _LAST):
        raise UserError(f"{said}: no layer fits {settings.name}; {_fits(found)}")


def _fits(found: Mapping[str, tuple[int, ...]]) -> str:
    """Which shipped models take all these kernels but the last: a clause for errors and notices."""
    wanted = {name: shape for name, shape in found.items() if name != _LAST}
    models = [config.load(name) for name in config.names()]
    fitting = [
        model.name
        for model in models
        if not model.architecture.classes  # which takes anybody's images
        and {name: shape for name, shape in model.kernels.items() if name != _LAST} == wanted
    ]
    if not fitting:
        return "want a network with layers of the same shapes"
    return f"these weights fit --model {', --model '.join(fitting)}"


def layers_of(model: Any) -> dict[str, LayerWeights]:
    """Every convolution of a Keras model, quantization-aware or not, by its name."""
    from squeezenet_mcu.common.tf import keras

    # The quantization's wrappers hold the layers that were trained; a kernel is in the wrapper's own list.
    inner = {getattr(layer, "layer", layer).name: layer for layer in model.layers}
    found = {}
    for name, outer in inner.items():
        layer = getattr(outer, "layer", outer)
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        kernel = next(w for w in outer.trainable_weights if len(w.shape) == 4)
        bias = None if layer.bias is None else layer.bias.numpy()
        behind = inner.get(f"{name}_bn")
        norm = None if behind is None else norm_of(getattr(behind, "layer", behind))
        found[name] = LayerWeights(kernel.numpy(), bias, norm)
    return found


def folded(layer: LayerWeights) -> tuple[Array, Array]:
    """Kernel and bias of `layer` that do what it and its batch norm do."""
    kernel, bias = layer.kernel, np.zeros(layer.kernel.shape[-1], np.float32)
    if layer.bias is not None:
        bias = layer.bias
    if layer.norm is None:
        return kernel, bias
    factor, offset = layer.norm.affine()
    return kernel * factor, bias * factor + offset


def take(model: Any, source: Path) -> dict[str, Any]:
    """Copies into `model` every layer of the Keras model in `source` with the same name and kernel shape.

    A conv10 of other classes starts from zeros. `model` takes pixels in [0, 1]; so do the models trained
    here, imported ones 0 to 255: their conv1 is scaled. A source's batch norm comes along, or goes into
    kernel and bias where `model` has none; where only `model` has one, that starts afresh and learns its
    factors within an epoch.

    Prints what was taken and what not. Returns it for the record: file, sha256, layers, weights, and of those
    left why. Raises UserError where no layer fits.
    """
    from squeezenet_mcu.model.network import keras_files

    found, wanted = layers_of(keras_files.load(source)), layers_of(model)
    scale = np.float32(pixel_scale(source))
    left: dict[str, str] = {}
    weights = 0
    for name, target in wanted.items():
        layer = found.get(name)
        if layer is None:
            left[name] = "not there"
        elif layer.kernel.shape != target.kernel.shape:
            left[name] = f"{_shape(layer.kernel)} there, {_shape(target.kernel)} here"
        else:
            _assign(model, name, layer, scale if name == "conv1" else np.float32(1))
            weights += layer.kernel.size
    taken = [name for name in wanted if name not in left]
    total = sum(layer.kernel.size for layer in wanted.values())
    reasons = ", ".join(f"{name} ({why})" for name, why in left.items())
    fits = "" if set(left) <= {_LAST} else f"; {_fits({n: k.kernel.shape for n, k in found.items()})}"
    if not taken:
        raise UserError(f"{source}: no layer fits: {reasons}{fits}")
    if _LAST in left:
        # Random ones would answer far too loud what the layers before it deliver, and the first steps would
        # spoil these: one folder of photographs in four stayed at 50 %.
        last = model.get_layer(_LAST)
        last.kernel.assign(np.zeros(last.kernel.shape, np.float32))
    share = f"{len(taken)} of {len(wanted)} layers, {weights:,} of {total:,} weights"
    terminal.echo(f"train: starting from {source}: {share}" + (f"; afresh: {reasons}{fits}" if left else ""))
    return {
        "file": str(source),
        "sha256": files.sha256(source.read_bytes()),
        "layers": taken,
        "weights": weights,
        "left": left,
    }


def _shape(kernel: Array) -> str:
    return "x".join(map(str, kernel.shape))


def _assign(model: Any, name: str, source: LayerWeights, scale: np.float32) -> None:
    layer = model.get_layer(name)
    if layer.bias is not None:  # no batch norm behind it
        kernel, bias = folded(source)
        layer.kernel.assign(kernel * scale)
        layer.bias.assign(bias)
        return
    layer.kernel.assign(source.kernel * scale)
    if source.norm is not None:
        norm = model.get_layer(f"{name}_bn")
        norm.gamma.assign(source.norm.gamma)
        norm.beta.assign(source.norm.beta)
        norm.moving_mean.assign(source.norm.mean)
        norm.moving_variance.assign(source.norm.variance)
