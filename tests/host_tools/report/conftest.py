"""A report of digits as it is shipped, without the minutes that the whole conversion takes."""

import contextlib
import dataclasses

import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert.lowering import mend
from squeezenet_mcu.convert.outputs import artefacts
from squeezenet_mcu.convert.outputs.artefacts import Origin
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.report import content, evidence, page
from squeezenet_mcu.host_tools.report.keras_run import KerasRun
from squeezenet_mcu.host_tools.report.sections import claims

IMAGES = 60
ACCURACY = {"int8_top1": 0.994, "test_images": 1000, "data": "digits", "images_sha256": "d" * 64}

# What other commands leave.
VALIDATED = {
    "model": "digits", "board": "stm32f405", "images": 50, "differing_values": 0, "differing_images": 0,
    "compared_values": 1000, "device_accuracy": 1.0, "python_accuracy": 1.0, "sram_bytes": 15872,
    "sram_total_bytes": 131072, "stack_bytes": 1348, "arena_bytes": 10688, "flash_bytes": 51276,
    "flash_total_bytes": 1048576, "engine_sha256": "e" * 64, "build_id": "2908a4c628decf70",
    "counter": "instructions",
    "link": {
        "requests": 306, "answers": 302, "lost": 0, "bytes_sent": 44677, "bytes_received": 8763,
        "restarts": 0, "reopened": 0, "images_again": 0, "dropped_bytes": 0, "damaged_frames": 0,
        "round_trip_ms": {"min": 12.475, "mean": 188.177, "max": 361.783},
    },
}  # fmt: skip
CONFUSION = [[0, 0, 5], [1, 1, 44], [1, 7, 1]]
COST = {
    "instructions": 1695589, "cycles": 2733588, "cycles_with_flash": 2896733, "milliseconds": 16.271,
    "milliseconds_with_flash": 17.242, "cores": 1,
}  # fmt: skip
PROFILE = {
    "model_sha256": "a" * 64, "board": "stm32f405", "counter": "cycles", "image_count": 1_696_145,
    "milliseconds": 10.1,
    "layers": [{"layer": "conv1", "count": 286_595, "milliseconds": 1.7059, "share": 0.1690}],
}  # fmt: skip
CLAIM = {
    "topic": "size", "says": "small", "place": "abstract", "rule": "about", "paper": 50.0, "ours": 48.8,
    "unit": "times", "verdict": "holds", "how": "counted", "needs": "",
}  # fmt: skip


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A working directory in which digits stands converted."""
    place = tmp_path_factory.mktemp("report")
    folder = place / "build" / "digits"
    file = mend.read(ZOO / "digits" / "model.tflite").file
    made = artefacts.convert(file, "digits", [str(i) for i in range(10)], "unit")
    manifest = artefacts._manifest(made, 26816, Origin({}, "digits"), ACCURACY)
    files.write_bytes(folder / "model.tflite", file.content)
    files.write_bytes(folder / "model.sqz", made.engine_model)
    files.write_json(folder / "manifest.json", manifest | {"files": {}})
    return place


@pytest.fixture(scope="session")
def seen(place):
    """What is known of it."""
    with contextlib.chdir(place):
        return evidence.of("digits", board_toml.load("stm32f405"), None, IMAGES)


@pytest.fixture(scope="session")
def report(place, seen):
    with contextlib.chdir(place):
        return content.gather(seen)


@pytest.fixture(scope="session")
def html(report):
    return page.render(report)


@pytest.fixture(scope="session")
def full_html(place, seen):
    """The page where every command has been run, and no section is empty."""
    known = dataclasses.replace(
        seen,
        validated=VALIDATED | {"cost": COST, "confusion": CONFUSION, "data": "digits"},
        profile=PROFILE,
        keras=KerasRun("float", "build/digits/float.keras", seen.run.taken),
    )
    needs = CLAIM | {"verdict": "not computed", "ours": None, "needs": "make claims WEIGHTS=file"}
    with contextlib.chdir(place):
        files.write_json(claims.FILE, {"claims": [CLAIM, needs, CLAIM | {"verdict": "does not hold"}]})
        try:
            return page.render(content.gather(known))
        finally:
            claims.FILE.unlink()
