"""What every importer's result must be: the network's layers, all of them, of its shapes, finite."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import shown

Arrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, int, int, int]]


def layer_name(name: str) -> str:
    """A layer's name as the network has it: fire2/squeeze1x1 (Caffe, npz) is fire2_squeeze1x1 here."""
    return name.replace("/", "_")


def checked(path: Path, found: Mapping[str, Arrays], shapes: Shapes) -> dict[str, Arrays]:
    """`found` in the order of `shapes`; UserError unless it is exactly these layers, finite."""
    unknown = [name for name in found if name not in shapes]
    missing = [name for name in shapes if name not in found]
    if unknown or missing:
        problem = f"layer {shown(unknown[0])} is not the network's" if unknown else f"no layer {missing[0]}"
        raise UserError(f"{path}: {problem}; want the {len(shapes)} layers {', '.join(shapes)}")
    for name, shape in shapes.items():
        kernel, bias = found[name]
        for what, array, wanted in (("kernel", kernel, shape), ("bias", bias, shape[3:])):
            if array.shape != wanted:
                raise UserError(
                    f"{path}: {name}: {what} is {list(array.shape)}, want {list(wanted)} "
                    f"({'height, width, in, out' if what == 'kernel' else 'out'}): another network's?"
                )
            strange = np.flatnonzero(~np.isfinite(array))
            if len(strange):
                raise UserError(
                    f"{path}: {name}: {what} has {len(strange)} values that are not finite, the first is "
                    f"{array.flat[strange[0]]} at {strange[0]}; want finite numbers"
                )
    return {name: found[name] for name in shapes}
