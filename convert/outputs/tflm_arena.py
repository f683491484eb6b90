"""What TensorFlow Lite Micro needs: its arena, measured by the real interpreter, and the ops to register.

The tflite-micro wheel is TFLM built for this 64-bit host. Its pointers are twice as wide as the device's, so
the arena it needs is an upper bound for a Cortex-M.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Self

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering.tflite_file import Op, TfliteFile
from squeezenet_mcu.convert.outputs.tflm_operators import RESOLVER_METHODS, WITH_INT8_KERNELS

_GRANULE = 16  # TFLM aligns its arena to 16 bytes
_LARGEST = 256 << 20
_PROBE = """
import sys
from tflite_micro import runtime
content = open(sys.argv[1], "rb").read()
for line in sys.stdin:
    try:
        runtime.Interpreter.from_bytes(content, arena_size=int(line))
        print("fits", flush=True)
    except RuntimeError:
        print("small", flush=True)
"""


def resolver_methods(file: TfliteFile) -> list[str]:
    """The resolver methods that the model's operators need, sorted, each once; see `lacking`."""
    return sorted({RESOLVER_METHODS[op.name] for op in file.ops if op.name in RESOLVER_METHODS})


def lacking(file: TfliteFile) -> list[str]:
    """The model's operators that TFLM does not have, sorted, each once."""
    return sorted({op.name for op in file.ops} - set(RESOLVER_METHODS))


def int8_kernels(file: TfliteFile) -> bool:
    """Whether TFLM's registrations for int8 activations and weights alone will do for this model."""
    return all(
        file.tensors[tensor].type_name == "INT8"
        for op in file.ops
        if op.name in WITH_INT8_KERNELS
        for tensor in (*op.inputs[:2], op.outputs[0])
    )


def _weights_of(file: TfliteFile, op: Op) -> int:
    """Weights that `op` multiplies by: 0 unless it is a convolution or fully connected."""
    if op.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return 0
    return int(np.prod(file.tensors[op.inputs[1]].shape))


def weights(file: TfliteFile) -> int:
    """Weights of the whole model, without biases."""
    return sum(_weights_of(file, op) for op in file.ops)


def macs(file: TfliteFile, op: Op) -> int:
    """Multiplications of an operator: of convolutions and of FULLY_CONNECTED; 0 of others."""
    weights_ = _weights_of(file, op)
    if not weights_:
        return 0  # its output may be of any rank: a shape, say
    height, width, _ = file.tensors[op.outputs[0]].hwc
    return height * width * weights_


def available() -> bool:
    """Whether the tflite-micro wheel is installed (it exists for x86-64 Linux only)."""
    import importlib.util

    return importlib.util.find_spec("tflite_micro") is not None


def _smallest(fits: Callable[[int], bool], low: int, high: int) -> int:
    """Smallest multiple of _GRANULE above `low` for which `fits`, given that `high` does."""
    while high - low > _GRANULE:
        middle = (low + high) // 2 // _GRANULE * _GRANULE
        if fits(middle):
            high = middle
        else:
            low = middle
    return high


class _Probe:
    """Another process that tries arenas. TFLM's wheel crashes in some that are too small: it is begun anew.

    Use it in a `with`. `crashed`: whether it did so in the last arena.
    """

    def __init__(self, tflite_path: str) -> None:
        self._path = tflite_path
        self._process: subprocess.Popen[str] | None = None
        self.crashed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate()  # its input ends, and so does it
            self._process = None

    def _begun(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        return subprocess.Popen(
            [sys.executable, "-c", _PROBE, self._path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment,
        )  # fmt: skip

    def fits(self, size: int) -> bool:
        """Whether TFLM takes the model in an arena of `size` bytes."""
        if self._process is None:
            self._process = self._begun()
        question, reply = self._process.stdin, self._process.stdout
        assert question is not None
        assert reply is not None
        with contextlib.suppress(BrokenPipeError):  # it may have ended before it was asked
            question.write(f"{size}\n")
            question.flush()
        answer = reply.readline().strip()
        self.crashed = answer not in ("fits", "small")
        if self.crashed:
            self.__exit__()
        return answer == "fits"


class TflmError(UserError):
    """TFLM crashes on the model, or takes it in no arena."""


def arena_bytes(tflite_path: str, name: str) -> int:
    """The smallest arena, in bytes, with which TFLM accepts the model. TflmError, which names `name`: none.

    Another process does the trying: TFLM reports each refusal on stderr, and a crash of it must not be ours.
    A crash counts as a refusal, for in a larger arena the same model runs.
    """
    with _Probe(tflite_path) as probe:
        high = 16 << 10
        while not probe.fits(high):
            high *= 2
            if high > _LARGEST:
                crashes = "itself crashes on it" if probe.crashed else "refuses it"
                raise TflmError(f"{name}: TFLite Micro {crashes} in an arena of any size")
        return _smallest(probe.fits, high // 2 if high > 16 << 10 else 0, high)
