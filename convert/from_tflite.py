"""A .tflite from elsewhere: what it is called, what is mended in it, how pixels become its inputs."""

import argparse
import re
from functools import partial

from squeezenet_mcu.common import files, litert
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.data.images import Images
from squeezenet_mcu.common.data.labels import read_labels
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert import input_range
from squeezenet_mcu.convert.lowering import mend, tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.outputs import artefacts, tflm_only
from squeezenet_mcu.convert.ptq import command as imported
from squeezenet_mcu.model.settings import config, naming


def gather(args: argparse.Namespace) -> tuple[artefacts.Conversion, artefacts.Origin]:
    """The conversion of --tflite for our engine and TensorFlow Lite Micro, and what went into it."""
    imported.refuse_options(args, "a .tflite")
    mended = mend.read(args.tflite)
    file = mended.file
    network = lower(file)  # names the operator that is to blame, where it can
    _refuse_crashes(file)
    name, labels, inputs = _of_tflite(args, mended)
    files.check_folder(BUILD / name)
    classes = network.buffers[network.output_buffer].channels
    _check_labels(args, labels, classes)
    for text in mended.notes:
        notice(text)
    edge = input_range.edge_of(file, network)
    labelled = partial(_labelled, args, edge, labels, classes)
    preprocess = input_range.settle(edge, args.preprocess, labelled)
    converted = artefacts.convert(file, name, labels, preprocess)
    return converted, artefacts.Origin(inputs, "", args.fit or "resize")


def _refuse_crashes(file: tflite_file.TfliteFile) -> None:
    """UserError where LiteRT would end this program: nobody can say then what the right answers are."""
    if trouble := litert.trouble(file.content):
        hint = ": is a layer the same for every image, so that its scale is next to zero?"
        raise UserError(
            f"{file.path}: LiteRT itself {trouble}; want a model that it runs"
            + (hint if trouble.startswith("crashes") else "")
        )


def _of_tflite(args: argparse.Namespace, mended: mend.Mended) -> tuple[str, list[str], dict[str, str]]:
    """Of a .tflite from elsewhere: the model's name, its classes' names, the SHA-256 of each file."""
    name = args.model or re.sub(r"(\.int8)?\.tflite$", "", args.tflite.name)
    if not naming.is_folder(name):
        whose = "--model" if args.model else f"{args.tflite}: the file's name,"
        raise UserError(f"{whose} '{name}', names no folder well; give --model, of letters, digits, _ - .")
    if whose := config.whose(name):  # build/<name>/ is that model's, and so is what other verbs know of it
        raise UserError(f"{args.tflite}: {name} is the name of {whose}; give another by --model")
    inputs = {str(args.tflite): mended.given_sha256}
    labels = []
    if args.labels:
        labels = read_labels(args.labels)
        inputs[str(args.labels)] = files.sha256(args.labels.read_bytes())
    return name, labels, inputs


def _check_labels(args: argparse.Namespace, labels: list[str], classes: int) -> None:
    if labels and len(labels) != classes:
        raise UserError(f"{args.labels}: {len(labels)} class names; the model has {classes} classes")


def _labelled(
    args: argparse.Namespace, edge: input_range.Edge, labels: list[str], classes: int, limit: int
) -> Images | None:
    """At most so many test images of --data; None without."""
    if not args.data:
        return None
    from squeezenet_mcu.common.data import sources

    return sources.load(
        args.data, "test", *edge.size, limit, labels or None, args.fit or "resize", classes=classes
    )


def run_tflm(args: argparse.Namespace, console: Console) -> int:
    """`--engine tflm`: what TensorFlow Lite Micro needs, and nothing of our engine."""
    if args.tflite is None:
        raise UserError("--engine tflm goes with --tflite; our own networks are converted for both engines")
    for option in ("data", "package"):
        if getattr(args, option) is not None:
            raise UserError(f"--engine tflm takes no --{option}: it makes no model for our engine")
    imported.refuse_options(args, "a .tflite")
    mended = mend.read(args.tflite)
    file = mended.file
    _refuse_crashes(file)
    name, labels, inputs = _of_tflite(args, mended)
    files.check_folder(BUILD / name)
    model = tflm_only.check(file)
    _check_labels(args, labels, model.classes)
    for text in mended.notes:
        notice(text)
    preprocess = input_range.settle(tflm_only.edge(model), args.preprocess, lambda _: None)
    origin = artefacts.Origin(inputs, "", args.fit or "resize")
    folder = BUILD / name
    manifest = tflm_only.write(model, name, labels, preprocess, origin, folder)
    arena = manifest["tflm_arena_bytes"]
    console.print(
        f"wrote {folder}/ for TensorFlow Lite Micro alone, without a model for our engine: "
        f"{manifest['macs']:,} multiplications an image, .tflite {manifest['tflite_bytes']:,} B"
        f"{f', arena {arena:,} B' if arena else ''}; next: "
        + as_typed(f"make validate ENGINE=tflm MODEL={name}"),
        soft_wrap=True,
    )
    return 0
