"""Prunes a trained network: the weights of least magnitude become zero, the others learn to do without."""

import math
import time
from typing import Any

from model import export, keras_files
from model import stage as stages
from model.errors import UserError
from model.stage import Stage
from model.tf import keras
from model.tfmot import tfmot


def targets(stage: Stage, model: Any) -> dict[str, float]:
    """The share of zeros wanted of every convolution of `model`. UserError for a layer it does not have."""
    settings = stage.config.prune
    convolutions = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    for name, value in settings.layers.items():
        if name not in convolutions:
            raise UserError(
                f"{stage.config.path}: [prune.layers] {name} = {value:g}; no such layer, want one of "
                + ", ".join(convolutions)
            )
    return {name: settings.layers.get(name, settings.sparsity) for name in convolutions}


def _wrapped(stage: Stage, model: Any, wanted: dict[str, float]) -> Any:
    """`model` with TFMOT's pruning round its convolutions, complete after 60 % of the steps."""
    steps_per_epoch = len(stage.train.y) // min(stage.config.train.batch, len(stage.train.y))
    total = steps_per_epoch * stage.epochs
    # TFMOT prunes at begin + k * frequency only: the end must be one of these, or the target is missed.
    rounds = min(20, max(1, int(total * 0.6)))
    frequency = max(1, int(total * 0.6) // rounds)

    def wrap(layer: Any) -> Any:
        sparsity = wanted.get(layer.name, 0.0)
        if not sparsity:
            return layer
        schedule = tfmot.sparsity.keras.PolynomialDecay(
            initial_sparsity=0.0,
            final_sparsity=sparsity,
            begin_step=0,
            end_step=rounds * frequency,
            frequency=frequency,
        )
        return tfmot.sparsity.keras.prune_low_magnitude(layer, schedule)

    return keras.models.clone_model(model, clone_function=wrap)


def prune(stage: Stage) -> None:
    """Writes build/<model>/pruned.keras and prune.json. Raises UserError."""
    started = time.monotonic()
    model = keras_files.load(stage.folder / stages.OUTPUTS["train"])
    wanted = targets(stage, model)
    wrapped = _wrapped(stage, model, wanted)
    callback = tfmot.sparsity.keras.UpdatePruningStep()
    history = stages.train(stage, wrapped, stage.config.prune.learning_rate, 0, callback=callback)
    pruned = tfmot.sparsity.keras.strip_pruning(wrapped)
    zeros = export.keras_zeros(pruned)
    for name, share in wanted.items():
        seen = zeros[name]
        if seen.zeros < math.floor(share * seen.weights):
            raise UserError(
                f"{stage.output}: {name} has {seen.zeros} zeros of {seen.weights}; want {share:g} of them: "
                f"more epochs than {stage.epochs}"
            )
    print(zeros_table(zeros))
    stages.finish(stage, pruned, history, started=started, figures={"zeros": zeros_record(zeros)})


def zeros_table(zeros: dict[str, export.Zeros]) -> str:
    """A line per layer, and one for all."""
    total = export.Zeros(sum(z.zeros for z in zeros.values()), sum(z.weights for z in zeros.values()))
    rows = [*zeros.items(), ("all", total)]
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        f"  {name:{width}} {z.zeros:8} of {z.weights:8} zero ({z.zeros / z.weights:.3f})" for name, z in rows
    )


def zeros_record(zeros: dict[str, export.Zeros]) -> dict[str, dict[str, int]]:
    """The same for a JSON file."""
    return {name: {"zeros": z.zeros, "weights": z.weights} for name, z in zeros.items()}
