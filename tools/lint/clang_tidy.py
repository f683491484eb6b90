"""clang-tidy over firmware_cpp, with the checks of .clang-tidy.

    python tools/lint/clang_tidy.py [SOURCE ...]

Each source is read as it is compiled for a CPU that it is for:
  this machine   the engine with its portable and dsp kernels (the instructions of dsp/intrinsics.h in plain
                 C++), protocol, update, host, web
  Cortex-M4      dsp's kernels once more, for what stands beside the assembler, without the slow analyzer;
                 bench, app and mlperf_tiny with the headers of a made-up model (stand_in/)
  Cortex-M55     mve's kernels
  the boards     each one's own source, those that its architecture shares, and its flash's driver
Left out: mve/slices_window.cc has a constraint of its assembler that only gcc knows; tflm/ needs TFLite
Micro's headers, examples/ the headers that a package is made with. Tests compile these with all warnings as
errors.

A source whose text, headers, checks and command are the same as in a clean run before is not read again
(build/lint/clang_tidy/). Exit status 1 with a line for each finding, 2 where a tool is missing.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "firmware_cpp"
ENGINE = CODE / "engine"
CACHE = ROOT / "build" / "lint" / "clang_tidy"
STAND_IN = Path(__file__).resolve().parent / "stand_in"
PROCESSES = 2
# So many states of a function the analyzer follows: its default, 225,000, takes some six times as long.
ANALYZER_NODES = 20_000
# Whose C library a CPU's sources are compiled with, and what else clang has to know.
COMPILERS = {
    "cortex_m": (["arm-none-eabi-gcc"], ["--target=arm-none-eabi", "-mthumb"]),
    "riscv": (["riscv64-unknown-elf-gcc", "--specs=picolibc.specs"], ["--target=riscv32-unknown-elf"]),
}
# A board whose flags stand for its architecture's, for sources of no board's own.
USUAL = {"cortex_m": "mps2_an386", "riscv": "riscv_virt"}
USUAL_USB = "rp2040"  # for those of a board's own USB
GCC_ONLY = "slices_window.cc"
# What a build with INSPECT, and one with a broken kernel, define: so all of the code is read.
OPTIONS = ("-DSQUEEZE_INSPECT=3", '-DREAL_KERNEL="real"', '-DBROKEN_KERNEL="broken"')
FINDING = re.compile(r"^(?P<file>/[^:]+):(?P<line>\d+):\d+: (?:warning|error): (?P<text>.*)$", re.MULTILINE)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


class MissingToolError(Exception):
    """A program that is not installed."""


@dataclass(frozen=True)
class Unit:
    """A source and the folders and flags that it is read with."""

    source: Path
    include: tuple[Path, ...]
    flags: tuple[str, ...]
    analyze: bool = True  # with the checks of clang-analyzer, which take most of the time


def found(*names: str) -> str:
    """The path of the first program that is installed."""
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise MissingToolError(f"{names[-1]} not found: run ./setup.sh")


def system_folders(command: list[str]) -> list[str]:
    """Flags for the C library's headers of a cross compiler: all of its folders but the compiler's own."""
    told = subprocess.run(
        [found(command[0]), *command[1:], "-E", "-Wp,-v", "-xc", "/dev/null"],
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    folders = [str(Path(line.strip()).resolve()) for line in told.splitlines() if line.startswith(" ")]
    return [flag for folder in folders if "/lib/gcc/" not in folder for flag in ("-isystem", folder)]


def kernel_flags() -> tuple[str, ...]:
    """All kernels, as engine/CMakeLists.txt finds them."""
    found = re.search(
        r"^set\(kernels_all (.*) \$\{layers\}\)$", (ENGINE / "CMakeLists.txt").read_text(), re.M
    )
    assert found is not None, "engine/CMakeLists.txt: no kernels_all"
    layers = [path.name.removesuffix("_row.cc") for path in ENGINE.glob("portable/*_row.cc")]
    names = [*found[1].split(), *layers, "huffman"]
    return tuple(f"-DSQUEEZE_KERNEL_{name.upper()}=1" for name in names)


def cpu_flags(board: Path) -> list[str]:
    """A board's flags for its CPU, less those that only gcc has."""
    flags = tomllib.loads((board / "board.toml").read_text())["cpu_flags"]
    return [flag for flag in flags if not flag.startswith("-misa-spec")]


def host_units() -> Iterator[Unit]:
    # The sanitizers' header comes with gcc; clang's own headers go first.
    of_gcc = subprocess.run(
        [found("g++"), "-print-file-name=include"], check=True, capture_output=True, text=True
    ).stdout.strip()
    flags = ("-std=c++17", f"-idirafter{of_gcc}", *OPTIONS, *kernel_flags())
    for folder in (
        "engine",
        "engine/portable",
        "engine/v6m",
        "engine/dsp",
        "protocol",
        "update",
        "host",
        "web",
    ):
        for source in sorted((CODE / folder).glob("*.cc")):
            yield Unit(source, (CODE,), flags)


def usb_flags(board: Path) -> list[str]:
    """What CMake defines for a board that is a serial port over its own USB."""
    serial = tomllib.loads((board / "board.toml").read_text())["serial"]
    if "usb_id" not in serial:
        return []
    vendor, product = serial["usb_id"].split(":")
    return [f"-DBOARD_USB_VENDOR=0x{vendor}", f"-DBOARD_USB_PRODUCT=0x{product}"]


def slots_folder(board: Path, update: dict[str, Any]) -> Path:
    """Has board_slots.h, as cmake/slots.cmake writes it."""
    folder = CACHE.parent / "slots" / board.name
    folder.mkdir(parents=True, exist_ok=True)
    slots = update["slots"]
    addresses, sizes = (", ".join(f"{slot[key]}u" for slot in slots) for key in ("address", "bytes"))
    (folder / "board_slots.h").write_text(
        f"#pragma once\n#include <stdint.h>\nnamespace board {{\nconstexpr int kSlotCount = "
        f"{len(slots)};\nconstexpr uint32_t kSlotAddresses[] = {{{addresses}}};\n"
        f"constexpr uint32_t kSlotBytes[] = {{{sizes}}};\n}}  // namespace board\n"
    )
    return folder


def board_units() -> Iterator[Unit]:
    """What is compiled for a board."""
    drivers = set()
    shared = {
        "cortex_m": [
            *(ENGINE / "dsp").glob("*.cc"),
            *(CODE / "bench").glob("*.cc"),
            CODE / "app" / "main.cc",
            CODE / "app" / "inspected.cc",
            CODE / "app" / "squeeze_inference.cc",
            CODE / "app" / "update.cc",
            *(CODE / "mlperf_tiny").glob("*.cc"),
            *(CODE / "boards" / "common").glob("*.cc"),
            *(CODE / "boards" / "selftest").glob("*.cc"),
        ],
        "riscv": [],
    }
    for architecture, (compiler, target) in COMPILERS.items():
        system = system_folders(compiler)
        for toml in sorted((CODE / "boards").glob("*/board.toml")):
            board = toml.parent
            if tomllib.loads(toml.read_text())["architecture"] != architecture:
                continue
            sources = list(board.glob("*.cc"))
            usb = usb_flags(board)
            if board.name == USUAL_USB:
                sources += [
                    *(CODE / "boards" / "usb").glob("*.cc"),
                    *(CODE / "boards" / "common").glob("*.cc"),
                ]
            if board.name == USUAL[architecture]:
                sources += [*shared[architecture], *(CODE / "boards" / architecture).glob("*.cc")]
            if board.name == "mps3_an547":
                sources += (path for path in (ENGINE / "mve").glob("*.cc") if path.name != GCC_ONLY)
            include = (CODE, CODE / "boards", CODE / "boards" / architecture, board, STAND_IN)
            flags = (
                "-std=c++17",
                "-DBOARD_CLOCK",
                *target,
                *cpu_flags(board),
                *usb,
                *system,
                *OPTIONS,
                *kernel_flags(),
            )
            for source in sorted(sources):
                yield Unit(source, include, flags, analyze=source.parent.name != "dsp")
            update = tomllib.loads(toml.read_text()).get("update")
            if update and update["driver"] not in drivers:
                drivers.add(update["driver"])
                driver = CODE / "boards" / "flash" / f"{update['driver']}.cc"
                yield Unit(driver, (*include, slots_folder(board, update)), flags)


def files_of(unit: Unit) -> list[Path]:
    """The source and the headers of ours that it includes, one through the other."""
    seen = [unit.source]
    for path in seen:  # grows
        for name in INCLUDE.findall(path.read_text()):
            for folder in (path.parent, *unit.include):
                if (folder / name).is_file():
                    header = (folder / name).resolve()
                    if header not in seen:
                        seen.append(header)
                    break
    return seen


def key(unit: Unit, tool: str) -> str:
    """Names all that clang-tidy's answer depends on."""
    digest = hashlib.sha256(repr((tool, ANALYZER_NODES, unit.include, unit.flags, unit.analyze)).encode())
    for path in [ROOT / ".clang-tidy", CODE / "boards" / ".clang-tidy", *files_of(unit)]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def findings(unit: Unit, tool: str) -> list[str]:
    """A line for each finding in a source and its headers; none for one that was clean before."""
    clean = CACHE / key(unit, tool)
    if clean.exists():
        return []
    command = [tool, "--quiet", "--warnings-as-errors=*", f"--header-filter={CODE}/.*"]
    for word in ("-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={ANALYZER_NODES}"):
        command.append(f"--extra-arg={word}")
    if not unit.analyze:
        command.append("--checks=-clang-analyzer-*")
    command += [str(unit.source), "--"]
    folders = [f"-I{folder}" for folder in unit.include]
    told = subprocess.run(
        [*command, *unit.flags, *folders], cwd=ROOT, check=False, capture_output=True, text=True
    )
    lines = [
        f"{Path(match['file']).relative_to(ROOT)}:{match['line']}: {match['text']}"
        for match in FINDING.finditer(told.stdout.replace(",-warnings-as-errors]", "]"))
    ]
    if told.returncode != 0 and not lines:
        return [f"{unit.source.relative_to(ROOT)}: clang-tidy failed: {told.stderr.strip().splitlines()[-1]}"]
    if not lines:
        clean.touch()
    return lines


def main(arguments: list[str]) -> int:
    try:
        tool = found("clang-tidy-14", "clang-tidy")
        units = [*host_units(), *board_units()]
    except MissingToolError as error:
        print(f"clang_tidy: {error}", file=sys.stderr)
        return 2
    if arguments:
        wanted = {Path(name).resolve() for name in arguments}
        units = [unit for unit in units if unit.source in wanted]
    CACHE.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(PROCESSES) as pool:
        told = pool.map(lambda unit: findings(unit, tool), units)
        lines = sorted({line for of_unit in told for line in of_unit})
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
