"""TRACE=file: every frame, readable, whatever the device says."""

import os
import re
from pathlib import Path

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.faulty_line import FaultyLine, parse
from squeezenet_mcu.host_tools.link.frame import Frame
from squeezenet_mcu.host_tools.link.messages import Request
from squeezenet_mcu.host_tools.link.trace import Trace, TracedLine, described
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images

IMAGES = random_images(2, 28, 28)
LINE = r" *\d+\.\d{6} (host  |device) [ -~]+"


def traced(path, faults=None) -> list[str]:
    def over(line):
        return TracedLine(FaultyLine(line, faults) if faults else line, trace)

    with Trace(path) as trace, Device(FakeDevice(height=28, width=28), timeout=5.0, over=over) as device:
        for image, result in zip(IMAGES, device.infer_many(IMAGES), strict=True):
            assert_right(result, image)
        device.counts()
    head, *lines = path.read_text().splitlines()
    assert head.startswith("# 20")
    assert all(re.fullmatch(LINE, line) for line in lines)
    return [line[12:] for line in lines]


def test_a_conversation(tmp_path):
    said = " / ".join(re.sub(r"#\d+ +", "", line) for line in traced(tmp_path / "trace"))
    for wanted in (
        "host   opened fake device", "host   HELLO   version=", "device INFO    version=", "board=fake",
        "host   BEGIN   image=", "state=receiving failure=0 next_byte=0", "offset=392 data=392 B: ",
        "device RESULT  image=", "what=logits offset=0 length=10", "what=logits offset=0 data=10 B: ",
        "device COUNTS  dropped_bytes=3 damaged_frames=0", "host   closed fake device",
    ):  # fmt: skip
        assert wanted in said, wanted


def test_what_is_no_frame(tmp_path):
    lines = traced(tmp_path / "trace", parse("flip=0.002"))
    assert any("bytes that are no frame: " in line for line in lines)


def test_no_other_file_is_overwritten(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"weights")
    with pytest.raises(UserError, match=r"model\.tflite: is there, and is no trace; want another name"):
        Trace(path)
    assert path.read_bytes() == b"weights"
    for _ in range(2):  # an older trace is
        with Trace(tmp_path / "trace") as trace:
            trace.add("host", "x")
    assert len((tmp_path / "trace").read_text().splitlines()) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes by name here")
def test_a_pipe_that_nobody_reads(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="pipe: cannot be written"):
        Trace(tmp_path / "pipe")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk here")
def test_a_full_disk(tmp_path, capsys):
    with pytest.raises(UserError, match=r"/dev/full: cannot be written \(No space left on device\)"):
        Trace(Path("/dev/full"))
    with Trace(tmp_path / "trace") as trace, Path("/dev/full").open("w", buffering=1) as full:
        trace._file.close()
        trace._file = full
        trace.add("host", "x")
        trace.add("host", "x")  # the run goes on without it
    assert "trace: ends here (No space left on device); the run goes on" in capsys.readouterr().out


def test_hostile_frames_are_one_line_of_ascii(tmp_path):
    for frame in (
        Frame(0x81, 1, b"\x1b[31m\n" * 50), Frame(0xFF, 2, b"\xff" * 5), Frame(0x90, 3, b"\n\x1b"),
        Frame(Request.ROWS, 4, b"x"), Frame(Request.COUNTS, 5, b"\n"), Frame(0x7F, 6, b""),
        Frame(0x82, 7, bytes(8) + b"\x63" + bytes(9)), Frame(0x85, 8, bytes(4) + b"\x63" + bytes(9)),
        Frame(0x8A, 9, b"\x1b"), Frame(Request.SPEED, 10, b""),
    ):  # fmt: skip
        text = described(frame.encode()[1:-1])
        assert text.isascii() and text.isprintable() and len(text) < 400
        assert f"#{frame.sequence}" in text
    assert described(b"\x05noise").startswith("6 bytes that are no frame: 05 6e")


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(UserError, match=r"TRACE: .*: cannot be written"):
        Trace(tmp_path / "nowhere" / "trace")
