"""Rewrites a .tflite from elsewhere where nobody could run it as it is: LiteRT, TFLite Micro or a board.

Each change leaves every int8 as it was:

- weights that stand behind the flatbuffer, as ai-edge-quantizer puts large ones, move into it: TFLite Micro
  reads no others;
- a convolution without a bias, which LiteRT's int8 kernels refuse, gets one of zeros;
- an image of [1, channels, height, width] that is transposed first is taken as [1, height, width, channels];
- an ELU that TensorFlow's converter left in float, between DEQUANTIZE and QUANTIZE, becomes one of int8;
- a SOFTMAX in float behind the last DEQUANTIZE goes: the logits before it are the outputs.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import lookup, objects
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.tflite_file import Op, TfliteFile

_BIASED = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}  # and which dimension of the weights counts the outputs
_CHANNELS_LAST = [0, 2, 3, 1]


class _Mender:
    """The file as objects, and what was changed."""

    def __init__(self, file: TfliteFile) -> None:
        self.file = file
        self.model = objects.read(file.content)
        self.graph = self.model.subgraphs[0]
        self.originals: list[Any] = list(self.graph.operators)
        self.notes: list[str] = []
        self.changed = False

    def gather_buffers(self) -> None:
        """Takes in what stands behind the flatbuffer."""
        size = len(self.file.content)
        for number, buffer in enumerate(self.model.buffers):
            begin, length = int(buffer.offset or 0), int(buffer.size or 0)
            if begin <= 1 or not length:
                continue
            if begin + length > size:
                raise UserError(
                    f"{self.file.path}: buffer {number} lies at {begin:,}, {length:,} bytes; the file has "
                    f"{size:,}; want a whole one"
                )
            buffer.data = np.frombuffer(self.file.content, np.uint8, length, begin)
            buffer.offset = buffer.size = 0
            self.changed = True

    def add_biases(self) -> None:
        """Zeros for convolutions of int8 weights that have no bias."""
        for op in self.file.ops:
            without = len(op.inputs) < 3 or op.inputs[2] < 0
            if op.name not in _BIASED or not without or len(op.inputs) < 2:
                continue
            x, w = self.file.tensors[op.inputs[0]], self.file.tensors[op.inputs[1]]
            if w.type_name != "INT8" or len(w.shape) != 4 or not len(x.scale) or not len(w.scale):
                continue  # what is wrong there is said when it is lowered
            outputs = w.shape[_BIASED[op.name]]
            bias = schema.TensorT()
            bias.name, bias.shape = b"zero bias", [outputs]
            bias.type, bias.buffer = schema.TensorType.INT32, len(self.model.buffers)
            bias.quantization = schema.QuantizationParametersT()
            bias.quantization.scale = (x.scale[0] * w.scale).astype(np.float32)
            bias.quantization.zeroPoint = np.zeros(len(w.scale), np.int64)
            self.model.buffers.append(schema.BufferT())
            self.model.buffers[-1].data = np.zeros(4 * outputs, np.uint8)
            self.graph.tensors.append(bias)
            inputs = [*op.inputs[:2], len(self.graph.tensors) - 1]
            self.graph.operators[op.index].inputs = np.array(inputs, np.int32)
            self.changed = True

    def take_channels_last(self) -> None:
        """Takes the image as the TRANSPOSE at the input would give it."""
        if len(self.file.inputs) != 1:
            return
        image = self.file.inputs[0]
        readers = [op for op in self.file.ops if image in op.inputs]
        if len(readers) != 1 or readers[0].name != "TRANSPOSE" or image in self.file.outputs:
            return
        axes = self.file.tensors[readers[0].inputs[1]].data
        if axes is None or axes.reshape(-1).tolist() != _CHANNELS_LAST:
            return
        self._without(readers[0])
        self.graph.inputs = np.array(readers[0].outputs, np.int32)
        self.notes.append(
            "the network takes [1, channels, height, width] and transposes it: it is converted to take "
            "[1, height, width, channels], which saves the TRANSPOSE"
        )

    def end_in_logits(self) -> None:
        """Ends before a DEQUANTIZE whose floats go through SOFTMAX."""
        makers = {index: op for op in self.file.ops for index in op.outputs}
        softmax = makers.get(self.file.outputs[0]) if len(self.file.outputs) == 1 else None
        if softmax is None or softmax.name != "SOFTMAX":
            return
        dequantize = makers.get(softmax.inputs[0])
        if dequantize is None or dequantize.name != "DEQUANTIZE":
            return
        readers = [op for op in self.file.ops if dequantize.outputs[0] in op.inputs]
        if readers != [softmax]:
            return
        self._without(softmax)
        self._without(dequantize)
        self.graph.outputs = np.array(dequantize.inputs[:1], np.int32)
        self.notes.append(
            "the network ends in SOFTMAX of floats: the device gives the logits before it, from which the "
            "class follows as well"
        )

    def quantize_elus(self) -> None:
        """An ELU of int8 where those of float do the same to each of the 256 values."""
        readers: dict[int, list[Op]] = {}
        for op in self.file.ops:
            for index in op.inputs:
                readers.setdefault(index, []).append(op)
        for first in self.file.ops:
            elus = readers.get(first.outputs[0], []) if first.name == "DEQUANTIZE" else []
            lasts = readers.get(elus[0].outputs[0], []) if len(elus) == 1 else []
            if len(lasts) != 1 or (elus[0].name, lasts[0].name) != ("ELU", "QUANTIZE"):
                continue
            ends = [self.file.tensors[index].type_name for index in (first.inputs[0], lasts[0].outputs[0])]
            if ends == ["INT8", "INT8"]:
                self._quantize_elu(first, elus[0], lasts[0])

    def _quantize_elu(self, first: Op, elu: Op, last: Op) -> None:
        raw = self.originals[elu.index]
        before = raw.inputs, raw.outputs
        in_float = lookup.table(self.file.content, first.index, elu.index, last.index)
        raw.inputs, raw.outputs = list(first.inputs), list(last.outputs)
        if not np.array_equal(lookup.table_of(self.model, self.graph.operators.index(raw)), in_float):
            raw.inputs, raw.outputs = before
            return
        self._without(first)
        self._without(last)

    def _without(self, op: Op) -> None:
        # By identity: places shift as operators go.
        raw = self.originals[op.index]
        self.graph.operators = [other for other in self.graph.operators if other is not raw]
        self.changed = True

    def run(self) -> None:
        self.gather_buffers()
        self.add_biases()
        self.take_channels_last()
        self.quantize_elus()
        self.end_in_logits()

    def content(self) -> bytes:
        self.model.signatureDefs = []  # they name the inputs and outputs that were
        return objects.packed(self.model)


@dataclass(frozen=True)
class Mended:
    """A .tflite that does the same as the one given and can be run.

    Attributes:
        file: it.
        notes: what a user should know of the difference.
        given_sha256: of the bytes that were given.
    """

    file: TfliteFile
    notes: list[str]
    given_sha256: str


def mended(file: TfliteFile) -> Mended:
    """`file`, changed where it must be. UserError: a constant that is not in the file, or a damaged one."""
    mender = _Mender(file)
    try:
        mender.run()
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as error:
        raise UserError(f"{file.path}: damaged or inconsistent .tflite; want a whole one") from error
    content = tflite_file.parse(mender.content(), file.path) if mender.changed else file
    return Mended(content, mender.notes, files.sha256(file.content))


def read(path: Path) -> Mended:
    """Reads the file at `path`, and mends it."""
    return mended(tflite_file.read(path))
