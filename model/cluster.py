"""Command: cluster the weights of a pruned (or trained) model, as its TOML asks."""

import argparse

from model import options

NAME = "cluster"
HELP = "few different weights a layer, as the TOML's [cluster] asks; zeros stay zero"
EXAMPLES = """  python -m model cluster --model mine.toml --data my_images/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage."""
    options.add_stage(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the stage; exit status 0."""
    from model import stage as stages

    stage = stages.open_stage(NAME, args)
    if not stages.is_done(stage):
        from model.clustering import cluster  # imports TensorFlow: seconds

        cluster(stage)
    return 0
