"""Command: cluster the weights of a pruned (or trained) model, as its TOML asks."""

import argparse

from squeezenet_mcu.model.card import curves
from squeezenet_mcu.model.settings import options

NAME = "cluster"
HELP = "few different weights a layer, as the TOML's [cluster] asks; zeros stay zero"
EXAMPLES = """  python -m model cluster --model mine.toml --data my_images/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage."""
    options.add_stage(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the stage; exit status 0."""
    from squeezenet_mcu.model.train import records, runner

    stage = runner.open_stage(NAME, args)
    records.note_asked(stage.folder, "toml")  # from here quantize goes on
    if not runner.is_done(stage):
        from squeezenet_mcu.model.compress.clustering import cluster  # imports TensorFlow: seconds

        cluster(stage)
        curves.after(stage.config, stage.folder)
    return 0
