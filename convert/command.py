"""`python -m convert`: from a trained model or an int8 .tflite to everything that firmware needs."""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common import cli, files, sizes
from squeezenet_mcu.common.command_line.models import did_you_mean_model
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.data.fits import FITS
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.kernel_families import FAMILIES
from squeezenet_mcu.common.paths import BUILD, ZOO
from squeezenet_mcu.common.preprocess import FREE, PREPROCESSES, quantize_images
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert import engine_model, from_tflite, packaging
from squeezenet_mcu.convert.keras_front import command as keras_front
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import artefacts, report
from squeezenet_mcu.convert.ptq import command as imported
from squeezenet_mcu.convert.target import ENCODINGS, OPTIMIZE, Target
from squeezenet_mcu.convert.verify import accuracy
from squeezenet_mcu.model.network import keras_config
from squeezenet_mcu.model.settings import budget, config, model_budget
from squeezenet_mcu.model.train import records

NAME = "convert"
HELP = "write build/<model>/: .tflite, C arrays, settings, engine model, golden pair, manifest"
EXAMPLES = """  python -m convert --model digits
  python -m convert --model imagenet_v1_0 --weights compressed_SqueezeNet.net --calibration images/
  python -m convert --model imagenet_v1_0 --calibration images/ --weight-bits 7 --labels names.txt
  python -m convert --tflite mine.int8.tflite --labels names.txt
  python -m convert --tflite squeezenet.tflite --model imagenet --preprocess torch
  python -m convert --tflite mine.tflite --preprocess mean=124:116:104,std=58:57:57    # or unit, tf, caffe
  python -m convert --tflite resnet8.tflite --engine tflm    # operators that our engine does not take
  python -m convert --model my.keras --calibration images/ --data images/    # with a Rescaling layer in it
  python -m convert --model my.h5 --preprocess unit --calibration images/ --labels names.txt
  python -m convert --model digits --package arduino,platformio
  python -m convert --model digits --package cmake --kernel-family dsp --sram-bytes 16000"""


def parser() -> argparse.ArgumentParser:
    """The command line of `python -m convert`."""
    p = cli.Parser(
        prog="python -m convert",
        description=f"{HELP[0].upper()}{HELP[1:]}.",
        epilog=f"examples:\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cli.add_version(p)
    add_arguments(p)
    return p


def add_arguments(p: argparse.ArgumentParser) -> None:
    """What is converted, and what beside it is written."""
    p.add_argument(
        "--model",
        metavar="NAME|TOML|FILE",
        help="the model's name (default: digits, or the file's name), or a .keras or .h5 file of a float one",
    )
    p.add_argument("--tflite", type=Path, metavar="FILE", help="convert this int8 .tflite instead of our own")
    p.add_argument(
        "--weights", type=Path, metavar="FILE", help="import these first (.net, .npz, .caffemodel, .pth)"
    )
    p.add_argument(
        "--calibration",
        metavar="SOURCE",
        help="imported weights, a Keras file: images to quantize by (a folder, an .npz), no labels needed",
    )
    p.add_argument(
        "--weight-bits",
        type=int,
        metavar="N",
        help="imported weights, a Keras file: 4 to 8 in every layer (the TOML's, 8)",
    )
    p.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="imported weights, a Keras file, --tflite: class names, one a line",
    )
    p.add_argument(
        "--preprocess",
        metavar="RULE",
        help="--tflite, a Keras file: how a pixel becomes an input value: "
        f"{', '.join(PREPROCESSES)}, or {FREE}: (pixel - M) / S, one number or one a channel, 124:116:104 "
        "(what the .tflite's input range says; what the Keras file begins with)",
    )
    p.add_argument(
        "--trust",
        action="store_true",
        help="with a SavedModel as --model: you trust who made it; loading it runs what is in it",
    )
    p.add_argument(
        "--fit", choices=FITS, help="--tflite, a Keras file: how images come to the input's size (resize)"
    )
    p.add_argument("--data", metavar="SOURCE", help="images of the model's classes, to score (its own)")
    p.add_argument(
        "--engine",
        choices=("squeeze", "tflm"),
        default="squeeze",
        help="with --tflite: tflm: for TensorFlow Lite Micro alone, any operators that it has (both engines)",
    )
    budget.add_arguments(p, ("min_accuracy",))
    _add_package_arguments(p)


def _add_package_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--package",
        action="append",
        metavar="KIND",
        help=f"also build/<model>/package/, to embed: {', '.join(packaging.KINDS)}, or several",
    )
    p.add_argument("--kernel-family", choices=FAMILIES, help="with --package: for which CPUs (portable: any)")
    cli.add_old_spelling(p, "--kernels", "--kernel-family")
    p.add_argument("--optimize", choices=OPTIMIZE, help="with --package: what the model is made for (speed)")
    p.add_argument(
        "--sram-bytes", type=sizes.option, metavar="BYTES", help="with --package: most for the engine's arena"
    )
    p.add_argument(
        "--flash-bytes",
        type=sizes.option,
        metavar="BYTES",
        help="with --package: most for the engine's model",
    )
    p.add_argument(
        "--encoding",
        choices=ENCODINGS,
        type=cli.value_with_old_spelling("--encoding", "coded", "huffman"),
        help="with --package: of all weights that can be stored so",
    )
    p.add_argument(
        "--cores",
        type=int,
        choices=(1, 2),
        help="with --package: that share the work: squeeze_set_worker (1)",
    )


def _package_target(args: argparse.Namespace) -> tuple[list[str], Target]:
    """Which packages, and what their model is made for; UserError before anything long begins."""
    kinds = packaging.kinds(",".join(args.package)) if args.package is not None else []
    for option in ("kernel_family", "optimize", "sram_bytes", "flash_bytes", "encoding", "cores"):
        value, name = getattr(args, option), f"--{option.replace('_', '-')}"
        if value is not None and not kinds:
            raise UserError(
                f"{name} goes with --package; without, the model runs on any CPU: see also make firmware"
            )
    target = Target(
        family=args.kernel_family or "portable",
        optimize=args.optimize or "speed",
        sram_bytes=args.sram_bytes,
        flash_bytes=args.flash_bytes,
        encoding=args.encoding,
        workers=args.cores or 1,
    )
    return kinds, target


def _trained(name: str) -> Path:
    """The .keras file of our own model `name`."""
    own, shipped = BUILD / name / "quantized.keras", ZOO / name / "quantized.keras"
    source = own if own.is_file() else shipped
    if not source.is_file():
        hint = did_you_mean_model(name)
        raise UserError(
            f"{own}: missing, and model/zoo ships no '{name}'{hint or ';'} run: make train MODEL={name}"
        )
    return Path(os.path.relpath(source))


def _record(inputs: dict[str, str]) -> dict[str, Any]:
    """What was noted down when the weights were made, if it is of these weights; else {}."""
    for source, digest in inputs.items():
        for name, key in (("quantize.json", "output_sha256"), ("metrics.json", "sha256")):
            record = records.read(Path(source).with_name(name), records.Scored)
            if record.get(key) == digest:
                return record
    return {}


def _recorded_accuracy(inputs: dict[str, str]) -> Any:
    """The accuracy that was measured when the weights were made."""
    record = _record(inputs)
    if not record:
        return None
    return {
        "int8_top1": record["test_accuracy"],
        "test_images": record["test_images"],
        "measured": "when trained",
    }


def _labels(settings: config.Config, record: dict[str, Any], source: Path) -> list[str]:
    """The classes' names, of the TOML or of the data that the model in `source` was trained on."""
    if settings.data.labels:
        return list(settings.data.labels)
    if not settings.architecture.classes and "labels" not in record:
        raise UserError(
            f"{source}: its quantize.json, which names the classes, is missing or of another model; run: "
            f"make quantize MODEL={settings.name} DATA=..."
        )
    found: list[str] = record.get("labels", [])
    return found


def _gather(args: argparse.Namespace, console: Console) -> tuple[artefacts.Conversion, artefacts.Origin]:
    if args.tflite is None:
        for option in ("preprocess", "fit"):
            if getattr(args, option):
                whose = args.model or "digits"
                raise UserError(f"--{option} goes with --tflite or a Keras file; {whose} has its own")
        settings = config.load(args.model or "digits")
        if settings.weights is not None:
            return imported.gather(settings, BUILD / settings.name, args, console)
        if args.labels:
            raise UserError(f"--labels goes with --tflite or a Keras file; {settings.name} has its own")
        imported.refuse_options(args, settings.name)
        source = _trained(settings.name)
        # Refused now, rather than when TensorFlow has taken its seconds:
        keras_config.read(source)
        files.check_folder(BUILD / settings.name)
        inputs = {os.path.relpath(path): files.sha256(path.read_bytes()) for path in (source, settings.path)}
        record = _record({str(source): inputs[str(source)]})
        labels = _labels(settings, record, source)
        console.print(f"converting {source}", soft_wrap=True)
        from squeezenet_mcu.model.network import to_tflite  # imports TensorFlow: seconds

        content = to_tflite.to_int8_tflite(to_tflite.load_quantized(source))
        file = tflite_file.parse(content, settings.name)
        converted = artefacts.convert(file, settings.name, labels, "unit", settings.convert.flash_bytes)
        float_model = {"file": str(source), "sha256": inputs[str(source)], "divisor": 255.0}
        fit = record.get("fit", "resize")  # as it was trained; nobody could choose before records had it
        data = record.get("data") or settings.data.source  # DATA= of the training goes before the TOML
        return converted, artefacts.Origin(inputs, data, fit, float_model)
    return from_tflite.gather(args)


def _to_score(args: argparse.Namespace, name: str, origin: artefacts.Origin) -> str:
    """The images to score: those given, or those that the model was trained on; "" = none."""
    if args.data or not origin.data:
        return args.data or ""
    if not sources.is_there(origin.data):
        notice(
            f"{origin.data}: no such data any more, and {name} was trained on them: not scored anew; put "
            "them back, or give the images to score: DATA= (--data)",
        )
        return ""
    if not sources.is_named(origin.data):
        notice(f"scored with {origin.data}, which {name} was trained on; DATA= (--data) takes others")
    return origin.data


def _refuse_differences(name: str, source: str, measured: dict[str, Any]) -> None:
    """UserError where the engine and LiteRT differ on the images that accuracy was measured on."""
    if measured["differing_values"]:
        raise UserError(
            f"{name}: the engine differs from LiteRT in {measured['differing_values']:,} int8 values of the "
            f"images of {source}; wanted 0: nothing is written; please report it with the .tflite"
        )


def _run_tflm(args: argparse.Namespace, console: Console) -> int:
    if args.min_accuracy is not None:
        raise UserError("--min-accuracy: not with --engine tflm, for which no accuracy is measured")
    return from_tflite.run_tflm(args, console)


def run(args: argparse.Namespace) -> int:
    """Converts and writes; returns the exit status."""
    console = Console()
    kinds, target = _package_target(args)
    if args.tflite is None and args.model and args.model.lower().endswith(".tflite"):
        raise UserError(f"--model {args.model}: is a .tflite; give it as TFLITE= (--tflite)")
    if args.engine == "tflm":
        return _run_tflm(args, console)
    front = keras_front.gather(args, BUILD, console) if keras_front.brings(args) else None
    c, origin = (front.conversion, front.origin) if front else _gather(args, console)
    if target.flash_bytes is None:
        target = replace(target, flash_bytes=c.flash_limits.get(target.family))
    source = _to_score(args, c.name, origin)
    shape = c.network.buffers[c.network.input_buffer]
    measured, golden = None, None
    if source:
        images = sources.load(
            *(source, "test", shape.height, shape.width, shape.channels),
            labels=c.labels or None,
            fit=origin.fit,
            classes=c.network.buffers[c.network.output_buffer].channels,
        )
        if origin.calibration:
            images = sources.without(images, origin.calibration["sha256"])
            if not len(images.x):
                raise UserError(f"{source}: the conversion is calibrated with all of its images; want others")
        for text in images.notices:
            notice(f"{text} (test)")
        quantized = quantize_images(images.x, c.image)
        golden = quantized[0]
        if np.any(images.y >= 0):
            measured = accuracy.measure(c.file.content, c.engine_model, c.network, quantized, images.y)
            _refuse_differences(c.name, source, measured)
            if front:
                measured |= front.compare(images, measured["int8_top1"], console)
            measured |= {"data": source, "images_sha256": files.sha256(quantized.tobytes())}
        elif c.network.buffers[c.network.output_buffer].channels > 1:
            notice(f"{source}: the images have no labels: no accuracy is measured")
    elif origin.calibration is None:
        measured = _recorded_accuracy(origin.files)
    manifest = artefacts.describe(c, origin, measured)
    # Made before anything is written: what does not fit leaves an earlier conversion and its packages.
    packed = packaging.make(kinds, c, manifest, target) if kinds else None
    artefacts.write(c, BUILD / c.name, manifest, golden)
    report.print_plan(console, manifest["plan"], c.plan)
    _summary(console, manifest)
    if packed:
        _write_packages(console, packed, BUILD / c.name / "package")
    figures = budget.Figures(c.name, accuracy=model_budget.accuracy_of(manifest))
    budget.enforce(model_budget.of(args, args.model, origin.files), figures)
    return 0


def _write_packages(console: Console, packed: packaging.Packages, folder: Path) -> None:
    made, paths = packed.content, packaging.write(packed, folder)
    about = made.about
    console.print(
        f"packages: for {made.cpus}; model {about['engine_model_bytes']:,} B of flash, "
        f"arena {about['arena_bytes']:,} B",
        soft_wrap=True,
    )
    for path in paths:
        console.print(f"wrote {path}{'/' if path.is_dir() else ''}", soft_wrap=True)


def _summary(console: Console, manifest: dict[str, Any]) -> None:
    arena = manifest["tflm_arena_bytes"]
    beside = f" (TFLite Micro's arena: {arena:,} B)" if arena else ""
    if manifest["tflm_problem"]:
        notice(f"{manifest['tflm_problem']}; our engine runs it")
    lines = [
        f"{manifest['macs']:,} multiplications an image; {manifest['weights_dense_bytes']:,} weights, "
        f"stored in {manifest['weights_stored_bytes']:,} B",
        f"flash: engine model {manifest['engine_model_bytes']:,} B (.tflite: {manifest['tflite_bytes']:,} B)",
        f"SRAM: engine {manifest['engine_sram_bytes']:,} B{beside}; a board's firmware may take more, to be "
        "faster",
        f"proven: engine == LiteRT in every int8 of every layer on {engine_model.PROOF_IMAGES} sample images",
    ]
    accuracies = manifest["accuracy"]
    if accuracies and "int8_top1" in accuracies:
        lines.append(
            f"accuracy: int8 top-1 {accuracies['int8_top1']:.2%} of {accuracies['test_images']:,} images"
        )
    lines.append(f"wrote {BUILD / manifest['model']}/")
    for line in lines:
        console.print(line, soft_wrap=True)
