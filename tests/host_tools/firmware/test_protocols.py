"""What PROTOCOL=mlperf_tiny takes of a board, and that a board without room is refused in one line."""

import argparse
import dataclasses
import json

import pytest

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import board_model, build, protocols
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest, folder_for
from tests.manifests import manifest

BOARD = board_toml.load("stm32f405")
MLPERF = ModelRequest(protocol="mlperf_tiny")


def of(height, width, channels):
    size = {"height": height, "width": width, "channels": channels}
    return manifest(input=manifest()["input"] | size)


def test_the_link_keeps_a_row_and_mlperf_tiny_the_image():
    assert protocols.input_bytes(of(32, 30, 3), "link") == 90
    assert protocols.input_bytes(of(32, 30, 3), "mlperf_tiny") == 32 * 90
    link, mlperf = (board_model.target_for(BOARD, of(32, 32, 3), r) for r in (ModelRequest(), MLPERF))
    assert link.sram_limit - mlperf.sram_limit == 31 * 96
    assert dataclasses.replace(mlperf, sram_limit=link.sram_limit) == link


def test_a_board_without_room_is_refused_before_anything_is_built(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = paths.BUILD / "large"
    source.mkdir(parents=True)
    (source / "model.tflite").write_bytes(b"x")
    (source / "manifest.json").write_text(json.dumps(of(224, 224, 3) | {"model": "large"}))
    with pytest.raises(UserError) as error:
        build.build("stm32f405", "large", MLPERF)
    assert str(error.value) == (
        "large does not fit stm32f405: MLPerf Tiny's `db load` wants the whole input, 150,528 B, in SRAM, "
        "and 121,272 are free; take a larger board, or the link, which takes rows"
    )
    board_model.check_room(BOARD, of(224, 224, 3), "link")
    board_model.check_room(BOARD, of(200, 200, 3), "mlperf_tiny")


def test_a_firmware_that_does_not_fit_says_what_the_input_takes():
    assert protocols.share_of(of(32, 32, 3), "link") == ""
    assert "takes 3,072 bytes" in protocols.share_of(of(32, 32, 3), "mlperf_tiny")


def test_each_protocol_has_a_folder_of_its_own(tmp_path):
    names = {
        folder_for(tmp_path, "rp2040", engine, protocol=protocol).name
        for engine in ("squeeze", "tflm")
        for protocol in protocols.PROTOCOLS
    }
    assert names == {"rp2040", "rp2040-tflm", "rp2040-mlperf_tiny", "rp2040-tflm-mlperf_tiny"}


def test_the_option_reaches_cmake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    build.add_build_arguments(parser)
    asked = build.request_of(parser.parse_args(["--protocol", "mlperf_tiny"]))
    assert asked == MLPERF
    assert build.request_of(parser.parse_args([])) == ModelRequest()
    source = paths.BUILD / "small"
    source.mkdir(parents=True)
    (source / "manifest.json").write_text(json.dumps(of(32, 32, 3) | {"model": "small"}))
    made = {"kernels": [], "arena_bytes": 9}
    assert build.options(BOARD, source, paths.BUILD, asked, made)["PROTOCOL"] == "mlperf_tiny"
