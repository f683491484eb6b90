"""Compiles and links a generated tree as a platform would, but without its build system."""

import os
import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
STAND_IN = HERE / "stand_in"
_WARNINGS = ("-Wall", "-Wextra", "-Werror")
_ARDUINO = ("-Os", "-ffunction-sections", "-fdata-sections")


@dataclass(frozen=True)
class Platform:
    """A compiler as an Arduino core calls it. `machine`: of QEMU; "" to run on the host."""

    name: str
    prefix: str
    cpu: tuple[str, ...]
    c: tuple[str, ...]
    cxx: tuple[str, ...]
    machine: str = ""

    @property
    def main(self) -> Path:
        """The stand-in for the platform's main."""
        return STAND_IN / ("cortex_m.cpp" if self.machine else "host.cpp")


_CXX = ("-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics")
HOST = Platform("host", "", (), ("-std=gnu11",), ("-std=gnu++17", *_CXX))
# ArduinoCore-mbed, variants/ARDUINO_NANO33BLE/cxxflags.txt: C++14, and char without a sign.
NANO33BLE = Platform("nano33ble", "arm-none-eabi-",
                     ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16",
                      "-funsigned-char"),
                     ("-std=gnu11",), ("-std=gnu++14", *_CXX), "mps2-an386")  # fmt: skip
# ArduinoCore-samd, platform.txt: C++11. QEMU has no M0+, but the microbit's M0 runs the same instructions. It
# lets unaligned accesses pass, which a real one does not: those, test_cmake.py looks for with UBSan.
SAMD = Platform("samd", "arm-none-eabi-", ("-mcpu=cortex-m0plus", "-mthumb"),
                ("-std=gnu11",), ("-std=gnu++11", *_CXX), "microbit")  # fmt: skip


def call(command: Sequence[str | Path], **options: object) -> subprocess.CompletedProcess:
    """Runs it; fails with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
    return done


def compiled(platform: Platform, sources: list[Path], includes: list[Path], out: Path) -> list[Path]:
    """Compiles each of `sources` by itself, all warnings errors; the objects."""
    out.mkdir(parents=True, exist_ok=True)

    def compile_one(item: tuple[int, Path]) -> Path:
        number, source = item
        target = out / f"{number}_{source.stem}.o"
        compiler, flags = ("gcc", platform.c) if source.suffix == ".c" else ("g++", platform.cxx)
        paths = [f"-I{path}" for path in includes]
        options = [*platform.cpu, *flags, *_ARDUINO, *_WARNINGS, *paths]
        call([f"{platform.prefix}{compiler}", *options, "-c", source, "-o", target])
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(compile_one, enumerate(sources)))


def linked(platform: Platform, objects: list[Path], out: Path) -> Path:
    """The program of the tree's `objects`; on Arm without a library but C's and the compiler's own."""
    last = ["-nostdlib", f"-T{STAND_IN / 'cortex_m.ld'}", "-Wl,--fatal-warnings"] if platform.machine else []
    libraries = ["-lc", "-lgcc"] if platform.machine else []
    call(
        [f"{platform.prefix}g++", *platform.cpu, *objects, *last, "-Wl,--gc-sections", *libraries, "-o", out]
    )
    return out


def ran(platform: Platform, program: Path, serial: bytes) -> str:
    """What the program writes to the serial line when `serial` comes over it."""
    folder = program.parent
    (folder / "serial.bin").write_bytes(serial)
    command: list[str | Path] = [program]
    if platform.machine:
        command = ["qemu-system-arm", "-M", platform.machine, "-kernel", program]
        command += ["-nodefaults", "-display", "none", "-chardev", "stdio,id=line"]
        command += ["-semihosting-config", "enable=on,target=native,chardev=line"]
        command += ["-icount", "shift=0"]  # for micros() of the stand-in
    with (folder / "serial.bin").open("rb") as line:
        return call(command, cwd=folder, stdin=line, timeout=60).stdout


def includes_exist(tree: Path, folders: Sequence[str]) -> list[str]:
    """Names of #include "..." in `tree` that neither the file's own folder nor `folders` hold."""
    missing = []
    for path in sorted(tree.rglob("*")):
        if path.suffix not in (".c", ".cpp", ".h"):
            continue
        for name in re.findall(r'^\s*#include "([^"]+)"', path.read_text(), re.M):
            places = [path.parent, *(tree / folder for folder in folders)]
            if not any((place / name).is_file() for place in places):
                missing.append(f"{path.relative_to(tree)}: {name}")
    return missing
