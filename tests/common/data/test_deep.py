"""Pictures of 16 bits a value, or of 2 and 4: what is read is what is in them, or they are refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.data import pictures, sources
from tests.common.data.test_picture_limits import chunk

GRAY, RGB, RGBA = 0, 2, 6  # colour types of a PNG
DARK = "more than 8 bits, but no value above 255; save it with 8 bits"


def values(*shape, below=65536):
    return np.random.default_rng(1).integers(0, below, shape).astype(np.uint16)


def png(rows, bits, colour, through=None):
    """A PNG of 8 pixels a row, of samples in `rows`; `through`: those that let through."""
    if bits == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        ones = np.unpackbits(rows.astype(np.uint8)[..., np.newaxis], axis=-1)[..., 8 - bits :]
        packed = [np.packbits(row.reshape(-1)).tobytes() for row in ones]
    header = struct.pack(">IIBBBBB", 8, len(rows), bits, colour, 0, 0, 0)
    key = b"" if through is None else chunk(b"tRNS", np.atleast_1d(through).astype(">u2").tobytes())
    data = zlib.compress(b"".join(b"\0" + row for row in packed))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + key + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def saved(array, kind="TIFF", **options):
    to = io.BytesIO()
    Image.fromarray(array).save(to, kind, **options)
    return to.getvalue()


def read(tmp_path, content, channels=1):
    (tmp_path / "a").write_bytes(content)
    return pictures.read(tmp_path / "a", 8, 8, channels)


def refused(tmp_path, content, channels=1):
    with pytest.raises(pictures.PictureError) as error:
        read(tmp_path, content, channels)
    return str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        png(values(8, 8, below=256), 16, GRAY),
        saved(values(8, 8, below=256)),
        saved(values(8, 8, below=256), compression="tiff_lzw"),
        saved(values(8, 8, below=256).astype(np.int32)),
        png(values(8, 8, 3, below=256), 16, RGB),
        png(values(8, 8, 4, below=256) | np.array([0, 0, 0, 65535], np.uint16), 16, RGBA),
    ],
    ids=["PNG", "TIFF", "packed TIFF", "32 bits", "RGB", "RGBA"],
)
def test_values_of_8_bits_in_more_would_be_black(tmp_path, content):
    assert refused(tmp_path, content, 3) == DARK


def test_one_value_above_255_is_enough_and_black_is_black(tmp_path):
    one = np.zeros((8, 8), np.uint16)
    assert not read(tmp_path, png(one, 16, GRAY)).pixels.any()
    one[3, 4] = 514
    found = read(tmp_path, png(one, 16, GRAY)).pixels[..., 0]
    assert found[3, 4] == 2 and found.sum() == 2


@pytest.mark.parametrize("value", [-1, 65_536])
def test_values_beyond_16_bits(tmp_path, value):
    array = values(8, 8).astype(np.int32)
    array[0, 0] = value
    said = refused(tmp_path, saved(array))
    assert said == f"values from {min(value, 0)} to {array.max()}; want 0 to 65535"


def test_such_pictures_are_left_out_and_it_is_said(tmp_path):
    for name in ("test/a", "test/b"):
        (tmp_path / name).mkdir(parents=True)
        for i in (4, 9):
            Image.fromarray(values(8, 8)).save(tmp_path / name / f"{i}.png")
    (tmp_path / "test/a/4.png").write_bytes(png(values(8, 8, below=256), 16, GRAY))
    found = sources.load(str(tmp_path), "test", 8, 8, 1)
    assert found.notices == [
        f"{tmp_path}: 1 of 4 images cannot be read: {tmp_path}/test/a/4.png ({DARK}): left out"
    ]


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_the_gray_that_lets_through_lies_on_white(tmp_path, bits):
    samples = values(8, 8, below=1 << bits)
    samples[2, 3] = samples[0, 0]
    content = png(samples, bits, GRAY, samples[0, 0])
    through = samples == samples[0, 0]
    eight = samples // 257 if bits == 16 else samples * {2: 85, 4: 17, 8: 1}[bits]
    np.testing.assert_array_equal(read(tmp_path, content).pixels[..., 0], np.where(through, 255, eight))
    four = read(tmp_path, content, 4)
    np.testing.assert_array_equal(four.pixels[..., 3], np.where(through, 0, 255))
    np.testing.assert_array_equal(four.pixels[..., :3], np.dstack([eight] * 3))
    assert not four.opaque


def test_only_the_very_value_of_16_bits_lets_through(tmp_path):
    samples = np.full((8, 8), 0x1234, np.uint16)
    samples[0, 0] = 0x1235
    found = read(tmp_path, png(samples, 16, GRAY, 0x1235)).pixels[..., 0]
    assert found[0, 0] == 255 and (found.reshape(-1)[1:] == 0x1234 // 257).all()


def test_a_colour_of_16_bits_that_lets_through_is_refused(tmp_path):
    """Pillow has cut the pixels to 8 bits before it looks for the colour."""
    samples = values(8, 8, 3)
    said = refused(tmp_path, png(samples, 16, RGB, samples[0, 0]), 3)
    assert said == "16 bits, with one colour that lets through; want an alpha channel or 8 bits"
    assert (read(tmp_path, png(samples, 16, RGB), 3).pixels == samples >> 8).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_deep_photograph_is_turned(tmp_path, kind):
    exif = Image.Exif()
    exif[0x112] = 6
    array = values(8, 8)
    found = read(tmp_path, saved(array, kind, exif=exif)).pixels[..., 0]
    np.testing.assert_array_equal(found, np.rot90(array // 257, -1))
