"""All that keeps a .tflite from being lowered, not only the first: each operator is tried by itself.

Where one cannot be lowered, its output is taken to be there all the same, in the shape that the file says, so
that the operators behind it are tried too.
"""

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering import groups, maps, table
from squeezenet_mcu.convert.lowering.state import Lowering
from squeezenet_mcu.convert.lowering.tflite_file import Op, OperatorError, TfliteFile
from squeezenet_mcu.convert.network import Buffer, TensorView

# What a damaged file, which can hold anything, lets Python raise.
DAMAGED = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError)


class _Survey:
    def __init__(self, file: TfliteFile) -> None:
        self.low = Lowering(file)
        self.found: list[UserError] = []
        self.refused: set[int] = set()  # operators, each of which is told once

    def note(self, error: UserError) -> None:
        if isinstance(error, OperatorError):
            if error.op.index in self.refused:
                return
            self.refused.add(error.op.index)
        self.found.append(error)

    def pretend(self, *tensors: int) -> None:
        """Gives tensors that nobody makes a buffer of their own."""
        low = self.low
        for index in tensors:
            if low.root(index) not in low.views:
                tensor = low.tensor(index)
                low.buffers.append(Buffer(tensor.name, *tensor.hwc, 0.0, tensor.zero_point))
                low.views[low.root(index)] = TensorView(len(low.buffers) - 1, 0, tensor.hwc[2])

    def reserve(self) -> None:
        for op in reversed(self.low.file.ops):
            if op.name == "CONCATENATION":
                try:
                    maps.reserve_concatenation(self.low, op)
                except UserError as error:
                    self.note(error)
                except DAMAGED:
                    self.note(self.low.fail(op, None, "is damaged or inconsistent"))

    def lower(self, op: Op, group: groups.Group | None) -> None:
        low = self.low
        try:
            if op.name not in table.BY_NAME:
                raise table.unsupported(low, op)
            if group is None:
                table.BY_NAME[op.name](low, op)
            elif op is group.ops[-1]:
                groups.lower(low, group)
        except UserError as error:
            self.note(error)
            self.pretend(*op.outputs)
        except DAMAGED:
            self.note(low.fail(op, None, "is damaged or inconsistent"))
            self.pretend(*op.outputs)

    def run(self) -> None:
        low, file = self.low, self.low.file
        try:
            table.check_file(file)
        except UserError as error:
            self.note(error)
        low.check_makers()
        try:
            low.destination(table.image(low))
        except UserError as error:
            self.note(error)
        self.pretend(*file.inputs)
        self.reserve()
        by_group = groups.find(low)
        for op in file.ops:
            self.lower(op, by_group.get(op.index))
        if not self.found:
            table.check_output(low)


def problems(file: TfliteFile) -> list[UserError]:
    """Of the whole file first, then an OperatorError for each operator that cannot be lowered, in its order.

    Empty: it can be lowered as far as a look at each operator tells.
    """
    survey = _Survey(file)
    try:
        survey.run()
    except UserError as error:
        survey.note(error)
    except DAMAGED:
        survey.note(UserError(f"{file.path}: damaged or inconsistent .tflite; want a whole one"))
    of_file = [error for error in survey.found if not isinstance(error, OperatorError)]
    of_ops = [error for error in survey.found if isinstance(error, OperatorError)]
    return [*of_file, *sorted(of_ops, key=lambda error: error.op.index)]
