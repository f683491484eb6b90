"""`validate`: what it compares, reports and refuses. The device is FakeApplication, on a socket."""

import argparse
import dataclasses
import io
import json
import signal

import numpy as np
import pytest

from squeezenet_mcu.common import start
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.link.device import Device, Result
from squeezenet_mcu.host_tools.link.messages import Feature, Info
from squeezenet_mcu.host_tools.validate import command as validate
from squeezenet_mcu.host_tools.validate import devices, inputs
from squeezenet_mcu.host_tools.validate.compare import Report, compare_all
from tests.host_tools.validate.toy import CLASSES, Python, run, set_sha
from tests.manifests import engine_record, manifest
from tests.protocol.link_binaries import FakeDevice, fake_answer, random_images


@pytest.fixture(scope="module")
def device():
    with Device(FakeDevice(), timeout=2.0) as opened:
        yield opened


def best(image) -> int:
    return int(fake_answer(image, CLASSES)[0].argmax())


# compare_all


def test_equal_answers(device):
    images = random_images(20)
    labels = np.array([best(image) for image in images])
    labels[::4] = (labels[::4] + 1) % CLASSES
    seen = []
    report = compare_all(device, Python(), images, labels, 5, on_image=lambda r: seen.append(r.images))
    assert report.exact
    assert (report.images, report.values, report.differing_values) == (20, 400, 0)
    assert report.device_accuracy == report.python_accuracy == 0.75
    assert (report.same_top1, report.agreement, report.first_difference) == (20, 1.0, None)
    assert report.counts == [fake_answer(image)[2] for image in images]
    assert (report.sram_high_water, report.stack_high_water) == (2077, 77)
    assert seen == list(range(1, 21))


def test_every_differing_value_is_counted_and_the_first_is_named(device):
    images = random_images(6)
    report = compare_all(device, Python(wrong=[2, 4]), images, np.full(6, -1), 5)
    assert not report.exact
    assert (report.differing_values, report.differing_images) == (2, 2)
    assert report.agreement == pytest.approx(4 / 6)
    assert report.device_accuracy is None
    right = int(fake_answer(images[2])[0][3])
    assert str(report.first_difference) == f"image 2, logits[3]: device {right}, python {right ^ 1}"


def test_top1_and_accuracies_are_told_apart():
    """Same probabilities, other logits: the logits decide."""
    equal = np.zeros(3, np.int8)
    report = Report()
    report.add(
        Result(np.array([9, 1, 2], np.int8), equal, 7, "cycles", 1, 1), np.array([1, 9, 2], np.int8), equal, 1
    )
    assert (report.device_accuracy, report.python_accuracy, report.same_top1) == (0.0, 1.0, 0)
    assert report.differing_values == 2


def test_other_sizes_are_never_compared():
    three, four = np.zeros(3, np.int8), np.zeros(4, np.int8)
    with pytest.raises(ValueError, match="logits"):
        Report().add(Result(three, three, 0, "cycles", 0, 0), four, four, 0)


def test_no_images_are_not_exact():
    assert not Report().exact


def test_ctrl_c_keeps_what_is_done(device):
    def stop(report) -> None:
        if report.images == 3:
            signal.raise_signal(signal.SIGINT)

    report = compare_all(device, Python(), random_images(9), np.full(9, -1), 5, on_image=stop)
    assert report.interrupted
    assert (report.images, report.differing_values) == (3, 0)


# The command


def test_a_run_without_a_difference(build, url, same_model, capsys):
    set_sha(build, "5a" * 32)
    assert run("--port", url, "--limit", "12", "--json", "report.json") == 0
    shown = capsys.readouterr().out
    assert "note: toy has no data of its own: random images" in shown
    assert "0 of 240" in shown
    assert "2,077 of 131,072 B" in shown
    assert "validate: exact, all 240 int8 values are equal" in shown
    report = json.loads((build.parents[1] / "report.json").read_text())
    assert (report["data"], report["confusion"]) == ("random:12", [])  # random images have no class
    assert (report["images"], report["differing_values"], report["board"]) == (12, 0, "fake")
    assert (report["device_accuracy"], report["python_accuracy"]) == (None, None)
    assert (report["sram_bytes"], report["flash_bytes"]) == (2077, 3000)
    assert (report["model_sha256"], report["engine_sha256"]) == ("5a" * 32, "e5" * 32)
    assert report["instructions_per_image"] is None  # the fake device counts cycles
    pixels = np.random.RandomState(0).randint(0, 256, (100, 4, 3, 1)).astype(np.uint8)[:12]
    images = quantize_images(pixels, {"preprocess": "byte", "scale": 1.0, "zero_point": -128})
    counts = [fake_answer(image)[2] for image in images]
    assert report["count_per_image"]["max"] == max(counts)
    assert report["count_per_image"]["mean"] == round(sum(counts) / 12)


def test_a_difference_is_status_1_and_named(build, url, same_model, capsys, monkeypatch):
    set_sha(build, "5a" * 32)
    monkeypatch.setattr(
        "squeezenet_mcu.common.litert.Reference.of", lambda manifest, content: Python(wrong=[1])
    )
    assert run("--port", url, "--limit", "3", "--json", "report.json") == 1
    assert "validate: NOT exact; first difference: image 1, logits[3]: device" in capsys.readouterr().out
    assert json.loads((build.parents[1] / "report.json").read_text())["differing_values"] == 1


def test_ctrl_c_shows_what_is_done(build, url, same_model, capsys, monkeypatch):
    class Interrupting(Python):
        def infer(self, x, logits_tensor):
            if self._count == 4:
                signal.raise_signal(signal.SIGINT)
            return super().infer(x, logits_tensor)

    set_sha(build, "5a" * 32)
    monkeypatch.setattr("squeezenet_mcu.common.litert.Reference.of", lambda manifest, content: Interrupting())
    assert run("--port", url, "--json", "report.json") == 130
    shown = capsys.readouterr().out
    assert "0 of 80" in shown
    assert "validate: interrupted after 4 images" in shown
    assert not (build.parents[1] / "report.json").exists()


def refused(capsys, *arguments: str) -> str:
    """The one line that a mistake gets; nothing else is said."""
    assert run(*arguments) == 1
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    return line


def test_a_device_with_another_model(build, url, capsys):
    wanted = json.loads((build / "manifest.json").read_text())["tflite_sha256"]
    line = refused(capsys, "--port", url)
    assert (
        f"the device runs model {'5a' * 32}, build/toy has {wanted}; end the emulator, then: "
        "python -m host_tools simulate" in line
    )


def test_not_converted_yet(build, capsys):
    (build / "manifest.json").unlink()
    assert "build/toy/manifest.json: missing; run: python -m convert --model toy" in refused(
        capsys, "--port", "x"
    )


def test_a_tflite_that_is_not_the_manifests(build, capsys):
    (build / "model.tflite").write_bytes(b"another")
    line = refused(capsys, "--port", "x")
    assert "build/toy/model.tflite: SHA-256 is " in line
    assert line.endswith("; run: python -m convert --model toy")


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"model": "toy", "input": {}}'])
def test_a_manifest_that_is_none(build, capsys, content):
    (build / "manifest.json").write_text(content)
    line = refused(capsys, "--port", "x")
    assert "build/toy/manifest.json: " in line
    assert line.endswith("; run: python -m convert --model toy")


def test_no_firmware_for_the_board(build, capsys):
    line = refused(capsys, "--board", "stm32f405")
    assert (
        "build/toy/firmware/stm32f405/firmware.elf: missing; run: python -m host_tools firmware --model toy "
        "--board stm32f405" in line
    )


def test_no_such_port_and_no_such_data(build, capsys):
    assert "/dev/ttyACM97: no such serial port" in refused(capsys, "--port", "/dev/ttyACM97")
    assert "nowhere" in refused(capsys, "--port", "x", "--data", "nowhere")


def test_a_model_brings_its_own_data(build):
    """The manifest names it; where it names none, there are as many random images as asked for."""
    artefacts = validate.load_artefacts("toy")
    assert validate.load_tests(artefacts, None, 7).source == "random:7"
    assert validate.load_tests(artefacts, "random:5", 7).source == "random:5"


@pytest.mark.parametrize("where", ["trained on", "scored with"])
def test_a_model_remembers_its_data(build, tmp_path, where):
    """Those that it was trained on, or else those that the conversion scored it with."""
    artefacts = validate.load_artefacts("toy")
    if where == "trained on":
        artefacts.manifest["data"] = "d.npz"
    else:
        artefacts.manifest["accuracy"] = {"int8_top1": 1.0, "test_images": 10, "data": "d.npz"}
    gone = validate.load_tests(artefacts, None, 7)
    assert gone.source == "random:7" and (gone.labels == -1).all()
    (line,) = gone.notices
    assert line.startswith(
        "d.npz, the images that toy remembers, are not here: random images instead, which "
    )
    x = np.zeros((10, 4, 3), np.uint8)
    np.savez(tmp_path / "d.npz", x_train=x, y_train=np.arange(10), x_test=x, y_test=np.arange(10))
    found = validate.load_tests(artefacts, None, 7)
    assert found.source == "d.npz" and len(found.labels) == 7 and (found.labels >= 0).all()
    assert found.notices == ["images of d.npz, as toy remembers; DATA= (--data) takes others"]
    pixels, source = inputs.load_pixels(artefacts, None, 7)
    assert pixels.x.dtype == np.uint8 and pixels.x.shape == found.images.shape and source == found.source
    assert validate.load_tests(artefacts, "random", 7).source == "random"
    (tmp_path / "d.npz").write_bytes(b"of another machine")
    with pytest.raises(UserError, match=r"d\.npz: .*; toy remembers d\.npz; DATA= \(--data\) takes others"):
        validate.load_tests(artefacts, None, 7)


def test_data_that_are_gone_and_asked_for_are_an_error(build):
    with pytest.raises(UserError, match=r"^nowhere: no such data; want a folder"):
        validate.load_tests(validate.load_artefacts("toy"), "nowhere", 7)


def test_port_or_board():
    parser = argparse.ArgumentParser(exit_on_error=False)
    validate.add_arguments(parser)
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        parser.parse_args(["--port", "x", "--board", "y"])
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        parser.parse_args([])


def test_notices_reach_the_user(build, tmp_path):
    """Resized images are never silent."""
    x = np.zeros((10, 8, 8), np.uint8)
    np.savez(tmp_path / "d.npz", x_train=x, y_train=np.arange(10), x_test=x, y_test=np.arange(10))
    tests = validate.load_tests(validate.load_artefacts("toy"), str(tmp_path / "d.npz"), 200)
    assert tests.images.shape == (10, 4, 3, 1)
    assert any("resized 10 images from 8x8 to 4x3" in notice for notice in tests.notices)
    with pytest.raises(UserError, match="limit 0"):
        validate.load_tests(validate.load_artefacts("toy"), None, 0)


LIES = {
    "rows": (
        {"height": 5},
        "the device says 5 x 3 x 1, 10 classes; build/toy has 4 x 3 x 1, 10 classes; its",
    ),
    "columns": ({"width": 65_535}, "the device says 4 x 65535 x 1, 10 classes; build/toy has"),
    "channels": ({"channels": 3}, "the device says 4 x 3 x 3, 10 classes; build/toy has"),
    "classes": ({"classes": 65_535}, "the device says 4 x 3 x 1, 65535 classes; build/toy has"),
    "the arena": (
        {"arena_bytes": 2**32 - 1},
        "uses 4,294,967,295 bytes of SRAM for its arena",
    ),
    "variables": (
        {"static_sram_bytes": 200_000},
        "uses 200,000 bytes of SRAM for variables; there",
    ),
    "flash": ({"flash_used_bytes": 2**31}, "uses 2,147,483,648 bytes of flash; there are "),
}


@pytest.mark.parametrize("what", LIES)
def test_a_device_that_says_what_its_model_cannot_be(build, device, same_model, what):
    """It names the right model: its sizes, which decide what is sent, are not believed for that."""
    set_sha(build, "5a" * 32)
    artefacts = validate.load_artefacts("toy")
    info = dataclasses.replace(device.info, model_sha256="5a" * 32)
    devices.check_model(info, artefacts, "port", "squeeze", ours=False)
    changed, said = LIES[what]
    with pytest.raises(UserError) as error:
        devices.check_model(dataclasses.replace(info, **changed), artefacts, "port", "squeeze", ours=False)
    assert said in str(error.value)
    assert str(error.value).startswith("port: ")
    assert "flash it again" in str(error.value)


def test_another_model_on_a_device_that_takes_models(build, device, same_model):
    """The shortest way comes first."""
    set_sha(build, "5a" * 32)
    artefacts = validate.load_artefacts("toy")
    for features, first in (
        (Feature.UPLOAD | Feature.SPEED, "run: make upload MODEL=toy PORT=/dev/ttyUSB0; or run: make flash "),
        (Feature.SPEED, "run: make flash MODEL=toy "),
    ):
        info = dataclasses.replace(device.info, model_sha256="07" * 32, features=features)
        with pytest.raises(UserError, match=f"build/toy has {'5a' * 32}; {first}"):
            devices.check_model(info, artefacts, "/dev/ttyUSB0", "squeeze", ours=False)


@pytest.mark.parametrize(
    ("engine", "macs", "silence", "whole"),
    [("squeeze", 0, 7, 10), ("squeeze", 10e6, 17, 30), ("squeeze", 350e6, 30, 383), ("tflm", 10e6, 40, 53)],
)
def test_a_large_network_may_take_long(engine, macs, silence, whole):
    """Of 11,520 bytes: at 115,200 baud they take a second, which counts twice."""
    size = {"height": 80, "width": 48, "channels": 3}
    large = manifest() | {"macs": macs, "input": manifest()["input"] | size}
    assert devices.longest_silence(engine, large) == silence
    assert devices.longest_image(silence, large, 115_200) == whole


@pytest.mark.parametrize(("classes", "said"), [(1, "none: one output"), (2, "no labels")])
def test_the_table_says_why_there_is_no_accuracy(classes, said):
    fields = dict.fromkeys(Info.__dataclass_fields__, 0) | {"classes": classes}
    rows = dict(validate.table_rows(Report(), Info(**fields), "images", top5=True))
    assert {value for name, value in rows.items() if "accuracy" in name} == {said}


@pytest.mark.parametrize("by_make", [True, False])
def test_a_board_without_an_emulator_is_validated_by_the_user(build, capsys, monkeypatch, by_make):
    """Where `make train BOARD=nano33ble` ends: nothing to be done here, and no mistake."""
    monkeypatch.setattr(start, "by_make", lambda: by_make)
    assert run("--board", "nano33ble", "--if-emulated") == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "validate: nothing is validated, because no emulator plays nano33ble; on the board: "
    )
    flash = "make flash MODEL=toy BOARD=nano33ble", "python -m host_tools flash --model toy --board nano33ble"
    then = (
        "make validate MODEL=toy PORT=<its port>",
        "python -m host_tools validate --model toy --port <its port>",
    )
    assert flash[not by_make] in said and said.endswith(f"serial cable connected: {then[not by_make]}\n")
    assert "firmware.elf: missing; run: " in refused(capsys, "--board", "stm32f405", "--if-emulated")


@pytest.mark.parametrize(
    ("board", "target", "said"),
    [
        ("rp2040", {"workers": 2}, "2 of 2"),
        ("rp2040", {"workers": 1}, "1 of 2"),
        ("rp2040", {}, ""),
        ("rp2040", None, ""),
        ("stm32f405", {"workers": 1}, ""),
        (None, {"workers": 2}, ""),
    ],
)
def test_the_table_names_the_cores_of_a_board_that_has_two(build, board, target, said):
    folder = build / f"firmware/{board}/model"
    folder.mkdir(parents=True)
    (folder / "engine.json").write_text(json.dumps(engine_record(made_from={"target": target})))
    way = devices.Way(None if board else "x", board, "squeeze", 115_200)
    artefacts = validate.load_artefacts("toy")
    assert validate._cores(way, artefacts) == said
    console = Console(file=io.StringIO(), width=100)
    texts = {"board": "x", "counter_kind": "cycles", "model_sha256": "5a"}
    info = Info(**dict.fromkeys(Info.__dataclass_fields__, 0) | texts)
    validate.show(console, Report(), info, artefacts, "images", said)
    assert ("cores that compute" in console.file.getvalue()) == bool(said)
