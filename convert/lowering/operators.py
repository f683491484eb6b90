"""Lowers an int8 .tflite to the engine's network: supported operators only, nothing approximated."""

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering import groups, maps, survey, table
from squeezenet_mcu.convert.lowering.state import Lowering
from squeezenet_mcu.convert.lowering.tflite_file import OperatorError, TfliteFile
from squeezenet_mcu.convert.network import Kind, Layer, Network, TensorView

_MOST_OTHERS = 6  # operators that an error names beside the first


def _order(layers: list[Layer]) -> list[Layer]:
    """Moves layers that write the same buffer to the last of them, so that one row is made in one go."""
    last = {layer.output: i for i, layer in enumerate(layers)}
    return [
        member
        for i, layer in enumerate(layers)
        if last[layer.output] == i
        for member in layers
        if member.output == layer.output
    ]


def _name_apart(layers: list[Layer]) -> None:
    """Adds the op's index to every name that an earlier layer has."""
    taken: set[str] = set()
    for layer in layers:
        if layer.name in taken:
            layer.name = f"{layer.name}_{layer.op_index}"
        taken.add(layer.name)


def lower(file: TfliteFile) -> Network:
    """Lowers `file`. Raises UserError naming the operator, its index and the tensor it cannot take.

    Where there are more such operators, it names those too.
    """
    try:
        return _lower(file)
    except OperatorError as error:
        raise _with_others(file, error) from error
    except survey.DAMAGED as error:
        # A damaged file can hold anything; what is checked above gives a better message.
        raise UserError(f"{file.path}: damaged or inconsistent .tflite; want a whole one") from error


def _with_others(file: TfliteFile, error: OperatorError) -> UserError:
    found = [problem.op for problem in survey.problems(file) if isinstance(problem, OperatorError)]
    others = [f"op {op.index} {op.name}" for op in found if op.index != error.op.index]
    if not others:
        return error
    named = ", ".join(others[:_MOST_OTHERS])
    more = f" and {len(others) - _MOST_OTHERS} more" if len(others) > _MOST_OTHERS else ""
    return UserError(f"{error}; so are {named}{more}: make analyze TFLITE= says why")


def _lower(file: TfliteFile) -> Network:
    table.check_file(file)
    low = Lowering(file)
    for op in file.ops:
        if op.name not in table.BY_NAME:
            raise table.unsupported(low, op)
    low.check_makers()
    in_tensor = table.image(low)
    maps.reserve_concatenations(low)
    in_buffer = low.destination(in_tensor).buffer
    by_group = groups.find(low)
    for op in file.ops:
        group = by_group.get(op.index)
        if group is None:
            table.BY_NAME[op.name](low, op)
        elif op is group.ops[-1]:
            groups.lower(low, group)
        low.check_count(op)
    table.check_output(low)
    out_index = low.root(file.outputs[0])
    output = low.view(file.ops[-1], out_index)
    softmax = [layer for layer in low.layers if layer.output == output.buffer and layer.kind is Kind.SOFTMAX]
    logits_index = low.root(file.ops[softmax[0].op_index].inputs[0]) if softmax else out_index
    logits = low.view(file.ops[-1], logits_index)
    for tensor, view in ((low.tensor(out_index), output), (low.tensor(logits_index), logits)):
        b = low.buffers[view.buffer]
        if (b.height, b.width) != (1, 1) or b.channels != view.channels:
            raise UserError(f"{file.path}: output {tensor}; wanted a vector of classes, [1, classes]")
    _name_apart(low.layers)
    views: dict[int, tuple[TensorView, ...]] = {
        t: (low.views[low.root(t)],)
        for t in range(len(file.tensors))
        if low.root(t) in low.views and t not in low.orders
    }
    return Network(
        file.content, low.buffers, _order(low.layers), in_buffer, logits.buffer, output.buffer, views,
        logits_index, out_index,
    )  # fmt: skip
