"""Copies a quantized model and its figures from build/ to model/zoo/, where the project ships it."""

import argparse
import os
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.command_line.spoken import commands_as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import engine_record, json_files
from squeezenet_mcu.common.paths import BUILD, ZOO
from squeezenet_mcu.model.card import curves, metrics
from squeezenet_mcu.model.card.metrics import Int8, Report, Validation
from squeezenet_mcu.model.settings import config, options
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train import records
from squeezenet_mcu.model.train.chain import OUTPUTS, chain, table_of
from squeezenet_mcu.model.train.records import Record

NAME = "ship"
HELP = "copy a quantized model and its figures to model/zoo (for the project's own models)"
EXAMPLES = """  python -m model ship --model digits
  python -m model ship --model digits --validated build/digits/validated.json
  python -m model ship --model digits --validated build/digits/validated.json --measured-again"""

BOARD = "stm32f405"  # what a shipped model's figures on a device are of
_OF_MODEL = tuple(Int8.__annotations__)
_OF_STAGE = (
    *(f"{part}_{what}" for part in ("test", "validation", "reserve") for what in ("accuracy", "images")),
    *("train_images", "parameters", "channels", "epochs", "machine", "tflite_bytes"),
)
_OF_CONVERSION = (
    *("engine_sha256", "macs", "weights_dense_bytes", "weights_stored_bytes", "engine_model_bytes"),
    *("engine_sram_bytes", "tflm_arena_bytes", "accuracy", "versions"),
)
_OF_BOARD = ("engine_sha256", "arena_bytes", "engine_model_bytes", "weights_stored_bytes")
_OF_VALIDATION = tuple(Validation.__annotations__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model, and a report of its validation."""
    options.add_model(parser)
    parser.add_argument(
        "--validated",
        type=Path,
        metavar="FILE",
        help="note the figures of this report, of python -m host_tools validate --json FILE",
    )
    parser.add_argument(
        "--measured-again",
        action="store_true",
        help="the network stays as it is shipped; only what convert, firmware and validate measured is new",
    )


def run(args: argparse.Namespace) -> int:
    """Writes the model's folder in model/zoo; exit status 0."""
    settings = config.load(args.model)
    make = write_measured if args.measured_again else write
    target = make(settings, BUILD / settings.name, ZOO / settings.name, args.validated)
    then = commands_as_typed(f"python -m model card --model {args.model}")
    terminal.echo(f"ship: wrote {os.path.relpath(target)}/; its card: {then}")
    return 0


def write(settings: Config, folder: Path, target: Path, validated: Path | None) -> Path:
    """Writes quantized.keras, model.tflite, curves.png, sensitivity.json (if any), metrics.json to `target`.

    `folder`: build/<model>. Returns `target`. Raises UserError where what is in `folder`, or the report
    `validated`, does not belong together.
    """
    figures = gather(settings, folder, validated)
    curves.write(settings, folder)
    for name in ("quantized.keras", "model.tflite", "curves.png"):
        files.write_bytes(target / name, (folder / name).read_bytes())
    measured = folder / "sensitivity.json"
    if settings.prune.spread == "sensitivity" and measured.is_file():
        files.write_bytes(target / measured.name, measured.read_bytes())
    else:
        (target / measured.name).unlink(missing_ok=True)  # of another way to prune, before
    files.write_json(target / metrics.NAME, figures)
    return target


def gather(settings: Config, folder: Path, validated: Path | None) -> dict[str, Any]:
    """What metrics.json holds: figures of the int8 model, its stages, the conversion, the device."""
    found = _stages(settings, folder)
    quantized = found["quantize"]
    json_files.check(quantized, Int8, folder / "quantize.json", "run first: python -m model quantize")
    return {
        **{key: quantized[key] for key in _OF_MODEL},
        **({"fit": quantized["fit"]} if "fit" in quantized else {}),
        "sha256": quantized["output_sha256"],
        "toml_sha256": files.sha256(settings.path.read_bytes()),
        "stages": {name: _of_stage(record) for name, record in found.items()},
        **_measured(settings, folder, quantized["tflite_sha256"], validated),
    }


def _measured(settings: Config, folder: Path, tflite_sha256: str, validated: Path | None) -> dict[str, Any]:
    """What of metrics.json does not depend on the training: figures of the conversion and of the device."""
    manifest = _conversion(settings, folder, tflite_sha256)
    measured = manifest["accuracy"]
    data = (measured or {}).get("data")
    return {
        "converted": {
            **{key: manifest[key] for key in _OF_CONVERSION},
            # Where it lay on the machine that made it is nobody's business.
            "accuracy": measured if data is None else {**measured, "data": Path(data).name},
            "plan": [
                {key: row[key] for key in ("layer", "kind", "output", "macs")} for row in manifest["plan"]
            ],
        },
        "board": _board(folder, tflite_sha256),
        "validated": None if validated is None else _validation(validated, tflite_sha256),
    }


def write_measured(settings: Config, folder: Path, target: Path, validated: Path | None) -> Path:
    """As `write`, of a network that is shipped already, and whose training may be gone."""
    shipped = metrics.read_metrics(settings, target)
    shipped |= _measured(settings, folder, shipped["tflite_sha256"], validated)
    files.write_json(target / metrics.NAME, shipped)
    return target


def _stages(settings: Config, folder: Path) -> dict[str, Record]:
    """The records of all stages, and of the baseline if there is one; UserError if not as the TOML says."""
    found = records.of_chain(settings, folder)
    for name in chain(settings):
        if name not in found:
            raise UserError(
                f"{folder / f'{name}.json'}: missing, or of another network than the stage before has left; "
                f"run first: python -m model train --model {settings.path}"
            )
    source = folder / OUTPUTS["quantize"]
    if not source.is_file() or found["quantize"]["output_sha256"] != files.sha256(source.read_bytes()):
        raise UserError(
            f"{source}: missing, or not the one its record is of; run first: python -m model quantize "
            f"--model {settings.path}"
        )
    baseline = records.of_baseline(settings, folder)
    found |= {"dense": baseline} if baseline else {}
    if "init" in found["train"]:
        raise UserError(
            f"{folder / 'train.json'}: began from other weights (--init): its card would tell how to make "
            f"another model; run again: python -m model train --model {settings.path} --fresh"
        )
    for name, record in found.items():
        wanted = table_of(settings, name).epochs
        if record["epochs"] != wanted:
            raise UserError(
                f"{folder / f'{name}.json'}: {record['epochs']} epochs; {settings.path} says {wanted}: its "
                f"card would tell how to make another model; run again: python -m model train"
            )
        if other := records.other_settings(record, settings, name):
            raise UserError(
                f"{folder / f'{name}.json'}: made with {other}: its card would tell how to make another "
                "model; run again: python -m model train"
            )
    return found


def _of_stage(record: Record) -> dict[str, Any]:
    """What of a stage's record is shipped; its seconds with those before an interruption."""
    training = sum(record["train_images"] / max(entry["images_per_s"], 1) for entry in record["history"])
    return {key: record[key] for key in _OF_STAGE if key in record} | {
        "seconds": round(max(record["seconds"], training))
    }


def _conversion(settings: Config, folder: Path, tflite_sha256: str) -> dict[str, Any]:
    manifest = records.of_conversion(folder, tflite_sha256)
    tflite = folder / "model.tflite"
    if (
        not manifest
        or "engine" in manifest
        or not tflite.is_file()
        or files.sha256(tflite.read_bytes()) != tflite_sha256
    ):
        raise UserError(
            f"{folder / 'manifest.json'}: missing, or of another .tflite than {tflite_sha256}, which was "
            f"measured by quantize; run first: python -m convert --model {settings.path}"
        )
    return manifest


def _board(folder: Path, tflite_sha256: str) -> dict[str, Any] | None:
    """Figures of the engine's model in the board's firmware; None where that is not built, or of another."""
    model = folder / "firmware" / BOARD / "model"
    if not (model / engine_record.NAME).is_file():
        return None
    noted = engine_record.read(model)
    if noted["made_from"]["tflite_sha256"] != tflite_sha256:
        return None
    return {
        "board": BOARD,
        "optimize": noted["made_from"]["target"]["optimize"],
        **{key: noted[key] for key in _OF_BOARD},
    }


def _validation(path: Path, tflite_sha256: str) -> dict[str, Any]:
    """Figures of a report; UserError where it is of another model, or the device differed."""
    report = json_files.read(path, Report, "want what python -m host_tools validate --json FILE writes")
    if report["model_sha256"] != tflite_sha256:
        raise UserError(
            f"{path}: of model {report['model_sha256']}; want {tflite_sha256}; validate again, then ship"
        )
    if report["differing_values"]:
        raise UserError(
            f"{path}: {report['differing_values']} int8 values differ on the device; want 0: not to be "
            "shipped"
        )
    return {key: value for key, value in report.items() if key in _OF_VALIDATION}
