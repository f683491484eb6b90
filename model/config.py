"""Settings of a model: one TOML file, read into frozen dataclasses. Imports neither TensorFlow nor numpy."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from model.errors import UserError

CONFIGS = Path(__file__).resolve().parent / "configs"
FAMILIES = ("v1.0", "v1.1", "small")
BYPASSES = ("none", "simple", "complex")
PADS = ("zero", "edge")


@dataclass(frozen=True)
class Input:
    """Size of the image the network takes, in pixels; channels is 1 (gray) or 3 (RGB)."""

    height: int
    width: int
    channels: int


@dataclass(frozen=True)
class Fire:
    """Output channels of a fire module's three convolutions."""

    squeeze: int
    expand1x1: int
    expand3x3: int


@dataclass(frozen=True)
class Conv1:
    """The first convolution of the small family."""

    filters: int
    kernel: int
    stride: int


@dataclass(frozen=True)
class Architecture:
    """What the network is. `conv1`, `stages`, `batch_norm`, `relu_logits` belong to the small family only.

    `relu_logits`: a ReLU behind conv10, as the paper has it. Without one, LiteRT's optimized kernels round
    some of conv10's negative values otherwise than its reference kernels, TFLite Micro and the engine do.
    """

    family: str
    classes: int
    bypass: str
    conv1: Conv1 | None
    stages: tuple[Fire | Literal["pool"], ...]
    batch_norm: bool
    relu_logits: bool


@dataclass(frozen=True)
class Data:
    """Where the images come from ("" = must be given with --data) and the names of the classes, in order."""

    source: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Train:
    """Training from scratch: SGD with Nesterov momentum, cosine decay after a linear warm-up.

    `validation` is the share of the training images held out, in whole runs of `validation_block` images of
    a class (frames of one filmed object must not land on both sides). Augmentation: shift by up to
    `shift` pixels (edges filled as `pad` says), rotate by up to `rotate` degrees, zoom by up to the share
    `zoom`, `brightness` and `contrast` by up to these shares, mirror (`flip`), one gray square of `cutout`
    pixels.
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
    brightness: float
    contrast: float
    flip: bool
    cutout: int


@dataclass(frozen=True)
class Prune:
    """Magnitude pruning: every convolution's share of zeros, `sparsity` but for those named in `layers`."""

    epochs: int
    learning_rate: float
    sparsity: float
    layers: dict[str, float]


@dataclass(frozen=True)
class Quantize:
    """Quantization-aware training of the pruned network."""

    epochs: int
    learning_rate: float


@dataclass(frozen=True)
class Config:
    """All settings of one model. `path` is the file they come from."""

    name: str
    path: Path
    input: Input
    architecture: Architecture
    data: Data
    train: Train
    prune: Prune
    quantize: Quantize


class _Table:
    """A TOML table being read: every key is asked for once, by type and range; `close` rejects the others."""

    def __init__(self, path: Path, section: str, values: dict[str, Any]) -> None:
        self.path, self.section, self.values = path, section, values
        self.known: list[str] = []

    def fail(self, key: str, want: str) -> UserError:
        where = f"[{self.section}] " if self.section else ""
        seen = f"= {_shown(self.values[key])}" if key in self.values else "is missing"
        return UserError(f"{self.path}: {where}{key} {seen}; want {want}")

    def read(self, key: str, default: Any, want: str, fits: Callable[[Any], bool]) -> Any:
        """The value of `key`, or `default` where it is not None; UserError unless `fits` accepts it."""
        self.known.append(key)
        if key not in self.values and default is not None:
            return default
        if key not in self.values or not fits(self.values[key]):
            raise self.fail(key, want)
        return self.values[key]

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        return self.read(
            key, default, f"a whole number from {low} to {high}", lambda v: _within(v, low, high)
        )

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        def fits(value: Any) -> bool:
            return type(value) in (int, float) and low <= value <= high

        return float(self.read(key, default, f"a number from {low:g} to {high:g}", fits))

    def flag(self, key: str, default: bool) -> bool:
        return self.read(key, default, "true or false", lambda v: isinstance(v, bool))

    def choice(self, key: str, options: tuple[str, ...], default: str | None = None) -> str:
        want = "one of " + ", ".join(f'"{option}"' for option in options)
        return self.read(key, default, want, lambda v: isinstance(v, str) and v in options)

    def text(self, key: str, default: str | None = None) -> str:
        return self.read(key, default, "a string", lambda v: isinstance(v, str))

    def table(self, key: str, required: bool = False) -> "_Table":
        section = f"{self.section}.{key}" if self.section else key
        values = self.read(
            key, None if required else {}, f"a table [{section}]", lambda v: isinstance(v, dict)
        )
        return _Table(self.path, section, values)

    def close(self) -> None:
        for key in self.values:
            if key not in self.known:
                raise self.fail(key, "no such key; known here: " + ", ".join(self.known))


def _within(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high  # bool is an int in Python, not here


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."


def _read_stages(table: _Table) -> tuple[Fire | Literal["pool"], ...]:
    want = 'a list of "pool" and [squeeze, expand1x1, expand3x3], each 1 to 1024, at least one of the latter'

    def is_fire(stage: Any) -> bool:
        return isinstance(stage, list) and len(stage) == 3 and all(_within(v, 1, 1024) for v in stage)

    def fits(value: Any) -> bool:
        return (
            isinstance(value, list)
            and all(stage == "pool" or is_fire(stage) for stage in value)
            and any(is_fire(stage) for stage in value)
        )

    stages = table.read("stages", None, want, fits)
    return tuple("pool" if stage == "pool" else Fire(*stage) for stage in stages)


def _read_architecture(table: _Table) -> Architecture:
    family = table.choice("family", FAMILIES)
    classes = table.integer("classes", 2, 10_000)
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


def _read_input(table: _Table, family: str) -> Input:
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


def _read_data(table: _Table, classes: int) -> Data:
    source = table.text("source", "")
    want = f"a list of {classes} different names, one a class (or none)"

    def fits(value: Any) -> bool:
        return (
            isinstance(value, list)
            and all(isinstance(label, str) and label for label in value)
            and len(value) in (0, classes)
            and len(set(value)) == len(value)
        )

    labels = table.read("labels", [], want, fits)
    table.close()
    return Data(source, tuple(labels))


def _read_train(table: _Table, size: Input) -> Train:
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
        brightness=table.number("brightness", 0, 1, 0.0),
        contrast=table.number("contrast", 0, 1, 0.0),
        flip=table.flag("flip", False),
        cutout=table.integer("cutout", 0, side, 0),
    )
    table.close()
    return train


def _read_prune(table: _Table) -> Prune:
    epochs = table.integer("epochs", 1, 10_000, 10)
    learning_rate = table.number("learning_rate", 1e-6, 10, 0.05)
    sparsity = table.number("sparsity", 0, 0.99, 0.6)
    per_layer = table.table("layers")
    layers = {name: per_layer.number(name, 0, 0.99) for name in per_layer.values}
    table.close()
    return Prune(epochs, learning_rate, sparsity, layers)


def _read_quantize(table: _Table) -> Quantize:
    settings = Quantize(table.integer("epochs", 1, 10_000, 3), table.number("learning_rate", 1e-6, 10, 0.005))
    table.close()
    return settings


def name_of(model: str) -> str:
    """The name of `model`, which is a name already or the path of a TOML. Raises UserError for a bad TOML."""
    return load(model).name if model.endswith(".toml") else model


def names() -> list[str]:
    """Names of the models that come with the project, sorted."""
    return sorted(path.stem for path in CONFIGS.glob("*.toml"))


def load(name_or_path: str | Path) -> Config:
    """Reads a model's settings: by the name of a shipped model, or by the path of a TOML file.

    Raises UserError (file, key, value seen, value wanted) for an unknown name, a file that is not TOML, an
    unknown key, a value of a wrong type, or one that is impossible.
    """
    text = str(name_or_path)
    is_path = text.endswith(".toml") or "/" in text
    path = Path(text) if is_path else CONFIGS / f"{text}.toml"
    if not path.is_file():
        if is_path:
            raise UserError(f"{path}: no such file; want a model's TOML, or a name: {', '.join(names())}")
        raise UserError(f'model "{text}" is unknown; want one of {", ".join(names())}, or the path of a TOML')
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a TOML file: {error}") from error
    root = _Table(path, "", values)
    # The name becomes a folder and part of file names and C identifiers.
    name = root.read(
        "name",
        None,
        "lower-case letters, digits and underscores, starting with a letter",
        lambda v: isinstance(v, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,62}", v) is not None,
    )
    if name != path.stem:
        raise root.fail("name", f'"{path.stem}", as the file is called')
    architecture = _read_architecture(root.table("architecture", required=True))
    size = _read_input(root.table("input", required=True), architecture.family)
    config = Config(
        name=name,
        path=path,
        input=size,
        architecture=architecture,
        data=_read_data(root.table("data"), architecture.classes),
        train=_read_train(root.table("train"), size),
        prune=_read_prune(root.table("prune")),
        quantize=_read_quantize(root.table("quantize")),
    )
    root.close()
    return config
