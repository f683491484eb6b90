"""Conversion of a network with imported weights: quantized after training, by sample images."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.data.labels import read_labels
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import artefacts
from squeezenet_mcu.model.importers import imported_model
from squeezenet_mcu.model.network import keras_config
from squeezenet_mcu.model.settings.config import Config

_BITS = range(4, 9)


@dataclass(frozen=True)
class _Calibration:
    """Images uint8 [n, height, width, channels], where they are from, and what is to be said of them."""

    source: str
    x: npt.NDArray[np.uint8]
    notices: list[str]

    @property
    def record(self) -> dict[str, Any]:
        """For the manifest."""
        return {"source": self.source, "sha256": sources.digests(self.x)}


def _load_calibration(settings: Config, source: str) -> _Calibration:
    """Of a source with a split, training images: the others are for scoring."""
    assert settings.weights is not None
    if source.startswith("random"):
        raise UserError(f'calibration "{source}": want images like those that the model will see, not noise')
    size = settings.input
    found = sources.load(
        *(source, "train", size.height, size.width, size.channels),
        limit=settings.convert.calibration,
        fit=settings.weights.fit,
    )
    return _Calibration(source, found.x, found.notices)


def weight_bits(settings: Config, every: int | None) -> dict[str, int]:
    """Bits of the weights by layer: `every` for all where it is given, else the TOML's. Raises UserError."""
    if every is None:
        return {name: settings.convert.bits_of(name) for name in settings.kernels}
    if every not in _BITS:
        raise UserError(f"--weight-bits {every}: want {_BITS[0]} to {_BITS[-1]}")
    return dict.fromkeys(settings.kernels, every)


def _converted_before(
    folder: Path, float_model: dict[str, Any], toml: tuple[str, str]
) -> tuple[bytes, dict[str, Any]] | None:
    """The int8 .tflite in `folder` and its manifest, if of this float model and this TOML (path, SHA-256)."""
    try:
        found = read_manifest(folder)
        content = (folder / "model.tflite").read_bytes()
    except (OSError, UserError):
        return None
    same = (
        found["float"] == float_model
        and found["inputs"].get(toml[0]) == toml[1]
        and found["tflite_sha256"] == files.sha256(content)
        and None not in (found["calibration"], found["weight_bits"])
    )
    return (content, found) if same else None


def gather(
    settings: Config, folder: Path, args: argparse.Namespace, console: Console
) -> tuple[artefacts.Conversion, artefacts.Origin]:
    """The conversion of `settings`, a model with imported weights, in `folder` (build/<model>).

    args.weights are imported first. Without args.calibration and args.weight_bits, the int8 model of an
    earlier conversion is taken, if it was made from the same weights and TOML: an engine built anew needs
    no images. Raises UserError.
    """
    assert settings.weights is not None
    bits = weight_bits(settings, args.weight_bits)  # what costs nothing comes first
    labels = list(settings.data.labels)
    if args.labels:
        labels = read_labels(args.labels, settings.architecture.classes)
    files.check_folder(folder)
    calibration = _load_calibration(settings, args.calibration) if args.calibration else None
    if args.weights:
        made = imported_model.write(settings, args.weights, folder)
    else:
        made = imported_model.read(settings, folder)
    _say(console, f"weights: {imported_model.summary(made)}")
    source = os.path.relpath(folder / imported_model.OUTPUT)
    float_model = {"file": source, "sha256": made["output_sha256"], "divisor": 1.0}
    toml = os.path.relpath(settings.path), files.sha256(settings.path.read_bytes())
    inputs = {made["file"]: made["sha256"], source: made["output_sha256"], toml[0]: toml[1]}
    if args.labels:
        inputs[str(args.labels)] = files.sha256(args.labels.read_bytes())
    if calibration is not None:
        content = _quantized(settings, folder, calibration, bits, console)
        record = calibration.record
    else:
        before = _converted_before(folder, float_model, toml) if args.weight_bits is None else None
        if before is None:
            raise UserError(
                f"{settings.name}: no images to quantize by; give a folder of images like those that it will "
                f"see, {settings.convert.calibration} or more: CALIBRATION=folder (--calibration)"
            )
        content, manifest = before
        record, bits = manifest["calibration"], manifest["weight_bits"]
        labels = labels if args.labels else manifest["labels"]
        _say(console, f"keeping {folder / 'model.tflite'}, calibrated with {record['source']}")
    file = tflite_file.parse(content, settings.name)
    converted = artefacts.convert(file, settings.name, labels, "byte", settings.convert.flash_bytes)
    fit = settings.weights.fit
    return converted, artefacts.Origin(inputs, settings.data.source, fit, float_model, record, bits)


def _quantized(
    settings: Config, folder: Path, calibration: _Calibration, bits: dict[str, int], console: Console
) -> bytes:
    """The int8 .tflite of the imported model in `folder`."""
    for text in calibration.notices:
        notice(f"{text} (train)")
    wanted = settings.convert.calibration
    if len(calibration.x) < wanted:
        notice(f"{calibration.source}: {len(calibration.x)} images; {wanted} would be better")
    _say(console, f"quantizing by {len(calibration.x)} images of {calibration.source}, {_summary(bits)}")
    keras_config.read(folder / imported_model.OUTPUT)
    from squeezenet_mcu.convert.ptq.pipeline import quantize  # imports TensorFlow: seconds
    from squeezenet_mcu.model.network import keras_files

    model = keras_files.load(folder / imported_model.OUTPUT)
    return quantize(model, calibration.x, bits, lambda line: _say(console, f"  {line}"))


def _summary(bits: dict[str, int]) -> str:
    counts = {b: sum(value == b for value in bits.values()) for b in sorted(set(bits.values()), reverse=True)}
    if len(counts) == 1:
        return f"weights of {next(iter(counts))} bits"
    return "weights of " + ", ".join(f"{b} bits in {n} layers" for b, n in counts.items())


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True)


def refuse_options(args: argparse.Namespace, what: str) -> None:
    """UserError where an option is given that only float networks have, of which `what` is none."""
    for option in ("weights", "calibration", "weight_bits"):
        if getattr(args, option) is not None:
            keras = "" if option == "weights" else "a Keras file, or with "
            raise UserError(
                f"--{option.replace('_', '-')} goes with {keras}a model whose TOML has a table [weights], "
                f"like imagenet_v1_0; not with {what}"
            )
