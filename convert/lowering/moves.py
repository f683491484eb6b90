"""Lowers operators that move values without changing them, and the shapes that they are told."""

from math import prod

import numpy as np

from squeezenet_mcu.convert.lowering.state import Lowering
from squeezenet_mcu.convert.lowering.tflite_file import Op

_MOST_VALUES = 1 << 24  # of a tensor whose order is followed


def _alias(low: Lowering, op: Op, order: np.ndarray | None) -> None:
    """The output holds the values of the input's root, each at its place in `order`."""
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    low.aliases[out.index] = low.root(x.index)
    if order is not None and not np.array_equal(order, np.arange(len(order))):
        low.orders[out.index] = order


def reshape(low: Lowering, op: Op) -> None:
    """RESHAPE, EXPAND_DIMS, SQUEEZE of a map; of a shape, nothing."""
    x, out = low.tensor(op.inputs[0]), low.tensor(op.outputs[0])
    if x.index in low.shapes or x.data is not None:
        of_shapes(low, op)
        return
    if prod(x.shape) != prod(out.shape):
        raise low.fail(op, out, f"reshapes {list(x.shape)}; wanted as many values")
    if out.shape and out.shape[0] != 1:
        raise low.fail(op, out, f"reshapes {list(x.shape)}; wanted 1 as the first dimension")
    if x.type_name == "INT8":
        low.same_quantization(op, x, out)
    _alias(low, op, low.orders.get(x.index))


def transpose(low: Lowering, op: Op) -> None:
    """TRANSPOSE: whoever reads it must be able to read the values in another order."""
    x, axes, out = low.tensor(op.inputs[0]), low.tensor(op.inputs[1]), low.tensor(op.outputs[0])
    low.check_int8(op, x.index, out.index)
    low.same_quantization(op, x, out)
    found = None if axes.data is None else [int(a) for a in axes.data.reshape(-1)]
    if found is None or sorted(found) != list(range(len(x.shape))):
        raise low.fail(op, axes, f"axes {found}; wanted a constant order of {len(x.shape)} axes")
    if out.shape != tuple(x.shape[a] for a in found):
        raise low.fail(op, out, f"transposes {list(x.shape)} by {found}; the shapes disagree")
    if prod(x.shape) > _MOST_VALUES:
        raise low.fail(op, x, f"{prod(x.shape):,} values to transpose; wanted at most {_MOST_VALUES:,}")
    low.view(op, x.index)  # it has been computed
    before = low.orders.get(x.index, np.arange(prod(x.shape)))
    _alias(low, op, before.reshape(x.shape).transpose(found).reshape(-1))


def shape(low: Lowering, op: Op) -> None:
    """SHAPE: the file says the same of each tensor, so that nobody asks for the values."""
    low.shapes.update(op.outputs)


def of_shapes(low: Lowering, op: Op) -> None:
    """STRIDED_SLICE, PACK and others, of shapes and constants alone."""
    for index in op.inputs:
        tensor = low.tensor(index)
        if index not in low.shapes and tensor.data is None:
            raise low.fail(op, tensor, "is not a constant; supported for shapes only")
    low.shapes.update(op.outputs)
