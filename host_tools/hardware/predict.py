"""What the cycle model says of a firmware that a real board runs."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.hardware.record import Predicted
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.validate import cost


def counted(board: Board, elf: Path | None, image: npt.NDArray[np.int8]) -> Predicted | None:
    """Of `image`, int8 [height, width, channels], on the emulated board; None: no emulator, or no table."""
    if elf is None or board.emulator is None:
        return None
    try:
        found = cost.of_one_image(str(board.folder), board, elf, image, Device)
    except UserError:
        return None
    if found is None:
        return None
    return Predicted("counted", found.instructions, found.cycles, found.cycles_with_flash)


def estimated(board: Board, model: str, engine_sha256: str) -> Predicted | None:
    """By the kernels' formulas; None: not of this engine model, or the converter is not installed."""
    try:
        from squeezenet_mcu.host_tools.analyze import fit, subject

        about = subject.of_model(model)
        if about.maker is None:
            return None
        made = fit.on(board, about.manifest, about.maker, ModelRequest())
    except (UserError, ModuleNotFoundError):
        return None
    if files.sha256(made.made.content) != engine_sha256:
        return None
    total = round(made.estimate.total)
    of_cycles = made.estimate.unit == "cycles"
    return Predicted(
        "estimated",
        None if of_cycles else total,
        total if of_cycles else None,
        None,
        [round(float(part), 1) for part in made.estimate.layers],
    )
