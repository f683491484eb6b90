"""A report of digits as it is shipped, without the minutes that the whole conversion takes."""

import contextlib

import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert.lowering import mend
from squeezenet_mcu.convert.outputs import artefacts
from squeezenet_mcu.convert.outputs.artefacts import Origin
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.report import content, evidence, page

IMAGES = 60
ACCURACY = {"int8_top1": 0.994, "test_images": 1000, "data": "digits", "images_sha256": "d" * 64}


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
