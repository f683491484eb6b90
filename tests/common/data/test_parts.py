"""Folders of training and of test images, however they are written, are no classes."""

import pytest

from tests.common.data.test_classes import by_colour, folders, refused, scored, trained


def parts(root, *names):
    """Each of `names` with the classes a and b; every folder of another colour."""
    return folders(root, *(f"{name}/{of}" for name in names for of in "ab"))


@pytest.mark.parametrize("names", [("Train", "Test"), ("TRAIN", "test"), ("train", "TEST", "val")])
@pytest.mark.parametrize("load", [trained, lambda root: scored(root, classes=2)])
def test_train_and_test_in_capitals(tmp_path, names, load):
    found = load(parts(tmp_path, *names))
    assert found.labels == ["a", "b"] and set(found.x.flat) == {30, 40}
    assert found.y.tolist() == [0] * 5 + [1] * 5  # whole: nothing is split


@pytest.mark.parametrize(
    "names",
    [
        ("training", "validation"),
        ("Training", "Testing"),
        ("train", "val"),
        ("Train", "Valid"),
        ("dev", "eval", "testing"),
    ],
)
@pytest.mark.parametrize("load", [trained, lambda root: scored(root, classes=len(list(root.iterdir())))])
def test_other_words_for_them_are_no_classes(tmp_path, names, load):
    root = parts(tmp_path, *names)
    assert refused(load, root) == (
        f"{root}: {', '.join(sorted(names))} are parts of the data, not classes; call the folders train and "
        "test"
    )


def test_both_spellings_at_once(tmp_path):
    root = parts(tmp_path, "train", "Train", "test")
    assert len(list(root.iterdir())) == 3, "a file system that tells capitals apart"
    assert refused(trained, root) == f"{root}: train and Train; want one folder train"


@pytest.mark.parametrize("names", [("Train", "car"), ("val", "cat"), ("valid", "invalid")])
def test_classes_that_are_called_so(tmp_path, names):
    """A train is a vehicle; only where all folders are called like parts are they taken for some."""
    assert sorted(by_colour(scored(folders(tmp_path, *names), classes=2))) == [0, 1]


def test_a_network_whose_classes_are_called_so(tmp_path):
    found = scored(folders(tmp_path, "valid", "eval"), classes=2, labels=["valid", "eval"])
    assert by_colour(found) == [0, 1] and not found.notices
