"""`python -m convert --package`: what it writes and prints, and what it says to a mistake."""

import json

import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.command import parser, run
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from tests.convert.random_nets import PREPROCESS


def convert(packages, folder, monkeypatch, *options):
    monkeypatch.chdir(folder)
    (folder / "net.tflite").write_bytes(packages.conversion.file.content)
    return run(parser().parse_args(["--tflite", "net.tflite", "--preprocess", PREPROCESS, *options]))


def test_packages_of_a_tflite(packages, tmp_path, monkeypatch, capsys):
    options = [
        "--package",
        "platformio,cmake",
        "--package",
        "cmake",
        "--kernel-family",
        "dsp",
        "--sram-bytes",
        "9000",
    ]
    assert convert(packages, tmp_path, monkeypatch, *options) == 0
    folder = tmp_path / "build" / "net" / "package"
    assert {path.relative_to(folder).as_posix() for path in folder.glob("*/*")} == {
        "platformio/Squeeze_net", "cmake/squeeze_net",
    }  # fmt: skip
    printed = capsys.readouterr().out
    assert "packages: for Cortex-M4, M7, and M33 with DSP" in printed
    assert "wrote build/net/package/cmake/squeeze_net/\n" in printed
    about = json.loads((folder / "cmake/squeeze_net/model.json").read_text())
    source = (folder / "cmake/squeeze_net/model/model_sqz.c").read_text()
    numbers = source[source.rindex("= {") + 3 : source.rindex("}")].replace("\n", "").split(",")
    blob = bytes(map(int, numbers))
    assert files.sha256(blob) == about["engine_sha256"]
    assert HostEngine(blob).arena_bytes == about["arena_bytes"] <= 9000
    assert about["kernels"] == packages_kernels(folder)
    manifest = json.loads((tmp_path / "build/net/manifest.json").read_text())
    assert about["tflite_sha256"] == manifest["tflite_sha256"]


def test_a_model_for_two_cores(packages, tmp_path, monkeypatch):
    digests = []
    for cores in ("1", "2"):
        assert convert(packages, tmp_path, monkeypatch, "--package", "cmake", "--cores", cores) == 0
        folder = tmp_path / "build" / "net" / "package" / "cmake" / "squeeze_net"
        about = json.loads((folder / "model.json").read_text())
        assert about["cores"] == int(cores)
        digests.append(about["engine_sha256"])
    assert digests[0] != digests[1]


def packages_kernels(folder):
    text = (folder / "cmake/squeeze_net/CMakeLists.txt").read_text()
    return text.split('set(SQUEEZE_KERNELS "')[1].split('"')[0].split(";")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--package", "maven"], "--package maven: want arduino, platformio, cmake"),
        (["--package", ","], "--package: names nothing"),
        (["--kernel-family", "dsp"], "--kernel-family goes with --package"),
        (["--cores", "2"], "--cores goes with --package"),
        (["--package", "cmake", "--flash-bytes", "100"], "--flash-bytes 100: net would take [0-9,]+ bytes"),
    ],
)
def test_mistakes(packages, tmp_path, monkeypatch, options, message):
    with pytest.raises(UserError, match=message):
        convert(packages, tmp_path, monkeypatch, *options)
    assert not (tmp_path / "build" / "net").exists()


def test_a_name_that_would_hide_the_engines_target(packages, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="model engine would hide the target squeeze_engine"):
        convert(packages, tmp_path, monkeypatch, "--model", "engine", "--package", "cmake")


def test_a_name_too_long_for_arduino(packages, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="64 characters; want 63"):
        convert(packages, tmp_path, monkeypatch, "--model", "n" * 56, "--package", "arduino")
