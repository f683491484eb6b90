"""Command: train a model, in one process or several, and compress it as its TOML asks."""

import argparse
import contextlib
import io
import os
import time
from typing import TYPE_CHECKING, Any

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.model.card import curves
from squeezenet_mcu.model.commands import preview
from squeezenet_mcu.model.distributed import launch, tf_config
from squeezenet_mcu.model.distributed.tf_config import Task
from squeezenet_mcu.model.settings import config, named, options
from squeezenet_mcu.model.train.fresh_run import FreshRun

if TYPE_CHECKING:
    from squeezenet_mcu.model.distributed.workers import Alone
    from squeezenet_mcu.model.train.stage import TrainingStage

NAME = "train"
HELP = "train, then prune, cluster, quantize as the TOML asks; Ctrl-C and the same command go on"
EXAMPLES = """  python -m model train
  python -m model train --model gtsrb --data gtsrb.npz
  python -m model train --model my.toml --data my_images/ --epochs 20 --fresh
  python -m model train --model gtsrb --data gtsrb.npz --only     # the float network, no further
  python -m model train --model gtsrb --data gtsrb.npz --workers 2    # the float network by two processes
  python -m model train --model small --data my_images/           # classes as in the folder
  python -m model train --model small --data my_pets/ --name pets # a second result, model pets from then on
  python -m model train --model small --data my_images/ --fit resize  # whole photos, squeezed to squares
  python -m model train --model small --data my_images/ --compress none   # float, then int8
  python -m model train --model small --data my_images/ --init gtsrb
  python -m model train --model photos --data my_images/          # after: model weights --model photos
  python -m model train --model photos --data my_images/ --init none
  python -m model train --model my.toml --data my_images/ --init keras3.keras  # same names of layers"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage, --fit, --init, --workers and --only."""
    options.add_stage(parser)
    options.add_fit(parser)
    options.add_workers(parser)
    options.add_compress(parser)
    parser.add_argument(
        "--init",
        metavar="NAME|FILE",
        help="start from the weights of a model that is trained, imported or shipped, or of a .keras or .h5; "
        "none: from random ones (default: the TOML's [train] init)",
    )
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="keep the result in build/NAME/, beside that of --model; then NAME is a model like any other",
    )
    parser.add_argument("--only", action="store_true", help="train the float network, no further stage")


def run(args: argparse.Namespace) -> int:
    """Writes build/<model>/float.keras and train.json, then what the further stages write; exit status 0.

    Where TF_CONFIG names this process one of a cluster that trains together, only the chief writes, prints
    and goes on to the further stages.
    """
    from squeezenet_mcu.model.commands import cluster, prune, quantize
    from squeezenet_mcu.model.train import records, training_images
    from squeezenet_mcu.model.train.chain import chain

    first = args.model
    args.model = named.model_of(args.model, args.name)
    task = tf_config.from_environment()
    workers = launch.check_workers(args.workers, task)
    if task is not None and task.number:
        with contextlib.redirect_stdout(io.StringIO()):
            return _join(args, task)
    settings = config.load(args.model)
    if args.name and args.data is None:
        training_images.check_named(settings, config.load(first), BUILD)
    fresh = None
    if args.fresh and not launch.launched():
        fresh = FreshRun(BUILD / settings.name, args)
    _again(args, fresh, NAME)
    if task is not None and workers > 1:
        status = _join(args, task)
        if status:
            return status
    else:
        _train(args, workers)
    records.note_asked(BUILD / settings.name, args.compress or "toml")
    stages = [] if args.only else chain(records.as_asked(settings, BUILD / settings.name))[1:]
    args.epochs, args.dense = None, False  # --epochs is of the training from scratch
    commands = {"prune": prune.run, "cluster": cluster.run, "quantize": quantize.run}
    for before, name in zip([NAME, *stages], stages, strict=False):
        if fresh:
            fresh.finish(before)
        _again(args, fresh, name)
        commands[name](args)
    if fresh:
        fresh.end()
    return 0


def _again(args: argparse.Namespace, fresh: FreshRun | None, name: str) -> None:
    """Has --fresh make stage `name` again, unless an interrupted run of the same line has done so."""
    if fresh is None:
        return
    args.fresh = not fresh.has_finished(name)
    if not args.fresh:
        said = as_typed("--fresh has made it again already, before it was interrupted")
        terminal.echo(f"{name}: {said}")


def _train(args: argparse.Namespace, workers: int) -> None:
    started = time.monotonic()
    from squeezenet_mcu.model.train import checkpoint, runner

    stage = runner.open_stage(NAME, args)
    if runner.is_done(stage):
        return
    preview.write(stage.config, stage.train, stage.folder / preview.FILE)
    if workers == 1:
        from squeezenet_mcu.model.distributed.workers import ALONE  # imports TensorFlow: seconds

        _fit(stage, ALONE, started)
        return
    _check_batch(stage, workers)
    launch.launch(NAME, workers, lambda: checkpoint.kept(stage.checkpoint, stage.fingerprint, stage.epochs))


def _join(args: argparse.Namespace, task: Task) -> int:
    """Trains as one of a cluster; exit status."""
    # What C++ prints when a worker is lost says no more than the exception that Python gets.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    started = time.monotonic()
    quiet: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if launch.launched():
        launch.follow_launcher()
        quiet = contextlib.redirect_stdout(io.StringIO())  # the launcher has said this already
    from squeezenet_mcu.model.train import runner

    with quiet:
        stage = runner.open_stage(NAME, args)
    _check_batch(stage, task.workers)
    from squeezenet_mcu.model.distributed.workers import LostWorkerError, Team

    if not launch.launched():
        terminal.echo(f"{NAME}: {task}: waiting for all {task.workers} workers", flush=True)
    try:
        with launch.ended_by_signals():  # waiting for the others is one long call: no exception ends it
            team = Team(task)
        if not team.agree(stage.fingerprint, team.is_chief and runner.is_done(stage)):
            _fit(stage, team, started)
    except LostWorkerError as error:
        if not launch.launched():
            raise
        terminal.error(f"{NAME}: error: {error}")
        return launch.LOST
    return 0


def _check_batch(stage: "TrainingStage", workers: int) -> None:
    images = min(stage.config.train.batch, len(stage.train.y))
    if workers > images:
        raise UserError(
            f"{workers} workers for the {images} images of a step ([train] batch in {stage.config.path}); "
            f"want at most {images}"
        )


def _fit(stage: "TrainingStage", team: "Alone", started: float) -> None:
    from squeezenet_mcu.common.tf import keras
    from squeezenet_mcu.model.network.squeezenet import build
    from squeezenet_mcu.model.train import runner

    settings = stage.config.train
    keras.utils.set_random_seed(settings.seed)
    model = build(stage.config)
    figures: dict[str, Any] = {}
    if stage.init is not None:
        from squeezenet_mcu.model.train.transfer import take

        figures["init"] = take(model, stage.init)
    history = runner.train(stage, model, settings.learning_rate, settings.warmup_epochs, team=team)
    if team.is_chief:
        if team.figures is not None:
            figures["distributed"] = team.figures
        runner.finish(stage, model, history, started=started, figures=figures)
        curves.after(stage.config, stage.folder)
