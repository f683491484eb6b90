"""`validate` where the line ends: what is done is kept, RESUME=1 goes on; PORTS= shares the images."""

import contextlib
import json

import pytest

from squeezenet_mcu.host_tools.link import device as link_device
from squeezenet_mcu.host_tools.link.errors import PortError
from squeezenet_mcu.host_tools.validate import several
from tests.host_tools.link.link_lines import on_socket
from tests.host_tools.validate.toy import Python, run, set_sha
from tests.protocol.link_binaries import FakeDevice


@pytest.fixture
def cut_after(monkeypatch):
    """Lets a line end for good once a device's transport has been asked for so many results."""
    monkeypatch.setattr("squeezenet_mcu.host_tools.validate.devices.REOPEN_TIMEOUT", 0.2)
    monkeypatch.setattr(link_device, "_REOPEN_WAIT", 0.02)

    def cut(results: int, port: str | None = None):
        whole = link_device.SerialTransport.write
        counts: dict[str, int] = {}

        def write(self, data: bytes) -> None:
            ends = port in (None, self.name)
            counts[self.name] = counts.get(self.name, 0) + (data[2:3] == b"\x04" and len(data) < 17)
            if ends and counts[self.name] > results:
                raise PortError(f"{self.name}: the connection broke (pulled)")
            whole(self, data)

        monkeypatch.setattr(link_device.SerialTransport, "write", write)
        return lambda: monkeypatch.setattr(link_device.SerialTransport, "write", whole)

    return cut


def test_what_is_done_is_told_and_goes_on(build, url, same_model, capsys, cut_after, monkeypatch):
    set_sha(build, "5a" * 32)
    report, kept = build.parents[1] / "report.json", build / "validate_kept.json"
    mend = cut_after(5)
    assert run("--port", url, "--limit", "12", "--json", "report.json") == 1
    said = capsys.readouterr()
    done = json.loads(report.read_text())
    assert 3 <= done["images"] <= 5 and done["differing_values"] == 0
    assert f"0 of {20 * done['images']}" in said.out
    assert f"validate: ended after {done['images']} of 12 images; --resume goes on there" in said.out
    assert said.err.count("\n") == 1 and "the connection broke" in said.err
    assert "the connection broke" in done["ended"] and done["link"]["requests"] > 0

    mend()
    asked = []
    monkeypatch.setattr(Python, "infer", lambda self, x, t, f=Python.infer: asked.append(1) or f(self, x, t))
    assert run("--port", url, "--limit", "12", "--json", "report.json", "--resume") == 0
    assert len(asked) == 12 - done["images"]
    whole = json.loads(report.read_text())
    assert (whole["images"], whole["compared_values"], whole["ended"]) == (12, 240, None)
    assert not kept.exists()
    said = capsys.readouterr().out
    assert f"goes on after {done['images']} images" in said
    assert " lost, round trip " in said

    assert run("--port", url, "--limit", "12", "--json", "again.json") == 0
    again = json.loads((build.parents[1] / "again.json").read_text())
    assert {k: v for k, v in again.items() if k != "link"} == {k: v for k, v in whole.items() if k != "link"}


def test_what_was_kept_must_be_of_this(build, url, same_model, capsys, cut_after):
    set_sha(build, "5a" * 32)
    mend = cut_after(3)
    assert run("--port", url, "--limit", "12") == 1
    mend()
    capsys.readouterr()
    kept = build / "validate_kept.json"
    assert run("--port", url, "--limit", "11", "--resume") == 1
    line = capsys.readouterr().err
    assert "validate_kept.json: images is 12, now 11; run without --resume" in line and line.count("\n") == 1
    content = json.loads(kept.read_text())
    for name, value in (
        ("counts", [1]), ("images", -1), ("images", "3"), ("answers", 5), ("first_difference", {"x": 1}),
        ("answers", [{"label": 1, "classes": ["\x1b"], "probabilities": []}] * 3),
        ("answers", [{"label": 1, "classes": [1, 2], "probabilities": [5]}] * 3),
        ("answers", [{"label": 1, "classes": [10], "probabilities": [5]}] * 3),
        ("counts", [10**400] * 3), ("device_correct", 10**400), ("same_top1", 4), ("differing_values", 1),
        ("first_difference", {"image": "\x1b[31m", "tensor": "x", "index": 0, "device": 1, "python": 2}),
    ):  # fmt: skip
        kept.write_text(json.dumps(content | {"report": content["report"] | {name: value}}))
        assert run("--port", url, "--limit", "12", "--resume") == 1
        line = capsys.readouterr().err
        assert "validate_kept.json: damaged; run without --resume" in line and line.count("\n") == 1
    for text in ("", "[]", "{}", "[" * 10_000):
        kept.write_text(text)
        assert run("--port", url, "--limit", "12", "--resume") == 1
        assert "damaged" in capsys.readouterr().err
    kept.unlink()
    assert run("--port", url, "--limit", "12", "--resume") == 0
    assert "starts with the first image" in capsys.readouterr().out


def test_faults_and_a_trace(build, url, same_model, capsys):
    set_sha(build, "5a" * 32)
    options = ("--faults", "flip=0.002,drop=0.001", "--trace", "trace.txt", "--json", "report.json")
    assert run("--port", url, "--limit", "12", *options) == 0
    report = json.loads((build.parents[1] / "report.json").read_text())
    assert (report["differing_values"], report["link"]["lost"] > 0) == (0, True)
    assert " lost (" in capsys.readouterr().out
    assert " BEGIN " in (build.parents[1] / "trace.txt").read_text()
    assert run("--port", url, "--faults", "x=1") == 1
    assert capsys.readouterr().err.count("\n") == 1


# PORTS


@pytest.fixture
def urls():
    """Two devices."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(on_socket(FakeDevice(model=0x5A, row_microseconds=500))) for _ in "ab"]


def shared(build, urls, *options: str) -> tuple[int, dict]:
    set_sha(build, "5a" * 32)
    status = run("--ports", ",".join(urls), "--limit", "40", "--json", "report.json", *options)
    return status, json.loads((build.parents[1] / "report.json").read_text())


def test_two_devices_share_the_images(build, urls, same_model, capsys):
    status, report = shared(build, urls)
    assert status == 0
    assert (report["images"], report["differing_values"], report["compared_values"]) == (40, 0, 800)
    images = [device["images"] for device in report["devices"]]
    assert sum(images) == 40 and min(images) >= 5
    assert [device["port"] for device in report["devices"]] == urls
    assert "devices" in capsys.readouterr().out


def test_one_of_two_is_lost(build, urls, same_model, capsys, cut_after):
    cut_after(6, urls[0])
    status, report = shared(build, urls)
    assert status == 0
    assert (report["images"], report["differing_values"]) == (40, 0)
    lost, other = report["devices"]
    assert "the connection broke" in lost["ended"] and lost["images"] <= 6
    assert (other["ended"], other["images"]) == (None, 40 - lost["images"])
    assert f"1 of 2 devices ended before all was done: {urls[0]}" in capsys.readouterr().out


def test_all_are_lost(build, urls, same_model, capsys, cut_after):
    cut_after(6)
    status, report = shared(build, urls)
    assert (status, report["images"] <= 12) == (1, True)
    assert capsys.readouterr().err.count("\n") == 1
    assert (build / "validate_kept.json").exists()


def test_a_difference_is_of_one_of_the_devices(build, urls, same_model, monkeypatch):
    monkeypatch.setattr("squeezenet_mcu.common.litert.Reference.of", lambda *_: Python(wrong=[7]))
    status, report = shared(build, urls)
    assert status == 1
    assert report["first_difference"].startswith("image 7, ")
    assert sorted(device["differing_images"] for device in report["devices"]) == [0, 1]


@pytest.mark.parametrize("text", ["", "a,", "a,b,a", ",".join(map(str, range(65))), "\x1b,"])
def test_ports_that_are_none(text):
    with pytest.raises(several.UserError, match="--ports: ") as error:
        several.ports_of(text)
    assert str(error.value).isprintable() and len(str(error.value)) < 200
