"""Command: quantization-aware training of a compressed model; checks what its int8 .tflite holds."""

import argparse

from model import options

NAME = "quantize"
HELP = "quantization-aware training of a compressed model, zeros and clusters kept; checks the int8 .tflite"
EXAMPLES = """  python -m model quantize
  python -m model quantize --model gtsrb --data gtsrb.npz
  python -m model quantize --model gtsrb --data gtsrb.npz --dense
  python -m model quantize --epochs 0          # post-training quantization"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage, and --dense."""
    options.add_stage(parser)
    parser.add_argument(
        "--dense",
        action="store_true",
        help="quantize the float network instead, unpruned: the twin that shows what compression costs",
    )


def run(args: argparse.Namespace) -> int:
    """Runs the stage; exit status 0."""
    from model import stage as stages

    stage = stages.open_stage("dense" if args.dense else NAME, args)
    if not stages.is_done(stage):
        from model.quantization import quantize  # imports TensorFlow: seconds

        quantize(stage)
    return 0
