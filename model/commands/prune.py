"""Command: prune a trained model to the sparsity its TOML asks for."""

import argparse

from squeezenet_mcu.model.card import curves
from squeezenet_mcu.model.settings import options

NAME = "prune"
HELP = "prune a trained model to the sparsity its TOML asks for"
EXAMPLES = """  python -m model prune
  python -m model prune --model gtsrb --data gtsrb.npz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage."""
    options.add_stage(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the stage; exit status 0."""
    from squeezenet_mcu.model.train import records, runner

    stage = runner.open_stage(NAME, args)
    records.note_asked(stage.folder, "toml")  # from here quantize goes on
    if not runner.is_done(stage):
        from squeezenet_mcu.model.compress.pruning import prune  # imports TensorFlow: seconds

        prune(stage)
        curves.after(stage.config, stage.folder)
    return 0
