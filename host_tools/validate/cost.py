"""What an image costs a board that is emulated, in cycles: counted from outside, or by the emulator.

Counting slows an emulator down, so the comparison runs without it. Then the firmware boots once more, is
counted, and gets one image.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.programs import missing_package
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.link.device import Device


@dataclass(frozen=True)
class Cost:
    """Of one image. `with_flash`: with the board's wait states; None: board.toml does not say them.

    Of `cores`: the cycles are core 0's, instructions and wait states all cores'.
    """

    instructions: int
    cycles: int
    cycles_with_flash: int | None
    milliseconds: float | None  # at the board's clock
    milliseconds_with_flash: float | None
    cores: int = 1

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self)


class NotCountedError(UserError):
    """Nothing that the answers depend on."""


def of_one_image(
    board: str, hardware: Board, elf: Path, image: npt.NDArray[np.int8], device_at: Callable[[str], Device]
) -> Cost | None:
    """None: nobody knows the CPU's cycles.

    Args:
        board: its name or folder; `hardware`: what board.toml says of it.
        elf: the firmware.
        image: int8 [height, width, channels].
        device_at: opens the device at a URL.

    Raises:
        NotCountedError: this machine lacks what counting needs, or it failed.
    """
    try:
        # Capstone, a compiler: a light host may have none.
        from squeezenet_mcu.host_tools.cycles import profile
    except ModuleNotFoundError as error:
        raise NotCountedError(str(missing_package(error))) from error
    try:
        with profile.counting(hardware, elf) as counting:
            if not counting.arguments:
                return None
            with (
                emulator.machine(board, elf, counting.arguments) as machine,
                device_at(machine.url) as device,
            ):
                device.infer(image)
            found = counting.profile(0)
    except UserError as error:
        raise NotCountedError(str(error)) from error
    assert found is not None
    total = found.total
    with_flash = profile.with_flash(total, hardware)
    return Cost(
        total.instructions,
        total.cycles,
        with_flash,
        profile.milliseconds(total.cycles, hardware),
        profile.milliseconds(with_flash, hardware),
        build.usage(elf).cores,
    )


def line(cost: Cost, hardware: Board) -> str:
    """For people."""
    said = _line(cost, hardware)
    if cost.cores == 1:
        return said
    return f"{said}; {cost.cores} cores, whose waits for each other at the memory (contention) no model has"


def _line(cost: Cost, hardware: Board) -> str:
    counted = f"{cost.cycles / 1e6:,.2f} M cycles, {cost.instructions / 1e6:,.2f} M instructions"
    if cost.milliseconds is None or hardware.clock is None:
        return f"{counted} an image (docs/cycles.md)"
    said = f"{cost.milliseconds:,.1f} ms an image at {hardware.clock.hz / 1e6:g} MHz: {counted}"
    if cost.milliseconds_with_flash is not None:
        said += f"; {cost.milliseconds_with_flash:,.1f} ms with its flash, by a model"
    return f"{said} (docs/cycles.md)"
