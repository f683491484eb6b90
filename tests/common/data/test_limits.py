"""Images, arrays and lists that would take gigabytes, or wait for ever: refused before."""

import io
import os
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.data import npz, pictures, sources
from squeezenet_mcu.common.data.labels import read_labels
from squeezenet_mcu.common.errors import UserError


def png_of(width: int, height: int, bits: int, colour: int) -> bytes:
    """A PNG that says it has so many pixels, and has none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height", "bits", "colour"), [(13_300, 13_300, 16, 0), (9000, 6000, 8, 2)])
def test_too_many_pixels(tmp_path, width, height, bits, colour):
    path = tmp_path / "large.png"
    path.write_bytes(png_of(width, height, bits, colour))
    with pytest.raises(ValueError, match=rf"{width} x {height} pixels; want at most 50,331,648"):
        pictures.read(path, 8, 8, 3)


def test_a_pipe_is_no_image(tmp_path):
    """Opening one waits for a writer, for ever."""
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match="no ordinary file"):
        pictures.read(tmp_path / "pipe.png", 8, 8, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_lets_through_lies_on_white(tmp_path, mode, channels):
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 4, 8))
    picture = picture.quantize(4) if mode == "P" else picture.convert(mode)
    picture.save(tmp_path / "a.png")
    pixels = pictures.read(tmp_path / "a.png", 8, 8, channels).pixels
    assert (pixels[:, :4] == 0).all()
    assert (pixels[:, 4:] == 255).all()


def array(value) -> bytes:
    to = io.BytesIO()
    np.save(to, np.asarray(value))
    return to.getvalue()


def header(shape: str, dtype: str = "|u1") -> bytes:
    """The start of an .npy file, without its data."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


SOUND = {f"{k}_{s}.npy": v for s in ("train", "test") for k, v in (
    ("x", array(np.zeros((4, 8, 8), np.uint8))), ("y", array([0, 1, 0, 1])))}  # fmt: skip
BAD = {
    "a shape of 10^12": ({"x_test.npy": header("(1000000, 1000000)")}, "1,000,000,000,000 bytes of"),
    "a shape that overflows": ({"x_test.npy": header(f"({2**40}, {2**40})")}, "want all of them there"),
    "a label of 10^12": ({"y_test.npy": array([0, 1, 0, 10**12])}, "the label 1000000000000; want"),
    "objects": ({"y_test.npy": header("(4,)", "|O") + bytes(64)}, "y_test holds objects, which could run"),
    "nonsense": ({"x_test.npy": b"\x93NUMPY\x09\x00" + bytes(99)}, "version 9.0 of the format .npy"),
    "no array": ({"x_test.npy": b"hello"}, "x_test does not begin as an .npy does"),
    "a header of 3 GB": (
        {"x_test.npy": b"\x93NUMPY\x02\x00" + struct.pack("<I", 3 << 30) + b" " * 64},
        "x_test has a header of 3,221,225,472 bytes; want at most 10,000",
    ),
    "a header cut off": ({"x_test.npy": b"\x93NUMPY\x02\x00\x80"}, "x_test is cut off in its header"),
    "a header of code": (
        {"x_test.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 99) + b"print(1)".ljust(99)},
        "x_test has a header that describes no array",
    ),
    "a bomb": ({"x_test.npy": header("(100000, 32, 32)") + bytes(100_000 * 1024)}, "want real images"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_arrays(tmp_path, what):
    changed, said = BAD[what]
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (SOUND | changed).items():
            archive.writestr(name, data)
    with pytest.raises(UserError) as error:
        sources.load(str(path), "test", 8, 8, 1)
    assert said in str(error.value)
    assert "\n" not in str(error.value) and "allow_pickle" not in str(error.value)


def test_the_sound_one_is_read(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in SOUND.items():
            archive.writestr(name, data)
    x, y = npz.read(path, "test")
    assert x.shape == (4, 8, 8, 1) and y.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("label", ["9" * 5000, "1" + "0" * 12, "65536"])
def test_a_label_of_many_digits(tmp_path, label):
    (tmp_path / "labels.csv").write_text(f"file,label\na.png,{label}\n")
    with pytest.raises(UserError, match=r"labels.csv:2: label \d{1,100}; want 0 to 65535") as error:
        sources.load(str(tmp_path), "test", 8, 8, 3)
    assert len(str(error.value)) < 400


def test_a_count_of_many_digits():
    with pytest.raises(UserError, match="random:"):
        sources.load("random:" + "9" * 5000, "test", 8, 8, 3)


def test_lists_that_are_too_long(tmp_path):
    (tmp_path / "labels.csv").write_text("file,label\n" + "a.png,0\n" * 300_001)
    with pytest.raises(UserError, match=r"labels.csv: 300,002 lines; want at most 300,000"):
        sources.load(str(tmp_path), "test", 8, 8, 3)
    (tmp_path / "labels.csv").write_text("file,label\n" + "," * 10_001)
    with pytest.raises(UserError, match=r"labels.csv:2: 10,001 characters in a line; want at most 10,000"):
        sources.load(str(tmp_path), "test", 8, 8, 3)
    (tmp_path / "labels.csv").write_bytes(bytes((32 << 20) + 1))
    with pytest.raises(UserError, match=r"labels.csv: 33,554,433 bytes; at most 33,554,432 are read"):
        sources.load(str(tmp_path), "test", 8, 8, 3)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\v", "\x1c", "\x85", "\u2028"], ids=ascii)
def test_lines_are_counted_before_they_are_made(tmp_path, end):
    """A list of a million empty lines takes 80 MB as rows; each other end of a line counts as well."""
    path = tmp_path / "labels.csv"
    path.write_bytes(("file,label" + end * 1_000_000).encode())
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"labels.csv: 1,000,000 lines; want at most 300,000"):
            sources.load(str(tmp_path), "test", 8, 8, 3)
        # Of these, 32 MB are made ready for the file, whatever it has.
        assert tracemalloc.get_traced_memory()[1] < 45 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("what", ["pipe", "device", "nothing", "folder"])
def test_a_list_that_is_no_file_is_not_passed_over(tmp_path, what):
    """The images beside it would count as unlabelled."""
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    path = tmp_path / "labels.csv"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if what == "device" else "gone")
    said = "no such file" if what == "nothing" else "no ordinary file"
    with pytest.raises(UserError, match=rf"labels.csv: {said}; want lines of file,label"):
        sources.load(str(tmp_path), "test", 8, 8, 3)


@pytest.mark.parametrize("letter", ["\x1b", "\0", "\x7f", "\x9b"], ids=ascii)
def test_control_characters_in_the_name_of_a_class(tmp_path, letter):
    path = tmp_path / "labels.txt"
    path.write_text(f"a\nb{letter}[31mc\n")
    with pytest.raises(
        UserError, match=r'labels.txt: "b\?\[31mc": control characters in a class\'s name; want'
    ):
        read_labels(path)


def test_many_names_of_classes(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("\n" * 4_000_000)
    with pytest.raises(UserError, match=r"labels.txt: 4,000,000 lines; want at most 131,072"):
        read_labels(path)


def test_names_of_classes(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("a\n" + "b" * 501)
    with pytest.raises(UserError, match=r"labels.txt: a name of 501 characters; want at most 500"):
        read_labels(path)
    path.write_bytes(bytes((4 << 20) + 1))
    with pytest.raises(UserError, match=r"labels.txt: 4,194,305 bytes; at most"):
        read_labels(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"labels.txt: no ordinary file"):
        read_labels(path)
