"""Copies a quantized model and its figures from build/ to model/zoo/, where the project ships it."""

import argparse
from pathlib import Path

from model import config, files, options
from model import stage as stages
from model.errors import UserError

NAME = "ship"
HELP = "copy a quantized model and its figures to model/zoo (for the project's own models)"
EXAMPLES = "  python -m model ship --model digits"

ZOO = Path(__file__).resolve().parent / "zoo"
KEYS = (
    "model",
    "test_accuracy",
    "test_images",
    "tflite_bytes",
    "tflite_sha256",
    "layers",
    "confusion",
    "versions",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model."""
    options.add_model(parser)


def run(args: argparse.Namespace) -> int:
    """Writes model/zoo/<model>/quantized.keras and metrics.json; exit status 0."""
    name = config.load(args.model).name
    source = stages.BUILD / name / stages.OUTPUTS["quantize"]
    record = stages.read_record(stages.BUILD / name / "quantize.json")
    if not source.is_file() or record.get("output_sha256") != files.sha256(source.read_bytes()):
        raise UserError(
            f"{source}: missing, or not the one its record is of; run first: python -m model quantize"
        )
    target = ZOO / name
    files.write_bytes(target / source.name, source.read_bytes())
    files.write_json(
        target / "metrics.json", {**{key: record[key] for key in KEYS}, "sha256": record["output_sha256"]}
    )
    print(f"ship: wrote {target / source.name} and metrics.json")
    return 0
