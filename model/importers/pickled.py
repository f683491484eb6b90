"""The pickle of a PyTorch state dict, read as data: nothing in it is imported or called.

A pickle is a program for a stack machine. Here it may use only the instructions and the names that torch.save
writes for a dict of tensors; whatever else stands in it, a call of os.system say, is an error. Source of the
instructions: CPython's module pickletools; of what torch.save writes: PyTorch's torch.serialization and
torch._utils.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 1 << 20  # of the pickle; that of SqueezeNet's 52 tensors has 8 KB
_MOST_TEXT = 1000  # bytes of a name
_MOST_LONG = 8  # bytes of a number
_MOST_AXES = 8
_TOO_MANY = 1 << 40  # values of a tensor


@dataclass(frozen=True)
class Name:
    """A function or class of Python that the pickle names. It is not imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Storage:
    """Values of float32 in the member `key` of the zip, `count` of them."""

    key: str
    count: int


@dataclass(frozen=True)
class Tensor:
    """A view of a storage: from value `offset` on, of the shape `size`, with so many values a `stride`."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


REBUILD = Name("torch._utils", "_rebuild_tensor_v2")
FLOATS = Name("torch", "FloatStorage")
ORDERED = Name("collections", "OrderedDict")
_ALLOWED = (REBUILD, FLOATS, ORDERED)


class _Mark:
    """Where the parts of a tuple or a dict begin on the stack."""


def read(data: bytes) -> dict[str, Tensor]:
    """The tensors of a pickled state dict, by name.

    Raises ValueError, in one line: it is cut off, or says anything but that. Memory: at most some times
    MOST_BYTES, whatever the numbers in it are.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(f"its pickle has {len(data):,} bytes; want at most {MOST_BYTES:,}")
    try:
        found = _Machine(data).run()
    except (IndexError, struct.error):  # the stack is empty, or the bytes are
        raise ValueError("its pickle is cut off or damaged") from None
    except UnicodeDecodeError:
        raise ValueError("its pickle holds a text that is no UTF-8") from None
    if not isinstance(found, dict):
        raise ValueError("its pickle holds no dict of tensors; want torch.save(model.state_dict(), ...)")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ValueError(
                f"its pickle holds {_kind(value)} under {name!r:.40}; want a dict of tensors by name: "
                "torch.save(model.state_dict(), ...)"
            )
    return found


class _Machine:
    """Runs one pickle. Its values: None, bool, int, str, tuple, dict, Name, Storage, Tensor."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        while True:
            code = self.take(1)
            if code == b".":
                if len(self.stack) != 1:
                    raise ValueError(f"its pickle ends with {len(self.stack)} values; want one")
                return self.stack.pop()
            step = _STEPS.get(code)
            if step is None:
                raise ValueError(
                    f"its pickle has the instruction 0x{code[0]:02x}, which no dict of tensors needs"
                )
            step(self)

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        found = self.data[self.at : self.at + count]
        if len(found) < count:
            raise IndexError
        self.at += count
        return found

    def number(self, form: str) -> int:
        """The next whole number, of the little-endian struct format `form`."""
        (found,) = struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))
        return int(found)

    def line(self) -> str:
        end = self.data.find(b"\n", self.at, self.at + _MOST_TEXT)
        if end < 0:
            raise IndexError
        found = self.data[self.at : end].decode()
        self.at = end + 1
        return found

    def text(self, form: str) -> None:
        size = self.number(form)
        if size > _MOST_TEXT:
            raise ValueError(f"its pickle holds a text of {size:,} bytes; want at most {_MOST_TEXT:,}")
        self.stack.append(self.take(size).decode())

    def long(self) -> None:
        size = self.number("B")
        if size > _MOST_LONG:
            raise ValueError(f"its pickle holds a number of {size} bytes; want at most {_MOST_LONG}")
        self.stack.append(int.from_bytes(self.take(size), "little", signed=True))

    def marked(self) -> list[Any]:
        """What lies above the last mark, which goes too."""
        at = len(self.stack) - 1
        while not isinstance(self.stack[at], _Mark):
            at -= 1
            if at < 0:
                raise IndexError
        found = self.stack[at + 1 :]
        del self.stack[at:]
        return found

    def pop(self) -> Any:
        found = self.stack.pop()
        if isinstance(found, _Mark):
            raise IndexError
        return found

    def tuple_of(self, count: int) -> None:
        self.stack.append(tuple([self.pop() for _ in range(count)][::-1]))

    def name(self) -> None:
        found = Name(self.line(), self.line())
        if found not in _ALLOWED:
            raise ValueError(
                f"its pickle names {str(found)[:80]}, which could run code; want one that names only "
                f"{', '.join(map(str, _ALLOWED))}: torch.save(model.state_dict(), ...)"
            )
        self.stack.append(found)

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if function == ORDERED and arguments == ():
            self.stack.append({})
        elif function == REBUILD and isinstance(arguments, tuple):
            self.stack.append(_tensor(arguments))
        else:
            raise ValueError(f"its pickle calls {_kind(function)} in another way than torch.save does")

    def storage(self) -> None:
        found = self.pop()
        match found:
            case ("storage", kind, str(key), str(), int(count)) if kind == FLOATS and type(count) is int:
                if not key.isdecimal() or not key.isascii() or len(key) > 9 or not 0 <= count < _TOO_MANY:
                    raise ValueError(f"its pickle has the storage {key!r:.40} of {count:,} values")
                self.stack.append(Storage(key, count))
            case _:
                raise ValueError("its pickle has a storage that is not of float32; want model.float() first")

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise ValueError("its pickle sets items of what is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str):
                raise ValueError(f"its pickle has {_kind(key)} as a name; want texts")
            target[key] = value

    def state(self) -> None:
        """The attributes of an OrderedDict, of which torch.save writes _metadata: nothing of it is needed."""
        state = self.pop()
        if not isinstance(state, dict) or not isinstance(self.stack[-1], dict):
            raise ValueError("its pickle sets the state of what is no dict")


def _tensor(arguments: tuple[Any, ...]) -> Tensor:
    match arguments:
        case (Storage() as storage, int(offset), tuple(size), tuple(stride), bool(), dict()):
            few = len(size) == len(stride) <= _MOST_AXES
            if few and all(type(n) is int and 0 <= n < _TOO_MANY for n in (offset, *size, *stride)):
                return Tensor(storage, offset, size, stride)
    raise ValueError("its pickle builds a tensor in another way than torch.save does")


def _kind(value: Any) -> str:
    return str(value)[:80] if isinstance(value, Name) else f"a {type(value).__name__.lower()}"


def _get(machine: _Machine, form: str) -> None:
    number = machine.number(form)
    if number not in machine.memo:
        raise IndexError
    machine.stack.append(machine.memo[number])


def _put(machine: _Machine, form: str) -> None:
    number, value = machine.number(form), machine.stack[-1]
    if isinstance(value, _Mark):
        raise IndexError
    machine.memo[number] = value


def _set_item(machine: _Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items([key, value])


def _protocol(machine: _Machine) -> None:
    if (number := machine.number("B")) > 3:
        raise ValueError(f"its pickle is of protocol {number}; want 2, which torch.save takes by itself")


_STEPS: dict[bytes, Callable[[_Machine], None]] = {
    b"\x80": _protocol,
    b"c": _Machine.name,
    b"R": _Machine.call,
    b"Q": _Machine.storage,
    b"b": _Machine.state,
    b"q": lambda m: _put(m, "B"),
    b"r": lambda m: _put(m, "I"),
    b"h": lambda m: _get(m, "B"),
    b"j": lambda m: _get(m, "I"),
    b"(": lambda m: m.stack.append(_Mark()),
    b"X": lambda m: m.text("I"),
    b"K": lambda m: m.stack.append(m.number("B")),
    b"M": lambda m: m.stack.append(m.number("H")),
    b"J": lambda m: m.stack.append(m.number("i")),
    b"\x8a": _Machine.long,
    b"N": lambda m: m.stack.append(None),
    b"\x88": lambda m: m.stack.append(True),
    b"\x89": lambda m: m.stack.append(False),
    b"}": lambda m: m.stack.append({}),
    b")": lambda m: m.stack.append(()),
    b"\x85": lambda m: m.tuple_of(1),
    b"\x86": lambda m: m.tuple_of(2),
    b"\x87": lambda m: m.tuple_of(3),
    b"t": lambda m: m.stack.append(tuple(m.marked())),
    b"s": _set_item,
    b"u": lambda m: m.set_items(m.marked()),
}
