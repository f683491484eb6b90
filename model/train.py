"""Command: train a model, and compress it as its TOML asks."""

import argparse
import time

from model import options, preview

NAME = "train"
HELP = "train, then prune, cluster, quantize as the TOML asks; Ctrl-C and the same command go on"
EXAMPLES = """  python -m model train
  python -m model train --model gtsrb --data gtsrb.npz
  python -m model train --model my.toml --data my_images/ --epochs 20 --fresh
  python -m model train --model gtsrb --data gtsrb.npz --only     # the float network, no further
  python -m model train --model small --data my_images/           # classes as in the folder
  python -m model train --model small --data my_images/ --init gtsrb"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage, --init and --only."""
    options.add_stage(parser)
    parser.add_argument(
        "--init",
        metavar="NAME|FILE",
        help="start from the weights of a model that is trained, imported or shipped, or of a .keras file",
    )
    parser.add_argument("--only", action="store_true", help="train the float network, no further stage")


def run(args: argparse.Namespace) -> int:
    """Writes build/<model>/float.keras and train.json, then what the further stages write; exit status 0."""
    from model import cluster, config, prune, quantize
    from model import stage as stages

    _train(args)
    if args.only:
        return 0
    args.epochs, args.dense = None, False  # --epochs is of the training from scratch
    commands = {"prune": prune.run, "cluster": cluster.run, "quantize": quantize.run}
    for name in stages.chain(config.load(args.model))[1:]:
        commands[name](args)
    return 0


def _train(args: argparse.Namespace) -> None:
    started = time.monotonic()
    from model import stage as stages

    stage = stages.open_stage(NAME, args)
    if stages.is_done(stage):
        return
    preview.write(stage.config, stage.train, stage.folder / preview.FILE)
    from model.squeezenet import build  # imports TensorFlow: seconds
    from model.tf import keras

    settings = stage.config.train
    keras.utils.set_random_seed(settings.seed)
    model = build(stage.config)
    figures = None
    if stage.init is not None:
        from model.initial import take

        figures = {"init": take(model, stage.init)}
    history = stages.train(stage, model, settings.learning_rate, settings.warmup_epochs)
    stages.finish(stage, model, history, started=started, figures=figures)
