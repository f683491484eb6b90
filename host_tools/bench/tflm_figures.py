"""What TensorFlow Lite Micro takes for a network, as counted by others: tflm_figures.json beside this file.

The file says of each measurement where it comes from: TFLM's version, its flags, compiler, command, counter
and date. The first measurement that has a figure is the one that is quoted.
"""

import functools
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "tflm_figures.json"


@functools.cache
def measurements(file: Path = FILE) -> list[dict[str, Any]]:
    """All measurements, in the file's order: origin, and figures by the network's name."""
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["measurements"]
    return found


def of(name: str, macs: int | None = None) -> dict[str, Any]:
    """What is known of network `name`; {} where nothing is.

    macs: the multiplications of the network at hand. One of the same name with another number is another
    network, which was not measured. (Weights that are zero make no difference: TFLM multiplies by them.)
    """
    merged: dict[str, Any] = {"instructions": {}, "cycles": {}}
    for measurement in reversed(measurements(FILE)):
        network = measurement["networks"].get(name)
        if network is not None and macs in (None, network["macs"]):
            both = {key: merged[key] | network.get(key, {}) for key in ("instructions", "cycles")}
            merged |= network | both
    return merged if "macs" in merged else {}


def squeezenet_code_bytes() -> int:
    """TFLM's code with CMSIS-NN on a Cortex-M4 for the operators of a SqueezeNet, whichever it is."""
    known = (measurement.get("squeezenet_code_bytes_m4") for measurement in measurements(FILE))
    return int(next(code for code in known if code is not None))
