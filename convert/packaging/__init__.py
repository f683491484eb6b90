"""Packages to embed: the engine's sources and one model, as other build systems want them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.command_line.nearest import did_you_mean
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
            raise UserError(f"--package {name}: want {', '.join(KINDS)}{did_you_mean(name, KINDS)}")
    if not names:
        raise UserError(f"--package: names nothing; want {', '.join(KINDS)}")
    return list(dict.fromkeys(names))


@dataclass(frozen=True)
class Packages:
    """`content`: what all hold. `trees`: for each kind its folder's name, and its files by path."""

    content: package.Package
    trees: dict[str, tuple[str, dict[str, bytes]]]


def make(wanted: list[str], c: Conversion, manifest: dict[str, Any], target: Target) -> Packages:
    """Makes the engine's model for `target` and the packages of it, in memory.

    Args:
        wanted: of KINDS.
        c: the conversion.
        manifest: its manifest.
        target: kernels and memory.

    Raises:
        UserError: the model takes more than `target` allows, or its name is too long for an Arduino library.
    """
    content = package.make(c, manifest, target)
    makers = {"arduino": arduino.files, "platformio": platformio.files, "cmake": cmake.files}
    return Packages(content, {kind: makers[kind](content) for kind in wanted})


def write(packages: Packages, folder: Path) -> list[Path]:
    """Writes <folder>/arduino/Squeeze_<model>.zip and such; what was there is replaced. Returns the paths."""
    written = []
    for kind, (name, files) in packages.trees.items():
        place = folder / kind / name
        tree.write_folder(place, files)
        written.append(place)
        if kind == "arduino":  # what the IDE's "Add .ZIP Library" takes
            written.append(place.with_name(f"{name}.zip"))
            tree.write_zip(written[-1], name, files)
    return written
