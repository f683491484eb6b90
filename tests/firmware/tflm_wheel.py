"""TFLM as the xmos-ai-tools wheel has it: headers in namespace tflite_micro, and the interpreter for x86-64.

setup.sh puts the wheel into .venv/wheels. gemmlowp's headers come with TensorFlow.
"""

import importlib.util
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

_HEADERS = "xmos_ai_tools/runtime/include/"
_LIBRARY = "xmos_ai_tools/xinterpreters/libs/linux/xtflm_python.so.1.0.1"
# Its library is built without TF_LITE_STATIC_MEMORY, and its headers do not compile with it.
DEFINITIONS = "TFLM_NAMESPACE=tflite_micro"


@dataclass(frozen=True)
class Wheel:
    """`include`: folders of headers. `library`: a shared one for this host, with the interpreter."""

    include: tuple[Path, ...]
    library: Path


def unpack(folder: Path) -> Wheel:
    """Takes what is needed out of the wheel; skips the test where it is not there."""
    found = sorted((Path(sys.prefix) / "wheels").glob("xmos_ai_tools-*.whl"))
    tensorflow = importlib.util.find_spec("tensorflow")
    if not found or tensorflow is None:
        pytest.skip("needs the xmos-ai-tools wheel in .venv/wheels, and TensorFlow (setup.sh; x86-64 Linux)")
    with zipfile.ZipFile(found[0]) as wheel:
        for name in wheel.namelist():
            if name == _LIBRARY or (name.startswith(_HEADERS) and name.endswith(".h")):
                place = folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                with wheel.open(name) as source, place.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
    gemmlowp = Path(tensorflow.submodule_search_locations[0]) / "include" / "external" / "gemmlowp"
    return Wheel((folder / _HEADERS, gemmlowp), folder / _LIBRARY)
