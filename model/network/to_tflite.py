"""From the quantization-aware Keras model to the int8 .tflite, and what the engine expects of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common import litert
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras, tf, tflite_of
from squeezenet_mcu.model.network import keras_files
from squeezenet_mcu.model.network.batch_norm import Norm, norm_of
from squeezenet_mcu.model.network.tfmot import tfmot

_DEAD = 2.0**-26  # of the logits' scale
INPUT_SCALE = float(np.float32(1 / 255))
INPUT_ZERO_POINT = -128


def load_quantized(path: Path) -> Any:
    """The quantization-aware Keras model in `path` (quantized.keras). Raises UserError."""
    return keras_files.load(path)


def to_int8_tflite(model: Any) -> bytes:
    """Converts a quantization-aware Keras model (float32 [n, h, w, c] in) to an int8 .tflite, batch 1.

    Its ranges are the ones learnt in training, so no sample data are needed. The same model gives the same
    bytes, on every machine.
    """
    model = _with_affine(model)
    signature = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32, name="image")
    infer = tf.function(lambda image: model(image, training=False)).get_concrete_function(signature)
    # Not `model` itself: the converter would first export all of Keras' own functions, for ten times as long.
    holder = tf.Module()
    holder.variables_in_use = list(model.variables)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([infer], holder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return tflite_of(converter)


class _Affine(keras.layers.Layer):
    """What batch norm does in inference, by constants that TensorFlow need not compute. See batch_norm.py."""

    def __init__(self, norm: Norm, name: str) -> None:
        super().__init__(name=name)
        self.factor, self.offset = norm.affine()

    def call(self, x: Any) -> Any:
        return x * self.factor + self.offset


def _with_affine(model: Any) -> Any:
    """A copy of a quantization-aware `model` whose batch norms are _Affine."""

    def copied(layer: Any) -> Any:
        if isinstance(getattr(layer, "layer", None), keras.layers.BatchNormalization):
            # The wrapper stays: it may quantize what comes out.
            affine = _Affine(norm_of(layer.layer), layer.layer.name)
            return type(layer)(affine, layer.quantize_config, name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    with tfmot.quantization.keras.quantize_scope():
        copy = keras.models.clone_model(model, clone_function=copied)
    keras_files.take_weights(model, copy)
    return copy


def _interpreter(tflite: bytes) -> Any:
    found = litert.interpreter(tflite)
    found.allocate_tensors()
    return found


def _operators(interpreter: Any, kind: str) -> Iterator[dict[str, Any]]:
    return (op for op in interpreter._get_ops_details() if op["op_name"] == kind)


def predictions(tflite: bytes, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The class that the int8 model gives each image of x [n, h, w, c]: arg max of the logits.

    The logits, not the probabilities: the softmax's 256 steps make ties of different logits.
    """
    wide = litert.wide_softmax.parts(tflite)  # of many classes: SOFTMAX itself could end the program
    interpreter = _interpreter(wide.head if wide else tflite)
    if wide:
        logits = wide.logits
    else:
        (softmax,) = _operators(interpreter, "SOFTMAX")
        logits = int(softmax["inputs"][0])
    image = interpreter.get_input_details()[0]["index"]
    out = np.empty(len(x), np.int64)
    for i, pixels in enumerate(x):
        interpreter.set_tensor(image, (pixels.astype(np.int16) - 128).astype(np.int8)[np.newaxis])
        interpreter.invoke()
        out[i] = int(np.argmax(interpreter.get_tensor(logits)[0]))
    return out


def tflite_kernels(tflite: bytes) -> dict[str, npt.NDArray[np.int8]]:
    """Every CONV_2D's weights, int8 [out, height, width, in], by the Keras layer's name (in the tensor's
    name).

    Raises UserError for a tensor whose name gives no layer.
    """
    interpreter = _interpreter(tflite)
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    found: dict[str, npt.NDArray[np.int8]] = {}
    for op in _operators(interpreter, "CONV_2D"):
        index = int(op["inputs"][1])
        match = re.search(r"(?:^|/)quant_(\w+)/Conv2D", tensors[index]["name"])
        if match is None:
            raise UserError(
                f'.tflite: weights "{tensors[index]["name"]}" (op {op["index"]}): no quant_<layer>/ in it'
            )
        found[match[1]] = interpreter.get_tensor(index)
    return found


def check_alive(tflite: bytes, source: str) -> None:
    """UserError where all logits are the same for every image: LiteRT ends the program on such a SOFTMAX.

    It calls abort() where SOFTMAX's input has a scale of 2 ** -26 or less. The ranges of a network that has
    died hold nothing, and give scales of 1e-9.
    """
    model = schema.Model.GetRootAs(tflite, 0)
    codes, graph = litert.objects.codes(model), model.Subgraphs(0)
    for operator in (graph.Operators(i) for i in range(graph.OperatorsLength())):
        if codes[operator.OpcodeIndex()] != schema.BuiltinOperator.SOFTMAX:
            continue
        scale = float(graph.Tensors(operator.Inputs(0)).Quantization().Scale(0))
        if scale <= _DEAD:
            raise UserError(
                f"{source}: the network gives every image the same answer: it has died in training (a step "
                f"of its logits is {scale:.2g}); take a smaller learning_rate in the TOML, another seed, "
                "more images, or a model that starts from trained weights, like photos"
            )


def check(tflite: bytes, source: str) -> None:
    """Asserts what the engine builds on.

    The input is pixel - 128 (scale 1/255, zero point -128); the inputs and the output of every CONCATENATION
    share scale and zero point; QUANTIZE occurs nowhere. Raises UserError, `source` standing for the file.
    """
    interpreter = _interpreter(tflite)
    scale, zero_point = interpreter.get_input_details()[0]["quantization"]
    if (scale, zero_point) != (INPUT_SCALE, INPUT_ZERO_POINT):
        raise UserError(
            f"{source}: the input has scale {scale!r}, zero point {zero_point}; want {INPUT_SCALE!r} and "
            f"{INPUT_ZERO_POINT} (int8 = pixel - 128)"
        )
    quantization = {t["index"]: t["quantization"] for t in interpreter.get_tensor_details()}
    names = {t["index"]: t["name"] for t in interpreter.get_tensor_details()}
    for op in _operators(interpreter, "CONCATENATION"):
        output = int(op["outputs"][0])
        for index in map(int, op["inputs"]):
            if quantization[index] != quantization[output]:
                raise UserError(
                    f"{source}: {names[index]} has scale and zero point {quantization[index]}, "
                    f"the concatenation {names[output]} {quantization[output]}; want them equal"
                )
    for op in _operators(interpreter, "QUANTIZE"):
        raise UserError(f"{source}: QUANTIZE at op {op['index']}, {names[int(op['outputs'][0])]}; want none")
