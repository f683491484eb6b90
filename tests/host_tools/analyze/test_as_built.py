"""What analyze says of flash, SRAM, model and arena, against the firmware that is built: to the byte."""

import pytest

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.analyze import fit, subject
from squeezenet_mcu.host_tools.bench import measure, networks
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest

LONG = pytest.mark.long
COUNTING = ("stm32f405", "mps2_an386", "rp2040")
IMAGENET = [baseline.name for baseline in networks.IMAGENET]
RUNS = [
    pytest.param("digits", "stm32f405"),
    pytest.param("digits", "rp2040", marks=LONG),
    pytest.param("digits", "mps2_an386", marks=LONG),
    *(
        pytest.param(name, board, marks=LONG)
        for name in ("gtsrb", "cifar10", networks.MLPERF_TINY.name)
        for board in COUNTING
    ),
    pytest.param(IMAGENET[0], "mps2_an386", marks=LONG),
    *(pytest.param(IMAGENET[1], board, marks=LONG) for board in COUNTING),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder whose build/ the tests of this module share."""
    return tmp_path_factory.mktemp("as_built")


@pytest.mark.parametrize(("name", "board"), RUNS)
def test_flash_and_sram_are_those_of_the_firmware(name, board, place, monkeypatch):
    monkeypatch.chdir(place)
    try:
        networks.prepare(Console(quiet=True), name)
    except networks.NotMeasurableError as error:
        pytest.skip(str(error))
    hardware = board_toml.load(board)
    built = measure.build(name, board, ModelRequest())
    linked = build.usage(built.firmware)
    found = subject.of_model(name)
    manifest = {**found.manifest, **read_manifest(paths.BUILD / name)}
    said = fit.on(hardware, manifest, found.maker, ModelRequest())
    assert said.made.content == built.content
    assert said.made.plan.arena_bytes == built.made["arena_bytes"]
    assert said.code.engine_code == measure.code_bytes_of(built.firmware, "libsqueeze_engine.a")
    assert (said.flash_used, said.flash_total) == (linked.flash_used, linked.flash_total)
    assert (said.sram_used, said.sram_total) == (linked.sram_used, linked.sram_total)
