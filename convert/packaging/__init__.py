"""Packages to embed: the engine's sources and one model, as other build systems want them."""

from pathlib import Path
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.outputs.artefacts import Conversion
from squeezenet_mcu.convert.packaging import arduino, cmake, package, platformio, tree
from squeezenet_mcu.convert.target import Target

KINDS = ("arduino", "platformio", "cmake")


def kinds(text: str) -> list[str]:
    """The kinds that `text` names, separated by commas, each once. UserError: an unknown one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in KINDS:
            raise UserError(f"--package {name}: want {', '.join(KINDS)}")
    if not names:
        raise UserError(f"--package: names nothing; want {', '.join(KINDS)}")
    return list(dict.fromkeys(names))


def write(
    wanted: list[str], c: Conversion, manifest: dict[str, Any], target: Target, folder: Path
) -> tuple[package.Package, list[Path]]:
    """Makes the engine's model for `target` and writes the packages of it.

    Args:
        wanted: of KINDS.
        c: the conversion.
        manifest: its manifest.
        target: kernels and memory.
        folder: where to: <folder>/arduino/Squeeze_<model>.zip and such; what was there is replaced.

    Returns:
        What all packages hold, and the paths written.

    Raises:
        UserError: the model takes more than `target` allows, or its name is too long for an Arduino library.
    """
    made = package.make(c, manifest, target)
    written = []
    for kind in wanted:
        if kind == "arduino":
            name, files = arduino.files(made)
        elif kind == "platformio":
            name, files = platformio.files(made)
        else:
            name, files = cmake.files(made)
        place = folder / kind / name
        tree.write_folder(place, files)
        written.append(place)
        if kind == "arduino":  # what the IDE's "Add .ZIP Library" takes
            written.append(place.with_name(f"{name}.zip"))
            tree.write_zip(written[-1], name, files)
    return made, written
