"""Whole firmware on each emulated board, over its serial port: every int8 of every answer is Python's."""

import json
import shutil
from pathlib import Path

import pytest

from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.validate import command
from squeezenet_mcu.host_tools.validate.compare import compare_all
from tests.e2e import verbs

PICO = "rp2040"  # its emulator counts cycles, and takes seconds an image
BOARDS = ("stm32f405", "mps2_an386", "mps2_an500", "mps2_an505", "mps3_an547", "riscv_virt")
TWINS = (
    "mps2_an386",
    "mps2_an500",
    "mps2_an505",
)  # of stm32f405, by kernels
COUNTED = ("stm32f405", "mps2_an386", PICO)  # whose cycles are known
SRAM = {"stm32f405": 128 * 1024}
# Of the zoo, and what its accuracy is above, on a few hundred images.
MODELS = {"digits": 0.95, "gtsrb": 0.95, "cifar10": 0.85}


def options_of(model: str, workplace: Path, request: pytest.FixtureRequest) -> list[str]:
    """Whose images the model is shown; converts cifar10, which the shorter tests do without."""
    if model == "digits":
        return []
    if model == "cifar10" and not (workplace / "build/cifar10/manifest.json").is_file():
        verbs.succeed(workplace, "convert", "--model", "cifar10")
    return ["--data", request.getfixturevalue({"gtsrb": "signs", "cifar10": "photographs"}[model])]


def validate(folder, model: str, board: str, *options: str, report: Path | None = None) -> dict:
    """Builds the firmware, validates, and returns the JSON report."""
    verbs.succeed(folder, "host_tools", "firmware", "--model", model, "--board", board)
    report = report or folder / f"{model}-{board}.json"
    verbs.succeed(
        folder, "host_tools", "validate", "--model", model, "--board", board, "--json", str(report), *options
    )
    return json.loads(report.read_text())


def check(report: dict, board: str, images: int) -> None:
    """What every report must say."""
    assert report["images"] == images
    assert report["differing_values"] == 0
    assert report["compared_values"] > 0
    assert report["device_accuracy"] == report["python_accuracy"]
    assert report["board"] == board
    unit = "cycles" if board == PICO else "instructions"
    assert report["counter"] == unit
    assert report["counter_hz"] == (125_000_000 if board == PICO else 0)
    assert report["count_per_image"]["min"] > 100_000
    if board in COUNTED:
        cost = report["cost"]
        assert cost[unit] == pytest.approx(report["count_per_image"]["mean"], rel=0.05)
        assert cost["milliseconds"] > 0
    else:
        assert report["cost"] is None
    assert report["arena_bytes"] < report["sram_bytes"] <= SRAM.get(board, report["sram_total_bytes"])
    assert report["flash_bytes"] < report["flash_total_bytes"]


@pytest.mark.parametrize(
    "board", [pytest.param(b, marks=pytest.mark.long) if b in TWINS else b for b in BOARDS]
)
def test_digits(workplace, board):
    report = validate(workplace, "digits", board, "--limit", "30")
    check(report, board, 30)
    assert report["device_accuracy"] > 0.9
    manifest = json.loads((workplace / "build/digits/manifest.json").read_text())
    assert report["model_sha256"] == manifest["tflite_sha256"]
    engine = json.loads((workplace / f"build/digits/firmware/{board}/model/engine.json").read_text())
    assert report["arena_bytes"] == engine["arena_bytes"]
    assert report["engine_sha256"] == engine["engine_sha256"]


@pytest.mark.parametrize("board", ["stm32f405"])  # the others: test_many_images
def test_signs(workplace, made_signs, board):
    report = validate(workplace, "gtsrb", board, "--data", made_signs, "--limit", "12")
    check(report, board, 12)


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("model", MODELS)
def test_many_images(workplace, request, model, board):
    images = 500 if board == "stm32f405" else 200
    report = validate(workplace, model, board, *options_of(model, workplace, request), "--limit", str(images))
    check(report, board, images)
    assert report["device_accuracy"] > MODELS[model]


def test_digits_on_the_pico(workplace):
    check(validate(workplace, "digits", PICO, "--limit", "4"), PICO, 4)


def test_digits_over_the_picos_own_usb(workplace):
    check(validate(workplace, "digits", PICO, "--limit", "3", "--usb"), PICO, 3)


@pytest.mark.long
@pytest.mark.parametrize(
    "faults",
    [
        "",
        "refused=0.01",
        "delayed=0.01",
        "refused=0.01,delayed=0.01,unheard=0.01,lost=0.01",
        "refused=0.1,delayed=0.1,unheard=0.1,lost=0.02",
    ],
)
def test_fifty_images_over_usb_whatever_happens_to_packets(workplace, monkeypatch, tmp_path, faults):
    """Refused, late, with a lost acknowledgement; or lost for good, which no bus does, but the link bears."""
    verbs.succeed(workplace, "host_tools", "firmware", "--model", "digits", "--board", PICO)
    monkeypatch.chdir(workplace)
    found = command.load_artefacts("digits", workplace / "build")
    tests = command.load_tests(found, None, 50)
    counts = tmp_path / "counts.json"
    extra = [f"--usb-faults=seed=5{faults and ','}{faults}", f"--usb-counts={counts}"]
    elf = workplace / f"build/digits/firmware/{PICO}/firmware.elf"
    reference = Reference.of(found.manifest, found.tflite)
    with (
        emulator.machine(PICO, elf, extra, usb=True) as machine,
        Device(machine.usb_url, 30.0, image_timeout=120.0, open_timeout=30.0) as device,
    ):
        logits = found.manifest["output"]["logits_tensor"]
        report = compare_all(device, reference, tests.images, tests.labels, logits)
    assert (report.images, report.differing_values, report.interrupted) == (50, 0, False)
    told = json.loads(counts.read_text())
    print(f"{told}")
    assert all(told[part.partition("=")[0]] > 0 for part in faults.split(",") if part)


@pytest.mark.long
@pytest.mark.parametrize("model", MODELS)
def test_fifty_images_on_the_pico(workplace, request, model):
    report = validate(workplace, model, PICO, *options_of(model, workplace, request), "--limit", "50")
    check(report, PICO, 50)
    assert report["device_accuracy"] > MODELS[model] - 0.05
    print(f"{model}: {report['count_per_image']} cycles an image")


def test_demo(tmp_path):
    printed = verbs.succeed(tmp_path, "host_tools", "demo")
    report = json.loads((tmp_path / "build/demo/report.json").read_text())
    check(report, "stm32f405", 200)
    assert "all 4,000 int8 values are equal" in printed


def test_firmware_of_another_model_is_refused(workplace):
    verbs.succeed(workplace, "host_tools", "firmware", "--model", "gtsrb", "--board", "mps2_an500")
    target = workplace / "build/digits/firmware/mps2_an500"
    target.mkdir(parents=True, exist_ok=True)
    elf = workplace / "build/gtsrb/firmware/mps2_an500/firmware.elf"
    kept = (target / "firmware.elf").read_bytes() if (target / "firmware.elf").is_file() else None
    (target / "firmware.elf").write_bytes(elf.read_bytes())
    try:
        line = verbs.error_line(
            workplace, "host_tools", "validate", "--model", "digits", "--board", "mps2_an500"
        )
    finally:
        (target / "firmware.elf").unlink() if kept is None else (target / "firmware.elf").write_bytes(kept)
    assert "the device runs model" in line
    assert "python -m host_tools firmware" in line


def test_evaluate(workplace):
    out = workplace / "accuracy.json"
    verbs.succeed(workplace, "model", "evaluate", "--model", "digits", "--limit", "200", "--json", str(out))
    figures = json.loads(out.read_text())
    assert figures["images"] == 200
    assert figures["differing_values"] == 0
    assert figures["int8_top1"] == figures["engine_top1"] > 0.9
    assert abs(figures["keras_top1"] - figures["int8_top1"]) < 0.03
    assert figures["engine_top5"] >= figures["engine_top1"]


def test_convert_measured_what_evaluate_measures(workplace):
    manifest = json.loads((workplace / "build/digits/manifest.json").read_text())
    assert manifest["accuracy"]["test_images"] == 1000
    assert manifest["accuracy"]["differing_values"] == 0
    assert manifest["accuracy"]["int8_top1"] == manifest["accuracy"]["engine_top1"] >= 0.97


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["validate", "--model", "digits", "--port", "/dev/no-such-port"], "/dev/no-such-port"),
        (["validate", "--model", "nonesuch", "--board", "stm32f405"], "python -m convert --model nonesuch"),
        (["validate", "--model", "digits", "--board", "zx81"], "zx81"),
        (["firmware", "--model", "digits", "--board", "zx81"], "stm32f405"),
        (
            ["validate", "--model", "digits", "--board", "stm32f405", "--data", "no/such/folder"],
            "no/such/folder",
        ),
    ],
)
def test_mistakes_are_one_line(workplace, arguments, says):
    assert says in verbs.error_line(workplace, "host_tools", *arguments)


def test_a_report_that_cannot_be_written_is_known_before_the_work(workplace):
    (workplace / "folder.json").mkdir()
    for package, verb in (("model", ["evaluate"]), ("host_tools", ["validate", "--board", "stm32f405"])):
        line = verbs.error_line(workplace, package, *verb, "--model", "digits", "--json", "folder.json")
        assert "folder.json" in line


def test_flash_prints_the_command_of_the_board(workplace):
    printed = verbs.succeed(workplace, "host_tools", "flash", "--board", "stm32f405", "--dry-run")
    assert printed.startswith("openocd ")
    assert "build/digits/firmware/stm32f405/firmware.elf verify reset exit" in printed
    assert "emulator only" in verbs.error_line(workplace, "host_tools", "flash", "--board", "mps2_an500")


@pytest.mark.long
def test_every_board_holds_the_zoo_without_a_warning(workplace):
    verbs.succeed(workplace, "host_tools", "boards", "--model", "digits", "--model", "gtsrb")
    rows = json.loads((workplace / "build/boards.json").read_text())
    assert {(row["model"], row["board"]) for row in rows} == {
        (model, board) for model in ("digits", "gtsrb") for board in board_toml.names()
    }
    for row in rows:
        assert row["flash_bytes"] <= row["flash_total_bytes"]
        assert row["sram_bytes"] <= row["sram_total_bytes"]
        log = workplace / "build" / row["model"] / "firmware" / row["board"] / "build.log"
        assert "warning" not in log.read_text().lower()


@pytest.mark.long
def test_f446_is_exact_where_its_sibling_is_emulated(workplace, tmp_path):
    """A board of one's own, outside the repository: the Nucleo, with an emulator lent by the STM32F405."""
    mine = tmp_path / "nucleo_f446re"
    shutil.copytree(board_toml.FOLDER / "nucleo_f446re", mine)
    lent = (
        (board_toml.FOLDER / "stm32f405/board.toml").read_text().split("[emulator]")[1].split("[[flash]]")[0]
    )
    lent = lent.replace('"-serial", "chardev', '"-serial", "null", "-serial", "chardev')  # USART2, the second
    with (mine / "board.toml").open("a") as stream:
        stream.write(f"\n[emulator]{lent}")
    report = validate(workplace, "digits", str(mine), "--limit", "10", report=tmp_path / "report.json")
    assert (report["images"], report["differing_values"], report["board"]) == (10, 0, "nucleo_f446re")


def test_a_model_of_ones_own(workplace, tmp_path):
    """A TOML that is not among the shipped ones: every verb takes its path."""
    folder = tmp_path
    settings = (verbs.REPO / "model/configs/digits.toml").read_text().replace('"digits"', '"mine"', 1)
    (folder / "mine.toml").write_text(settings)
    trained = folder / "build/mine/quantized.keras"
    trained.parent.mkdir(parents=True)
    trained.write_bytes((verbs.REPO / "model/zoo/digits/quantized.keras").read_bytes())
    verbs.succeed(folder, "convert", "--model", "mine.toml")
    printed = verbs.succeed(folder, "model", "evaluate", "--model", "mine.toml", "--limit", "20")
    assert "20 test images of digits" in printed
    verbs.succeed(folder, "host_tools", "firmware", "--model", "mine.toml")
    options = ["--model", "mine.toml", "--board", "stm32f405", "--limit", "5"]
    assert "5 (digits)" in verbs.succeed(folder, "host_tools", "validate", *options)


def test_readme_is_whole_and_short():
    text = (verbs.REPO / "README.md").read_text()
    assert len(text.splitlines()) <= 200
    assert "@" not in text
