"""Pictures that would take more than 500 MB, or that are not whole: refused, and the reason is said."""

import io
import json
import struct
import subprocess
import sys
import zlib
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, features

from squeezenet_mcu.common.data import pictures, sources
from squeezenet_mcu.common.errors import UserError

MEGABYTES = 500
SAMPLES = {"L": (0, 1), "RGB": (2, 3), "P": (3, 1), "LA": (4, 2), "RGBA": (6, 4)}
READ = r"""
import json, re, sys
from pathlib import Path
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.errors import UserError
try:
    said = str(sources.load(sys.argv[1], "test", 224, 224, int(sys.argv[2])).x.shape)
except UserError as error:
    said = str(error)
print(json.dumps([int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) // 1024, said]))
"""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, mode, rows=None, value=7, pieces=1):
    """A PNG that may lack its last rows; its data may stand in several chunks."""
    colour, samples = SAMPLES[mode]
    packed, row = zlib.compressobj(1), b"\0" + bytes([value]) * (width * samples)
    data = b"".join(packed.compress(row) for _ in range(height if rows is None else rows)) + packed.flush()
    cuts = [len(data) * i // pieces for i in range(pieces + 1)]
    parts = [chunk(b"IDAT", data[a:b]) for a, b in pairwise(cuts)]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(range(30))) if mode == "P" else b""
    return b"\x89PNG\r\n\x1a\n" + header + palette + b"".join(parts) + chunk(b"IEND", b"")


def saved(picture, kind, **options):
    to = io.BytesIO()
    picture.save(to, kind, **options)
    return to.getvalue()


def upright_again():
    exif = Image.Exif()
    exif[0x112] = 6
    return exif


def many_scans():
    picture = Image.new("RGB", (8192, 6144), "red")
    return saved(picture, "JPEG", progressive=True, subsampling=0, exif=upright_again())


LARGE = {
    "RGBA": ("a.png", lambda: png(7094, 7094, "RGBA"), "(1, 224, 224, 3)", 3),
    "RGBA to RGBA": ("a.png", lambda: png(7094, 7094, "RGBA"), "(1, 224, 224, 4)", 4),
    "LA": ("a.png", lambda: png(7094, 7094, "LA"), "(1, 224, 224, 3)", 3),
    "a JPEG in many scans, to be turned": (
        "a.jpg",
        many_scans,
        "(1, 224, 224, 3)",
        3,
    ),
    "WebP": (
        "a.webp",
        lambda: saved(Image.new("RGBA", (4096, 4096), (1, 2, 3, 99)), "WEBP", method=0),
        "(1, 224, 224, 3)",
        3,
    ),
    "larger WebP": (
        "a.webp",
        lambda: saved(Image.new("RGBA", (4097, 4096), (1, 2, 3, 99)), "WEBP", method=0),
        "4097 x 4096 pixels; want at most 16,777,216 in WEBP",
        3,
    ),
    "numbers of 32 bits": (
        "a.tif",
        lambda: saved(Image.new("I", (5000, 5000), 7700), "TIFF", compression="tiff_lzw"),
        "(1, 224, 224, 3)",
        3,
    ),
    "tall": ("a.png", lambda: png(1, 50_331_648, "RGB", 10), "1 x 50331648 pixels; want at most 32,768", 3),
    "flat": ("a.png", lambda: png(50_331_648, 1, "RGB"), "50331648 x 1 pixels; want at most 32,768", 3),
    "cut off": ("a.png", lambda: png(7094, 7094, "RGB", 10), "(cut off: rows are missing)", 3),
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says how much memory a program has taken")
@pytest.mark.parametrize("what", LARGE)
def test_memory(tmp_path, what):
    """Measured in a program of its own."""
    name, made, said, channels = LARGE[what]
    (tmp_path / name).write_bytes(made())
    command = [sys.executable, "-c", READ, str(tmp_path), str(channels)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    megabytes, found = json.loads(done.stdout)
    assert said in found
    assert megabytes < MEGABYTES
    print(f"{what}: {megabytes} MB")


def reading(path, content, size=8, channels=3, fit="resize"):
    path.write_bytes(content)
    return pictures.read(path, size, size, channels, fit).pixels


@pytest.mark.parametrize("mode", SAMPLES)
@pytest.mark.parametrize("pieces", [1, 3])
def test_rows_are_missing(tmp_path, mode, pieces):
    for rows in (1, 19):
        with pytest.raises(pictures.PictureError, match="cut off"):
            reading(tmp_path / "a.png", png(9, 20, mode, rows, pieces=pieces))
    reading(tmp_path / "a.png", png(9, 20, mode, pieces=pieces))
    reading(tmp_path / "a.png", png(9, 20, mode, value=0, pieces=pieces))  # a black one is whole


@pytest.mark.parametrize("side", [1, 3, 8, 13])
def test_an_interlaced_picture(tmp_path, side):
    """Pillow does not write them: the seven passes of one are put together here."""
    passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    pixels = np.arange(side * side * 3, dtype=np.uint8).reshape(side, side, 3)
    data = b"".join(
        b"\0" + row.tobytes()
        for x, y, across, down in passes
        for row in pixels[y::down, x::across]
        if row.size
    )
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 1))

    def whole(content):
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")

    assert (reading(tmp_path / "a.png", whole(data), side) == pixels).all()
    row = 1 + side // 2 * 3 if side % 2 == 0 else 1 + side * 3 if side > 1 else 4
    with pytest.raises(pictures.PictureError, match="cut off"):
        reading(tmp_path / "a.png", whole(data[:-row]), side)


def test_a_large_jpeg_is_decoded_at_half_its_size(tmp_path):
    """Which shows: it is libjpeg's average of four pixels, not Pillow's of all."""
    rows, columns = np.mgrid[0:5000, 0:5100]
    pixels = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=-1).astype(np.uint8)
    path = tmp_path / "a.jpg"
    Image.fromarray(pixels).save(path, quality=80)
    with Image.open(path) as file:
        file.draft(None, (2550, 2500))
        assert file.size == (2550, 2500)
        half = np.asarray(file.resize((64, 64), Image.Resampling.BILINEAR))
    assert (pictures.read(path, 64, 64, 3).pixels == half).all()
    with pytest.raises(
        pictures.PictureError, match=r"5100 x 5000 pixels; want at most 25,165,824 for 2600 x"
    ):
        pictures.read(path, 2600, 2600, 3)
    small = Image.fromarray(pixels[:4000])
    small.save(path, quality=80)
    with Image.open(path) as file:
        whole = np.asarray(file.resize((64, 64), Image.Resampling.BILINEAR))
    assert (pictures.read(path, 64, 64, 3).pixels == whole).all()


def test_a_picture_that_is_too_narrow_to_be_cropped(tmp_path):
    """It would be 227 wide and seven million high on its way."""
    content = png(1, 32_768, "RGB")
    with pytest.raises(pictures.PictureError, match="1 x 32768 pixels, too narrow or too flat for 224 x 224"):
        reading(tmp_path / "a.png", content, 224, fit="crop")
    assert reading(tmp_path / "a.png", content, 224).shape == (224, 224, 3)


def test_arrays_that_are_too_narrow_to_be_cropped(tmp_path):
    x, y = np.zeros((2, 32_768, 1, 3), np.uint8), np.array([0, 1])
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    with pytest.raises(UserError, match=r"a.npz: images of 1 x 32768 pixels, too narrow or too flat for 224"):
        sources.load(str(tmp_path / "a.npz"), "test", 224, 224, 3, fit="crop")


def test_tiles_that_are_larger_than_the_picture(tmp_path):
    tags = [(256, 3, 8), (257, 3, 8), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1), (322, 4, 1 << 16),
            (323, 4, 1 << 16), (324, 4, 8), (325, 4, 1)]  # fmt: skip
    entries = b"".join(
        struct.pack("<HHI", tag, kind, 1)
        + struct.pack("<HH" if kind == 3 else "<I", *([value, 0] if kind == 3 else [value]))
        for tag, kind, value in tags
    )
    content = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)
    with pytest.raises(
        pictures.PictureError, match="8 x 8 pixels in tiles of 4,294,967,296; want at most 25,1"
    ):
        reading(tmp_path / "a.tif", content)


def test_a_format_that_runs_a_program_is_not_tried(tmp_path):
    """Pillow goes by a file's first bytes, whatever its name is, and lets Ghostscript draw PostScript."""
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
    with Image.open(io.BytesIO(content)) as file:
        assert file.format == "EPS"
    with pytest.raises(pictures.PictureError, match="of no format that is read"):
        reading(tmp_path / "a.png", content)


def test_every_format_is_known_by_pillows_name():
    Image.init()
    assert set(pictures._FORMATS) - {"AVIF", "HEIF"} <= set(Image.OPEN)
    assert not features.check("avif") or "AVIF" in Image.OPEN


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (png(8, 8, "RGB")[:50], "cut off"),
        (saved(Image.new("RGB", (64, 64), "red"), "JPEG")[:400], "cut off"),
        (b"hello", "of no format that is read"),
        (png(13_300, 13_300, "L", 1), "13300 x 13300 pixels; want at most 50,331,648"),
        (png(20_000, 20_000, "L", 1), "400,000,000 pixels; want at most 50,331,648"),
    ],
    ids=["PNG", "JPEG", "text", "large", "larger"],
)
def test_the_reason_is_said(tmp_path, content, said):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UserError) as error:
        sources.load(str(tmp_path), "test", 8, 8, 3)
    path = tmp_path / "a.png"
    assert (
        str(error.value) == f"{tmp_path}: 1 of 1 images cannot be read: {path} ({said}); mend or remove them"
    )
