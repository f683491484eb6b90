"""A small firmware with a network that goes wrong when an image asks for it (app/test_fault.h)."""

import fcntl
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import c_array, settings_header
from squeezenet_mcu.convert.target import ANY_CPU
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build
from tests.manifests import manifest

ROOT = Path(__file__).resolve().parents[3]
HEIGHT, WIDTH, CLASSES = 6, 8, 4
BAD_ROW = 3  # of the image that asks for a fault


@dataclass(frozen=True)
class Network:
    """The .tflite, the engine's model of it, and a manifest of both."""

    tflite: bytes
    content: bytes
    manifest: dict


@functools.cache
def network() -> Network:
    """6x8x1 pixels, one convolution, 4 classes."""
    g = RandomGraph(1, "faulty")
    image = g.map("image", [1, HEIGHT, WIDTH, 1], 1 / 255)
    tflite = g.packed(image, g.softmax(g.mean(g.conv("conv1", image, CLASSES, 3))))
    made = engine_model.prepare(tflite_file.parse(tflite), [], ANY_CPU)
    noted = manifest(tflite)
    noted |= {
        "model": "faulty",
        "labels": [],
        "engine_sram_bytes": made.plan.arena_bytes,
        "input": noted["input"] | {"height": HEIGHT, "width": WIDTH, "channels": 1},
        "output": noted["output"] | {"classes": CLASSES},
    }
    return Network(tflite, made.content, noted)


@functools.cache
def elf(board: str) -> Path:
    """The firmware for `board`, built on first use; processes take turns."""
    made, hardware = network(), board_toml.load(board)
    folder = ROOT / "build" / "tests" / "faults" / board
    model = folder / "model"
    model.mkdir(parents=True, exist_ok=True)
    header, source = c_array.c_array("g_model_sqz", made.content, "For the tests of faults.")
    texts = {
        "model_sqz.h": header,
        "model_sqz.c": source,
        "model_settings.h": settings_header.settings_header(made.manifest, []),
    }
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, text in texts.items():
            (model / name).write_text(text)
        options = {
            "MODEL_DIR": str(model),
            "SQUEEZE_FAMILY": "portable",
            "SQUEEZE_KERNELS": "reference;mean;softmax",
            "TEST_FAULT": "ON",
        }
        return build.compile_target(hardware, folder, "firmware", options)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def image(kind: str = "") -> np.ndarray:
    """int8 [height, width, 1]; with `kind`, of test_fault.h, the firmware faults at row BAD_ROW."""
    pixels = np.arange(HEIGHT * WIDTH, dtype=np.int8).reshape(HEIGHT, WIDTH, 1)
    if kind:
        pixels[BAD_ROW, :4, 0] = np.frombuffer(b"FAU" + kind.encode(), np.int8)
    return pixels
