"""`validate --layers` and `profile`: what they refuse, and what they leave. The device is a fake."""

import json

import pytest

from squeezenet_mcu.common import cli
from squeezenet_mcu.host_tools.profile import command as profile
from tests.host_tools.link.link_lines import on_socket
from tests.host_tools.validate import toy
from tests.manifests import manifest
from tests.protocol.watched_device import WatchedDevice

SHA = "5a" * 32  # as the fake device says


def run_profile(*arguments: str) -> int:
    return cli.main("python -m host_tools", "test", [profile], ["profile", "--model", "toy", *arguments])


def test_layers_are_of_our_own_engine(build, capsys):
    assert toy.run("--port", "nowhere", "--layers", "--engine", "tflm") == 1
    assert "--engine tflm: only our own engine's layers can be watched" in capsys.readouterr().err


@pytest.mark.parametrize("more", [(), ("--json", "report.json")])
def test_firmware_that_cannot_watch(build, url, same_model, capsys, more):
    toy.set_sha(build, SHA)
    assert run_profile("--port", url, *more) == 1
    said = capsys.readouterr().err
    assert (
        "its firmware cannot watch its layers; end the emulator, then: python -m host_tools simulate" in said
    )
    assert "--model toy --board fake --inspect" in said
    assert not (build / "profile.json").exists()


def test_a_sum_that_is_not_the_images_count(build, same_model, capsys):
    """The fake device's count of an image is a hash."""
    toy.set_sha(build, SHA)
    noted = json.loads((build / "manifest.json").read_text())
    softmax = noted["plan"][0] | {"layer": "softmax", "kind": "SOFTMAX"}
    (build / "manifest.json").write_text(json.dumps(noted | {"plan": [*noted["plan"], softmax]}))
    with on_socket(WatchedDevice(model=0x5A)) as url:
        assert run_profile("--port", url, "--json", "report.json") == 1
    out, err = capsys.readouterr()
    assert "profile: error: the layers' sum is" in err and "off the image's count, want 1% at most" in err
    assert "conv1" in out and "12,000,000,000" in out
    written = json.loads((build / "profile.json").read_text())
    assert written == json.loads((build.parent.parent / "report.json").read_text())
    assert [layer["layer"] for layer in written["layers"]] == ["conv1", "softmax", "schedule, input rows"]
    assert (build / "profile.png").is_file()


def test_a_model_of_tflite_micro_alone(build, capsys):
    plan = [{"kind": "CONV_2D"}]
    (build / "manifest.json").write_text(json.dumps(manifest(plan=plan, engine="tflm")))
    assert run_profile("--port", "nowhere") == 1
    assert "converted for TFLite Micro alone; run: python -m convert --model toy" in capsys.readouterr().err
