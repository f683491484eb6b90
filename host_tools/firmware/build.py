"""`python -m host_tools firmware`: a model and a board become an ELF, and a BIN and UF2 to be flashed."""

import argparse
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import filelock

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import engine_record
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.paths import BUILD, FIRMWARE
from squeezenet_mcu.common.programs import missing_program
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware import board_model, protocols, tflm_library, uf2
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.firmware.protocols import Protocol
from squeezenet_mcu.host_tools.firmware.request_arguments import (
    add_model_arguments,
    add_request_arguments,
    add_update_arguments,
    model_request_of,
    request_of,
)
from squeezenet_mcu.host_tools.firmware.tflm_library import TflmLibrary
from squeezenet_mcu.host_tools.firmware.usage import Usage, show, usage
from squeezenet_mcu.host_tools.signing import monocypher
from squeezenet_mcu.model.settings import budget, config, model_budget

__all__ = [  # of usage.py and request_arguments.py: who builds asks what it takes, and says how
    "Usage", "add_model_arguments", "add_request_arguments", "model_request_of", "request_of", "usage",
]  # fmt: skip

NAME = "firmware"
HELP = "build the firmware of a converted model for a board"
EXAMPLES = """\
  python -m host_tools firmware --board stm32f405 --model digits
  python -m host_tools firmware --board mps3_an547 --model gtsrb --optimize sram
  python -m host_tools firmware --model gtsrb --kernel-family portable --sram-bytes 16000
  python -m host_tools firmware --board mps2_an386 --update --key keys/mine.pub
  python -m host_tools firmware --board stm32f405 --model cifar10 --protocol mlperf_tiny
  python -m host_tools firmware --board mps2_an386 --engine tflm --tflm-include tflite-micro:... \\
    --tflm-lib libtensorflow-microlite.a"""

DEFAULT_BOARD = "stm32f405"
DEFAULT_MODEL = "digits"
BOARD_DEFAULT = ModelRequest()

_PROGRAMS = {"cmake": "cmake", "ninja": "ninja-build"}
_MODEL_FILES = ("model.tflite", "manifest.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    add_build_arguments(parser)
    parser.add_argument("--layers", action="store_true", help="also what each layer's weights take")
    parser.add_argument(
        "--only-check",
        action="store_true",
        help="build nothing: see whether board and options go together, which needs no model",
    )
    budget.add_arguments(parser, ("max_flash", "max_sram"))


def add_build_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say which firmware: board, model, engine."""
    known = ", ".join(board_toml.names())
    parser.add_argument(
        "--board",
        default=DEFAULT_BOARD,
        metavar="NAME",
        help=f"one of {known}, or a board's folder ({DEFAULT_BOARD})",
    )
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="NAME", help=f"as in build/<model>/ ({DEFAULT_MODEL})"
    )
    parser.add_argument(
        "--inspect",
        action="store_true",
        help="firmware that can watch its layers (INSPECT=1), beside the one that cannot",
    )
    add_request_arguments(parser)
    add_update_arguments(parser)
    protocols.add_argument(parser)


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    model, request = config.name_of(args.model), request_of(args)
    if args.only_check:
        check(board_toml.load(args.board), request)
        return 0
    used = make(args.board, model, request, layers=args.layers)
    limits = model_budget.of(args, args.model, read_manifest(BUILD / model)["inputs"])
    what = f"{model} on {board_toml.name_of(args.board)}"
    figures = budget.Figures(what, flash=used.flash_used, sram=used.sram_used, optimize=request.optimize)
    budget.enforce(limits, figures)
    return 0


def make(board: str, model: str, request: ModelRequest = BOARD_DEFAULT, layers: bool = False) -> Usage:
    """Builds (see `build`), and prints what it takes of the board's memory. `layers`: of each layer, too."""
    if layers and request.tflm:
        raise UserError("--layers: of our own engine's model; of TFLM's operators: make bench LAYERS=1")
    elf = build(board, model, request)
    console = Console()
    if layers:
        from squeezenet_mcu.convert.outputs import report  # not on a light host

        made = engine_record.read(elf.parent / "model")
        report.print_sizes(console, made, _imported(BUILD / model))
    used = usage(elf)
    show(console, used, board_toml.name_of(board), model)
    for path in (elf, elf.with_suffix(".bin"), elf.with_suffix(".uf2")):
        if path.is_file():
            terminal.echo(f"wrote {path}")
    return used


_WEIGHT_SUFFIXES = (".net", ".npz", ".caffemodel", ".pth")


def _imported(source: Path) -> Path | None:
    """The file of weights that the model in `source`, build/<model>, was imported from; None for others."""
    inputs = read_manifest(source)["inputs"]
    return next((Path(p) for p in inputs if Path(p).suffix in _WEIGHT_SUFFIXES), None)


def check(board: Board, request: ModelRequest) -> None:
    """UserError: no firmware can be built so for the board, whatever the model."""
    board_model.check(board, request)
    if request.tflm:
        tflm_library.check(request.tflm, board)


def build(board: str, model: str, request: ModelRequest = BOARD_DEFAULT, target: str = "firmware") -> Path:
    """Builds build/<model>/firmware/<board>/<target>.elf; its path.

    With it .bin, for a board that is flashed, and .uf2, where its boot loader takes one.

    With TFLite Micro as the engine in build/<model>/firmware/<board>-tflm/, firmware that watches its layers
    in build/<model>/firmware/<board>-inspect/, and where the firmware speaks another protocol than the link,
    in a folder that is named after it.
    `request`: how its model is made; `target`: CMake's, "firmware" or "bench". Needs what `python -m convert`
    left in build/<model>/. The log stays beside the ELF, as build.log.
    UserError: unknown board, model not converted, a program missing, a build that fails. DoesNotFitError: the
    model does not fit (by how many bytes, where, at which layer). No older firmware is left standing then.
    """
    hardware = board_toml.load(board)
    source = BUILD / model
    for name in _MODEL_FILES:
        if not (source / name).is_file():
            raise UserError(f"{source / name}: missing; run: make convert MODEL={model}")
    engine = "tflm" if request.tflm else "squeeze"
    folder = board_model.folder_for(source, hardware.name, engine, request.inspect, request.protocol)
    elf, binary, uf2_file = (folder / f"{target}.{kind}" for kind in ("elf", "bin", "uf2"))
    try:
        board_model.check_room(hardware, read_manifest(source), request.protocol)
        if request.tflm:
            linked = link_tflm(hardware, source, folder, target, request.tflm, request.protocol)
        else:
            linked = _link_squeeze(hardware, source, folder, target, request)
    except UserError:
        _remove(elf, binary, uf2_file)
        raise
    with files.replacing(elf) as temporary:
        shutil.copyfile(linked, temporary)
    if hardware.flash and target == "firmware":
        write_images(hardware, elf)
    return elf


def write_images(board: Board, elf: Path) -> None:
    """Writes what the flash is to hold beside `elf`: .bin, and .uf2 for a board that takes one."""
    binary = elf.with_suffix(".bin")
    with files.replacing(binary) as temporary:
        command = [f"{board.binutils}objcopy", "-O", "binary", str(elf), str(temporary)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = terminal.one_line(done.stderr) or f"status {done.returncode}"
            raise UserError(
                f"{elf}: no program for {board.name} ({said}); want an ELF file that was linked for it"
            )
    if board.uf2_family is not None:
        image = uf2.from_image(binary.read_bytes(), uf2.load_address(elf), board.uf2_family)
        files.write_bytes(elf.with_suffix(".uf2"), image)


def options(
    board: Board, source: Path, folder: Path, request: ModelRequest, made: dict[str, Any]
) -> dict[str, str]:
    """Of compile_target, for `folder`/model. `source`: build/<model>; `made`: engine.json."""
    manifest = read_manifest(source)
    apart = board_model.arena_apart(board, manifest, made["arena_bytes"], request.cores, request.protocol)
    return {
        "PROTOCOL": request.protocol,
        "MODEL_DIR": str((folder / "model").resolve()),
        "SQUEEZE_CORES": str(request.cores),
        "SQUEEZE_FAMILY": request.kernel_family or board.kernel_family,
        "SQUEEZE_KERNELS": ";".join(made["kernels"]),
        "ARENA_APART": "ON" if apart else "OFF",
        "SQUEEZE_INSPECT": str(len(made["plan"]) if request.inspect else 0),
        **(_update_options(request) if request.update else {}),
    }


def _update_options(request: ModelRequest) -> dict[str, str]:
    signed = {"UPDATE_KEY": request.public_key.hex(), "MONOCYPHER_DIR": str(monocypher.sources().resolve())}
    return {"UPDATE": "ON"} | (signed if request.public_key else {})


class DoesNotFitError(UserError):
    """A model is too large for a board. `missing`: memory's name -> bytes too many."""

    def __init__(self, message: str, missing: dict[str, int] | None = None) -> None:
        super().__init__(message)
        self.missing = missing or {}


def _link_squeeze(board: Board, source: Path, folder: Path, target: str, request: ModelRequest) -> Path:
    """Makes the engine's model and builds `target` around it. `source`: build/<model>."""
    made = board_model.prepare(board, source, folder / "model", request)
    try:
        return compile_target(board, folder, target, options(board, source, folder, request, made))
    except LinkOverflowError as error:
        message = overflow_message(board, source.name, error.regions, made)
        message += protocols.share_of(read_manifest(source), request.protocol)
        raise DoesNotFitError(message, error.regions) from error


def link_tflm(
    board: Board, source: Path, folder: Path, target: str, library: TflmLibrary, protocol: Protocol = "link"
) -> Path:
    """Builds `target` around the .tflite and TFLite Micro; the path of its ELF. `source`: build/<model>.

    UserError: a header or the library is missing or does not suit the board; what compiler or linker say.
    DoesNotFitError: the program does not fit.
    """
    manifest = read_manifest(source)
    arena = tflm_library.arena_bytes(library, manifest, source)
    tflm_library.check(library, board)
    try:
        asked = tflm_library.cmake_options(library, source, arena)
        return compile_target(board, folder, target, {"PROTOCOL": protocol, **asked})
    except LinkOverflowError as error:
        message = _tflm_overflow(board, source.name, error.regions, arena, manifest["tflite_bytes"])
        raise DoesNotFitError(message, error.regions) from error
    except BuildError as error:
        if explained := tflm_library.explain(error.output):
            raise UserError(f"{folder / 'build.log'}: {explained}") from error
        raise


def _tflm_overflow(board: Board, model: str, regions: dict[str, int], arena: int, tflite: int) -> str:
    parts = []
    images = {memory.name for memory in board.memories if memory.use == "image"}
    for name, excess in regions.items():
        what = f"its model takes {tflite:,}" if name in images else f"its arena takes {arena:,}"
        parts.append(f"{excess:,} bytes too many in {name}, of which {what}")
    return f"{model} with TFLite Micro does not fit {board.name}: {'; '.join(parts)}; take a larger board"


class BuildError(UserError):
    """A step of the build failed. `output`: what its program printed."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


class LinkOverflowError(UserError):
    """The program is larger than a memory. `regions`: memory's name -> bytes too many."""

    def __init__(self, message: str, regions: dict[str, int]) -> None:
        super().__init__(message)
        self.regions = regions


def compile_target(board: Board, folder: Path, target: str, options: dict[str, str] | None = None) -> Path:
    """Builds CMake's `target` ("firmware", "selftest") under `folder`/cmake; the path of its ELF.

    `options`: variables of firmware_cpp/CMakeLists.txt and engine/CMakeLists.txt.

    UserError: a program is missing or the build fails. LinkOverflowError: the program does not fit the board.
    """
    for program, package in {f"{board.binutils}g++": board.compiler_packages, **_PROGRAMS}.items():
        if shutil.which(program) is None:
            raise missing_program(program, package)
    tree = (folder / "cmake").resolve()
    tree.mkdir(parents=True, exist_ok=True)
    log = folder / "build.log"
    # --fresh: a cache from another place or another compiler would be an error.
    configure: list[str | Path] = ["cmake", "--fresh", "-S", FIRMWARE, "-B", tree, "-G", "Ninja"]
    configure += ["--toolchain", board.toolchain, f"-DBOARD_DIR={board.folder}"]
    configure += [f"-D{name}={value}" for name, value in (options or {}).items()]
    with filelock.FileLock(folder / ".lock"):  # two at once would take each other's files away
        log.unlink(missing_ok=True)
        _run(configure, log)
        _run(["cmake", "--build", tree, "--target", target], log)
    return tree / f"{target}.elf"


def overflow_message(board: Board, model: str, regions: dict[str, int], made: dict[str, Any]) -> str:
    """One line: by how many bytes `model` exceeds which memory, at which layer. `made`: its engine.json."""
    parts = []
    for name, excess in regions.items():
        memory = board.memory(name)
        if memory.use == "image":
            where = f"from the weights of layer {_crossing_layer(made['plan'], excess)} on"
        else:
            held = [f"{entry['layer']} ({entry['bytes']:,} bytes)" for entry in made["peak"][:3]]
            where = f"most of them held for layer {', then '.join(held)}"
        parts.append(f"{excess:,} bytes too many in {name} ({memory.bytes:,} bytes), {where}")
    return f"{model} does not fit {board.name}: {'; '.join(parts)}; take a smaller model or a larger board"


def _crossing_layer(plan: list[dict[str, Any]], excess: int) -> str:
    """The first layer with which the running sum of weights exceeds all that fits: all less `excess`."""
    left = sum(entry["weights_bytes"] for entry in plan) - excess
    used = 0
    for entry in plan:
        used += entry["weights_bytes"]
        if used > left:
            found: str = entry["layer"]
            return found
    raise ValueError(f"excess {excess}: nothing is too much")


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _run(command: Sequence[str | Path], log: Path) -> None:
    """Runs a step of the build, its output added to `log`. UserError or LinkOverflowError where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    with log.open("a", encoding="utf-8") as stream:
        stream.write(done.stdout)
    if done.returncode == 0:
        return
    regions = {
        name: int(excess)
        for name, excess in re.findall(r"region `(\w+)' overflowed by (\d+) bytes", done.stdout)
    }
    if regions:
        raise LinkOverflowError(f"{log}: the program exceeds {', '.join(regions)}", regions)
    errors = [
        line.strip() for line in done.stdout.splitlines() if re.search(r"\berror\b|Error|undefined", line)
    ]
    raise BuildError(f"{log}: the build failed: {(errors or ['see there'])[0]}", done.stdout)
