"""The network to quantize: TensorFlow Lite's own graph of a Keras model, in float and as an int8 skeleton.

TensorFlow's converter decides what the operators are: it folds batch norms, fuses ReLUs, and makes both
files from the same graph. So the float file gives weights and structure, and the int8 file, whose ranges
mean nothing, is the form that the quantized weights are written into.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import tf, tflite_of
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.state import ACTIVATIONS
from squeezenet_mcu.convert.lowering.tflite_file import Op, TfliteFile

OPERATORS = (
    "CONV_2D",
    "MAX_POOL_2D",
    "AVERAGE_POOL_2D",
    "MEAN",
    "CONCATENATION",
    "ADD",
    "PAD",
    "RESHAPE",
    "SOFTMAX",
)
_SAME_QUANTIZATION = ("MAX_POOL_2D", "AVERAGE_POOL_2D", "CONCATENATION", "PAD", "RESHAPE")


@dataclass(frozen=True)
class Graph:
    """A network in float, with the int8 file of the same operators.

    `inner`: for each activation of the float file, the index of its counterpart in the int8 file.
    `group`: for each activation, the tensor whose scale and zero point it shares (its own index, if none).
    `constants`: weights and bias of each convolution, by operator.
    """

    file: TfliteFile
    skeleton: TfliteFile
    inner: dict[int, int]
    group: dict[int, int]
    constants: dict[int, tuple[np.ndarray, np.ndarray]]

    @property
    def input(self) -> int:
        """The float file's input tensor."""
        return self.file.inputs[0]

    @property
    def logits(self) -> int:
        """The tensor before SOFTMAX, or the output where there is none."""
        last = self.file.ops[-1]
        return last.inputs[0] if last.name == "SOFTMAX" else self.file.outputs[0]

    @property
    def convolutions(self) -> list[Op]:
        """The CONV_2D, in the order in which they run."""
        return [op for op in self.file.ops if op.name == "CONV_2D"]

    def layer(self, op: Op) -> str:
        """The Keras name of a convolution. Raises UserError where the converter's names hold none."""
        # The output's name: equal weights of two layers become one tensor, with the name of one of them.
        name = self.file.tensors[op.outputs[0]].name
        found = re.search(r"(?:^|/)(\w+)/Conv2D", name)
        if found is None:
            raise self.file.op_error(op, self.file.tensors[op.outputs[0]], "no <layer>/Conv2D in its name")
        return found[1]

    def weights(self, op: Op) -> np.ndarray:
        """A convolution's float32 [out, height, width, in]."""
        return self.constants[op.index][0]

    def bias(self, op: Op) -> np.ndarray:
        """A convolution's float32 [out]."""
        return self.constants[op.index][1]


def activation(op: Op) -> str:
    """The name of an operator's fused activation: NONE, RELU."""
    found: str = ACTIVATIONS.get(getattr(op.options, "fusedActivationFunction", 0), "?")
    return found


def _converter(model: Any) -> Any:
    signature = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32, name="image")
    infer = tf.function(lambda image: model(image, training=False)).get_concrete_function(signature)
    # Not `model` itself: the converter would first export all of Keras' own functions, for ten times as long.
    holder = tf.Module()
    holder.variables_in_use = list(model.variables)
    return tf.lite.TFLiteConverter.from_concrete_functions([infer], holder)


def _skeleton(model: Any) -> bytes:
    converter = _converter(model)
    shape = (1, *model.input_shape[1:])
    # Every pixel value occurs; all other ranges are replaced later.
    image = (np.arange(np.prod(shape)) * 37 % 256).astype(np.float32).reshape(shape)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter([[image]])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return tflite_of(converter)


def _groups(file: TfliteFile) -> dict[int, int]:
    group = {tensor: tensor for tensor in (*file.inputs, *(t for op in file.ops for t in op.outputs))}

    def root(tensor: int) -> int:
        while group[tensor] != tensor:
            tensor = group[tensor]
        return tensor

    for op in file.ops:
        if op.name in _SAME_QUANTIZATION:
            # The first writer stands for all: the input of a pool, not its output.
            members = sorted(
                {root(t) for t in (*op.inputs, *op.outputs) if t in group}, key=list(group).index
            )
            for member in members[1:]:
                group[member] = members[0]
    return {tensor: root(tensor) for tensor in group}


def _constants(file: TfliteFile) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    found = {}
    for op in file.ops:
        if op.name == "CONV_2D":
            weights, bias = (file.tensors[t].data for t in op.inputs[1:3])
            assert (
                weights is not None and bias is not None
            )  # the converter adds a bias of 0 where there is none
            found[op.index] = weights, bias.reshape(-1)
    return found


def build(model: Any) -> Graph:
    """Converts a Keras model, float32 [n, height, width, channels] in. UserError: unknown operators."""
    file = tflite_file.parse(tflite_of(_converter(model)), model.name)
    skeleton = tflite_file.parse(_skeleton(model), model.name)
    for op in file.ops:
        if op.name not in OPERATORS:
            raise file.op_error(op, None, f"cannot be quantized; want one of {', '.join(OPERATORS)}")
        if activation(op) not in ("NONE", "RELU"):
            raise file.op_error(op, None, f"fused activation {activation(op)}; want NONE or RELU")
    names, inner_names = ([op.name for op in f.ops] for f in (file, skeleton))
    if names != inner_names:
        raise UserError(
            f"{model.name}: the converter made {', '.join(inner_names)} of {', '.join(names)}; want the same"
        )
    inner = dict(zip(file.inputs, skeleton.inputs, strict=True))
    for op, int8 in zip(file.ops, skeleton.ops, strict=True):
        inner |= zip(op.outputs, int8.outputs, strict=True)
    return Graph(file, skeleton, inner, _groups(file), _constants(file))
