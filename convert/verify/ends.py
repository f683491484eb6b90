"""What a converted model says of its input and its outputs is the .tflite's: tensors, scales, zero points.

Sample images are int8 already, so that no proof on them can tell a wrong scale of the input.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering.tflite_file import Tensor, TfliteFile
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.verify.records import Model


@dataclass(frozen=True)
class Ends:
    """The int8 tensors at the ends of a file: the image, the logits, the output."""

    image: Tensor
    logits: Tensor
    output: Tensor


def of(file: TfliteFile) -> Ends:
    """Those of `file`. The logits are what SOFTMAX reads, or the output where the output is not SOFTMAX's."""
    makers = {index: op for op in file.ops for index in op.outputs}

    def origin(index: int) -> int:
        """The tensor whose bytes `index` holds, in another shape or behind a float or uint8 edge."""
        maker = makers.get(index)
        while maker is not None and (
            maker.name in ("RESHAPE", "DEQUANTIZE")
            or (maker.name == "QUANTIZE" and file.tensors[index].type_name != "INT8")
        ):
            index = maker.inputs[0]
            maker = makers.get(index)
        return index

    image = file.inputs[0]
    if file.tensors[image].type_name != "INT8":
        image = next(op.outputs[0] for op in file.ops if image in op.inputs)
    output = logits = origin(file.outputs[0])
    if output in makers and makers[output].name == "SOFTMAX":
        logits = origin(makers[output].inputs[0])
    return Ends(file.tensors[image], file.tensors[logits], file.tensors[output])


def _refuse_other(file: TfliteFile, found: Iterator[tuple[str, Any, Any]]) -> None:
    for what, value, wanted in found:
        if value != wanted:
            raise UserError(
                f"{file.path}: the {what} that the conversion hands on is {value}; wanted {wanted}: a bug of "
                "the converter; please report it with the .tflite"
            )


def _compared(ends: Ends, network: Network, model: Model) -> Iterator[tuple[str, Any, Any]]:
    yield "logits tensor", network.logits_tensor, ends.logits.index
    yield "output tensor", network.output_tensor, ends.output.index
    names = ("input", "logits", "output")
    buffers = (network.input_buffer, network.logits_buffer, network.output_buffer)
    for i, tensor in enumerate((ends.image, ends.logits, ends.output)):
        scale, stored = float(tensor.scale[0]), model.ends[i]
        views = [(view.buffer, view.channel) for view in network.tensors.get(tensor.index, ())]
        yield f"{names[i]} buffer of the network", [(buffers[i], 0)], views
        yield f"{names[i]} buffer in the engine's model", [(stored, 0)], views
        buffer = network.buffers[buffers[i]]
        yield f"{names[i]} scale of the network", buffer.scale, scale
        yield f"{names[i]} scale in the engine's model", model.scales[i], scale
        yield f"{names[i]} zero point of the network", buffer.zero_point, tensor.zero_point
        yield f"{names[i]} zero point in the engine's model", model.zero_point(stored), tensor.zero_point


def check(file: TfliteFile, network: Network, model: Model) -> None:
    """UserError where the network or its engine's model has other ends than `file`."""
    _refuse_other(file, _compared(of(file), network, model))


# The settings header's names, MODEL_ before each, of what the manifest says.
_DEFINED = {
    ("input", "height"): "INPUT_HEIGHT",
    ("input", "width"): "INPUT_WIDTH",
    ("input", "channels"): "INPUT_CHANNELS",
    ("input", "scale"): "INPUT_SCALE",
    ("input", "zero_point"): "INPUT_ZERO_POINT",
    ("output", "classes"): "CLASSES",
    ("output", "tensor"): "OUTPUT_TENSOR",
    ("output", "logits_tensor"): "LOGITS_TENSOR",
    ("output", "logits_scale"): "LOGITS_SCALE",
    ("output", "logits_zero_point"): "LOGITS_ZERO_POINT",
    ("output", "scale"): "OUTPUT_SCALE",
    ("output", "zero_point"): "OUTPUT_ZERO_POINT",
}


def _described(ends: Ends) -> dict[tuple[str, str], Any]:
    """What a manifest says of these ends, by its two keys."""
    height, width, channels = ends.image.hwc
    wanted: dict[str, dict[str, Any]] = {
        "input": {
            "height": height, "width": width, "channels": channels,
            "scale": float(ends.image.scale[0]), "zero_point": ends.image.zero_point,
        },
        "output": {
            "classes": int(np.prod(ends.output.shape)), "tensor": ends.output.index,
            "logits_tensor": ends.logits.index, "logits_scale": float(ends.logits.scale[0]),
            "logits_zero_point": ends.logits.zero_point, "scale": float(ends.output.scale[0]),
            "zero_point": ends.output.zero_point, "softmax": ends.logits.index != ends.output.index,
        },
    }  # fmt: skip
    return {(end, name): value for end, values in wanted.items() for name, value in values.items()}


def check_manifest(file: TfliteFile, manifest: dict[str, Any]) -> None:
    """UserError where the manifest has other ends than `file`."""
    wanted = _described(of(file)).items()
    _refuse_other(file, ((f"manifest's {end} {n}", manifest[end][n], value) for (end, n), value in wanted))


def check_settings(file: TfliteFile, header: str) -> None:
    """UserError where model_settings.h has other ends than `file`."""
    wanted = _described(of(file))
    numbers = re.findall(r"^#define MODEL_(\w+) \(?(-?\d[\d.e+-]*)f?\)?$", header, re.MULTILINE)
    found = {name: float(number) for name, number in numbers}
    _refuse_other(
        file, ((f"MODEL_{name}", found.get(name), float(wanted[keys])) for keys, name in _DEFINED.items())
    )
