"""The engine on the host: firmware_cpp/engine as a shared library, called through ctypes."""

import ctypes
import functools
import shutil
import subprocess
from pathlib import Path

import filelock
import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import FIRMWARE, tool_build
from squeezenet_mcu.common.programs import missing_program
from squeezenet_mcu.convert.verify.engine_status import describe

_SOURCE = FIRMWARE / "host"


class _Storage(ctypes.Structure):
    _fields_ = (("storage", ctypes.c_uint64 * 16),)  # SQUEEZE_ENGINE_WORDS


class _Shape(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint16) for name in ("height", "width", "channels", "classes"))


OBSERVER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_int8))


@functools.cache
def build(sanitize: bool = False) -> Path:
    """Builds the host library (or, sanitized, the run_model checker) when stale; returns its path."""
    for tool in ("cmake", "ninja", "g++"):
        if shutil.which(tool) is None:
            raise missing_program(tool, "cmake ninja-build g++")
    folder = tool_build() / ("host_sanitized" if sanitize else "host")
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".lock"):  # test workers and evaluate processes may come at once
        cache = folder / "CMakeCache.txt"
        if cache.is_file() and f"CMAKE_HOME_DIRECTORY:INTERNAL={_SOURCE}\n" not in cache.read_text():
            cache.unlink()  # of a checkout that has been moved or copied
        log = folder / "build.log"
        sanitized = f"-DSANITIZE={'ON' if sanitize else 'OFF'}"
        commands: tuple[list[str | Path], ...] = (
            ["cmake", "-G", "Ninja", "-S", _SOURCE, "-B", folder, sanitized],
            ["cmake", "--build", folder],
        )
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            said = done.stdout + done.stderr
            log.write_text(said)
            if done.returncode != 0:
                first = next((line.strip() for line in said.splitlines() if "rror" in line), "no message")
                raise UserError(f"building the engine for the host failed: {first}; all of it: {log}")
    return folder / ("run_model" if sanitize else "libsqueeze.so")


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(build()))
    library.squeeze_get_shape.restype = _Shape
    for name in ("squeeze_logits", "squeeze_probabilities"):
        getattr(library, name).restype = ctypes.POINTER(ctypes.c_int8)
    return library


def _aligned(size: int) -> np.ndarray:
    raw = np.zeros(size + 16, np.uint8)
    start = -raw.ctypes.data % 16
    return raw[start : start + size]


class HostEngine:
    """Runs an engine model on the host, image by image.

    Args:
        blob: the engine's model (model.sqz).

    Raises:
        UserError: the model does not pass the engine's checks.
    """

    def __init__(self, blob: bytes) -> None:
        self._library = _library()
        self._blob = _aligned(len(blob))
        self._blob[:] = np.frombuffer(blob, np.uint8)
        self._engine = _Storage()
        self._arena_bytes = ctypes.c_size_t()
        pointer = ctypes.c_void_p(self._blob.ctypes.data)
        size = ctypes.c_size_t(len(blob))
        self._check(
            self._library.squeeze_arena_bytes(pointer, size, ctypes.byref(self._arena_bytes)), "engine model"
        )
        self._arena = _aligned(self._arena_bytes.value)
        arena = ctypes.c_void_p(self._arena.ctypes.data)
        self._check(
            self._library.squeeze_init(ctypes.byref(self._engine), pointer, size, arena, self._arena_bytes),
            "engine model",
        )
        shape = self._library.squeeze_get_shape(ctypes.byref(self._engine))
        self.input_shape = (shape.height, shape.width, shape.channels)
        self.classes = shape.classes
        self.arena_bytes = self._arena_bytes.value

    def observe(self, observer: "ctypes._FuncPointer | None") -> None:
        """Has `observer` (an OBSERVER; the caller keeps it alive) called with every finished row."""
        self._library.squeeze_set_observer(ctypes.byref(self._engine), observer, None)

    @staticmethod
    def _check(status: int, what: str) -> None:
        if status:
            raise UserError(f"{what}: {describe(status)}; convert it again")

    def infer(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One image, int8 [height, width, channels] -> (logits, probabilities), int8 [classes] each."""
        if x.shape != self.input_shape or x.dtype != np.int8:
            raise ValueError(f"image {x.shape} {x.dtype}; wanted {self.input_shape} int8")
        x = np.ascontiguousarray(x)
        handle = ctypes.byref(self._engine)
        self._library.squeeze_reset(handle)
        stride = x.shape[1] * x.shape[2]
        for row in range(x.shape[0]):
            at = ctypes.c_void_p(x.ctypes.data + row * stride)
            self._check(self._library.squeeze_push_row(handle, at), f"row {row}")
        logits, probabilities = (
            np.ctypeslib.as_array(get(handle), (self.classes,)).copy()
            for get in (self._library.squeeze_logits, self._library.squeeze_probabilities)
        )
        return logits, probabilities
