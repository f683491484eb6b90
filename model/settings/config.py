"""Settings of a model: one TOML file, read into frozen dataclasses. Imports neither TensorFlow nor numpy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from squeezenet_mcu.common import sizes
from squeezenet_mcu.common.command_line.models import did_you_mean_model
from squeezenet_mcu.common.data.fits import AS_THE_PICTURES_ARE, FITS
from squeezenet_mcu.common.data.text import names_no_class
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.toml_table import Table, read_toml, within
from squeezenet_mcu.common.kernel_families import FAMILIES as KERNELS
from squeezenet_mcu.common.paths import CONFIGS
from squeezenet_mcu.model.settings import budget, compression, naming
from squeezenet_mcu.model.settings.architecture import Architecture, Conv1, Fire, Input, kernels
from squeezenet_mcu.model.settings.budget import Budget
from squeezenet_mcu.model.settings.compression import Cluster, Distill, Prune, Quantize

FAMILIES = ("v1.0", "v1.1", "small")
BYPASSES = ("none", "simple", "complex")
PADS = ("zero", "edge")
PREPROCESSES = ("byte", "caffe", "tf", "torch", "unit")
CLASSES_OF_DATA = "data"
NO_INIT = "none"


@dataclass(frozen=True)
class Data:
    """Where the images come from ("" = must be given with --data) and the names of the classes, in order.

    `labels` is empty where the TOML has none: then the data name the classes.
    `reserve`: the share of the training images that no training and no choice ever sees: they are scored
    once, at the end. Taken in whole runs of [train] `validation_block`, like the validation images, and
    before them. `fit`: how images come to the input's size, see common/data/fits.py; fits.AS_THE_PICTURES_ARE
    until the images are seen, where the TOML does not say.
    """

    source: str
    labels: tuple[str, ...]
    reserve: float
    fit: str = AS_THE_PICTURES_ARE


@dataclass(frozen=True)
class Train:
    """Training from scratch: SGD with Nesterov momentum, cosine decay after a linear warm-up.

    `validation` is the share of the training images held out, in whole runs of `validation_block` images of
    a class (frames of one filmed object must not land on both sides). Augmentation: shift by up to
    `shift` pixels (edges filled as `pad` says), rotate by up to `rotate` degrees, zoom by up to the share
    `zoom`, slant by up to `shear` columns a row, `brightness` and `contrast` by up to these shares, mirror
    (`flip`), one gray square of `cutout` pixels. `balance`: each image weighs (images a class / images of
    its class) ** balance in the loss: 0 leaves rare classes rare, 1 gives every class the same weight.
    `init`: the model or file whose weights the float network starts from; "" and NO_INIT: random ones.
    """

    epochs: int
    batch: int
    learning_rate: float
    momentum: float
    warmup_epochs: int
    weight_decay: float
    label_smoothing: float
    seed: int
    validation: float
    validation_block: int
    shift: int
    pad: str
    rotate: float
    zoom: float
    shear: float
    brightness: float
    contrast: float
    flip: bool
    cutout: int
    balance: float
    init: str = ""


@dataclass(frozen=True)
class Weights:
    """Of networks whose weights are imported, not trained here: what they want.

    `preprocess`: how they want pixels, a name of common/preprocess.py ("byte": 0 to 255 as they are); it is
    folded into conv1. `fit`: how an image comes to the input's size, see common/data/fits.py.
    `conv10_padding`: 1 for the authors' v1.0, whose conv10 has a border of zeros; the paper, v1.1 and
    torchvision have none.
    """

    preprocess: str
    fit: str
    conv10_padding: int


@dataclass(frozen=True)
class Convert:
    """Conversion. `flash_bytes`: at most so much for the engine's model, unless the user says otherwise, by

    family of kernels (convert.target.FAMILIES); no limit for those that are not in it. Of imported
    weights: bits of the weights, `layers` by name, else `weight_bits`; `calibration`: at most so many
    images, spread evenly over those given.
    """

    weight_bits: int
    layers: dict[str, int]
    calibration: int
    flash_bytes: dict[str, int]

    def bits_of(self, layer: str) -> int:
        """How many bits the weights of the Keras layer `layer` may take, 4 to 8."""
        return self.layers.get(layer, self.weight_bits)


@dataclass(frozen=True)
class Config:
    """All settings of one model. `path` is the file they come from."""

    name: str
    path: Path
    input: Input
    architecture: Architecture
    data: Data
    train: Train
    distill: Distill | None
    prune: Prune
    cluster: Cluster
    quantize: Quantize
    weights: Weights | None
    convert: Convert
    budget: Budget

    @property
    def kernels(self) -> dict[str, tuple[int, int, int, int]]:
        """The shape [height, width, in, out] of every convolution's kernel, by layer, in their order."""
        return kernels(self.architecture, self.input.channels)

    def with_labels(self, labels: Sequence[str]) -> "Config":
        """The same settings with these classes: those of the data."""
        return replace(
            self,
            architecture=replace(self.architecture, classes=len(labels)),
            data=replace(self.data, labels=tuple(labels)),
        )

    def with_fit(self, fit: str) -> "Config":
        """The same settings with this fit of the images."""
        return replace(self, data=replace(self.data, fit=fit))


_MOST_STAGES = 60  # v1.0 has 11; the engine takes 128 layers, of which a fire module is three


def _read_stages(table: Table) -> tuple[Fire | Literal["pool"], ...]:
    want = (
        'a list of "pool" and [squeeze, expand1x1, expand3x3], each 1 to 1024, at least one of the latter, '
        f"at most {_MOST_STAGES} in all"
    )

    def is_fire(stage: Any) -> bool:
        return isinstance(stage, list) and len(stage) == 3 and all(within(v, 1, 1024) for v in stage)

    def fits(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) <= _MOST_STAGES
            and all(stage == "pool" or is_fire(stage) for stage in value)
            and any(is_fire(stage) for stage in value)
        )

    stages = table.read("stages", None, want, fits)
    return tuple("pool" if stage == "pool" else Fire(*stage) for stage in stages)


def _read_classes(table: Table, imported: bool) -> int:
    """How many; 0 = as many as the data have."""
    want = "a whole number from 2 to 10000"
    if not imported:  # imported weights have a certain number
        want += f', or "{CLASSES_OF_DATA}": those that the images have'
    classes = table.read(
        "classes",
        None,
        want,
        lambda v: within(v, 2, 10_000) or (v == CLASSES_OF_DATA and not imported),
    )
    return 0 if classes == CLASSES_OF_DATA else classes


def read_architecture(table: Table, imported: bool) -> Architecture:
    """The table [architecture]; `imported`: of a model with a table [weights]. Raises UserError."""
    family = table.choice("family", FAMILIES)
    classes = _read_classes(table, imported)
    bypass = table.choice("bypass", BYPASSES, "none")
    if family != "small":
        table.close()  # v1.0 and v1.1 are the published networks: nothing else to choose
        return Architecture(family, classes, bypass, None, (), batch_norm=False, relu_logits=True)
    first = table.table("conv1", required=True)
    conv1 = Conv1(
        first.integer("filters", 1, 1024), first.integer("kernel", 1, 7), first.integer("stride", 1, 2)
    )
    first.close()
    stages = _read_stages(table)
    batch_norm, relu_logits = table.flag("batch_norm", True), table.flag("relu_logits", True)
    table.close()
    return Architecture(family, classes, bypass, conv1, stages, batch_norm, relu_logits)


def _read_input(table: Table, family: str) -> Input:
    # Below these sizes the VALID convolution and pools of v1.0 (7x7/2, three pools) and v1.1 leave nothing.
    low, high = {"small": (16, 227), "v1.0": (35, 1024), "v1.1": (31, 1024)}[family]
    size = Input(
        table.integer("height", low, high), table.integer("width", low, high), table.integer("channels", 1, 3)
    )
    if size.channels == 2:
        raise table.fail("channels", "1 (gray) or 3 (RGB)")
    if family != "small" and size.height != size.width:
        raise table.fail("width", f"{size.height}, the height: the published networks take square images")
    table.close()
    return size


def _read_data(table: Table, classes: int, imported: bool) -> Data:
    source = table.text("source", "")
    want = f"a list of {classes} different names, one a class (or none)"
    if not classes:
        want = f'no names beside [architecture] classes = "{CLASSES_OF_DATA}": the data have them'

    def fits(value: Any) -> bool:
        return (
            isinstance(value, list)
            and all(isinstance(label, str) and label and not names_no_class(label) for label in value)
            and len(value) in (0, classes)
            and len(set(value)) == len(value)
        )

    labels = table.read("labels", [], want, fits)
    reserve = table.number("reserve", 0, 0.5, 0.0)
    fit = table.choice("fit", FITS, AS_THE_PICTURES_ARE)
    if fit and imported:
        raise table.fail("fit", "it in [weights]: these weights were trained with one")
    table.close()
    return Data(source, tuple(labels), reserve, fit)


def read_train(table: Table, size: Input) -> Train:
    """The table [train], for images of `size`. Raises UserError."""
    side = min(size.height, size.width)
    train = Train(
        epochs=table.integer("epochs", 1, 10_000, 30),
        batch=table.integer("batch", 1, 4096, 128),
        learning_rate=table.number("learning_rate", 1e-6, 10, 0.1),
        momentum=table.number("momentum", 0, 0.999, 0.9),
        warmup_epochs=table.integer("warmup_epochs", 0, 100, 1),
        weight_decay=table.number("weight_decay", 0, 0.1, 2e-4),
        label_smoothing=table.number("label_smoothing", 0, 0.5, 0.0),
        seed=table.integer("seed", 0, 2**31 - 1, 1),
        validation=table.number("validation", 0, 0.5, 0.1),
        validation_block=table.integer("validation_block", 1, 10_000, 1),
        shift=table.integer("shift", 0, side // 2, 0),
        pad=table.choice("pad", PADS, "zero"),
        rotate=table.number("rotate", 0, 180, 0.0),
        zoom=table.number("zoom", 0, 0.5, 0.0),
        shear=table.number("shear", 0, 1, 0.0),
        brightness=table.number("brightness", 0, 1, 0.0),
        contrast=table.number("contrast", 0, 1, 0.0),
        flip=table.flag("flip", False),
        cutout=table.integer("cutout", 0, side, 0),
        balance=table.number("balance", 0, 1, 0.0),
        init=table.text("init", ""),
    )
    table.close()
    return train


def _read_weights(root: Table, size: Input, family: str) -> Weights | None:
    if "weights" not in root.values:
        root.table("weights")  # a known key
        return None
    if family == "small":
        raise root.fail("weights", "no such table for the small family: its networks are trained here")
    table = root.table("weights")
    weights = Weights(
        table.choice("preprocess", PREPROCESSES),
        table.choice("fit", FITS, "resize"),
        table.integer("conv10_padding", 0, 1, 0),
    )
    if weights.preprocess in ("caffe", "torch") and size.channels != 3:
        raise table.fail("preprocess", f'"byte", "unit" or "tf" for images of {size.channels} channel')
    table.close()
    return weights


def _read_convert(root: Table, layers: list[str], imported: bool) -> Convert:
    table = root.table("convert")
    for key in () if imported else ("weight_bits", "calibration"):
        if key in table.values:
            raise table.fail(
                key, "it beside a table [weights] only: networks trained here are quantized by training"
            )
    low, high = 4, 8
    want = f"a whole number from {low} to {high}, or a table of them by layer, with a default"
    bits = table.read("weight_bits", high, want, lambda v: isinstance(v, dict) or within(v, low, high))
    by_layer: dict[str, int] = {}
    if isinstance(bits, dict):
        per_layer = table.table("weight_bits")
        default = per_layer.integer("default", low, high, high)
        by_layer = {name: per_layer.integer(name, low, high) for name in layers if name in bits}
        for name in bits:
            if name not in (*layers, "default"):
                raise per_layer.fail(name, f"default or a layer of the network: {', '.join(layers)}")
    else:
        default = bits
    calibration = table.integer("calibration", 1, 100_000, 100)
    flash_bytes = _read_flash(table)
    table.close()
    return Convert(default, by_layer, calibration, flash_bytes)


def _read_flash(table: Table) -> dict[str, int]:
    want = f"{sizes.WANT}, or a table of them by kernels: {', '.join(KERNELS)}"
    limit = table.read("flash_bytes", 0, want, lambda v: isinstance(v, dict) or sizes.is_one(v))
    limits = dict.fromkeys(KERNELS, limit)
    if isinstance(limit, dict):
        own = table.table("flash_bytes")
        limits = {family: own.read(family, 0, sizes.WANT, sizes.is_one) for family in KERNELS}
        own.close()
    return {family: sizes.parse(str(bytes_)) for family, bytes_ in limits.items() if bytes_}


def name_of(model: str) -> str:
    """The name of `model`: a name already, the path of a TOML, or of a network's file that was converted.

    Raises UserError for a bad TOML, and for another path: what is of a model lies in build/<name>/.
    """
    if model.endswith((".keras", ".h5", ".hdf5")):
        return Path(model).stem
    return load(model).name if model.endswith(".toml") else naming.folder_of(model)


def names() -> list[str]:
    """Names of the models that come with the project, sorted."""
    return sorted(path.stem for path in CONFIGS.glob("*.toml"))


def whose(name: str) -> str:
    """What has the name already, and with it the folder build/<name>/; "" where nothing has."""
    if name in names():
        return "a model that comes with the project"
    return f"a result of train, by {naming.toml_of(name)}" if naming.has_toml(name) else ""


def load(name_or_path: str | Path) -> Config:
    """Reads a model's settings: by the name of a shipped model or of a result, or by the path of a TOML file.

    Raises UserError (file, key, value seen, value wanted) for an unknown name, a file that is not TOML, an
    unknown key, a value of a wrong type, or one that is impossible.
    """
    text = str(name_or_path)
    is_path = text.endswith(".toml") or "/" in text
    path = Path(text) if is_path else CONFIGS / f"{text}.toml"
    if not is_path and not path.is_file() and naming.has_toml(text):
        path = naming.toml_of(text)
    if not path.is_file():
        if is_path:
            hint = did_you_mean_model(text)
            raise UserError(
                f"{path}: no such file{hint or ';'} want a model's TOML, or a name: {', '.join(names())}"
            )
        hint = did_you_mean_model(text)
        raise UserError(
            f'model "{text}" is unknown{hint or ";"} want one of {", ".join(names())}, or the path of a TOML'
        )
    root = Table(path, "", read_toml(path))
    name = root.read("name", None, naming.NAMES, lambda v: isinstance(v, str) and naming.is_name(v))
    if name != path.stem:
        raise root.fail("name", f'"{path.stem}", as the file is called')
    architecture = read_architecture(root.table("architecture", required=True), "weights" in root.values)
    size = _read_input(root.table("input", required=True), architecture.family)
    weights = _read_weights(root, size, architecture.family)
    layers = list(kernels(architecture, size.channels))
    compression.check_layers(root, layers)
    train = read_train(root.table("train"), size)
    config = Config(
        name=name,
        path=path,
        input=size,
        architecture=architecture,
        data=_read_data(root.table("data"), architecture.classes, weights is not None),
        train=train,
        distill=compression.read_distill(root, train.flip),
        prune=compression.read_prune(root.table("prune"), architecture.family),
        cluster=compression.read_cluster(root.table("cluster")),
        quantize=compression.read_quantize(root.table("quantize")),
        weights=weights,
        convert=_read_convert(root, layers, weights is not None),
        budget=budget.read(root.table("budget")),
    )
    root.close()
    return config
