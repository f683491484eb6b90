"""The stages that a TOML asks for: their order, what each makes, by what settings. Imports no TensorFlow."""

import dataclasses
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.settings.compression import Distill
from squeezenet_mcu.model.settings.config import Config

OUTPUTS = {
    "train": "float.keras",
    "prune": "pruned.keras",
    "cluster": "clustered.keras",
    "quantize": "quantized.keras",
    # The baseline, to show what pruning and clustering cost: quantized alike, from the float network.
    "dense": "dense.keras",
}


def chain(settings: Config) -> list[str]:
    """The stages that the model's TOML asks for, in their order: train first, quantize last."""
    pruned = settings.prune.sparsity > 0 or settings.prune.channels > 0 or any(settings.prune.layers.values())
    stages = {"train": True, "prune": pruned, "cluster": settings.cluster.clusters > 0, "quantize": True}
    return [name for name, wanted in stages.items() if wanted]


def without_compression(settings: Config) -> Config:
    """The same settings without pruning and clustering: the float network is quantized as it is."""
    prune = dataclasses.replace(
        settings.prune, sparsity=0.0, layers={}, channels=0.0, pattern="free", spread="even"
    )
    return dataclasses.replace(
        settings, prune=prune, cluster=dataclasses.replace(settings.cluster, clusters=0, layers={})
    )


def stage_before(settings: Config, name: str) -> str | None:
    """The stage whose output stage `name` starts from; None for train."""
    if name == "dense":
        return "train"
    stages = chain(settings)
    if name not in stages:
        keys = {"prune": "[prune] sparsity, channels", "cluster": "[cluster] clusters"}[name]
        raise UserError(f"{settings.path}: {keys} 0: there is nothing to {name}; want more than 0")
    number = stages.index(name)
    return stages[number - 1] if number else None


def table_of(settings: Config, name: str) -> Any:
    """The TOML's table of stage `name`: the baseline is quantized like the other."""
    return settings.quantize if name == "dense" else getattr(settings, name)


def is_taught(settings: Config, stage: str) -> bool:
    """Whether `stage` has a teacher: not without [distill], nor while the teacher "float" is made itself."""
    return settings.distill is not None and (settings.distill.teacher, stage) != ("float", "train")


def described(settings: Config, name: str) -> dict[str, Any]:
    """What of the TOML decides what stage `name` makes."""
    training = dataclasses.asdict(settings.train)
    del training["init"]  # --init may say another: the weights themselves are what counts, by their SHA-256
    return {
        "input": dataclasses.asdict(settings.input),
        "architecture": dataclasses.asdict(settings.architecture),
        "train": {**training, "epochs": 0},
        "distill": _given(settings.distill) if settings.distill and is_taught(settings, name) else None,
        "own": dataclasses.asdict(table_of(settings, name)),
        "reserve": settings.data.reserve,
    }


def _given(distill: Distill) -> dict[str, Any]:
    # A switch that is off is left out: what was made before there was it stays up to date.
    return {key: value for key, value in dataclasses.asdict(distill).items() if value is not False}
