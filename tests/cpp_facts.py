"""What the C++ headers say of numbers that Python repeats: from a program for this machine, and of boards."""

import ctypes
import fcntl
import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.convert.verify import host_engine
from squeezenet_mcu.host_tools.boards import board_toml

_CONSTANT = re.compile(r"^\s*(?:static |inline )*constexpr \w+ (k\w+) =", re.MULTILINE)


def _built(target: str, file: str) -> Path:
    """A target of firmware_cpp/host that is built for tests alone."""
    folder = host_engine.build().parent
    with (folder / ".lock").open("w") as lock:  # host_engine.build takes the same
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = ["cmake", "--build", folder, "--target", target]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / file


@functools.cache
def host() -> dict[str, Any]:
    """What firmware_cpp/host/print_facts.cc prints."""
    program = _built("print_facts", "print_facts")
    return json.loads(subprocess.run([program], capture_output=True, text=True, check=True).stdout)


@functools.cache
def scratch_library() -> ctypes.CDLL:
    """firmware_cpp/host/scratch_bytes.cc."""
    return ctypes.CDLL(str(_built("squeeze_scratch", "libsqueeze_scratch.so")))


def device(board: str, folder: Path) -> dict[str, int]:
    """Sizes of the symbols of firmware_cpp/host/device_facts.cc, compiled for a board into `folder`."""
    built = folder / f"{board}.o"
    flags = [
        "-std=c++17",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fno-exceptions",
        "-fno-rtti",
        "-I",
        FIRMWARE,
    ]
    hardware = board_toml.load(board)
    source = FIRMWARE / "host" / "device_facts.cc"
    compiler = ["arm-none-eabi-g++", *hardware.cpu_flags]
    subprocess.run([*compiler, *flags, "-c", source, "-o", built], check=True)
    listing = subprocess.run(
        ["arm-none-eabi-nm", "--print-size", built], check=True, capture_output=True, text=True
    ).stdout
    return {name: int(size, 16) for _, size, _, name in map(str.split, listing.splitlines())}


def camel(name: str) -> str:
    """`name` of Python (MAX_POOL) or of C++ (LayerKind::kMaxPool), as both write it: maxpool."""
    return re.sub(r"^k(?=[A-Z])", "", name.rpartition("::")[2]).replace("_", "").lower()


def enum(name: str) -> dict[str, int]:
    """A C++ enum's numbers, by names that `camel` has made comparable."""
    return {camel(key): value for key, value in host()["enums"][name].items()}


def constants_of(*headers: str) -> set[str]:
    """Names of all constants that these headers (below firmware_cpp) define."""
    return {name for header in headers for name in _CONSTANT.findall((FIRMWARE / header).read_text())}
