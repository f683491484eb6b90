"""Which tensors the proof compares: every int8 output of every operator, or a named rule says why not."""

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering.pointwise import BY_TABLE
from squeezenet_mcu.convert.lowering.tflite_file import Op, TfliteFile
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.verify import moved

_PADDING = ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D")
_ON_EACH_VALUE = ("ADD", "MUL", "QUANTIZE", "SUB", *BY_TABLE)


def _folded_padding(file: TfliteFile, op: Op, compared: set[int]) -> bool:
    """A PAD that its readers do themselves, at the edges of their windows: no buffer ever holds its output.

    Its input is compared, and so is the output of each reader, a convolution or a MAX_POOL.
    """
    readers = [other for other in file.ops if op.outputs[0] in other.inputs]
    return (
        op.name == "PAD"
        and op.inputs[0] in compared
        and bool(readers)
        and all(r.name in _PADDING and set(r.outputs) <= compared for r in readers)
    )


def _moved(file: TfliteFile, op: Op, compared: set[int]) -> bool:
    """The same values in another order, as some reader wants them; they are compared where they were made."""
    return op.name in moved.MOVES and moved.source(file, op.outputs[0]).tensor.index in compared


def _clamped(file: TfliteFile, op: Op, compared: set[int]) -> bool:
    """A map whose only reader is an operator that its own layers do themselves, by a narrower clamp.

    Or the part of a CONCATENATION that is such a map. What it gives is compared, or clamped again.
    """
    readers = [other for other in file.ops if op.outputs[0] in other.inputs]
    if len(readers) != 1:
        return False
    if readers[0].name == "CONCATENATION":
        return _clamped(file, readers[0], compared)
    done = set(readers[0].outputs) <= compared or _clamped(file, readers[0], compared)
    return readers[0].name in BY_TABLE and done


def _in_a_table(file: TfliteFile, op: Op, compared: set[int]) -> bool:
    """A map that only operators on each value read, which a LOOKUP does with them.

    Its table is compared for all values, see constants.py, and so is the map that it makes.
    """
    readers = [other for other in file.ops if op.outputs[0] in other.inputs]
    on_each_value = all(one.name in _ON_EACH_VALUE for one in (op, *readers))
    return (
        on_each_value
        and bool(readers)
        and all(set(r.outputs) <= compared or _in_a_table(file, r, compared) for r in readers)
    )


# Why an int8 output may be missing among the compared tensors.
RULES = {
    "a padding folded into its readers": _folded_padding,
    "values in another order": _moved,
    "a clamp folded into the layers before": _clamped,
    "a map within a table": _in_a_table,
}


def _whole(file: TfliteFile, network: Network, index: int) -> bool:
    """Its views, channel after channel, are all of it."""
    height, width, channels = file.tensors[index].hwc
    views = network.tensors[index]
    maps = [network.buffers[view.buffer] for view in views]
    if len(views) == 1 and views[0].channels == maps[0].channels:  # of any form: a RESHAPE's has another
        return maps[0].height * maps[0].width * maps[0].channels == height * width * channels
    inside = all(v.channel + v.channels <= b.channels for v, b in zip(views, maps, strict=True))
    sizes = all((b.height, b.width) == (height, width) for b in maps)
    return inside and sizes and sum(view.channels for view in views) == channels


def _compared(file: TfliteFile, network: Network) -> set[int]:
    return {index for index in network.tensors if _whole(file, network, index)}


def _not_compared(file: TfliteFile, compared: set[int]) -> list[tuple[Op, int]]:
    """Operators, and those of their int8 outputs that are not compared."""
    return [
        (op, index)
        for op in file.ops
        for index in op.outputs
        if file.tensors[index].type_name == "INT8" and index not in compared
    ]


def never_stored(file: TfliteFile, network: Network) -> dict[int, str]:
    """The operators' int8 outputs that no row of the engine holds, by tensor: the rule that says why."""
    compared = _compared(file, network)
    return {
        index: next(name for name, rule in RULES.items() if rule(file, op, compared))
        for op, index in _not_compared(file, compared)
    }


def check(file: TfliteFile, network: Network) -> None:
    """Raises UserError for an operator's int8 output that is not compared with LiteRT's, or not all of it."""
    compared = _compared(file, network)
    for op, index in _not_compared(file, compared):
        if not any(rule(file, op, compared) for rule in RULES.values()):
            raise file.op_error(
                op,
                file.tensors[index],
                "is not compared with LiteRT's: a bug of the converter; please report it",
            )
    if not compared:
        raise UserError(f"{file.path}: no tensor is compared with LiteRT's: a bug of the converter")
