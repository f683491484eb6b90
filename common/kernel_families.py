"""The families of kernels that the engine has: which one a CPU runs is its board's business."""

from typing import Literal

Family = Literal["portable", "dsp", "mve"]
FAMILIES: tuple[Family, ...] = ("portable", "dsp", "mve")
"""Plain C++ for any CPU; ARMv7E-M with its DSP instructions (Cortex-M4, M7); Helium (Cortex-M55)."""
