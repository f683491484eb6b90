"""The families of kernels that the engine has: which one a CPU runs is its board's business."""

from typing import Literal

Family = Literal["portable", "v6m", "dsp", "mve"]
FAMILIES: tuple[Family, ...] = ("portable", "v6m", "dsp", "mve")
"""Plain C++ for any CPU; ARMv6-M (Cortex-M0, M0+, M23), the same with assembler; ARMv7E-M with its DSP
instructions (Cortex-M4, M7); Helium (Cortex-M55)."""
