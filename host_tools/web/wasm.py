"""The engine as WebAssembly: firmware_cpp/web, compiled by clang and lld, without any other tool chain."""

import functools
import shutil
import subprocess
from pathlib import Path

import filelock

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import FIRMWARE, tool_build
from squeezenet_mcu.common.programs import missing_program

_SOURCE = FIRMWARE / "web"
_TOOLCHAIN = FIRMWARE / "cmake" / "wasm.cmake"
_TOOLS = {"cmake": "cmake", "ninja": "ninja-build", "clang++": "clang", "wasm-ld": "lld"}


@functools.cache
def build() -> Path:
    """Builds engine.wasm when it is stale, and returns its path.

    It has the portable kernels, the same sources as the firmware's, and imports nothing.
    UserError: a tool is missing, or the compiler refuses.
    """
    for tool, package in _TOOLS.items():
        if shutil.which(tool) is None:
            raise missing_program(tool, package)
    folder = tool_build() / "web_engine"
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".lock"):  # test workers may come at once
        cache = folder / "CMakeCache.txt"
        if cache.is_file() and f"CMAKE_HOME_DIRECTORY:INTERNAL={_SOURCE}\n" not in cache.read_text():
            cache.unlink()  # of a checkout that has been moved or copied
        commands: tuple[list[str | Path], ...] = (
            ["cmake", "-G", "Ninja", "-S", _SOURCE, "-B", folder, f"-DCMAKE_TOOLCHAIN_FILE={_TOOLCHAIN}"],
            ["cmake", "--build", folder],
        )
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            said = done.stdout + done.stderr
            log = folder / "build.log"
            log.write_text(said)
            if done.returncode != 0:
                first = next((line.strip() for line in said.splitlines() if "rror" in line), "no message")
                raise UserError(f"building the engine for browsers failed: {first}; all of it: {log}")
    return folder / "engine.wasm"
