"""Command: quantization-aware training of a pruned model, zeros kept; checks the int8 .tflite."""

import argparse

from model import options

NAME = "quantize"
HELP = "quantization-aware training of a pruned model, zeros kept; checks the int8 .tflite"
EXAMPLES = """  python -m model quantize
  python -m model quantize --model gtsrb --data gtsrb.npz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage."""
    options.add_stage(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the stage; exit status 0."""
    from model import stage as stages

    stage = stages.open_stage(NAME, args)
    if not stages.is_done(stage):
        from model.quantization import quantize  # imports TensorFlow: seconds

        quantize(stage)
    return 0
