"""The networks that are measured, and how each gets into build/<name>/."""

import contextlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, paths
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.host_tools.bench import tflm_figures
from squeezenet_mcu.host_tools.boards.board_toml import Board

BASELINES = paths.ROOT.parent / "shared" / "baselines"


@dataclass(frozen=True)
class Baseline:
    """A .tflite beside the repository, and how its pixels are preprocessed."""

    file: str
    preprocess: str

    @property
    def name(self) -> str:
        """As `python -m convert --tflite` calls it."""
        return re.sub(r"(\.int8)?\.tflite$", "", self.file)


ZOO = ("digits", "gtsrb", "cifar10")
SMALL_NET = "small_32"  # made by small_net.py
# Made by imagenet_net.py: the version, the bits of a weight (those of `make convert MODEL=imagenet_v1_0` and
# of imagenet_v1_1), and how pixels are preprocessed. They guard the speed of ImageNet's networks where no
# trained weights are.
IMAGENET_RANDOM = {
    "imagenet_v1_0_random": ("v1.0", 7, "caffe"),
    "imagenet_v1_1_random": ("v1.1", 8, "torch"),
}
IMAGENET = (
    Baseline("squeezenet_v1_1_224.int8.tflite", "torch"),
    Baseline("squeezenet_v1_0_deep_compression_227.int8.tflite", "caffe"),
)
MLPERF_TINY = Baseline("mlperf_tiny_resnet8.int8.tflite", "byte")
BASELINE_FILES = (*IMAGENET, MLPERF_TINY)
NAMES = (*ZOO, SMALL_NET, *IMAGENET_RANDOM, *(baseline.name for baseline in BASELINE_FILES))

# With imported weights, converted by the user; TFLite Micro was counted on a baseline of the same layers.
IMPORTED = {"imagenet_v1_0": IMAGENET[1], "imagenet_v1_1": IMAGENET[0]}
# TFLite Micro's kernels are dense: what they take does not depend on weights.
_SAME_LAYERS = IMPORTED | {"imagenet_v1_0_random": IMAGENET[1], "imagenet_v1_1_random": IMAGENET[0]}
# A network of these kinds of layer needs the code of TFLite Micro that was measured with SqueezeNets.
_SQUEEZENET_KINDS = {"INPUT", "CONV_2D", "MAX_POOL", "MEAN", "PAD", "REQUANTIZE", "SOFTMAX"}
_CPU_KEYS = {"Cortex-M4F": "m4", "Cortex-M7": "m7", "Cortex-M55": "m55"}


class NotMeasurableError(UserError):
    """A network that is not there, or that the converter refuses: the reason."""


def _converted(name: str, tflite_sha256: str | None, inputs_matter: bool, tflm: bool = False) -> bool:
    """Whether build/<name>/ holds this .tflite; for our own models, one made from what is there now.

    tflm: what TFLite Micro needs will do.
    """
    folder = BUILD / name
    if not all((folder / file).is_file() for file in ("manifest.json", "model.tflite")):
        return False
    if not tflm and not (folder / "model.sqz").is_file():
        return False
    if not tflm and blob.version_of((folder / "model.sqz").read_bytes()) != blob.VERSION:
        return False
    try:
        manifest = read_manifest(folder)
    except UserError:  # of an older version, or damaged
        return False
    if inputs_matter:
        return all(
            Path(path).is_file() and files.sha256(Path(path).read_bytes()) == digest
            for path, digest in manifest["inputs"].items()
        )
    return bool(manifest["tflite_sha256"] == tflite_sha256)


def _convert(console: Console, name: str, options: list[str]) -> None:
    from squeezenet_mcu.convert import command as convert

    console.print(f"{name}: converting")
    with contextlib.redirect_stdout(io.StringIO()):  # its plan and summary are not what bench is asked for
        convert.run(convert.parser().parse_args(options))


def _prepare_file(console: Console, name: str, path: Path, preprocess: str, tflm: bool = False) -> None:
    if not _converted(name, files.sha256(path.read_bytes()), False, tflm):
        options = ["--tflite", str(path), "--model", name, "--preprocess", preprocess]
        options += ["--engine", "tflm"] if tflm else []
        _convert(console, name, options)


def _prepare_baseline(console: Console, baseline: Baseline, tflm: bool) -> None:
    path = BASELINES / baseline.file
    if not path.is_file():
        raise NotMeasurableError(f"{path} is not there")
    try:
        _prepare_file(console, baseline.name, path, baseline.preprocess, tflm)
    except UserError as error:
        raise NotMeasurableError(str(error)) from error


def _prepare_small(console: Console) -> None:
    from squeezenet_mcu.host_tools.bench import small_net  # not on a light host

    path = BUILD / "bench" / f"{SMALL_NET}.tflite"
    files.write_bytes(path, small_net.tflite())
    _prepare_file(console, SMALL_NET, path, "unit")


def _prepare_imagenet_random(console: Console, name: str) -> None:
    from squeezenet_mcu.host_tools.bench import imagenet_net  # as above

    version, bits, preprocess = IMAGENET_RANDOM[name]
    path = BUILD / "bench" / f"{name}.tflite"
    files.write_bytes(path, imagenet_net.tflite(version, bits))
    _prepare_file(console, name, path, preprocess)


def prepare(console: Console, name: str, tflm: bool = False) -> None:
    """Converts `name` into build/<name>/ where that is not done yet.

    tflm: TFLite Micro will run it, so a baseline need not be one that our engine takes.
    NotMeasurableError: a baseline that is missing or that the engine does not take.
    """
    special: dict[str, Callable[[], None]] = {SMALL_NET: lambda: _prepare_small(console)}
    for random in IMAGENET_RANDOM:
        special[random] = partial(_prepare_imagenet_random, console, random)
    for baseline in BASELINE_FILES:
        special[baseline.name] = partial(_prepare_baseline, console, baseline, tflm)
    if name in special:
        special[name]()
    elif name in ZOO:
        if not _converted(name, None, True):
            _convert(console, name, ["--model", name])
    elif not (BUILD / name / "manifest.json").is_file():
        more = " WEIGHTS=file CALIBRATION=folder" if name in IMPORTED else ""
        raise UserError(f"{BUILD / name}: missing; run: make convert MODEL={name}{more}")


def tflm_instructions(name: str, cpu: str, engine: str, macs: int) -> int | None:
    """What TFLite Micro takes for the same network on the same core; None where it was not measured.

    With its reference kernels for our portable ones, else with CMSIS-NN. `macs`: the network's, which an
    imported or a random one and the baseline that stands for it must have in common.
    """
    return _tflm_counts("instructions", name, macs).get(_tflm_key(cpu, engine))


def tflm_cycles(name: str, board: Board, engine: str, macs: int) -> int | None:
    """Cycles without wait states, as tflm_instructions: those of the CPU, or of this very board."""
    counts = _tflm_counts("cycles", name, macs)
    return counts.get(board.name, counts.get(_tflm_key(board.cpu, engine)))


def _tflm_counts(unit: str, name: str, macs: int) -> dict[str, int]:
    """tflm_figures.json's of this network, or of the baseline that stands for it."""
    same = _SAME_LAYERS.get(name)
    found: dict[str, int] = tflm_figures.of(same.name if same else name, macs).get(unit, {})
    return found


def _tflm_key(cpu: str, engine: str) -> str:
    return f"{_CPU_KEYS.get(cpu, '?')}_{'reference' if engine == 'portable' else 'cmsis_nn'}"


def tflm_memory(name: str, manifest: dict[str, Any]) -> dict[str, int | None]:
    """Bytes that TFLite Micro needs for the same .tflite: arena_bytes, model_bytes, code_bytes, flash_bytes.

    The arena is that of tflm_figures.json where it has the network (what a Cortex-M4 uses), else what
    `make convert` measured (on a 64-bit host: an upper bound); the model is the .tflite; the code that of a
    Cortex-M4 build with CMSIS-NN. None: not measured. Stack, and variables beside the arena, are not among
    them.
    """
    same = IMPORTED.get(name)
    figures = tflm_figures.of(same.name if same else name, manifest["macs"])
    code = figures.get("code_bytes_m4")
    if code is None and {row["kind"] for row in manifest["plan"]} <= _SQUEEZENET_KINDS:
        code = tflm_figures.squeezenet_code_bytes()
    model = manifest["tflite_bytes"]
    return {
        "arena_bytes": figures.get("arena_bytes", manifest["tflm_arena_bytes"]),
        "model_bytes": model,
        "code_bytes": code,
        "flash_bytes": None if code is None else model + code,
    }
