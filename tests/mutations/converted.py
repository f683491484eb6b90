"""A converted model's manifest.json and its firmware's engine.json, damaged, and all that reads them.

Everything is imported at once, when this is: not again in each child.
"""

from pathlib import Path

import ai_edge_litert.interpreter  # noqa: F401  # by LiteRT's reference, where it is used

from squeezenet_mcu.common import files
from squeezenet_mcu.common.formats import engine_record
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.outputs import report
from squeezenet_mcu.host_tools.bench import networks
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import board_model, build
from squeezenet_mcu.host_tools.validate import command as validate
from squeezenet_mcu.host_tools.validate import devices, top5
from tests import manifests
from tests.mutations.run import guarded

SIZE = {"height": 28, "width": 28, "channels": 1}


def sound(folder: Path) -> list[tuple[str, bytes]]:
    """A converted model in build/toy, and its firmware's record: digits, without what brings its data."""

    tflite = (ZOO / "digits" / "model.tflite").read_bytes()
    files.write_bytes(folder / "build/toy/model.tflite", tflite)
    whole = manifests.manifest(
        tflite,
        input=manifests.manifest()["input"] | SIZE | {"scale": 1 / 255},
        output=manifests.manifest()["output"] | {"tensor": 53, "logits_tensor": 52},
        calibration={"source": "x", "sha256": ["a" * 64]},
        accuracy={"int8_top1": 0.9, "test_images": 10},
        weight_bits={"conv1": 8},
        flash_limits={"dsp": 60_000},
        float={"file": "build/toy/float.keras", "sha256": "b" * 64, "divisor": 255.0},
    )
    board = board_toml.load("stm32f405")
    target = board_model.target_for(board, whole, board_model.ModelRequest())
    record = manifests.engine_record(made_from=board_model.made_from(target, tflite, board))
    for name in board_model._FILES:
        files.write_bytes(folder / "build/toy/firmware/stm32f405/model" / name, b"")
    return [
        ("build/toy/manifest.json", files.as_json(whole)),
        ("build/toy/firmware/stm32f405/model/engine.json", files.as_json(record)),
    ]


def read(folder: Path) -> int:
    """What validate, firmware and bench do with the two before they start a program or a device."""

    def run() -> None:
        artefacts = validate.load_artefacts("toy")
        tests = validate.load_tests(artefacts, "random:2", 2)
        reference = Reference.of(artefacts.manifest, artefacts.tflite)
        for image in tests.images:
            reference.infer(image, artefacts.manifest["output"]["logits_tensor"])
        devices.longest_silence("tflm", artefacts.manifest)
        top5.many_classes(artefacts.manifest)
        networks._converted("toy", artefacts.manifest["tflite_sha256"], True, tflm=True)
        for name in board_toml.names():
            board_model.target_for(board_toml.load(name), artefacts.manifest, board_model.ModelRequest())
        board_model.made_for(folder / "build/toy", "stm32f405")
        made = engine_record.read(folder / "build/toy/firmware/stm32f405/model")
        report.print_sizes(Console(), made, build._imported(folder / "build/toy"))
        build.overflow_message(board_toml.load("stm32f405"), "toy", {"FLASH": 90, "SRAM": 9}, made)

    return guarded(run)
