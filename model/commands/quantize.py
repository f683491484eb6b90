"""Command: quantization-aware training of a compressed model; checks what its int8 .tflite holds."""

import argparse

from squeezenet_mcu.model.card import curves, mistakes
from squeezenet_mcu.model.settings import options

NAME = "quantize"
HELP = "quantization-aware training of a compressed model, zeros and clusters kept; checks the int8 .tflite"
EXAMPLES = """  python -m model quantize
  python -m model quantize --model gtsrb --data gtsrb.npz
  python -m model quantize --model gtsrb --data gtsrb.npz --dense
  python -m model quantize --compress none     # of the float network, not pruned
  python -m model quantize --epochs 0          # post-training quantization"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every stage, and --dense."""
    options.add_stage(parser)
    options.add_compress(parser)
    parser.add_argument(
        "--dense",
        action="store_true",
        help="quantize the float network instead, unpruned: the baseline that shows what compression costs",
    )


def run(args: argparse.Namespace) -> int:
    """Runs the stage; exit status 0."""
    from squeezenet_mcu.model.train import records, runner

    stage = runner.open_stage("dense" if args.dense else NAME, args)
    if args.compress is not None:
        records.note_asked(stage.folder, args.compress)
    if not runner.is_done(stage):
        from squeezenet_mcu.model.compress.qat import quantize  # imports TensorFlow: seconds

        quantize(stage)
        curves.after(stage.config, stage.folder)
    if not args.dense:
        mistakes.after(stage.config, stage.test, stage.folder)
    return 0
