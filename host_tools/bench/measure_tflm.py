"""One network with TensorFlow Lite Micro as the engine on one emulated board, measured as measure.py does."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.names import layer_name
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile
from squeezenet_mcu.convert.outputs import tflm_arena
from squeezenet_mcu.host_tools.bench import measure
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import build as firmware
from squeezenet_mcu.host_tools.firmware.tflm_library import TflmLibrary
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.validate.devices import longest_silence

ENGINE = "tflm"


def layers(file: TfliteFile, measured: measure.Measured) -> list[dict[str, Any]]:
    """The operators with what each took, for results.json. UserError: the board counted others."""
    if len(measured.layers) != len(file.ops):
        raise UserError(f"{file.path}: {len(file.ops)} operators, the board counted {len(measured.layers)}")
    return [
        measure.layer_figures(layer_name(file, op), op.name, tflm_arena.macs(file, op), measured, index)
        for index, op in enumerate(file.ops)
    ]


def build(name: str, board: str, library: TflmLibrary) -> tuple[Path, Path]:
    """The measuring program and the real firmware, under build/bench/. measure.DoesNotFitError."""
    hardware = board_toml.load(board)
    source = paths.BUILD / name
    folder = paths.BUILD / "bench" / name / f"{hardware.name}-{ENGINE}"
    return (
        firmware.link_tflm(hardware, source, folder, "bench", library),
        firmware.link_tflm(hardware, source, folder, "firmware", library),
    )


def record(name: str, board: str, library: TflmLibrary) -> dict[str, Any]:
    """Measures; the object for results.json, with the fields of measure.record.

    measure.DoesNotFitError, measure.NotExactError; UserError for what else goes wrong.
    """
    source = paths.BUILD / name
    manifest = read_manifest(source)
    file = tflite_file.read(source / "model.tflite")
    program, real = build(name, board, library)
    measured = measure.run(board, program)
    size = manifest["input"]
    image = measure.pseudo_image(file.content, (size["height"], size["width"], size["channels"]))
    wanted, _ = Reference.of(manifest, file.content).infer(image, manifest["output"]["logits_tensor"])
    crc = zlib.crc32(wanted.tobytes())
    if measured.logits_crc != crc:
        raise measure.NotExactError(
            f"NOT exact: CRC-32 of the logits {measured.logits_crc:08x}, LiteRT's {crc:08x}"
        )
    silence = longest_silence(ENGINE, manifest)
    with emulator.running(board, real) as url, Device(url, silence) as device:
        answer = device.infer(image)
    if not np.array_equal(answer.logits, wanted):
        raise measure.NotExactError("NOT exact: the firmware's logits over the link differ from LiteRT's")
    common = measure.figures(
        name, board, ENGINE, measured, real, answer.stack_high_water,
        (len(file.content), library.file.name), manifest,
    )  # fmt: skip
    return common | {
        "optimize": None,
        "sram_bytes_asked": None,
        "flash_bytes_asked": None,
        "weights_stored_bytes": manifest["weights_dense_bytes"],
        "layers": layers(file, measured),
    }
