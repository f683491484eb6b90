"""Files of pictures: which kinds are read, in how many channels, and what is said of the others."""

import importlib
import importlib.util
import warnings

import numpy as np
import pytest
from PIL import Image, features

from squeezenet_mcu.common.data import images, pictures, sources
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.version import requirement
from tests.common.data.test_limits import png_of


def photo(seed, side=16):
    """Smooth enough to come through a lossy file, and no two alike."""
    rows, columns = np.mgrid[0:side, 0:side]
    return np.stack([rows * 9, columns * 9, (rows + columns) * 4 + seed], axis=-1).astype(np.uint8)


def folder(root, suffix, count=1, mode="RGB"):
    """Test images of two classes: 4, and with a `count` of 2 also 9."""
    for number, name in enumerate(("test/a", "test/b")):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(4, 5 * count, 5):
            picture = Image.fromarray(photo(20 * number + i)).convert(mode)
            picture.save(root / name / f"{i}{suffix}", KIND.get(suffix))
    return root


KIND = {".jfif": "JPEG", ".jfi": "JPEG", ".jpe": "JPEG", ".JPG": "JPEG"}


def load(root, channels=3, **options):
    return sources.load(str(root), "test", 16, 16, channels, **options)


@pytest.fixture
def without_heif(monkeypatch):
    """As where the package that reads Apple's photos is not installed."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pillow_heif" else found(name)
    )
    pictures.suffixes.cache_clear()
    yield
    pictures.suffixes.cache_clear()


@pytest.mark.parametrize("suffix", [".jfif", ".jfi", ".jpe", ".JPG"])
def test_jpeg_by_its_other_names(tmp_path, suffix):
    found = load(folder(tmp_path, suffix))
    assert len(found.x) == 2 and not found.notices
    assert np.abs(found.x[0].astype(int) - photo(4)).mean() < 8


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow is built without AVIF")
def test_avif(tmp_path):
    found = load(folder(tmp_path, ".avif"))
    assert np.abs(found.x[0].astype(int) - photo(4)).mean() < 8 and not found.notices


@pytest.mark.parametrize("suffix", [".heic", ".HEIF"])
def test_heic(tmp_path, suffix):
    pytest.importorskip("pillow_heif", reason="the extra heic is not installed").register_heif_opener()
    found = load(folder(tmp_path, suffix))
    assert np.abs(found.x[0].astype(int) - photo(4)).mean() < 8 and not found.notices


def test_what_is_not_read_is_counted(tmp_path, without_heif):
    root = folder(tmp_path, ".png")
    (root / "test/b/sub").mkdir()
    for name in (
        "a/1.heic",
        "a/2.HEIC",
        "a/3.heic",
        "b/1.CR2",
        "b/sub/2.cr2",
        "b/4.svg",
        "b/notes.txt",
        "b/._5.heic",
    ):
        (root / "test" / name).write_bytes(b"x")
    found = load(root)
    assert len(found.x) == 2
    assert found.notices == [
        f"{root}: left out 6 images of kinds that are not read: 3 .heic, 2 .cr2, 1 .svg (.heic wants "
        f"pip install '{requirement('heic')}')"
    ]


def test_a_class_of_nothing_else_is_named(tmp_path, without_heif):
    root = folder(tmp_path, ".png")
    for path in (root / "test/b").iterdir():
        path.rename(path.with_suffix(".heic"))
    with pytest.raises(UserError, match=r"/b: no images \(.*\), but 1 \.heic; want some of every class"):
        load(root)


def test_what_is_not_read_beside_images_without_classes(tmp_path, without_heif):
    root = folder(tmp_path, ".png") / "test/a"
    (root / "1.heic").write_bytes(b"x")
    assert "left out 1 images of kinds that are not read: 1 .heic" in load(root).notices[0]


def test_a_listed_heic_says_what_it_wants(tmp_path, without_heif):
    root = folder(tmp_path, ".png") / "test/a"
    (root / "1.heic").write_bytes(b"x")
    (root / "labels.csv").write_text("file,label\n4.png,0\n1.heic,1\n")
    assert f"1.heic (wants pip install '{requirement('heic')}'): left out" in load(root).notices[0]


# Channels


def test_rgba(tmp_path):
    root = folder(tmp_path, ".png", mode="RGBA")
    x = np.dstack([photo(4), np.arange(256).reshape(16, 16)]).astype(np.uint8)
    Image.fromarray(x).save(root / "test/a/4.png")
    found = load(root, 4)
    assert (found.x[0] == x).all() and not found.notices
    # Each channel by itself: Pillow would weigh the colours by alpha.
    small = sources.load(str(root), "test", 8, 8, 4).x[0]
    channel = Image.fromarray(x[..., 0]).resize((8, 8), Image.Resampling.BILINEAR)
    assert (small[..., 0] == np.asarray(channel)).all()


def test_images_without_alpha_are_opaque_among_others_but_not_alone(tmp_path):
    root = folder(tmp_path, ".png", mode="RGBA")
    Image.fromarray(photo(4)).save(root / "test/a/4.png")
    found = load(root, 4)
    assert found.notices == [f"{root}: 1 images without an alpha channel: taken for opaque ones"]
    assert (found.x[0, ..., 3] == 255).all() and (found.x[0, ..., :3] == photo(4)).all()
    with pytest.raises(
        UserError, match=r"no image has an alpha channel; the model takes RGBA \(4 channels\): want"
    ):
        load(folder(tmp_path, ".png"), 4)


@pytest.mark.parametrize("channels", [2, 5])
def test_channels_that_no_picture_has(tmp_path, channels):
    with pytest.raises(
        UserError, match=f"takes images of {channels} channels, which no picture has; want an .npz"
    ):
        load(folder(tmp_path, ".png"), channels)
    with pytest.raises(
        UserError, match=f"digits: gray images; the model takes {channels} channels: want an .npz"
    ):
        load("digits", channels)


@pytest.mark.parametrize("channels", [2, 4])
def test_an_npz_of_so_many_channels(tmp_path, channels):
    x = np.random.default_rng(1).integers(0, 256, (2, 20, 20, channels), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=[0, 1], x_test=x, y_test=[0, 1])
    same = sources.load(str(tmp_path / "a.npz"), "test", 20, 20, channels)
    assert (same.x == x).all()
    small = load(tmp_path / "a.npz", channels)
    for channel in range(channels):
        alone = Image.fromarray(x[1, ..., channel]).resize((16, 16), Image.Resampling.BILINEAR)
        assert (small.x[1, ..., channel] == np.asarray(alone)).all()
    other = 6 - channels
    with pytest.raises(UserError, match=rf"\[2, 20, 20, {channels}\]; want uint8 \[n, h, w, {other}\]"):
        load(tmp_path / "a.npz", other)


def test_one_and_three_channels_become_each_other(tmp_path):
    root = folder(tmp_path, ".png", mode="L")
    assert load(root, 1).x.shape == (2, 16, 16, 1)
    assert load(root, 3).notices == [f"{root}: turned 2 images to {images.colour(3)}"]


# What Pillow warns of


@pytest.mark.parametrize(
    ("side", "said"),
    [
        (10_000, "10000 x 10000 pixels; want at most 50,331,648"),
        (14_000, "196,000,000 pixels; want at most 50,331,648"),
    ],
    ids=["it would warn", "it would refuse"],
)
def test_a_picture_that_unpacks_to_gigabytes_is_one_line(tmp_path, side, said, recwarn):
    root = folder(tmp_path, ".png", 2)
    (root / "test/a/4.png").write_bytes(png_of(side, side, 8, 2))
    (notice,) = load(root).notices
    assert notice.startswith(f"{root}: 1 of 4 images cannot be read: {root}/test/a/4.png ({said}")
    assert notice.endswith("): left out") and not recwarn.list


def test_a_warning_is_one_line(tmp_path, monkeypatch, recwarn):
    root = folder(tmp_path, ".png", 2)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\xff\xff\0\0\xff\xff"  # points beyond its end
    Image.fromarray(photo(4)).save(root / "test/a/4.png", exif=exif)
    Image.fromarray(photo(4)).save(root / "test/a/9.png", exif=exif)
    with warnings.catch_warnings(record=True) as told, Image.open(root / "test/a/4.png") as picture:
        warnings.simplefilter("always")
        picture.getexif().get(0x112)
    found = load(root)
    assert len(found.x) == 4 and not recwarn.list
    assert found.notices == [
        f"{root}: read, but Pillow warns of 2 images: {root}/test/a/4.png: {told[0].message}"
    ]
