"""What a firmware with SqueezeNet v1.0 takes of a board's memories, by its own map."""

from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.claims.claim import Found
from squeezenet_mcu.host_tools.claims.measured_network import Measured
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest

BOARD = "stm32f405"


def measure(network: Measured) -> Found:
    """The answer for the claim "memory". UserError: the firmware cannot be built."""
    elf = build.build(BOARD, network.name, ModelRequest(optimize="flash"))
    used = build.usage(elf)
    arena = read_manifest(network.folder)["tflm_arena_bytes"]
    theirs = f"; TFLite Micro's arena alone: {arena:,} B" if arena else ""
    return Found(
        used.flash_used + used.sram_used,
        f"the firmware's own map on {board_toml.load(BOARD).title}: {used.flash_used:,} B of flash with "
        f"program and model, {used.sram_used:,} B of SRAM with the stack; {network.weights}{theirs}",
        detail={
            "board": BOARD,
            "flash_bytes": used.flash_used,
            "flash_total_bytes": used.flash_total,
            "sram_bytes": used.sram_used,
            "sram_total_bytes": used.sram_total,
            "tflm_arena_bytes": arena,
            "weights": network.weights,
        },
    )
