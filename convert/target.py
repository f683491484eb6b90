"""What a network is converted for: a family of kernels, and how much memory there is."""

from dataclasses import dataclass
from typing import Literal

from squeezenet_mcu.common.kernel_families import Family

Optimize = Literal["speed", "flash", "sram"]
OPTIMIZE: tuple[Optimize, ...] = ("speed", "flash", "sram")
# Whose cycles the formulas of convert/select/cost know; "any": they count instructions.
Cpu = Literal["cortex_m4", "cortex_m0plus", "any"]
ENCODINGS = ("dense", "sparse", "huffman")  # that may be forced: convert/network.py, Encoding


@dataclass(frozen=True)
class Target:
    """A CPU's kernels and the memory they may use.

    Attributes:
        family: "portable" for any CPU, "v6m" for ARMv6-M (Cortex-M0, M0+), "dsp" for ARMv7E-M (Cortex-M4,
            M7), "mve" for Helium (Cortex-M55).
        optimize: "speed": the shortest time within the budgets; "flash": the smallest weights;
            "sram": the smallest arena.
        flash_bytes: for the engine's model, weights and all; None for no limit.
        sram_bytes: for the arena; None: twice what the leanest one takes, up to four times where
            that is at most 64,000, and 11,000 at least.
        sram_limit: what the arena can never exceed; None for no limit.
        encoding: of all weights that can be stored so, one of ENCODINGS; None: whatever suits each layer.
        cpu: whose time counts.
        workers: cores that share each step: 1, or 2.
    """

    family: Family = "portable"
    optimize: Optimize = "speed"
    flash_bytes: int | None = None
    sram_bytes: int | None = None
    sram_limit: int | None = None
    encoding: str | None = None
    cpu: Cpu = "any"
    workers: int = 1


# Runs everywhere, dense: what `make convert` proves and writes for a board not known yet.
ANY_CPU = Target(optimize="sram")
