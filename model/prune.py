"""Command: prune a trained model to the sparsity its TOML asks for."""

import argparse

from model import options

NAME = "prune"
HELP = "prune a trained model to the sparsity its TOML asks for"
EXAMPLES = """  python -m model prune
  python -m model prune --model gtsrb --data gtsrb.npz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage."""
    options.add_stage(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the stage; exit status 0."""
    from model import stage as stages

    stage = stages.open_stage(NAME, args)
    if not stages.is_done(stage):
        from model.pruning import prune  # imports TensorFlow: seconds

        prune(stage)
    return 0
