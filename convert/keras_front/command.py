"""`make convert MODEL=my.keras CALIBRATION=folder`: a float Keras network that somebody brings."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.data.images import Images
from squeezenet_mcu.common.data.labels import read_labels
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.keras_front import pixels as front_pixels
from squeezenet_mcu.convert.keras_front import saved_model, score
from squeezenet_mcu.convert.lowering import mend, tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.outputs import artefacts
from squeezenet_mcu.model.network import foreign_files
from squeezenet_mcu.model.settings import config, naming

_ENDS = (".keras", ".h5", ".hdf5")
_IMAGES = 100  # to calibrate with, at most
_BITS = range(4, 9)
FLOAT = "float_pixels.keras"  # for pixels 0 to 255, beside the conversion
_WANT = "want a .keras or .h5 file of Keras, or an int8 .tflite with TFLITE= (--tflite)"
_TRUST = (
    "a SavedModel, and loading one runs whatever its maker put in, files of yours included; if you trust "
    "who made it, say TRUST=1 (--trust); a .keras or .h5 file is read without running anything; "
    f"see {foreign_files.PAGE}"
)


@dataclass(frozen=True)
class Front:
    """A conversion, and the float network behind it: uint8 pixels to float32 [n, classes]."""

    conversion: artefacts.Conversion
    origin: artefacts.Origin
    outputs: score.Outputs

    def compare(self, images: Images, int8: float, console: Console) -> dict[str, float]:
        """Says what int8 costs on labelled images; for the manifest's `accuracy`."""
        found = score.accuracy(self.outputs, images.x, images.y)
        count = int((images.y >= 0).sum())
        _say(
            console,
            f"accuracy: float {found:.2%}, int8 {int8:.2%} of {count:,} images: "
            f"{100 * (int8 - found):+.2f} points",
        )
        return {"float_top1": found}


def _is_named(model: str) -> bool:
    path = Path(model)
    return path.suffix.lower() in _ENDS or foreign_files.is_foreign(path)


def brings(args: argparse.Namespace) -> bool:
    """Whether --model is a file or folder of a network, not the name or the TOML of one of ours.

    UserError for files of other programs as --tflite, and for --trust where there is nothing to trust.
    """
    if args.tflite is not None:
        foreign_files.refuse(str(args.tflite), "--tflite", "want an int8 .tflite")
        if _is_named(str(args.tflite)):
            raise UserError(f"--tflite {args.tflite}: is no .tflite; give a Keras file as MODEL= (--model)")
    found = args.tflite is None and args.model is not None and _is_named(args.model)
    if args.trust and not (found and foreign_files.is_saved_model(Path(args.model))):
        raise UserError("--trust goes with a SavedModel as --model; nothing else runs code of its maker")
    return found


def gather(args: argparse.Namespace, build: Path, console: Console) -> Front:
    """The conversion of the network in args.model, for the folder build/<its name>. Raises UserError."""
    path = Path(args.model)
    trusted = args.trust and foreign_files.is_saved_model(path)
    if foreign_files.is_saved_model(path) and not trusted:
        raise UserError(f"--model {path} is {_TRUST}")
    if not trusted:
        foreign_files.refuse(args.model, "--model", _WANT)
    if args.weights:
        raise UserError(f"--weights goes with a model whose TOML has a table [weights]; {path} has its own")
    if args.weight_bits is not None and (args.weight_bits not in _BITS or trusted):
        raise UserError(
            f"--weight-bits {args.weight_bits}: want 4 to 8" + (", of a Keras file" if trusted else "")
        )
    name = _name(path)
    if not args.calibration:
        raise UserError(
            f"{path}: a float network is quantized by images like those that it will see; give a folder of "
            f"{_IMAGES} or more: CALIBRATION=folder (--calibration)"
        )
    made = (_saved_model if trusted else _keras)(path, args, build / name, console)
    file = mend.mended(tflite_file.parse(made.tflite, name)).file
    network = lower(file)  # names the operator that is to blame
    classes = network.buffers[network.output_buffer].channels
    labels = read_labels(args.labels, classes) if args.labels else []
    if args.labels:
        made.inputs[str(args.labels)] = files.sha256(args.labels.read_bytes())
    converted = artefacts.convert(file, name, labels, made.preprocess)
    if classes > 1:
        same, count = score.agreement(
            file.content, converted.image, network.logits_tensor, network.macs, made.images.x, made.outputs
        )
        _say(console, f"int8 names the float network's class for {same} of {count} calibration images")
    record = {"source": args.calibration, "sha256": sources.digests(made.images.x)}
    fit = args.fit or "resize"
    origin = artefacts.Origin(made.inputs, "", fit, made.float_model, record, made.bits or None)
    return Front(converted, origin, made.outputs)


@dataclass(frozen=True)
class _Made:
    """An int8 .tflite, and how it came about."""

    tflite: bytes
    preprocess: str
    images: Images
    inputs: dict[str, str]
    outputs: score.Outputs
    float_model: dict[str, Any] | None
    bits: dict[str, int]


def _name(path: Path) -> str:
    name = path.resolve().name if path.is_dir() else path.stem
    if not naming.is_folder(name):
        raise UserError(f"{path}: its name, '{name}', names no folder well; want letters, digits, _ - .")
    if whose := config.whose(name):
        raise UserError(f"{path}: {name} is the name of {whose}; call the file otherwise")
    return name


def _calibration(args: argparse.Namespace, size: tuple[int, ...]) -> Images:
    if args.calibration.startswith("random"):
        raise UserError(
            f'calibration "{args.calibration}": want images like those that it will see, not noise'
        )
    height, width, channels = size
    fit = args.fit or "resize"
    found = sources.load(args.calibration, "train", height, width, channels, limit=_IMAGES, fit=fit)
    for text in found.notices:
        notice(f"{text} (train)")
    if len(found.x) < _IMAGES:
        notice(f"{args.calibration}: {len(found.x)} images; {_IMAGES} would be better")
    return found


def _keras(path: Path, args: argparse.Namespace, folder: Path, console: Console) -> _Made:
    from squeezenet_mcu.model.network import keras_graphs

    graph = keras_graphs.read(path)
    channels = graph.input_shape[-1]
    given = args.preprocess and front_pixels.of_rule(
        args.preprocess, channels, f"PREPROCESS={args.preprocess}"
    )
    from squeezenet_mcu.convert.keras_front import prepare, quantize  # imports TensorFlow: seconds
    from squeezenet_mcu.model.keras_import.build import build, shapes
    from squeezenet_mcu.model.network import keras_files

    shapes(graph)  # the file's arrays are what its settings say
    core, pixels = prepare.take_front(
        graph, given or front_pixels.of_rule("byte", channels, "pixels 0 to 255")
    )
    if not given and core is graph:
        raise front_pixels.missing(path)
    if given and core is not graph and args.preprocess != "byte":
        notice(
            f"the network begins with a Rescaling or Normalization, and PREPROCESS={args.preprocess} "
            "comes before it; if it was trained on pixels 0 to 255, leave PREPROCESS= out",
        )
    _say(
        console,
        f"pixels become inputs by {pixels.said}: {pixels.text}" + (", blue first" if pixels.bgr else ""),
    )
    images = _calibration(args, graph.input_shape)
    core, pixels = prepare.red_first(core, pixels)
    float_model = build(prepare.with_pixels(core, pixels))
    core, inner, zero = prepare.take_pixels(core, pixels)
    model = build(prepare.with_convolutional_heads(core))
    _say(console, f"calibrating {path} with {len(images.x)} images of {args.calibration}")
    samples = quantize.Samples(images.x, inner, zero)
    tflite, bits = quantize.to_int8(model, samples, args.weight_bits, lambda line: _say(console, line))
    lower(mend.mended(tflite_file.parse(tflite, folder.name)).file)  # before anything is written
    keras_files.save(float_model, folder / FLOAT)
    about = os.path.relpath(folder / FLOAT)
    digest = files.sha256((folder / FLOAT).read_bytes())
    inputs = {os.path.relpath(path): files.sha256(path.read_bytes()), about: digest}
    record = {"file": about, "sha256": digest, "divisor": 1.0}
    outputs = score.keras_outputs(float_model)
    return _Made(tflite, "byte" if zero == 0 else inner.text, images, inputs, outputs, record, bits)


def _saved_model(path: Path, args: argparse.Namespace, folder: Path, console: Console) -> _Made:
    if not args.preprocess:
        raise front_pixels.missing(path)
    _say(console, f"loading {path}, in a process of its own")
    with saved_model.opened(path) as child:
        rule = f"PREPROCESS={args.preprocess}"
        pixels = front_pixels.of_rule(args.preprocess, child.size[2], rule)
        images = _calibration(args, child.size)
        _say(console, f"calibrating {path} with {len(images.x)} images of {args.calibration}")
        tflite, plain = child.convert(images.x, pixels)
    parts = sorted(p for p in path.rglob("*") if p.is_file())
    inputs = {os.path.relpath(p): files.sha256(p.read_bytes()) for p in parts}
    outputs = saved_model.float_outputs(plain, pixels)
    return _Made(tflite, args.preprocess, images, inputs, outputs, None, {})


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True)
