"""The Keras network behind the .tflite on the images of the report: the float one, or the nearest here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import ROOT
from squeezenet_mcu.common.programs import missing_package
from squeezenet_mcu.host_tools.validate.inputs import Artefacts
from squeezenet_mcu.model.train.chain import OUTPUTS

MOST_KERAS = 1 << 30  # bytes of a file
_NAMES = {"train": "float", "prune": "pruned", "cluster": "clustered", "quantize": "QAT"}
_OURS = 255.0  # the divisor of what this project trains; what others bring takes pixels as they are


@dataclass(frozen=True)
class KerasFile:
    """A network's file. `network`: "float", "pruned", "clustered" or "QAT"; `divisor`: of its pixels."""

    network: str
    path: Path
    sha256: str
    divisor: float


@dataclass(frozen=True)
class KerasRun:
    """The class that `network`, of `file`, gives images: `taken` int64 [n]; None: `why` it was not run."""

    network: str
    file: str
    taken: npt.NDArray[np.int64] | None
    why: str = ""

    @classmethod
    def of(
        cls, artefacts: Artefacts, stages: dict[str, dict[str, Any]], pixels: npt.NDArray[np.uint8]
    ) -> "KerasRun | None":
        """The first of `files_of` on `pixels`, uint8 [n, height, width, channels]; None: no file is here."""
        for file in files_of(artefacts, stages):
            if has_sha256(file.path, file.sha256):
                return _run(file, pixels, artefacts.manifest["output"]["classes"])
        return None


def files_of(artefacts: Artefacts, stages: dict[str, dict[str, Any]]) -> list[KerasFile]:
    """The files that the .tflite may come from, the float network's first; they may be missing.

    `stages`: the records of this machine's training, see evidence.
    """
    found = [
        KerasFile(name, artefacts.folder / OUTPUTS[stage], stages[stage]["output_sha256"], _OURS)
        for stage, name in _NAMES.items()
        if stage in stages
    ]
    if made := artefacts.manifest["float"]:
        network = "QAT" if made["divisor"] == _OURS else "float"
        found.append(KerasFile(network, place(made["file"]), made["sha256"], made["divisor"]))
    return found


def place(name: str) -> Path:
    """Where a file of the manifest is: as it says, or else in the project's own folder."""
    return Path(name) if Path(name).is_file() else ROOT / name


def has_sha256(path: Path, wanted: str | None) -> bool | None:
    """Whether the file has the hash `wanted`; None: there is no file, it is too large, or none is wanted."""
    if not path.is_file() or wanted is None or path.stat().st_size > MOST_KERAS:
        return None
    return files.sha256(path.read_bytes()) == wanted


def _run(file: KerasFile, pixels: npt.NDArray[np.uint8], classes: int) -> KerasRun:
    try:
        taken = _classes(file, pixels, classes)
    except ModuleNotFoundError as error:
        return KerasRun(file.network, str(file.path), None, str(missing_package(error)))
    except UserError as error:
        notice(f"the {file.network} network is left out: {error}")
        return KerasRun(file.network, str(file.path), None, str(error))
    return KerasRun(file.network, str(file.path), taken)


def _classes(file: KerasFile, pixels: npt.NDArray[np.uint8], classes: int) -> npt.NDArray[np.int64]:
    # TensorFlow takes seconds, and a light host has none.
    from squeezenet_mcu.convert.keras_front import score
    from squeezenet_mcu.model.network import keras_files

    model = keras_files.load(file.path)
    wanted = (*pixels.shape[1:], classes)
    seen = (*model.input_shape[1:], np.prod(model.output_shape[1:]))
    if seen != wanted:
        raise UserError(f"{file.path}: input and classes {seen}; want {wanted}, as the .tflite has")
    return score.classes(score.keras_outputs(model, file.divisor)(pixels))
