"""Where values of a .tflite's tensors come from or go to, behind operators that no layer stands for.

Written apart from convert/lowering, whose mistakes it is to find.
"""

from dataclasses import dataclass

import numpy as np

from squeezenet_mcu.convert.lowering.tflite_file import Op, Tensor, TfliteFile
from squeezenet_mcu.convert.network import Network

MOVES = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE")


@dataclass(frozen=True)
class Source:
    """A computed tensor, and for each value of a moved one the place where it stands there."""

    tensor: Tensor
    places: np.ndarray  # int64 [values]


def source(file: TfliteFile, index: int) -> Source:
    """The tensor whose values tensor `index` holds, maybe reshaped and transposed."""
    maker = next((op for op in file.ops if index in op.outputs), None)
    tensor = file.tensors[index]
    if maker is None or maker.name not in MOVES:
        return Source(tensor, np.arange(int(np.prod(tensor.shape))))
    before = source(file, maker.inputs[0])
    if maker.name != "TRANSPOSE":
        return before
    axes = file.tensors[maker.inputs[1]].data
    assert axes is not None, "lowering takes constant orders only"
    shape = file.tensors[maker.inputs[0]].shape
    return Source(before.tensor, np.transpose(before.places.reshape(shape), axes.reshape(-1)).reshape(-1))


def clamping(file: TfliteFile, network: Network, index: int) -> list[Op]:
    """The operators behind tensor `index`, up to one whose output is held, where `index` is not held.

    They are CONCATENATIONs, which place it, and one operator of one input, which clamps it.
    """
    found: list[Op] = []
    while index not in network.tensors:
        readers = [op for op in file.ops if index in op.inputs]
        if len(readers) != 1 or len(found) > len(file.ops):
            return []
        found.append(readers[0])
        index = readers[0].outputs[0]
    return found


def looked_up(file: TfliteFile, network: Network, op: Op) -> tuple[list[Op], Tensor]:
    """The operators that a LOOKUP does whose output is that of `op`, in order, and the map that it reads.

    They are `op` and all before it as far as no buffer holds the map between.
    """
    found, sources = {op.index: op}, set()
    waiting = list(op.inputs)
    while waiting:
        index = waiting.pop()
        if file.tensors[index].data is not None:
            continue
        maker = next((other for other in file.ops if index in other.outputs), None)
        if index in network.tensors or maker is None:
            sources.add(index)
        elif maker.index not in found:
            found[maker.index] = maker
            waiting += maker.inputs
    if len(sources) != 1:
        message = f"looks up tensors {sorted(sources)}; wanted one: a bug of the converter; please report it"
        raise file.op_error(op, None, message)
    return [found[index] for index in sorted(found)], file.tensors[sources.pop()]
