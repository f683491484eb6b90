"""A user's class folders: which pictures are alike, and that they stay on one side when images are added."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.data.own_folders import cache, division, near_duplicates
from squeezenet_mcu.common.data.own_folders.looks import look
from tests.convert.shared_files import data_file


def photo(seed, size=(160, 120)):
    """A picture as smooth and as rough as photographs: noise at all scales, the coarse ones the strongest."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((size[1], size[0], 3))
    for cells, strength in ((3, 60), (6, 30), (12, 15), (40, 8), (100, 4)):
        coarse = rng.normal(0, strength, (cells, cells, 3)).astype(np.float32)
        for c in range(3):
            whole = Image.fromarray(coarse[..., c]).resize(size, Image.Resampling.BICUBIC)
            picture[..., c] += np.asarray(whole)
    return Image.fromarray(np.clip(picture + 128, 0, 255).astype(np.uint8))


def resized(share):
    return lambda picture: picture.resize((round(picture.width * share), round(picture.height * share)))


def compressed(quality):
    def changed(picture):
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=quality)
        return Image.open(stream)

    return changed


def cropped(share):
    def changed(picture):
        x, y = picture.width * share, picture.height * share
        return picture.crop((round(x), round(y), round(picture.width - x), round(picture.height - y)))

    return changed


CHANGES = {
    "a quarter": resized(0.25), "half": resized(0.5), "larger": resized(1.7),
    "quality 30": compressed(30), "quality 60": compressed(60), "quality 90": compressed(90),
    "1 % cropped": cropped(0.01), "2 % cropped": cropped(0.02), "4 % cropped": cropped(0.04),
    "half, quality 30": lambda picture: compressed(30)(resized(0.5)(picture)),
}  # fmt: skip


def groups_of(tmp_path, pictures):
    tmp_path.mkdir(exist_ok=True)
    paths = []
    for i, picture in enumerate(pictures):
        paths.append(tmp_path / f"{i:04}.png")
        picture.save(paths[-1])
    return near_duplicates.grouped([look(path) for path in paths]).tolist()


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_picture_is_found(tmp_path, change):
    originals = [photo(seed) for seed in range(12)]
    groups = groups_of(tmp_path, [*originals, *(CHANGES[change](one) for one in originals)])
    assert groups == [*range(12)] * 2


def test_pictures_that_are_no_copies_are_not(tmp_path):
    one = photo(1)
    mirrored = one.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    half = cropped(0.25)(one)
    darker = one.point(lambda value: value * 6 // 10)
    pale = one.point(lambda value: 128 + (value - 128) * 7 // 10)
    tinted = Image.merge(
        "RGB", [band.point(lambda v, d=d: v + d) for band, d in zip(one.split(), (30, -15, 0), strict=True)]
    )
    pictures = [one, mirrored, half, darker, pale, tinted, photo(2)]
    assert groups_of(tmp_path, pictures) == list(range(7))


def test_pictures_of_one_colour_are_not_alike_but_the_same_file_is(tmp_path):
    flat = [Image.new("RGB", (60 + i, 60), (90 + i % 3, 90, 90)) for i in range(20)]
    noise = np.random.default_rng(1).integers(0, 2, (6, 60, 60, 3), np.uint8)
    groups = groups_of(tmp_path, [*flat, *(Image.fromarray(one + 100) for one in noise), flat[0]])
    assert groups == [*range(26), 0]


def test_what_is_like_a_third_one_is_in_its_group(tmp_path):
    one = photo(3)
    assert groups_of(tmp_path, [one, cropped(0.1)(one)]) == [0, 1]
    assert groups_of(tmp_path, [one, cropped(0.1)(one), cropped(0.05)(one)]) == [0, 0, 0]


def test_a_picture_held_upright_and_one_that_was_turned_are_the_same(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6
    photo(4).save(tmp_path / "a.jpg", exif=exif)
    photo(4).transpose(Image.Transpose.ROTATE_270).save(tmp_path / "b.jpg")
    photo(4).save(tmp_path / "c.jpg")
    looks = [look(tmp_path / f"{name}.jpg") for name in "abc"]
    assert near_duplicates.grouped(looks).tolist() == [0, 0, 1]
    assert [one.pixels for one in looks] == [160 * 120] * 3


@pytest.mark.long
def test_photographs_are_told_apart_and_their_copies_found():
    paths = sorted(data_file("imagenet_val_1300").glob("*.JPEG"))
    looks = [look(path) for path in paths]
    assert len(set(near_duplicates.grouped(looks).tolist())) == len(paths) == 1300


# Folders


def folders(root, counts, first=0):
    """`counts` different photographs of each class."""
    for number, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(first, first + count):
            photo(1000 * number + i, (48, 40)).save(root / name / f"{i:03}.png")
    return root


def sides(root):
    """The digests of the images to train on and of those to test with."""
    return [set(sources.digests(sources.load(str(root), split, 40, 48, 3).x)) for split in ("train", "test")]


def test_images_that_are_added_and_renamed_move_none(tmp_path):
    root = folders(tmp_path / "d", {"cat": 30, "dog": 20})
    train, test = sides(root)
    assert not train & test and len(train | test) == 50 and len(test) > 2
    folders(root, {"cat": 20, "dog": 5}, first=500)
    (root / "hen").mkdir()
    folders(root, {"hen/x": 5}, first=900)
    more = sides(root)
    assert test < more[1] and train < more[0]
    for i, path in enumerate(sorted(root.rglob("*.png"))):
        path.rename(path.with_name(f"z{997 * i % 1009}.png"))
    assert sides(root) == more


def test_near_duplicates_are_on_one_side_and_it_is_said_once(tmp_path):
    root = folders(tmp_path / "d", {"cat": 20, "dog": 20})
    before = sides(root)
    small = []
    for path in sorted(root.rglob("*.png")):
        copy = path.with_name(f"copy_{path.stem}.jpg")
        Image.open(path).resize((36, 30)).save(copy, quality=80)
        small.append((path, copy))
    train, test = (sources.load(str(root), split, 40, 48, 3) for split in ("train", "test"))
    assert len(train.x) + len(test.x) == 80
    assert all(before[k] < set(sources.digests(part.x)) for k, part in ((0, train), (1, test)))
    found = division.divide(root, [p for pair in small for p in pair], [0] * 80, {0: root})
    assert (found.is_test[::2] == found.is_test[1::2]).all() and found.is_test.any()
    said = [notice for notice in train.notices if "near-duplicates" in notice]
    assert said == [
        f"{root}: 80 near-duplicates (the same picture, or next to it: cat/000.png, cat/copy_000.jpg) in 40 "
        "groups: each kept together, to train or to test"
    ]
    assert not [notice for notice in test.notices if "near-duplicates" in notice]


def test_a_picture_in_two_classes_is_named(tmp_path):
    root = folders(tmp_path / "d", {"cat": 10, "dog": 10})
    shutil.copy(root / "cat/003.png", root / "dog/x.png")
    train = sources.load(str(root), "train", 40, 48, 3)
    (said,) = train.notices
    assert said.endswith("; 1 of them in more than one class: cat/003.png, dog/x.png")
    kept = sources.digests(train.x).count(sources.digests(np.asarray(photo(3, (48, 40)))[np.newaxis])[0])
    assert kept in (0, 2)


def test_a_class_of_one_picture_is_divided_all_the_same(tmp_path):
    root = folders(tmp_path / "d", {"cat": 10})
    (root / "dog").mkdir()
    for i in range(6):
        photo(77).resize((60 + i, 50)).save(root / f"dog/{i}.png")
    train, test = (sources.load(str(root), split, 16, 16, 3) for split in ("train", "test"))
    assert 1 in train.y and 1 in test.y
    assert f"{root / 'dog'}: all 6 images look like one: divided one by one" in train.notices[-1]


def test_train_and_test_folders_are_as_they_are(tmp_path):
    root = tmp_path / "d"
    for part in ("train", "test"):
        folders(root / part, {"cat": 6, "dog": 6})  # the same ones, if a user wants that
    for part in ("train", "test"):
        found = sources.load(str(root), part, 40, 48, 3)
        assert len(found.x) == 12 and not found.notices and found.keys is None


# What was seen of many pictures


@pytest.fixture
def many(tmp_path, monkeypatch):
    """A folder of which what was seen is kept; and how many files were looked at since."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cache, "MANY", 10)
    seen = []
    monkeypatch.setattr(cache, "look", lambda path: seen.append(path.name) or look(path))
    root = folders(tmp_path / "d", {"a": 12})

    def looks(root=root):
        seen.clear()
        found = cache.looks_of(root, sorted(root.rglob("*.png")))
        return [(one.digest, one.pixels, one.size, one.telling, one.hashes.tolist()) for one in found], [
            *seen
        ]

    looks.root = root
    looks.note = lambda: next((tmp_path / "build/.pictures").iterdir())
    return looks


def test_nothing_is_looked_at_twice_unless_it_has_changed(many):
    first, seen = many()
    assert len(seen) == 12
    assert many() == (first, [])
    photo(99).save(many.root / "a/003.png")
    photo(100).save(many.root / "a/new.png")
    again, seen = many()
    assert seen == ["003.png", "new.png"] and again[:3] == first[:3] and again[3] != first[3]
    assert many() == (again, [])


@pytest.mark.parametrize("damage", ["cut", "text", "version", "shape"])
def test_a_damaged_note_is_made_anew(many, damage):
    first, _ = many()
    note = many.note()
    if damage == "cut":
        note.write_bytes(note.read_bytes()[:-300])
    elif damage == "text":
        note.write_text("no archive")
    else:
        arrays = dict(np.load(note))
        if damage == "version":
            arrays["version"] = np.int64(99)
        else:
            arrays["pixels"] = arrays["pixels"][:3]
        np.savez(note, **arrays)
    again, seen = many()
    assert again == first and len(seen) == 12
    assert many()[1] == []


def test_few_pictures_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources.load(str(folders(tmp_path / "d", {"a": 5, "b": 5})), "train", 16, 16, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["d"]
