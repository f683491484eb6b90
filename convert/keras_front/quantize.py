"""A float Keras model as an int8 .tflite: by our own quantization where it knows all operators, or TFLite's.

Ours fits each convolution's weights to what it should answer, and clips rare extremes. TensorFlow Lite's
takes the extremes of every activation as they are, and knows every operator.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.common.tf import tf, tflite_of
from squeezenet_mcu.convert.keras_front.pixels import Pixels
from squeezenet_mcu.convert.lowering.tflite_file import Op
from squeezenet_mcu.convert.ptq import graph as graphs
from squeezenet_mcu.convert.ptq.pipeline import quantize

Say = Callable[[str], None]
_EVERY = 25  # images, after which progress is told


@dataclass(frozen=True)
class Samples:
    """Calibration: uint8 images, red first; what they become; the pixel that 0 stands for (None: none)."""

    x: npt.NDArray[np.uint8]
    pixels: Pixels
    zero: int | None


def ours(model: Any) -> graphs.Graph | None:
    """The graph of a model that our own quantization takes; None where it does not."""
    try:
        graph = graphs.build(model)
    except UserError:
        return None
    return graph if all(_plain(graph, op) for op in graph.file.ops) else None


def _plain(graph: graphs.Graph, op: Op) -> bool:
    """Whether an operator does what convert.ptq.simulate computes for its name."""
    tensors, options = graph.file.tensors, op.options
    shape = tensors[op.inputs[0]].shape
    match op.name:
        case "CONV_2D":
            weights = tensors[op.inputs[1]].data
            dilation = options.dilationHFactor, options.dilationWFactor
            grouped = weights is None or weights.shape[3] != shape[-1]
            return dilation == (1, 1) and not grouped
        case "ADD":
            equal = len({tensors[t].shape for t in op.inputs}) == 1
            return equal and all(tensors[t].data is None for t in op.inputs)
        case "CONCATENATION":
            constant = any(tensors[t].data is not None for t in op.inputs)
            return not constant and options.axis in (-1, len(shape) - 1)
        case "MEAN":
            axes = tensors[op.inputs[1]].data
            return len(shape) == 4 and axes is not None and sorted(axes.reshape(-1) % 4) == [1, 2]
        case "SOFTMAX":
            return op is graph.file.ops[-1]
    return True


def to_int8(model: Any, samples: Samples, weight_bits: int | None, say: Say) -> tuple[bytes, dict[str, int]]:
    """The .tflite, and the bits of each convolution's weights. Raises UserError."""
    graph = ours(model) if samples.zero is not None else None
    if graph is not None:
        bits = {graph.layer(op): weight_bits or 8 for op in graph.convolutions}
        say("quantizing layer by layer, each fitted to the images")
        content = quantize(model, samples.x, bits, lambda line: say(f"  {line}"), samples.zero or 0)
        return content, bits
    if weight_bits is not None:
        raise UserError(
            f"--weight-bits {weight_bits}: this network is quantized by TensorFlow Lite's converter, for its "
            f"operators other than {', '.join(graphs.OPERATORS)} of plain form; want 8 bits, as it makes them"
        )
    say("quantizing by TensorFlow Lite's converter: int8, a scale a channel")
    signature = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32, name="image")
    infer = tf.function(lambda image: model(image, training=False)).get_concrete_function(signature)
    holder = tf.Module()
    holder.variables_in_use = list(model.variables)
    return by_tflite(infer, holder, samples, say), {}


def by_tflite(infer: Any, holder: Any, samples: Samples, say: Say) -> bytes:
    """The int8 .tflite of a concrete function of one image, by TensorFlow's converter. Raises UserError."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([infer], holder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _images(samples, say)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    try:
        return tflite_of(converter)
    except Exception as error:  # the converter lets through whatever an operator causes
        raise UserError(
            f"TensorFlow Lite's converter refuses the network ({one_line(str(error))}); want operators that "
            "it has in int8"
        ) from error


def input_range(samples: Samples) -> tuple[float, float]:
    """The real values that the input's int8 -128 and 127 are to stand for.

    int8 = pixel - 128 where 0 is a pixel. Else the range of all pixel values is cut in 254 steps of the 255,
    so that there is a whole zero point and nothing is clipped.
    """
    if samples.zero is not None:
        return float(-samples.zero), float(255 - samples.zero)
    ends = [samples.pixels.offset, samples.pixels.offset + 255 * samples.pixels.factor]
    low, high = float(np.min(ends)), float(np.max(ends))
    low, high = min(low, 0.0), max(high, 0.0)
    zero = -low / (high - low) * 255
    if samples.pixels.uniform and abs(zero - round(zero)) < 1e-6:
        return low, high
    scale = (high - low) / 254
    zero_point = math.ceil(-128 - low / scale - 1e-6)
    return (-128 - zero_point) * scale, (127 - zero_point) * scale


def _images(samples: Samples, say: Say) -> Iterator[list[npt.NDArray[np.float32]]]:
    """Each image as the network is given it. Two values of the first show the converter the input's range."""
    for i, image in enumerate(samples.x):
        values = samples.pixels.values(image[np.newaxis])
        if i == 0:
            values[0, 0, 0, 0], values[0, -1, -1, -1] = input_range(samples)
        elif i % _EVERY == 0:
            say(f"  {i} of {len(samples.x)} images")
        yield [values]
