"""Command: train a model from scratch."""

import argparse
import time

from model import options

NAME = "train"
HELP = "train a model from scratch; Ctrl-C and the same command resume it"
EXAMPLES = """  python -m model train
  python -m model train --model gtsrb --data gtsrb.npz
  python -m model train --model my.toml --data my_images/ --epochs 20 --fresh"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage."""
    options.add_stage(parser)


def run(args: argparse.Namespace) -> int:
    """Writes build/<model>/float.keras and train.json; exit status 0."""
    started = time.monotonic()
    from model import stage as stages

    stage = stages.open_stage(NAME, args)
    if stages.is_done(stage):
        return 0
    from model.squeezenet import build  # imports TensorFlow: seconds
    from model.tf import keras

    settings = stage.config.train
    keras.utils.set_random_seed(settings.seed)
    model = build(stage.config)
    history = stages.train(stage, model, settings.learning_rate, settings.warmup_epochs)
    stages.finish(stage, model, history, started=started)
    return 0
