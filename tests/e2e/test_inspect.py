"""Every layer on each emulated CPU family, a kernel that is broken on purpose, and the profile."""

import json
from pathlib import Path

import pytest

from squeezenet_mcu.common.formats import engine_record
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.host_tools.bench import measure
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.inspect import expected, layers
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.validate.inputs import load_artefacts, load_tests
from tests.e2e import verbs

# Cortex-M4, M7, M55, M0+, RISC-V.
QUICK, *OTHERS = BOARDS = ("stm32f405", "mps2_an500", "mps3_an547", "rp2040", "riscv_virt")
ZOO = ("digits", "gtsrb", "cifar10")
BROKEN_LAYER = "fire2/expand3x3"  # the first padded convolution behind the first layer: broken_kernel.cc
each_board = pytest.mark.parametrize(
    "board", [QUICK, *(pytest.param(b, marks=pytest.mark.long) for b in OTHERS)]
)


def inspected(folder: Path, model: str, board: str) -> Path:
    """The folder of the firmware that can watch its layers, made if need be."""
    made = folder / f"build/{model}/firmware/{board}-inspect"
    if not (folder / f"build/{model}/manifest.json").is_file():
        verbs.succeed(folder, "convert", "--model", model)
    if not (made / "firmware.elf").is_file():
        verbs.succeed(folder, "host_tools", "firmware", "--model", model, "--board", board, "--inspect")
    return made


def layers_of(folder: Path, model: str, board: str, *options: str) -> dict:
    report = folder / f"layers-{model}-{board}.json"
    verbs.succeed(
        folder, "host_tools", "validate", "--model", model, "--board", board, "--layers",
        "--json", str(report), *options,
    )  # fmt: skip
    return json.loads(report.read_text())


def profile_of(folder: Path, model: str, board: str) -> dict:
    verbs.succeed(folder, "host_tools", "profile", "--model", model, "--board", board)
    found = json.loads((folder / f"build/{model}/profile.json").read_text())
    assert (folder / f"build/{model}/profile.png").read_bytes().startswith(b"\x89PNG")
    assert (found["board"], found["model"]) == (board, model)
    return found


@each_board
def test_layers_and_profile(workplace, board):
    folder = inspected(workplace, "digits", board)
    plan = engine_record.read(folder / "model")["plan"]
    report = layers_of(workplace, "digits", board)
    named = [name for entry in report["layers"] for name in entry["layers"]]
    assert sorted(named) == sorted(entry["layer"] for entry in plan)
    assert report["exact"] and all(entry["equal"] for entry in report["layers"])
    found = profile_of(workplace, "digits", board)
    assert abs(found["sum_off"]) <= 0.01
    assert [layer["layer"] for layer in found["layers"][:-1]] == [entry["layer"] for entry in plan[1:]]
    assert all(layer["count"] > 0 for layer in found["layers"])
    assert found["counter"] == ("cycles" if board == "rp2040" else "instructions")


@each_board
def test_a_broken_kernel_is_found(workplace, board, monkeypatch):
    monkeypatch.chdir(workplace)
    hardware, source = board_toml.load(board), Path("build/digits")
    folder = inspected(workplace, "digits", board).relative_to(workplace)
    made, request = engine_record.read(folder / "model"), ModelRequest(inspect=True)
    kernel = next(entry["kernel"] for entry in made["plan"] if entry["layer"] == BROKEN_LAYER)
    function = "Conv2DRows" if kernel == "reference" else f"Conv{kernel.title().replace('_', '')}Rows"
    options = build.options(hardware, source, folder, request, made) | {"BROKEN_KERNEL": function}
    elf = build.compile_target(hardware, folder, "firmware", options)
    artefacts = load_artefacts("digits")
    image = load_tests(artefacts, None, 1).images
    reference = Reference.of(artefacts.manifest, artefacts.tflite)
    wanted = expected.Expected(source / "model.tflite", reference)
    with emulator.running(board, elf) as url, Device(url) as device:
        report = layers.compare_all(device, wanted, image)
    at = next(of for of in wanted.maps if BROKEN_LAYER in of.layers)
    height, width, _ = at.shape
    right = int(wanted.rows(image[0])[at.number][-1, -1])
    value = layers.Value(0, BROKEN_LAYER, height - 1, width - 1, 15, right, right ^ 1)
    assert report.value == value
    assert all(entry["equal"] for entry in report.layers[: wanted.maps.index(at)])


def test_firmware_that_cannot_watch(workplace):
    """At a port: the board's firmware is the usual one."""
    verbs.succeed(workplace, "host_tools", "firmware", "--model", "digits", "--board", QUICK)
    elf = workplace / f"build/digits/firmware/{QUICK}/firmware.elf"
    with emulator.running(QUICK, elf) as url:
        line = verbs.error_line(workplace, "host_tools", "profile", "--model", "digits", "--port", url)
    assert "its firmware cannot watch its layers" in line
    assert f"--model digits --board {QUICK} --inspect" in line


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("model", ZOO)
def test_each_model_of_the_zoo(workplace, model, board):
    inspected(workplace, model, board)
    source = () if model == "digits" else ("--data", "random:3")
    report = layers_of(workplace, model, board, "--limit", "3", *source)
    assert report["exact"] and report["images"] == 3
    assert all(entry["equal"] for entry in report["layers"])
    verbs.succeed(workplace, "host_tools", "profile", "--model", model, "--board", board, *source)
    found = json.loads((workplace / f"build/{model}/profile.json").read_text())
    print(f"{model} on {board}: the sum is {found['sum_off']:+.4%} off")
    assert abs(found["sum_off"]) <= 0.01


@pytest.mark.long
def test_profile_over_a_port(workplace):
    """Of any emulator's URL, by the verb that a user has beside it."""
    elf = inspected(workplace, "digits", "riscv_virt") / "firmware.elf"
    with emulator.running("riscv_virt", elf) as url:
        printed = verbs.succeed(workplace, "host_tools", "profile", "--model", "digits", "--port", url)
    assert "the sum is" in printed


@pytest.mark.long
def test_two_cores(workplace):
    verbs.succeed(
        workplace,
        "host_tools",
        "firmware",
        "--model",
        "gtsrb",
        "--board",
        "rp2040",
        "--inspect",
        "--cores",
        "2",
    )
    assert layers_of(workplace, "gtsrb", "rp2040", "--data", "random:1")["exact"]
    (workplace / "build/gtsrb/firmware/rp2040-inspect/firmware.elf").unlink()


@pytest.mark.long
def test_the_profile_is_what_the_plugin_counts(workplace, monkeypatch):
    """Instructions of each layer of another program and image, by QEMU's plugin, from outside."""
    inspected(workplace, "digits", QUICK)
    mine = profile_of(workplace, "digits", QUICK)["layers"][:-1]
    monkeypatch.chdir(workplace)
    measured = measure.run(QUICK, measure.build("digits", QUICK, ModelRequest()).bench)
    assert measured.profile
    for own, other in zip(mine, measured.profile.layers, strict=True):
        print(f"{own['layer']}: {own['count']:,}, the plugin {other.instructions:,}")
        assert own["count"] == pytest.approx(other.instructions, rel=0.02)
