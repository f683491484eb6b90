"""What TensorFlow Lite Micro needs: its arena, measured by the real interpreter, and the ops to register.

The tflite-micro wheel is TFLM built for this 64-bit host. Its pointers are twice as wide as the device's, so
the arena it needs is an upper bound for a Cortex-M.
"""

import os
import subprocess
import sys
from collections.abc import Callable

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile

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

# Builtin operator -> the method of TFLM's MicroMutableOpResolver that registers it.
_RESOLVER_METHODS = {
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "DEQUANTIZE": "AddDequantize",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "PAD": "AddPad",
    "QUANTIZE": "AddQuantize",
    "RESHAPE": "AddReshape",
    "SOFTMAX": "AddSoftmax",
}


def resolver_methods(file: TfliteFile) -> list[str]:
    """The resolver methods that the model's operators need, sorted, each once."""
    return sorted({_RESOLVER_METHODS[op.name] for op in file.ops})


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


def arena_bytes(tflite_path: str) -> int:
    """The smallest arena, in bytes, with which TFLM accepts the model.

    Another process does the trying: TFLM reports each refusal on stderr, and a crash of it must not be ours.
    """
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(
        [sys.executable, "-c", _PROBE, tflite_path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    ) as probe:  # fmt: skip
        question, reply = probe.stdin, probe.stdout
        assert question is not None
        assert reply is not None

        def fits(size: int) -> bool:
            question.write(f"{size}\n")
            question.flush()
            answer = reply.readline().strip()
            if answer not in ("fits", "small"):
                raise UserError(f"{tflite_path}: TFLite Micro crashed with an arena of {size} bytes")
            return answer == "fits"

        high = 16 << 10
        while not fits(high):
            high *= 2
            if high > _LARGEST:
                raise UserError(f"{tflite_path}: TFLite Micro refuses it in an arena of any size")
        found = _smallest(fits, high // 2 if high > 16 << 10 else 0, high)
        question.close()
    return found
