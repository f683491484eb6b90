"""manifest.json, which `make convert` leaves in build/<model>/: what it holds, and how it is read back."""

from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict, cast

from msgspec import Meta

from squeezenet_mcu.common.command_line.models import did_you_mean_model
from squeezenet_mcu.common.data.fits import FITS
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import (
    ClassName,
    Count,
    Int8,
    Positive,
    Scale,
    Sha256,
    Share,
    one_of,
)
from squeezenet_mcu.common.preprocess import fit

NAME = "manifest.json"
MOST_INPUTS = 1 << 24  # values of an image: 2,364 x 2,364 pixels in RGB; ImageNet's have 150,528

_Side = Annotated[int, Meta(ge=1, le=4096)]
_Name = Annotated[str, Meta(pattern=r"\A\w[\w.-]*\Z", max_length=200)]
_Text = Annotated[str, Meta(max_length=4096)]
_Tensor = Annotated[int, Meta(ge=0, le=1 << 20)]
Kernel = Annotated[str, Meta(pattern=r"\A[a-z0-9_]+\Z")]  # as its file in firmware_cpp/engine/kernels
_Classes = Annotated[int, Meta(ge=1, le=1 << 16)]


class Input(TypedDict):
    """The image: int8 [height, width, channels]. `preprocess`: see common.preprocess.parse.

    `edge`: the type of the .tflite's own input, whose QUANTIZE may make these int8.
    """

    height: _Side
    width: _Side
    channels: _Side
    scale: Scale
    zero_point: Int8
    preprocess: _Text
    edge: NotRequired[Annotated[str, one_of("int8", "uint8", "float32")]]


class Output(TypedDict):
    """`tensor` and `logits_tensor` are numbers of the .tflite's tensors, int8 [classes] each."""

    classes: _Classes
    tensor: _Tensor
    logits_tensor: _Tensor
    logits_scale: Scale
    logits_zero_point: Int8
    scale: Scale
    zero_point: Int8
    softmax: bool


class Accuracy(TypedDict):
    """Shares of `test_images`. `measured`: where it was not by this conversion."""

    int8_top1: Share
    test_images: Positive
    engine_top1: NotRequired[Share]
    float_top1: NotRequired[Share]
    differing_values: NotRequired[Count]
    data: NotRequired[_Text]
    images_sha256: NotRequired[Sha256]
    measured: NotRequired[_Text]


class Operator(TypedDict):
    """A line of the plan of TFLite Micro."""

    kind: _Text


class Layer(Operator):
    """A line of our engine's plan; see convert.outputs.report.plan_rows."""

    layer: _Text
    output: Annotated[list[Count], Meta(min_length=3, max_length=3)]
    arena_offset: Count
    arena_bytes: Count
    ring_rows: Count
    macs: Count
    weights_bytes: Count
    entropy_bytes: Count


class Convolution(Layer):
    """That of a layer with weights."""

    kernel: Kernel
    weights: Count
    encoding: _Text
    batch_rows: Count
    scratch_bytes: Count


class Held(TypedDict):
    """How many bytes of the arena a layer holds where most of it is in use."""

    layer: _Text
    bytes: Count


class FloatModel(TypedDict):
    """The Keras model behind it. `divisor`: of its pixels."""

    file: _Text
    sha256: Sha256
    divisor: Annotated[float, Meta(gt=0, le=1e6)]


class Calibration(TypedDict):
    """The images that the int8 ranges were measured on; `sha256` of each one's pixels."""

    source: NotRequired[_Text]
    sha256: list[Sha256]


class Manifest(TypedDict):
    """All of it; see convert.outputs.artefacts. None where a figure is of our engine, which was left out."""

    model: _Name
    engine: NotRequired[Annotated[str, one_of("tflm")]]
    tflite_sha256: Sha256
    engine_sha256: Sha256 | None
    macs: Count
    weights_dense_bytes: Count
    weights_stored_bytes: Count | None
    tflite_bytes: Positive
    engine_model_bytes: Count | None
    flash_limits: dict[str, Positive]
    engine_sram_bytes: Count | None
    tflm_arena_bytes: Count | None
    tflm_problem: NotRequired[_Text | None]
    accuracy: Accuracy | None
    input: Input
    output: Output
    labels: Annotated[list[ClassName], Meta(max_length=1 << 16)]
    inputs: dict[str, Sha256]
    data: _Text
    fit: Annotated[str, one_of(*FITS)]
    float: FloatModel | None
    calibration: Calibration | None
    weight_bits: dict[str, Annotated[int, Meta(ge=1, le=8)]] | None
    plan: list[dict[str, Any]]
    peak: list[Held]
    versions: dict[str, _Text]
    files: dict[str, Sha256]


def read_manifest(folder: Path, fix: str | None = None) -> dict[str, Any]:
    """The manifest in `folder`, build/<model>: a Manifest.

    UserError, in one line, where it is missing, or where a value's type or range is wrong or two are at odds.
    `fix`: what that line tells the user to do.
    """
    fix = fix or f"run: make convert MODEL={folder.name}"
    path = folder / NAME
    if not path.exists() and (hint := did_you_mean_model(folder.name)):
        raise UserError(f"{path}: missing{hint} {fix}")
    found = json_files.read(path, Manifest, fix)
    if "engine" in found:
        json_files.check(found["plan"], list[Operator], f"{path}: plan", fix)
    else:
        check_plan(found["plan"], path, fix)
    size, classes, labels = found["input"], found["output"]["classes"], found["labels"]
    if size["height"] * size["width"] * size["channels"] > MOST_INPUTS:
        seen = f"{size['height']} x {size['width']} x {size['channels']}"
        raise UserError(f"{path}: input = {seen} values; want at most {MOST_INPUTS:,}; {fix}")
    if labels and len(labels) != classes:
        raise UserError(f"{path}: labels: {len(labels)} of them; want {classes}, one a class, or none; {fix}")
    _check_pixels(found["input"], path, fix)
    return cast(dict[str, Any], found)


def remembered(manifest: dict[str, Any]) -> str:
    """The data that the model was trained on, or else scored with when it was converted; "" = not known."""
    accuracy = manifest.get("accuracy") or {}
    return str(manifest["data"] or accuracy.get("data", ""))


def _check_pixels(source: Input, path: Path, fix: str) -> None:
    """UserError unless `preprocess` is a rule for so many channels, and one that an input of this scale can
    be meant for. Up to version 0.1 "byte" was pixel - 128 whatever the scale.
    """
    try:
        found = fit(source["preprocess"], source["channels"], source["scale"], source["zero_point"])
    except UserError as error:
        raise UserError(f"{path}: input: {error}; {fix}") from error
    if found.hopeless:
        seen = f'preprocess "{source["preprocess"]}" with scale {source["scale"]:g}'
        raise UserError(f"{path}: input: {seen}: {found}; {fix}")


def check_plan(rows: list[dict[str, Any]], path: Path, fix: str) -> None:
    """UserError unless `rows`, of the file `path`, are Layers, those with weights Convolutions."""
    json_files.check(rows, Annotated[list[Layer], Meta(min_length=1)], f"{path}: plan", fix)
    with_weights = [row for row in rows if row["weights_bytes"]]
    json_files.check(with_weights, list[Convolution], f"{path}: plan, with weights,", fix)
