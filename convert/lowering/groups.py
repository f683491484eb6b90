"""Finds operators that together make each int8 of one int8 of a single map, as x * sigmoid(x) does.

Such a group is one LOOKUP, whatever is between its ends: the maps in the middle are never made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from squeezenet_mcu.convert.lowering import pointwise
from squeezenet_mcu.convert.lowering.state import Lowering
from squeezenet_mcu.convert.lowering.tflite_file import Op, TfliteFile

_OF_TWO = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")
# An ELU is a table of its own: LiteRT's reference kernels lack it, and would not compute the group's.
_MEMBERS = frozenset({*_OF_TWO, "QUANTIZE", *pointwise.BY_TABLE} - {"ELU"})


@dataclass(frozen=True)
class Group:
    """Operators in the file's order, of which the last makes what others read, and the map that they read."""

    ops: tuple[Op, ...]
    source: int


def _maps(file: TfliteFile, op: Op) -> list[int]:
    return [index for index in op.inputs if file.tensors[index].data is None]


def _is_member(file: TfliteFile, op: Op) -> bool:
    """Whether `op` makes each int8 of the int8 at its place in one map, or in two of the same shape."""
    if op.name not in _MEMBERS or len(op.outputs) != 1 or not op.inputs:
        return False
    tensors = [file.tensors[index] for index in (*op.inputs, *op.outputs)]
    maps = [tensor for tensor in tensors if tensor.data is None]
    alone = all(tensor.data.size == 1 for tensor in tensors if tensor.data is not None)
    alike = all((tensor.type_name, tensor.shape) == ("INT8", tensors[-1].shape) for tensor in maps)
    return alone and alike and len(maps) > 1


def _ending_in(
    file: TfliteFile, makers: Mapping[int, Op], readers: Mapping[int, Sequence[Op]], last: Op
) -> Group | None:
    """The smallest group with `last` at its end and an operator of two maps in it, where there is one."""
    found = [last]
    edge = set(_maps(file, last))
    while len(edge) > 1 or not any(len(_maps(file, op)) > 1 for op in found):
        index = max(edge, key=lambda index: makers[index].index if index in makers else -1)
        op = makers.get(index)
        if op is None or op.index >= found[0].index or not _is_member(file, op):
            return None
        if index in file.outputs or any(reader not in found for reader in readers[index]):
            return None  # somebody else wants this map
        found.insert(0, op)
        edge = edge - {index} | set(_maps(file, op))
    return Group(tuple(found), edge.pop())


def find(low: Lowering) -> dict[int, Group]:
    """The groups of the file, as large as can be, by each member's index."""
    makers = {index: op for op in low.file.ops for index in op.outputs}
    groups: dict[int, Group] = {}
    for op in reversed(low.file.ops):
        if op.index not in groups and _is_member(low.file, op):
            group = _ending_in(low.file, makers, low.consumers, op)
            groups.update({member.index: group for member in group.ops} if group else {})
    return groups


def lower(low: Lowering, group: Group) -> None:
    """A LOOKUP in the place of the last operator."""
    last = group.ops[-1]
    low.check_int8(last, group.source, *(index for op in group.ops for index in (*op.inputs, *op.outputs)))
    table = pointwise.table_of(low, group.ops)
    pointwise.look_up(low, last, low.tensor(group.source), table)
