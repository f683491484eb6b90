"""A model's kernels as one word, as firmware_cpp/engine/built_kernels.h has it."""

from collections.abc import Iterable

from squeezenet_mcu.convert.network import ConvKernel, Kind

_HUFFMAN = 11  # its bit
_OF_KINDS = 10  # added to a Kind's number
_VERSION = 24  # the engine's format has the bits from here on
_BITS = (
    {kernel.name.lower(): int(kernel) for kernel in ConvKernel}
    | {kind.name.lower(): _OF_KINDS + kind for kind in Kind if kind is not Kind.CONV_2D}
    | {"huffman": _HUFFMAN}
)


def word(names: Iterable[str], version: int) -> int:
    """`names`: as engine.json lists them; `version`: of the engine's format."""
    return sum(1 << _BITS[name] for name in set(names)) | version << _VERSION


def lacking(wanted: int, there: int) -> int:
    """The bits of `wanted`'s kernels that `there` has not, the format's version aside."""
    return wanted & ~there & ((1 << _VERSION) - 1)


def names_of(kernels: int) -> list[str]:
    """The names of the bits that are set, the format's version aside."""
    return [name for name, bit in sorted(_BITS.items(), key=lambda item: item[1]) if kernels >> bit & 1]
