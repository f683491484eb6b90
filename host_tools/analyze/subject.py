"""What is analyzed: a model of ours or a .tflite from elsewhere, read and lowered as far as it goes."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.models import did_you_mean_model
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.paths import BUILD, CONFIGS, ZOO
from squeezenet_mcu.convert.engine_model import Maker
from squeezenet_mcu.convert.lowering import mend, survey
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.model.settings import config


@dataclass(frozen=True)
class Subject:
    """A .tflite, and what our engine can make of it.

    Attributes:
        name: of the folder in build/ that the answer goes to.
        path: of the file.
        sha256: of the file as it was given.
        file: it, mended where it must be; `notes` say what a user should know of that.
        flash_limits: what the model's TOML allows the engine's model, by family of kernels.
        problems: what keeps our engine from it; none, and `maker` is there, where it takes the network.
    """

    name: str
    path: Path
    sha256: str
    file: TfliteFile
    notes: list[str]
    flash_limits: dict[str, int]
    problems: list[UserError]
    maker: Maker | None

    @property
    def manifest(self) -> dict[str, Any]:
        """Of build/<model>/manifest.json, what decides how the engine's model is made for a board."""
        assert self.maker is not None
        size = input_size(self.maker.known.network)
        return {"model": self.name, "input": size, "flash_limits": self.flash_limits}


def input_size(network: Network) -> dict[str, int]:
    """Height, width and channels, as a manifest has them."""
    image = network.buffers[network.input_buffer]
    return {"height": image.height, "width": image.width, "channels": image.channels}


def of_tflite(path: Path) -> Subject:
    """A file from anywhere. UserError: it is no .tflite that can be read."""
    name = re.sub(r"(\.int8)?\.tflite$", "", path.name)
    name = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).lstrip(".-") or "model"
    return _read(name, path, {})


def of_model(model: str) -> Subject:
    """A model of ours by its name or TOML, as it was converted or else as model/zoo ships it.

    UserError: neither is there.
    """
    if model.lower().endswith(".tflite"):
        raise UserError(f"--model {model}: is a .tflite; give it as TFLITE= (--tflite)")
    name = config.name_of(model)
    converted, shipped = BUILD / name / "model.tflite", ZOO / name / "model.tflite"
    if converted.is_file():
        return _read(name, converted, read_manifest(BUILD / name)["flash_limits"])
    own = model.endswith(".toml") and Path(model).resolve() != (CONFIGS / f"{name}.toml").resolve()
    if own or not shipped.is_file():
        why = f"model/zoo ships {'another' if own else 'no'} '{name}'"
        step = f"; run: make {_step_to(model, name)} MODEL={model}, or give a file by TFLITE= (--tflite)"
        raise UserError(f"{converted}: missing, and {why}{did_you_mean_model(model) or step}")
    known = (CONFIGS / f"{name}.toml").is_file()
    return _read(name, shipped, config.load(name).convert.flash_bytes if known else {})


def _step_to(model: str, name: str) -> str:
    """The verb that brings a model, or one that is trained here and has not been, nearer to its .tflite."""
    known = model.endswith(".toml") or (CONFIGS / f"{name}.toml").is_file()
    if known and config.load(model).weights is None and not (BUILD / name / "quantized.keras").is_file():
        return "train"
    return "convert"


def _read(name: str, path: Path, flash_limits: dict[str, int]) -> Subject:
    mended = mend.read(path)
    problems = survey.problems(mended.file)
    maker = None
    if not problems:
        try:
            maker = Maker.of(mended.file, [])
        except UserError as error:
            problems = [error]
    given = files.sha256(path.read_bytes())
    return Subject(name, path, given, mended.file, mended.notes, dict(flash_limits), problems, maker)
