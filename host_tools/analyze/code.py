"""What a firmware takes beside the engine's model and the arena."""

from collections.abc import Sequence
from dataclasses import dataclass

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware import board_model


@dataclass(frozen=True)
class Code:
    """Bytes of the engine's code and of all other flash; of SRAM beside the arena: variables, stack, buffers.

    `bound`: the figures are what a firmware may take at most, not what it takes.
    """

    engine: int
    rest: int
    sram: int
    bound: bool


def of(board: Board, kernels: Sequence[str], family: Family, row_bytes: int) -> Code:
    """Of a firmware with these kernels for images with rows of `row_bytes` bytes.

    TO BE CONNECTED: host_tools/firmware/code_sizes.py, of(board, kernels, family), has the sizes from a
    committed table; this is the one place that asks for them. Until then: what target_for keeps free.
    """
    del board, kernels, family
    return Code(board_model.FLASH_RESERVE, 0, board_model.SRAM_RESERVE + row_bytes, bound=True)
