"""A TensorFlow Lite Micro library of the user's: whether it suits the board, and what its link says."""

import argparse
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import sizes
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards.board_toml import Board

DOCS = "see docs/tflm.md"
# Of the arena, beside what `convert` measured with reference kernels: optimized ones want scratch memory
# while they run. CMSIS-NN's convolution takes two patches as int16: 2,304 bytes for 3x3 over 64 channels.
SCRATCH_BYTES = 4096
_HEADER = "tensorflow/lite/micro/micro_interpreter.h"
# How the names of headers begin -> the folder to name for them, where TFLM's own Makefile has it.
_DOWNLOADS = "tensorflow/lite/micro/tools/make/downloads"
_FOLDERS = {
    "tensorflow/": "the root of tflite-micro",
    "flatbuffers/": f"{_DOWNLOADS}/flatbuffers/include in it",
    "fixedpoint/": f"{_DOWNLOADS}/gemmlowp in it",
    "internal/": f"{_DOWNLOADS}/gemmlowp in it",
    "ruy/": f"{_DOWNLOADS}/ruy in it",
    "arm_": f"{_DOWNLOADS}/cmsis_nn/Include in it",
    "CMSIS/": f"{_DOWNLOADS}/cmsis in it",
}
# Tag_CPU_arch and Tag_FP_arch (Arm ABI addenda, IHI 0045), as readelf prints them, each runs code of those
# before it.
_CORES = ("v6-M", "v6S-M", "v7", "v7E-M", "v8-M.mainline", "v8.1-M.mainline")
_FPUS = ("", "VFPv4-D16", "FPv5/FP-D16 for ARMv8")


@dataclass(frozen=True)
class TflmLibrary:
    """`include`: folders of headers. `file`: libtensorflow-microlite.a. `arena_bytes`: None: the default."""

    include: tuple[Path, ...]
    file: Path
    arena_bytes: int | None = None


@dataclass(frozen=True)
class Cpu:
    """What code asks of a CPU: places in _CORES (-1: no Cortex-M) and _FPUS, double precision, float ABI."""

    core: int
    fpu: int
    double: bool
    hard_float: bool

    def __str__(self) -> str:
        core = _CORES[self.core] if self.core >= 0 else "an unknown core"
        fpu = f" with {_FPUS[self.fpu]}{', double precision' * self.double}" if self.fpu > 0 else ""
        return f"Arm{core}{fpu}, {'hard' if self.hard_float else 'soft'} float ABI"


def add_engine_argument(parser: argparse.ArgumentParser) -> None:
    """The option that says which engine a firmware has."""
    parser.add_argument(
        "--engine", choices=("squeeze", "tflm"), default="squeeze", help="ours, or TFLite Micro (squeeze)"
    )


def make_option(engine: str) -> str:
    """What the commands that we print for `make` want to end with."""
    return "" if engine == "squeeze" else f" ENGINE={engine}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose the engine, and say where TFLM is."""
    add_engine_argument(parser)
    parser.add_argument(
        "--tflm-include",
        metavar="DIR[:DIR...]",
        help="of --engine tflm: folders with its headers, FlatBuffers' and gemmlowp's",
    )
    parser.add_argument("--tflm-lib", type=Path, metavar="FILE", help="of --engine tflm: its library")
    parser.add_argument(
        "--tflm-arena-bytes",
        type=sizes.option,
        metavar="BYTES",
        help=f"of --engine tflm (what `convert` measured, and {SCRATCH_BYTES:,} for scratch memory)",
    )


def of(args: argparse.Namespace) -> TflmLibrary | None:
    """What add_arguments' options name; None for our own engine. UserError: one is missing or wrong."""
    given = {"--tflm-include": args.tflm_include, "--tflm-lib": args.tflm_lib,
             "--tflm-arena-bytes": args.tflm_arena_bytes}  # fmt: skip
    if args.engine != "tflm":
        for option, value in given.items():
            if value is not None:
                raise UserError(f"{option} {value}: of TFLite Micro only; add --engine tflm")
        return None
    for option in ("--tflm-include", "--tflm-lib"):
        if not given[option]:
            name = option.removeprefix("--").replace("-", "_").upper()
            raise UserError(f"--engine tflm: no {option} ({name}=); {DOCS}")
    folders = tuple(Path(folder).resolve() for folder in args.tflm_include.split(os.pathsep) if folder)
    return TflmLibrary(folders, args.tflm_lib.resolve(), args.tflm_arena_bytes)


def check(library: TflmLibrary, board: Board) -> None:
    """UserError: a folder or header is not there, the file is no library, or made for another CPU."""
    if board.architecture != "cortex_m":
        raise UserError(
            f"--engine tflm: for boards with a Cortex-M; the compiler for {board.name} ({board.cpu}) comes "
            "without the C++ library that TFLM's headers include"
        )
    for folder in library.include:
        if not folder.is_dir():
            raise UserError(f"--tflm-include {folder}: no such folder; {DOCS}")
    if not any((folder / _HEADER).is_file() for folder in library.include):
        raise UserError(_missing(_HEADER))
    if not library.file.is_file():
        raise UserError(f"--tflm-lib {library.file}: no such file; {DOCS} on how to build it")
    with library.file.open("rb") as stream:
        magic = stream.read(8)
    if magic not in (b"!<arch>\n", b"!<thin>\n"):
        raise UserError(f"--tflm-lib {library.file}: does not begin as a library does (.a); {DOCS}")
    _check_cpu(library, board)


def arena_bytes(library: TflmLibrary, manifest: dict[str, Any], source: Path) -> int:
    """Bytes of the arena: as asked for, or as `convert` measured it and SCRATCH_BYTES.

    `manifest`: of build/<model>, which is `source`. UserError: not asked for, and not measured.
    """
    if library.arena_bytes is not None:
        return library.arena_bytes
    if manifest["tflm_arena_bytes"] is None:
        raise UserError(
            f"{source / 'manifest.json'}: no arena for TFLite Micro, as the wheel tflite-micro was not there "
            "to measure it; give --tflm-arena-bytes (TFLM_ARENA_BYTES=)"
        )
    return int(manifest["tflm_arena_bytes"]) + SCRATCH_BYTES


def cmake_options(library: TflmLibrary, source: Path, arena: int) -> dict[str, str]:
    """Variables of firmware_cpp/CMakeLists.txt. `source`: build/<model>. `arena`: bytes."""
    return {
        "ENGINE": "tflm",
        "MODEL_DIR": str(source.resolve()),
        "TFLM_INCLUDE": ";".join(map(str, library.include)),
        "TFLM_LIB": str(library.file),
        "TFLM_ARENA_BYTES": str(arena),
        # The link's CRC-32 comes from our engine's library, nothing else of it.
        "SQUEEZE_FAMILY": "portable",
    }


def explain(output: str) -> str | None:
    """One line on what the compiler or the linker printed as it failed; None: nothing that is known here."""
    if found := re.search(r"fatal error: (\S+): No such file", output):
        return _missing(found[1])
    if found := re.search(r"(#error|error: #error) \"?([^\"\n]+)", output):
        return found[2]
    if "uses VFP register arguments" in output:
        return f"the library has another float ABI than the board; {DOCS}"
    if "file format not recognized" in output or "incompatible" in output:
        return f"the library is for another kind of CPU than the board's; {DOCS}"
    if found := re.search(r"undefined reference to `([^']+)'", output):
        return (
            f"{found[1]} is in no library: the headers are of another version or namespace than the library, "
            f"or its build left it out; {DOCS}"
        )
    return None


def _missing(header: str) -> str:
    place = next((place for start, place in _FOLDERS.items() if header.startswith(start)), None)
    comes = f"it comes with {place} ({DOCS})" if place else DOCS
    return f"--tflm-include: {header} is in none of its folders; {comes}"


def _check_cpu(library: TflmLibrary, board: Board) -> None:
    theirs, ours = _cpu(_attributes(library.file, board)), _cpu(_attributes(None, board))
    if theirs.core < 0:
        raise UserError(f"--tflm-lib {library.file}: no code for a Cortex-M; {board.name} has {ours}")
    if theirs.hard_float != ours.hard_float or theirs.core > ours.core or theirs.fpu > ours.fpu or (
        theirs.double and not ours.double
    ):  # fmt: skip
        raise UserError(
            f"--tflm-lib {library.file}: built for {theirs}; {board.name} has {ours}; build it for that "
            f"({DOCS})"
        )


def _attributes(file: Path | None, board: Board) -> str:
    """readelf's list of the build attributes of a library; without one, of what the board's flags make."""
    with tempfile.TemporaryDirectory() as folder:
        if file is None:
            file = Path(folder) / "empty.o"
            compiler: list[str | Path] = [
                f"{board.binutils}gcc",
                *board.cpu_flags,
                "-xc",
                "-c",
                "/dev/null",
                "-o",
                file,
            ]
            subprocess.run(compiler, check=True)
        command: list[str | Path] = [f"{board.binutils}readelf", "-A", file]
        found: str = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return found


def _cpu(attributes: str) -> Cpu:
    """The most that any object of a library asks for."""

    def most(tag: str, known: tuple[str, ...], none: int) -> int:
        values = re.findall(rf"^ *{tag}: (.+)$", attributes, re.MULTILINE)
        return max((known.index(v) if v in known else len(known) - 1 for v in values), default=none)

    parts = re.split(r"^File: .*$", attributes, flags=re.MULTILINE)
    double = any(f"Tag_FP_arch: {_FPUS[2]}" in part and "HardFP_use: SP only" not in part for part in parts)
    hard = "Tag_ABI_VFP_args: VFP registers" in attributes
    return Cpu(most("Tag_CPU_arch", _CORES, -1), most("Tag_FP_arch", _FPUS, 0), double, hard)
