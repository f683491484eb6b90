"""Prunes a trained network: what matters least becomes zero, or goes, and the rest learns to do without."""

import time
from typing import Any

import numpy as np

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.compress import channel_pruning, guarantees, lamp, sensitivity
from squeezenet_mcu.model.network import keras_files
from squeezenet_mcu.model.network.tfmot import tfmot
from squeezenet_mcu.model.train import runner
from squeezenet_mcu.model.train.loop import towers
from squeezenet_mcu.model.train.stage import TrainingStage


def targets(stage: TrainingStage, model: Any) -> dict[str, float]:
    """The share of zeros wanted of every convolution of `model`.

    Writes sensitivity.json, where that is measured. Raises UserError where the whole's share cannot be had.
    """
    settings = stage.config.prune
    kernels = guarantees.kernels(model)
    if settings.spread == "even":
        return {name: settings.layers.get(name, settings.sparsity) for name in kernels}
    total = sum(kernel.size for kernel in kernels.values())
    given = sum(share * kernels[name].size for name, share in settings.layers.items()) / total
    if given >= settings.sparsity + 1 / total:
        raise UserError(
            f"{stage.config.path}: [prune.layers]: its layers alone make {given:.4f} of all weights zero; "
            f"want at most sparsity = {settings.sparsity:g}, that of all layers together"
        )
    curves: dict[str, sensitivity.Curve] = {}
    if settings.spread == "lamp":
        shares, most = lamp.allocate(kernels, settings.sparsity, settings.layers), "all weights but one"
    else:
        curves = sensitivity.measure(model, stage.validation or stage.train)
        shares = sensitivity.allocate(curves, settings.sparsity, settings.layers)
        most = f"{sensitivity.LEVELS[-1]:g}"
    reached = sum(shares[name] * kernel.size for name, kernel in kernels.items()) / total
    if not reached > settings.sparsity - 1 / total:
        fixed, fewer = (
            (" but those in [prune.layers]", ", or fewer such layers") if settings.layers else ("", "")
        )
        raise UserError(
            f"{stage.config.path}: [prune] sparsity = {settings.sparsity:g} of all weights: with {most} in "
            f"every layer{fixed}, it is {reached:.4f}; want less{fewer}"
        )
    if curves:
        files.write_json(stage.folder / "sensitivity.json", sensitivity.record(curves, shares))
    return {name: shares[name] for name in kernels}


def _wrapped(stage: TrainingStage, model: Any, wanted: dict[str, float]) -> Any:
    """`model` with TFMOT's pruning round its convolutions, complete after 60 % of the steps.

    m:n patterns come all at once at the first step: so does TFMOT.
    """
    batch = min(stage.config.train.batch, len(stage.train.y))
    total = len(stage.train.y) // batch * stage.epochs
    calls = towers(batch)  # what TFMOT counts as steps
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
            end_step=rounds * frequency * calls,
            frequency=frequency * calls,
        )
        block = stage.config.prune.block
        return tfmot.sparsity.keras.prune_low_magnitude(layer, schedule, sparsity_m_by_n=block)

    return keras.models.clone_model(model, clone_function=wrap)


def prune(stage: TrainingStage) -> None:
    """Writes build/<model>/pruned.keras and prune.json. Raises UserError."""
    started = time.monotonic()
    settings = stage.config.prune
    model = keras_files.load(stage.input)
    figures: dict[str, Any] = {}
    if settings.channels:
        model, figures["channels"] = channel_pruning.thinned(model, stage.config, settings.channels)
        terminal.echo(
            "\n".join(
                f"  {layer}: {now} of {was} channels" for layer, (was, now) in figures["channels"].items()
            )
        )
    wanted = targets(stage, model)
    figures["wanted"] = {name: round(share, 6) for name, share in wanted.items()}
    wrapped = _wrapped(stage, model, wanted)
    callback = tfmot.sparsity.keras.UpdatePruningStep()
    history = runner.train(stage, wrapped, settings.learning_rate, 0, callback=callback)
    pruned = tfmot.sparsity.keras.strip_pruning(wrapped)
    seen = {name: guarantees.look(kernel) for name, kernel in guarantees.kernels(pruned).items()}
    _check(stage, wanted, pruned, seen)
    terminal.echo(guarantees.table(seen))
    runner.finish(
        stage, pruned, history, started=started, figures=figures | {"layers": guarantees.record(seen)}
    )


def _check(
    stage: TrainingStage, wanted: dict[str, float], pruned: Any, seen: dict[str, guarantees.Seen]
) -> None:
    block = stage.config.prune.block
    for name, kernel in guarantees.kernels(pruned).items():
        if block is None:
            enough = seen[name].zeros >= int(wanted[name] * seen[name].weights)
        else:
            enough = not wanted[name] or guarantees.blocks_kept(np.moveaxis(kernel, 2, -1), block)
        if not enough:
            share = f"{wanted[name]:g} of them" if block is None else f"{block[0]} in every {block[1]}"
            raise UserError(
                f"{stage.output}: {name} has {seen[name].zeros} zeros of {seen[name].weights}; want {share}: "
                f"more epochs than {stage.epochs}"
            )
