"""Class folders called by numbers: 10 stands before 2 where they are sorted as text."""

import pytest

from tests.common.data.test_classes import by_colour, folders, scored, trained

TEXT = sorted(map(str, range(12)))  # 0, 1, 10, 11, 2: the order of Keras and torchvision
SORTED_OTHERWISE = (
    "the folders are taken in the order of their numbers; Keras and torchvision sort them as text ({}): if "
    "the network was trained so, convert it with LABELS= (--labels), the folders' "
    "names one a line in that order"
)


def said(root, order):
    return f"{root}: {SORTED_OTHERWISE.format(order)}"


@pytest.mark.parametrize("names", [None, [f"class {i}" for i in range(12)]])
def test_numbers_that_text_sorts_otherwise(tmp_path, names):
    found = scored(folders(tmp_path, *map(str, range(12))), classes=12, labels=names)
    assert by_colour(found) == list(range(12))
    assert found.notices == [said(tmp_path, "0, 1, 10, 11, 2, ...")]


def test_numbers_from_1_that_text_sorts_otherwise(tmp_path):
    found = scored(folders(tmp_path, *map(str, range(1, 13))), classes=12)
    assert by_colour(found) == list(range(12))
    assert found.notices == [
        f"{tmp_path}: the folders 1 to 12 are taken for the classes 0 to 11",
        said(tmp_path, "1, 10, 11, 12, 2, ..."),
    ]


def test_some_of_the_numbers_count_the_others_too(tmp_path):
    """By text, the class of the folder 2 of 12 is 4."""
    found = scored(folders(tmp_path, "0", "2"), classes=12)
    assert by_colour(found) == [0, 2] and found.notices[0] == said(tmp_path, "0, 1, 10, 11, 2, ...")


def test_numbers_with_gaps_go_by_their_order_and_it_is_said(tmp_path):
    found = scored(folders(tmp_path, "0", "2", "10"), classes=3)
    assert by_colour(found) == [0, 1, 2] and found.notices[1] == said(tmp_path, "0, 10, 2")


@pytest.mark.parametrize(
    ("shown", "count"), [([f"{i:02}" for i in range(12)], 12), (["00", "03"], 12), (["0", "9"], 10)]
)
def test_numbers_that_text_sorts_the_same(tmp_path, shown, count):
    found = scored(folders(tmp_path, *shown), classes=count)
    assert by_colour(found) == [int(name) for name in shown]
    assert not [notice for notice in found.notices if "torchvision" in notice]


@pytest.mark.parametrize("first", [0, 1])
def test_names_in_the_order_of_text_say_how_it_was_trained(tmp_path, first):
    numbers = range(first, first + 12)
    names = sorted(map(str, numbers))
    found = scored(folders(tmp_path, *map(str, numbers)), classes=12, labels=names)
    assert by_colour(found) == [names.index(str(number)) for number in numbers]
    assert found.labels == names and not found.notices


@pytest.mark.parametrize("names", [None, [f"class {i}" for i in range(12)]])
def test_nothing_is_said_of_images_to_train_on(tmp_path, names):
    found = trained(folders(tmp_path, *TEXT), names)
    assert found.labels == (names or [str(i) for i in range(12)]) and not found.notices
