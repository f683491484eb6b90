"""What is asked of a whole file: one int8 image in, one vector of classes out, int8 between them."""

from math import prod

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering.state import MAX_INPUT, Lowering
from squeezenet_mcu.convert.lowering.tflite_file import Tensor, TfliteFile
from squeezenet_mcu.model.network.foreign_files import PAGE


def check_file(file: TfliteFile) -> None:
    """UserError unless it has one input and one output, and no activations of int16."""
    if len(file.inputs) != 1 or len(file.outputs) != 1:
        raise UserError(
            f"{file.path}: {len(file.inputs)} inputs, {len(file.outputs)} outputs; wanted 1 and 1"
        )
    wide = next((t for t in file.tensors if t.type_name == "INT16" and t.data is None), None)
    if wide is not None:
        raise UserError(
            f"{file.path}: {wide}: int16 activations; wanted int8: quantize with activations and weights of "
            "8 bits"
        )


def image(low: Lowering) -> Tensor:
    """The int8 image: the graph's input, or what a QUANTIZE makes of it. UserError for other inputs."""
    file = low.file
    given = low.tensor(file.inputs[0])
    first = low.consumers.get(given.index, [])
    edge = first[0] if len(first) == 1 and first[0].name == "QUANTIZE" else None
    if given.type_name != "INT8" and edge is None:
        raise UserError(
            f"{file.path}: input {given}; wanted a fully int8-quantized .tflite (post-training quantization "
            f"with int8 input and output, or quantization-aware training); {PAGE} has scripts"
        )
    if len(given.shape) != 4 or given.shape[0] != 1:
        raise UserError(f"{file.path}: input {given}; wanted [1, height, width, channels]")
    if (values := prod(given.shape)) > MAX_INPUT:
        raise UserError(f"{file.path}: input {given}: {values:,} values; wanted at most {MAX_INPUT:,}")
    return low.tensor(edge.outputs[0]) if edge and given.type_name != "INT8" else given


def check_output(low: Lowering) -> None:
    if not low.layers:
        raise UserError(f"{low.file.path}: no operator computes anything; wanted a network")
    if low.file.outputs[0] in low.orders:
        output = low.tensor(low.file.outputs[0])
        raise low.fail(low.file.ops[-1], output, "output: its values are transposed; not supported")
