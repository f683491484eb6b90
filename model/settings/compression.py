"""Settings of what makes a network smaller: [distill], [prune], [cluster], [quantize]. No TensorFlow."""

import re
from dataclasses import dataclass
from typing import Any

from squeezenet_mcu.common.formats.toml_table import Table, within

SPREADS = ("even", "lamp", "sensitivity")


@dataclass(frozen=True)
class Distill:
    """Knowledge distillation (Hinton et al. 2015, arXiv:1503.02531).

    `teacher`: "float" (this model as `train` left it, for the stages after it), a model's name, or a .keras
    file. The loss is (1 - weight) * cross-entropy + weight * temperature ** 2 * the divergence of the
    softened answers. `mirror`: the teacher sees each image mirrored as well, and the mean of its two answers
    is what is learnt: a better teacher, for nothing but its time.
    """

    teacher: str
    weight: float
    temperature: float
    mirror: bool = False


@dataclass(frozen=True)
class Prune:
    """Pruning, gradual (Zhu and Gupta 2017, arXiv:1710.01878), or none where neither share is over 0.

    `channels`: the share of every fire's channels that goes first, and for good: the network gets smaller.
    `pattern`: "free", any weight may go, every convolution's share of zeros is `sparsity` but for those named
    in `layers` (`spread` = "lamp" or "sensitivity": `sparsity` is that of the whole, each layer's as
    model/compress/lamp.py or sensitivity.py says); or "m:n", m zeros in every n consecutive input channels,
    of all layers but those to which `layers` gives 0.
    """

    epochs: int
    learning_rate: float
    sparsity: float
    layers: dict[str, float]
    channels: float
    pattern: str
    spread: str

    @property
    def block(self) -> tuple[int, int] | None:
        """(m, n) of "m:n": m zeros in every n; None where the pattern is free."""
        if self.pattern == "free":
            return None
        zeros, _, size = self.pattern.partition(":")
        return int(zeros), int(size)


@dataclass(frozen=True)
class Cluster:
    """Weight clustering (Han et al. 2016, arXiv:1510.00149).

    `clusters`: at most so many different weights in a layer, zero one of them; 0 = no clustering. `layers`
    by name, where they want another number.
    """

    epochs: int
    learning_rate: float
    clusters: int
    layers: dict[str, int]


@dataclass(frozen=True)
class Quantize:
    """Quantization-aware training of the network that pruning and clustering left.

    0 epochs = post-training quantization: ranges as the float network shows them, no training.
    """

    epochs: int
    learning_rate: float


def read_distill(root: Table, flip: bool) -> Distill | None:
    """The table [distill]; None where there is none. `flip`: that of [train]. Raises UserError."""
    if "distill" not in root.values:
        root.table("distill")  # a known key
        return None
    table = root.table("distill")
    want = '"float", the name of a model, or a .keras file'
    distill = Distill(
        teacher=table.read("teacher", None, want, lambda v: isinstance(v, str) and v != ""),
        weight=table.number("weight", 0, 1, 0.7),
        temperature=table.number("temperature", 1, 100, 4.0),
        mirror=table.flag("mirror", False),
    )
    if distill.mirror and not flip:
        raise table.fail("mirror", "false where [train] flip is: a mirrored image may be of another class")
    table.close()
    return distill


def _is_pattern(value: Any) -> bool:
    match = re.fullmatch(r"(\d{1,2}):(\d{1,2})", value) if isinstance(value, str) else None
    return value == "free" or (match is not None and 1 <= int(match[1]) < int(match[2]) <= 16)


def read_prune(table: Table, family: str) -> Prune:
    """The table [prune], of a network of `family`. Raises UserError."""
    pattern = table.read("pattern", "free", '"free", or "m:n" with 1 <= m < n <= 16, like "2:4"', _is_pattern)
    if pattern != "free" and "sparsity" in table.values:
        raise table.fail("sparsity", f'no such key beside pattern = "{pattern}", which says how many zeros')
    zeros, _, size = pattern.partition(":")
    sparsity = table.number("sparsity", 0, 0.99, 0.6) if pattern == "free" else int(zeros) / int(size)
    spread = table.choice("spread", SPREADS, "even")
    per_layer = table.table("layers")
    layers = {name: per_layer.number(name, 0, 0.99) for name in per_layer.values}
    if pattern != "free" and (spread != "even" or any(layers.values())):
        raise table.fail("pattern", '"free" where spread is not "even", or layers gives a share other than 0')
    if family != "small" and table.values.get("channels"):
        raise table.fail("channels", "0: only networks of the small family can lose channels")
    prune = Prune(
        epochs=table.integer("epochs", 1, 10_000, 10),
        learning_rate=table.number("learning_rate", 1e-6, 10, 0.05),
        sparsity=sparsity,
        layers=layers,
        channels=table.number("channels", 0, 0.9, 0.0),
        pattern=pattern,
        spread=spread,
    )
    table.close()
    return prune


def read_cluster(table: Table) -> Cluster:
    """The table [cluster]. Raises UserError."""
    want = "0 (none), or a whole number from 8 to 256"
    clusters = table.read("clusters", 0, want, lambda v: within(v, 0, 0) or within(v, 8, 256))
    per_layer = table.table("layers")
    layers = {name: per_layer.integer(name, 8, 256) for name in per_layer.values}
    if layers and not clusters:
        raise table.fail("layers", "it beside clusters = 8 to 256 only")
    cluster = Cluster(
        table.integer("epochs", 1, 10_000, 5), table.number("learning_rate", 1e-6, 10, 0.01), clusters, layers
    )
    table.close()
    return cluster


def read_quantize(table: Table) -> Quantize:
    """The table [quantize]. Raises UserError."""
    settings = Quantize(table.integer("epochs", 0, 10_000, 3), table.number("learning_rate", 1e-6, 10, 0.005))
    table.close()
    return settings


def check_layers(root: Table, layers: list[str]) -> None:
    """UserError where [prune.layers] or [cluster.layers] names a layer that the network does not have."""
    for section in ("prune", "cluster"):
        table = root.values.get(section)
        named = table.get("layers") if isinstance(table, dict) else None
        if not isinstance(named, dict):
            continue
        for name in named:
            if name not in layers:
                raise Table(root.path, f"{section}.layers", named).fail(
                    name, f"a layer of the network: {', '.join(layers)}"
                )
