"""Loading images: every source, every mistake."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.data import images, sources
from squeezenet_mcu.common.errors import UserError


def pixels(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def make_folder(root, counts, size=(20, 20), mode="RGB"):
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
            Image.fromarray(pixels(i, *shape)).save(root / name / f"{i:03}.png")
    return root


def make_npz(path, **changes):
    arrays = {
        "x_train": pixels(0, 6, 20, 20, 3),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": pixels(1, 3, 20, 20, 3),
        "y_test": np.array([0, 1, 2]),
    }
    arrays.update(changes)
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def test_digits_split_is_stratified_disjoint_and_complete():
    train = sources.load("digits", "train", 28, 28, 1)
    test = sources.load("digits", "test", 28, 28, 1)
    assert train.x.shape == (4000, 28, 28, 1) and test.x.shape == (1000, 28, 28, 1)
    assert np.bincount(train.y).tolist() == [400] * 10 and np.bincount(test.y).tolist() == [100] * 10
    assert not {x.tobytes() for x in train.x} & {x.tobytes() for x in test.x}
    assert test.labels == [str(i) for i in range(10)]
    assert train.x.dtype == np.uint8 and train.x.max() == 255 and train.y.dtype == np.int64
    assert not test.notices


def test_limit_spreads_over_the_classes():
    some = sources.load("digits", "test", 28, 28, 1, limit=20)
    assert np.bincount(some.y).tolist() == [2] * 10


def test_random_is_the_same_each_time_and_unlabelled():
    one = sources.load("random:7", "test", 17, 19, 3)
    two = sources.load("random:7", "test", 17, 19, 3, limit=4)
    assert one.x.shape == (7, 17, 19, 3) and (one.y == -1).all()
    assert (one.x[:4] == two.x).all()
    assert len(sources.load("random", "test", 16, 16, 1).x) == 100
    assert one.x[0, 0, 0].tolist() == [172, 47, 117]  # numpy's legacy stream: frozen


@pytest.mark.parametrize("source", ["random:0", "random:x", "random:-3"])
def test_random_count(source):
    with pytest.raises(UserError, match="random:N with N from 1"):
        sources.load(source, "test", 16, 16, 1)


def test_npz(tmp_path):
    path = make_npz(tmp_path / "a.npz")
    test = sources.load(str(path), "test", 20, 20, 3, labels=["a", "b", "c"])
    assert (test.x == pixels(1, 3, 20, 20, 3)).all() and test.y.tolist() == [0, 1, 2]
    assert test.labels == ["a", "b", "c"] and not test.notices
    assert sources.load(str(path), "train", 20, 20, 3).labels == ["0", "1", "2"]


def test_npz_gray_without_channels_and_columns_of_labels(tmp_path):
    path = make_npz(
        tmp_path / "a.npz", x_test=pixels(1, 3, 20, 20), y_test=np.array([[0], [1], [2]], np.uint8)
    )
    test = sources.load(str(path), "test", 20, 20, 3)
    assert test.x.shape == (3, 20, 20, 3) and (test.x[..., 0] == test.x[..., 2]).all()
    assert test.notices == [f"{path}: turned 3 images from gray to RGB"]


def test_other_sizes_are_resized_with_a_notice(tmp_path):
    path = make_npz(tmp_path / "a.npz")
    test = sources.load(str(path), "test", 16, 24, 3)
    assert test.x.shape == (3, 16, 24, 3)
    assert test.notices == [f"{path}: resized 3 images from 20x20 to 16x24"]
    expected = Image.fromarray(pixels(1, 3, 20, 20, 3)[2]).resize((24, 16), Image.Resampling.BILINEAR)
    assert (test.x[2] == np.asarray(expected)).all()


def test_gray_is_pillow_s():
    x = pixels(3, 5, 30, 30, 3)
    expected = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in x])
    assert (images.with_channels(x, 1)[..., 0] == expected).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_test": None, "y_test": None}, ["x_train, y_train; want", "x_test, y_test missing"]),
        ({"x_test": np.zeros((3, 20, 20, 3), np.float32)}, ["x_test is float32 [3, 20, 20, 3]; want uint8"]),
        ({"x_test": np.zeros((3, 20, 20, 4), np.uint8)}, ["x_test is uint8 [3, 20, 20, 4]"]),
        ({"x_test": np.zeros((3, 20), np.uint8)}, ["x_test is uint8 [3, 20]"]),
        ({"x_test": np.zeros((0, 20, 20, 3), np.uint8), "y_test": np.zeros(0, int)}, ["without images"]),
        ({"y_test": np.array([0.0, 1.0, 2.0])}, ["y_test is float64 [3]; want integers [3]"]),
        ({"y_test": np.array([0, 1])}, ["y_test is int64 [2]; want integers [3]"]),
        ({"y_test": np.array([0, 1, -1])}, ["labels -1 to 1"]),
        ({"y_test": np.array([0, 0, 0])}, ["1 class; want at least two"]),
        ({"y_test": np.array([0, 0, 2])}, ["no images of 1 of 3 classes: 1 (1)"]),
    ],
)
def test_npz_mistakes(tmp_path, changes, words):
    path = make_npz(tmp_path / "a.npz", **changes)
    with pytest.raises(UserError) as error:
        sources.load(str(path), "test", 20, 20, 3)
    assert str(error.value).startswith(f"{path}: ")
    for word in words:
        assert word in str(error.value)


def test_npz_with_more_labels_than_names(tmp_path):
    with pytest.raises(UserError, match="labels 0 to 2; want 0 to 1 for 2 classes"):
        sources.load(str(make_npz(tmp_path / "a.npz")), "test", 20, 20, 3, labels=["a", "b"])


@pytest.mark.parametrize("content", [b"", b"not a zip", "truncated", "strange"])
def test_npz_that_is_none(tmp_path, content):
    path = make_npz(tmp_path / "a.npz")
    if content == "truncated":
        path.write_bytes(path.read_bytes()[:4000])
    elif content == "strange":
        with zipfile.ZipFile(path, "w") as archive:
            for key in ("x_train", "y_train", "x_test", "y_test"):
                archive.writestr(f"{key}.npy", b"junk")
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"not a readable .npz|want an .npz of plain arrays"):
        sources.load(str(path), "test", 20, 20, 3)


def test_a_folder_is_split_and_all_is_used(tmp_path):
    root = make_folder(tmp_path / "d", {"cat": 10, "ant": 5, "bee": 7})
    train, test = (sources.load(str(root), split, 20, 20, 3) for split in ("train", "test"))
    assert train.labels == test.labels == ["ant", "bee", "cat"]
    assert (np.bincount(train.y) + np.bincount(test.y)).tolist() == [5, 7, 10]
    assert np.bincount(train.y).min() > 0 < np.bincount(test.y).min()
    assert {*sources.digests(train.x), *sources.digests(test.x)} == set(
        sources.digests(np.stack([pixels(i, 20, 20, 3) for i in range(10)]))
    )
    assert not test.notices


def test_folder_already_split(tmp_path):
    make_folder(tmp_path / "train", {"a": 3, "b": 2})
    make_folder(tmp_path / "test", {"a": 1, "b": 1})
    assert np.bincount(sources.load(str(tmp_path), "train", 20, 20, 3).y).tolist() == [3, 2]
    assert np.bincount(sources.load(str(tmp_path), "test", 20, 20, 3).y).tolist() == [1, 1]


def test_folder_takes_the_order_of_the_names(tmp_path):
    root = make_folder(tmp_path / "d", {"a": 5, "b": 10})
    mine, theirs = (sources.load(str(root), "test", 20, 20, 3, labels=names) for names in (None, ["b", "a"]))
    assert np.bincount(theirs.y).tolist() == np.bincount(mine.y).tolist()[::-1]


def test_numbered_folders_stand_for_the_names(tmp_path):
    root = make_folder(tmp_path / "d", {str(i): 5 for i in range(11)})
    test = sources.load(str(root), "test", 20, 20, 3, labels=[f"class {i}" for i in range(11)])
    assert test.labels[10] == "class 10" and test.y.tolist() == list(range(11))
    assert sources.load(str(root), "test", 20, 20, 3).labels == [str(i) for i in range(11)]


def test_folder_images_are_converted_and_resized(tmp_path):
    root = make_folder(tmp_path / "d", {"test/a": 1, "test/b": 1}, size=(30, 22))
    test = sources.load(str(root), "test", 16, 16, 1)
    assert test.x.shape == (2, 16, 16, 1)
    assert test.notices == [
        f"{root}: turned 2 images to gray",
        f"{root}: resized 2 images to 16x16 (bilinear)",
    ]


def test_folder_limit_reads_only_so_many(tmp_path):
    root = make_folder(tmp_path / "d", {"train/a": 8, "train/b": 8})
    (root / "train/a/001.png").write_bytes(b"broken")
    assert "1 of 16 images cannot be read" in sources.load(str(root), "train", 20, 20, 3).notices[0]
    assert sources.load(str(root), "train", 20, 20, 3, limit=4).y.tolist() == [
        0,
        0,
        1,
        1,
    ]  # not 001 among them
    assert not sources.load(str(root), "train", 20, 20, 3, limit=4).notices


@pytest.mark.parametrize("kind", ["folders", "images", "list"])
def test_another_image_takes_the_place_of_one_that_cannot_be_read(tmp_path, kind):
    """One bad file among 400 once left 99 images to calibrate with."""
    root = make_folder(tmp_path / "d", {"train/a": 8, "train/b": 8} if kind == "folders" else {"a": 20})
    place = root if kind == "folders" else root / "a"
    if kind == "list":
        names = "".join(f"{i:03}.png,{i % 2}\n" for i in range(20))
        (place / "labels.csv").write_text(f"file,label\n{names}")
    whole = sources.load(str(place), "train", 20, 20, 3, limit=4)
    first = next(root.rglob("a/000.png"))
    first.write_bytes(b"broken")
    found = sources.load(str(place), "train", 20, 20, 3, limit=4)
    assert len(found.x) == len(found.y) == 4
    assert (found.x[1:] == whole.x[1:]).all() and (found.x[0] == pixels(1, 20, 20, 3)).all()
    assert found.y.tolist() == {"folders": [0, 0, 1, 1], "images": [-1] * 4, "list": [1, 1, 0, 1]}[kind]
    assert found.notices == [
        f"{place}: 1 of 5 images cannot be read: {first} (of no format that is read): left out"
    ]
    for path in sorted(root.rglob("*.png"))[:19]:
        path.write_bytes(b"broken")
    with pytest.raises(UserError, match=r"(9 of 9|8 of 8) images cannot be read"):
        sources.load(str(place), "train", 20, 20, 3, limit=4)


@pytest.mark.parametrize("content", [b"", b"no image", "truncated"])
def test_unreadable_images_are_named(tmp_path, content):
    root = make_folder(tmp_path / "d", {"train/a": 4, "train/b": 4})
    for name in ("001.png", "003.png"):
        path = root / "train/b" / name
        path.write_bytes(path.read_bytes()[:600] if content == "truncated" else content)
    train = sources.load(str(root), "train", 20, 20, 3)
    why = "cut off" if content == "truncated" else "of no format that is read"
    assert train.notices == [
        f"{root}: 2 of 8 images cannot be read: {root}/train/b/001.png ({why}), "
        f"{root}/train/b/003.png ({why}): left out"
    ]
    assert train.y.tolist() == [0, 0, 0, 0, 1, 1]
    assert (train.x[4:] == np.stack([pixels(i, 20, 20, 3) for i in (0, 2)])).all()


def test_five_of_many_unreadable_images_are_named(tmp_path):
    root = make_folder(tmp_path / "d", {"train/a": 20, "train/b": 20})
    for i in range(6):
        (root / "train/a" / f"{i:03}.png").write_bytes(b"")
    (notice,) = sources.load(str(root), "train", 20, 20, 3).notices
    assert notice.startswith(f"{root}: 6 of 40 images cannot be read: {root}/train/a/000.png (of no ")
    assert (
        notice.endswith("/a/004.png (of no format that is read), ...: left out") and notice.count(".png") == 5
    )


@pytest.mark.parametrize(
    ("broken", "words"),
    [({"b": 3}, "b: 3 of 4 images"), ({"a": 8}, "a: 8 of 8 images"), ({"a": 4, "b": 4}, "b: 4 of 4 images")],
)
def test_a_class_of_which_most_cannot_be_read(tmp_path, broken, words):
    root = make_folder(tmp_path / "d", {"train/a": 8, "train/b": 4})
    for name, count in broken.items():
        for path in sorted((root / "train" / name).iterdir())[:count]:
            path.write_bytes(b"junk")
    with pytest.raises(UserError) as error:
        sources.load(str(root), "train", 20, 20, 3)
    assert str(error.value).startswith(f"{root}/train/{words} cannot be read: ")
    assert str(error.value).endswith("; mend or remove them")


def test_folders_within_a_class_s_folder_are_of_the_class(tmp_path):
    root = make_folder(tmp_path / "d", {"a/2023": 5, "a/2024/more": 5, "b": 5, "a/.thumbnails": 5})
    (root / "b" / "._000.png").write_bytes(b"what macOS leaves")
    (root / "b" / "notes.txt").write_text("no image")
    train, test = (sources.load(str(root), split, 20, 20, 3) for split in ("train", "test"))
    assert train.labels == ["a", "b"]
    assert (np.bincount(train.y) + np.bincount(test.y)).tolist() == [10, 5]


def test_names_of_folders_in_any_script(tmp_path):
    apart, composed = "u\u0308ber 5 €", "\u00fcber 5 €"
    root = make_folder(tmp_path / "d", {apart: 5, "止まれ": 5})
    assert (
        sources.load(str(root), "test", 20, 20, 3).labels
        == [composed, "止まれ"][:: 1 if composed < "止" else -1]
    )
    assert sources.load(str(root), "test", 20, 20, 3, labels=["止まれ", composed]).y.tolist() == [0, 1]
    make_folder(root, {composed: 5})
    with pytest.raises(UserError, match="another folder's name looks the same"):
        sources.load(str(root), "test", 20, 20, 3)


@pytest.mark.parametrize("name", ["two\nlines", "no \udcff utf-8"])
def test_names_of_folders_that_are_no_names(tmp_path, name):
    root = make_folder(tmp_path / "d", {"a": 5, name: 5})
    with pytest.raises(UserError, match="want it renamed") as error:
        sources.load(str(root), "test", 20, 20, 3)
    assert str(error.value).isascii() and "\n" not in str(error.value)


def test_photographs_are_turned_as_their_exif_says(tmp_path):
    root = make_folder(tmp_path / "d", {"test/a": 1, "test/b": 1})
    exif = Image.Exif()
    exif[0x112] = 6  # the camera was held upright: to be turned by 90 degrees clockwise
    Image.fromarray(pixels(1, 30, 20, 3)).save(root / "test/a/000.png", exif=exif)
    x = sources.load(str(root), "test", 20, 30, 3).x
    assert (x[0] == np.rot90(pixels(1, 30, 20, 3), -1)).all()


@pytest.mark.parametrize(
    ("counts", "labels", "words"),
    [
        ({}, None, ["no images, and no class folders; want at least two", "for calibration, images alone"]),
        ({"a": 5}, None, ["1 class folder; want at least two"]),
        ({"a": 5, "b": 0}, None, ["/b: no images"]),
        ({"a": 5, "b": 4}, None, ["/b: 4 images, too few to keep some for testing"]),
        ({"a": 5, "b": 5}, ["a", "c"], ['"b" is not a class']),
        ({"a": 5, "b": 5}, ["a", "b", "c"], ['no folder "c"']),
        ({"0": 5, "2": 5}, ["a", "b"], ['"0" is not a class']),
    ],
)
def test_folder_mistakes(tmp_path, counts, labels, words):
    root = tmp_path / "d"
    root.mkdir()
    make_folder(root, counts)
    with pytest.raises(UserError) as error:
        sources.load(str(root), "test", 20, 20, 3, labels=labels)
    assert str(error.value).startswith(str(root))
    for word in words:
        assert word in str(error.value)


def make_listed(root, labels, size=(20, 20)):
    root.mkdir(parents=True, exist_ok=True)
    for i in range(len(labels)):
        Image.fromarray(pixels(i, size[1], size[0], 3)).save(root / f"{i:03}.png")
    lines = [f"{i:03}.png,{label}" for i, label in enumerate(labels)]
    (root / "labels.csv").write_text("\n".join(["file,label", *lines, ""]))
    return root


def test_listed_images_have_no_split(tmp_path):
    root = make_listed(tmp_path, [2, 0, 2, 1, 0])
    (root / "not_listed.png").write_bytes(b"no image")
    train, test = (sources.load(str(root), split, 20, 20, 3) for split in ("train", "test"))
    assert test.y.tolist() == train.y.tolist() == [2, 0, 2, 1, 0]
    assert (test.x == train.x).all() and (test.x[3] == pixels(3, 20, 20, 3)).all()
    assert test.labels == ["0", "1", "2"] and not test.notices
    some = sources.load(str(root), "test", 20, 20, 3, limit=2, labels=["a", "b", "c", "d"])
    assert some.y.tolist() == [2, 2] and some.labels == ["a", "b", "c", "d"]  # images 0 and 2; none of "d"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["labels.csv: begins with ''; want file,label"]),
        ("000.png,1\n", ["labels.csv: begins with '000.png,1'"]),
        ("file,label\n\n", ["labels.csv: names no images"]),
        ("file,label\n000.png\n", ["labels.csv:2: '000.png'; want file,label"]),
        ("file,label\n000.png,1,2\n", ["labels.csv:2: '000.png,1,2'"]),
        ("file,label\n\n000.png,cat\n", ["labels.csv:3: '000.png,cat'", "a whole number"]),
        ("file,label\n000.png,-1\n", ["labels.csv:2: '000.png,-1'"]),
        ("file,label\n000.png,3\n", ["labels.csv:2: label 3; want 0 to 2"]),
        ("file,label\n009.png,1\n", ["1 of 1 images cannot be read", "009.png"]),
        ("file,label\nsub,1\n", ["1 of 1 images cannot be read", "sub"]),
    ],
)
def test_listed_mistakes(tmp_path, text, words):
    make_listed(tmp_path, [0, 1]).joinpath("labels.csv").write_text(text)
    (tmp_path / "sub").mkdir()
    with pytest.raises(UserError) as error:
        sources.load(str(tmp_path), "test", 20, 20, 3, labels=["a", "b", "c"])
    assert str(error.value).startswith(str(tmp_path)) and "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_list_that_is_no_text(tmp_path):
    make_listed(tmp_path, [0]).joinpath("labels.csv").write_bytes(b"file,label\n\xff\xfe")
    with pytest.raises(UserError, match=r"labels\.csv: no text in UTF-8"):
        sources.load(str(tmp_path), "test", 20, 20, 3)


def test_nothing_but_images_is_unlabelled(tmp_path):
    make_listed(tmp_path, [0] * 7).joinpath("labels.csv").unlink()
    test = sources.load(str(tmp_path), "train", 20, 20, 3, limit=3)
    assert test.y.tolist() == [-1] * 3 and test.labels == []
    assert (test.x[1] == pixels(2, 20, 20, 3)).all()


def centre_of(image, resized_to, side):
    picture = Image.fromarray(image).resize(resized_to, Image.Resampling.BILINEAR)
    left, top = (resized_to[0] - side) // 2, (resized_to[1] - side) // 2
    return np.asarray(picture)[top : top + side, left : left + side]


@pytest.mark.parametrize("source", ["folder", "npz"])
@pytest.mark.parametrize(
    ("seen", "side", "resized_to"),
    [  # (width, height)
        ((227, 227), 224, (227, 227)),  # nothing but the centre: the same pixels
        ((500, 375), 224, (303, 227)),
        ((40, 60), 128, (130, 195)),
        ((224, 224), 224, (224, 224)),  # right as it is
        ((128, 100), 100, (129, 101)),  # the short side is not the size asked for: 101 is
    ],
)
def test_crop(tmp_path, source, seen, side, resized_to):
    if source == "folder":
        root, image = make_listed(tmp_path, [0], size=seen), pixels(0, seen[1], seen[0], 3)
    else:
        x = pixels(1, 3, seen[1], seen[0], 3)
        root, image = make_npz(tmp_path / "a.npz", x_test=x), x[0]
    found = sources.load(str(root), "test", side, side, 3, fit="crop")
    assert (found.x[0] == centre_of(image, resized_to, side)).all()
    assert bool(found.notices) == (seen != (side, side))
    for notice in found.notices:
        assert "cropped" in notice and f"to {side}x{side}" in notice


def test_crop_of_images_that_are_not_square(tmp_path):
    root = make_listed(tmp_path, [0], size=(60, 30))
    assert sources.load(str(root), "test", 20, 40, 3, fit="crop").x.shape == (1, 20, 40, 3)


def test_no_such_fit():
    with pytest.raises(UserError, match='fit "pad": want one of resize, crop'):
        sources.load("random", "test", 20, 20, 3, fit="pad")


def test_without_the_calibration_images(tmp_path):
    found = sources.load(str(make_listed(tmp_path, [0, 1, 2])), "test", 20, 20, 3)
    digests = sources.digests(found.x)
    assert len(set(digests)) == 3
    left = sources.without(found, digests[1:2])
    assert left.y.tolist() == [0, 2] and (left.x == found.x[[0, 2]]).all()
    assert left.notices == ["left out 1 image that the conversion was calibrated with"]
    assert sources.without(found, ["another"]) is found


def test_half_split_folder(tmp_path):
    make_folder(tmp_path / "train", {"a": 3, "b": 2})
    with pytest.raises(UserError, match=r"there is no .*/test; want both"):
        sources.load(str(tmp_path), "test", 20, 20, 3)


@pytest.mark.parametrize("source", ["nowhere", "nowhere/at/all", "digit"])
def test_no_such_source(source):
    with pytest.raises(UserError, match=rf"{source}: no such data(;|; did you mean digits\?) want a folder"):
        sources.load(source, "test", 20, 20, 3)


def test_no_such_npz(tmp_path):
    with pytest.raises(UserError, match=r"a\.npz: no such file"):
        sources.load(str(tmp_path / "a.npz"), "test", 20, 20, 3)


def test_no_source_at_all():
    with pytest.raises(UserError, match="with --data"):
        sources.load("", "test", 20, 20, 3)


def test_bad_limit_and_split():
    with pytest.raises(UserError, match="limit 0"):
        sources.load("random", "test", 20, 20, 3, limit=0)
    with pytest.raises(UserError, match='split "val"'):
        sources.load("random", "val", 20, 20, 3)


def test_needs_no_tensorflow():
    code = (
        "import sys, squeezenet_mcu.common.data.sources as d; d.load('digits', 'test', 28, 28, 1); "
        "print('tensorflow' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_sixteen_bit_images_are_scaled_not_cut_off(tmp_path):
    deep = (np.arange(16 * 16, dtype=np.uint16) * 257).reshape(16, 16)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(5):
            Image.fromarray(deep).save(tmp_path / name / f"{i}.png")
    x = sources.load(str(tmp_path), "test", 16, 16, 1).x
    np.testing.assert_array_equal(x[0, :, :, 0], deep // 257)


def test_floating_point_images_are_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "test" / name).mkdir(parents=True)
        Image.fromarray(np.zeros((16, 16), np.float32)).save(tmp_path / "test" / name / "4.tif")
    with pytest.raises(UserError, match=r"4\.tif \(floating-point pixels; want 8 or 16 bits\)"):
        sources.load(str(tmp_path), "test", 16, 16, 1)
