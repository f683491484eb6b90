"""Which class an image is of: read right, or refused in one line. Never an accuracy over other classes."""

import re

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.data import classes, sources
from squeezenet_mcu.common.data.classes import Wanted
from squeezenet_mcu.common.data.labels import read_labels
from squeezenet_mcu.common.errors import UserError

ANIMALS = ["cat", "cow", "red fox", "hen", "pig"]


def folders(root, *names):
    """Five images of one colour for each name: colour 10 for the first, 20 for the second."""
    for number, name in enumerate(names, 1):
        (root / name).mkdir(parents=True)
        for i in range(5):
            Image.fromarray(np.full((8, 8), 10 * number, np.uint8)).save(root / name / f"{i}.png")
    return root


def a_list(root, labels, text=None, folder=""):
    """A labels.csv, and the images of it."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    for i in range(len(labels)):
        Image.fromarray(np.full((8, 8), 10 * (i + 1), np.uint8)).save(root / folder / f"{i}.png")
    lines = "".join(f"{i}.png,{label}\n" for i, label in enumerate(labels))
    (root / "labels.csv").write_bytes((text or f"file,label\n{lines}").encode())
    return root


def an_npz(path, labels):
    x, y = np.zeros((len(labels), 8, 8), np.uint8), np.array(labels)
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    return path


def scored(source, classes=5, labels=None):
    return sources.load(str(source), "test", 8, 8, 1, classes=classes, labels=labels)


def trained(source, labels=None):
    return sources.load(str(source), "test", 8, 8, 1, labels=labels)


def refused(load, *arguments, **options):
    with pytest.raises(UserError) as error:
        load(*arguments, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def by_colour(found):
    """The class of each image, in the order of the folders that `folders` was given."""
    return found.y[np.argsort(found.x[:, 0, 0, 0])].tolist()


# Folders


def test_as_many_folders_as_classes_without_names_go_by_their_order_and_it_is_said(tmp_path):
    found = scored(folders(tmp_path, "e", "d", "c", "b", "a"))
    assert by_colour(found) == [4, 3, 2, 1, 0] and found.labels == ["a", "b", "c", "d", "e"]
    assert found.notices == [
        f"{tmp_path}: the model does not name its classes: 0 to 4 are taken for a, b, c, d, e, the folders "
        "in their order"
    ]


@pytest.mark.parametrize("count", [2, 4, 7])
def test_other_counts_of_folders_than_classes(tmp_path, count):
    said = refused(scored, folders(tmp_path, *"abcdefg"[:count]))
    assert said.startswith(f"{tmp_path}: {count} class folders (a, b") and "the model has 5 classes" in said


@pytest.mark.parametrize("names", [None, ANIMALS])
def test_folders_with_the_numbers_of_the_classes(tmp_path, names):
    found = scored(folders(tmp_path, "4", "3", "2", "1", "0"), labels=names)
    assert by_colour(found) == [4, 3, 2, 1, 0] and not found.notices
    assert found.labels == (names or ["0", "1", "2", "3", "4"])


@pytest.mark.parametrize("names", [None, ANIMALS])
def test_folders_counted_from_1(tmp_path, names):
    found = scored(folders(tmp_path, "5", "4", "3", "2", "1"), labels=names)
    assert by_colour(found) == [4, 3, 2, 1, 0]
    assert found.notices == [f"{tmp_path}: the folders 1 to 5 are taken for the classes 0 to 4"]


@pytest.mark.parametrize("names", [None, ANIMALS])
def test_some_numbers_with_0_among_them(tmp_path, names):
    found = scored(folders(tmp_path, "0", "3"), labels=names)
    assert by_colour(found) == [0, 3] and len(found.labels) == 5
    assert found.notices == [
        f"{tmp_path}: images of 2 of the model's 5 classes: the accuracy is of these alone"
    ]


@pytest.mark.parametrize("names", [None, ANIMALS])
@pytest.mark.parametrize(
    "numbers", [("1", "2"), ("0", "5"), ("1", "2", "3", "4"), ("0", "1", "2", "3", "4", "5")]
)
def test_some_numbers_that_may_be_counted_from_1_or_go_beyond(tmp_path, names, numbers):
    said = refused(scored, folders(tmp_path, *numbers), labels=names)
    assert "the model has 5 classes" in said or "want the model's 5 classes (cat, cow, " in said


def test_folders_of_some_of_the_named_classes_are_scored_and_it_is_said(tmp_path):
    found = scored(folders(tmp_path, "pig", "cow"), labels=ANIMALS)
    assert by_colour(found) == [4, 1] and found.labels == ANIMALS
    assert found.notices == [
        f"{tmp_path}: images of 2 of the model's 5 classes: the accuracy is of these alone"
    ]
    assert 'no folder "cat"' in refused(trained, tmp_path, labels=ANIMALS)  # nobody trains on some of them


def test_one_folder_of_a_named_class_is_enough_to_score(tmp_path):
    assert scored(folders(tmp_path, "pig"), labels=ANIMALS).y.tolist() == [4]
    assert "1 class folder; want at least two" in refused(scored, tmp_path)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (("cat", "dog"), '"dog" is not a class; want the model\'s 5 classes (cat, cow, red fox, hen, pig)'),
        (("dog", "ant"), '"ant" is not a class, nor is any other folder; want'),
    ],
)
def test_folders_that_are_no_class(tmp_path, seen, said):
    assert said in refused(scored, folders(tmp_path, *seen), labels=ANIMALS)


@pytest.mark.parametrize("load", [scored, trained])
def test_capitals_spaces_and_underscores_make_no_difference(tmp_path, load):
    found = load(folders(tmp_path, "Cat", "COW", "Red_Fox", "hen", "pig"), labels=ANIMALS)
    assert by_colour(found) == [0, 1, 2, 3, 4]
    (notice,) = found.notices
    assert notice.endswith(
        'not spelled like their classes: "COW" for "cow", "Cat" for "cat", "Red_Fox" for "red fox"'
    )


def test_composition_of_letters_makes_no_difference(tmp_path):
    found = scored(folders(tmp_path, "ku\u0308he", "a"), labels=["a", "k\u00fche"], classes=2)
    assert by_colour(found) == [1, 0] and not found.notices
    assert by_colour(scored(tmp_path, labels=["a", "KU\u0308HE"], classes=2)) == [1, 0]


def test_two_folders_for_one_class(tmp_path):
    said = refused(scored, folders(tmp_path, "red fox", "Red_Fox", "cat"), labels=ANIMALS)
    assert 'is of the class "red fox", too; want one folder a class' in said


def test_one_folder_for_two_classes(tmp_path):
    """ImageNet has two cranes, and many lists of names say no more."""
    root = folders(tmp_path / "named", "crane", "cat")
    names = ["cat", "crane", "hen", "crane"]
    assert "crane: the classes 1, 3 of the model are all called so" in refused(
        scored, root, classes=4, labels=names
    )
    numbers = folders(tmp_path / "numbers", "0", "1", "2", "3")
    assert by_colour(scored(numbers, classes=4, labels=names)) == [0, 1, 2, 3]
    assert by_colour(scored(folders(tmp_path / "some", "cat", "hen"), classes=4, labels=names)) == [0, 2]


def synsets(count):
    return [f"n{1440764 + 17 * i:08}" for i in range(count)]


def test_folders_of_imagenet_go_by_wordnets_numbers(tmp_path):
    names = ["tench, Tinca tinca", *(f"class {i}" for i in range(1, 1000))]
    places = [tmp_path / name for name in synsets(1000)]
    found = classes.of_folders(tmp_path, places, Wanted(names, 1000))
    assert found.folders == list(enumerate(places)) and found.names == names
    assert "WordNet's numbers, in their order, are taken for ImageNet's classes 0 to 999" in found.notices[0]
    for other in (["a", *names[1:]], names[:999]):
        said = refused(classes.of_folders, tmp_path, places, Wanted(other, len(other)))
        assert '"n01440764" is not a class' in said


def test_names_that_are_wordnets_numbers(tmp_path):
    names = synsets(3)
    assert by_colour(scored(folders(tmp_path, *reversed(names)), classes=3, labels=names)) == [2, 1, 0]


# Lists


def test_labels_counted_from_1_in_a_list(tmp_path):
    said = refused(scored, a_list(tmp_path, [1, 2, 3, 4, 5]))
    assert said == (
        f"{tmp_path}/labels.csv:6: label 5; want 0 to 4; the model has 5 classes; these are counted from 1: "
        "take 1 from each, so that they are 0 to 4"
    )
    assert "counted from 1" in refused(scored, tmp_path, labels=ANIMALS)


@pytest.mark.parametrize("names", [None, ANIMALS])
@pytest.mark.parametrize("labels", [[1, 2, 3, 4], [4, 1], [1]])
def test_a_list_without_a_0_may_be_counted_from_1(tmp_path, labels, names):
    """One without the last class, that is: its labels are all below the number of classes."""
    assert refused(scored, a_list(tmp_path, labels), labels=names) == (
        f"{tmp_path}/labels.csv: labels from 1, no image of class 0; if they are counted "
        "from 1, take 1 from each; else add an image of class 0, or name the classes (LABELS=) and sort the "
        "images into folders of these names"
    )


def test_a_list_without_0_and_1_is_scored_and_it_is_said(tmp_path):
    """A few images of ImageNet's 1,000 classes."""
    found = scored(a_list(tmp_path, [4, 2]))
    assert found.y.tolist() == [4, 2]
    assert found.notices == [
        f"{tmp_path}/labels.csv: images of 2 of the model's 5 classes: the accuracy is of these alone",
        f"{tmp_path}/labels.csv: no image of class 0; the labels are taken as counted from 0",
    ]


def test_a_list_without_a_0_where_nothing_is_scored(tmp_path):
    assert trained(a_list(tmp_path, [1, 2])).y.tolist() == [1, 2]
    assert scored(tmp_path, classes=1).y.tolist() == [-1, -1]


def test_labels_beyond_the_model_s(tmp_path):
    said = refused(scored, a_list(tmp_path, [0, 1, 9]))
    assert "labels.csv:4: label 9; want 0 to 4; the model has 5 classes" in said and "counted" not in said


def test_a_list_of_some_classes_is_scored_and_it_is_said(tmp_path):
    found = scored(a_list(tmp_path, [0, 2, 0]))
    assert found.y.tolist() == [0, 2, 0] and found.labels == ["0", "1", "2", "3", "4"]
    assert found.notices[0].endswith("images of 2 of the model's 5 classes: the accuracy is of these alone")


@pytest.mark.parametrize(
    "text",
    [
        "\ufefffile,label\r\n0.png,1\r\n1.png,0\r\n",
        "file,label\r\n\r\n0.png,1\r\n  \r\n,\r\n1.png,0\r\n\r\n",
        'file, label\n"0.png", 1\n 1.png ,0',
    ],
    ids=["windows", "blank lines", "quotes"],
)
def test_what_spreadsheets_write(tmp_path, text):
    assert scored(a_list(tmp_path, [1, 0], text)).y.tolist() == [1, 0]


def test_a_list_in_utf_16(tmp_path):
    a_list(tmp_path, [1, 0]).joinpath("labels.csv").write_text("file,label\n0.png,1\n1.png,0\n", "utf-16")
    assert scored(tmp_path).y.tolist() == [1, 0]


def test_backslashes_of_windows_in_a_list(tmp_path):
    root = a_list(tmp_path, [0, 1], "file,label\nsub\\deep\\0.png,0\nsub\\deep\\1.png,1\n", "sub/deep")
    assert scored(root).x[:, 0, 0, 0].tolist() == [10, 20]
    # On other systems a name may hold one.
    (root / "sub/deep/0.png").rename(root / "odd\\name.png")
    (root / "labels.csv").write_text("file,label\nodd\\name.png,0\n")
    assert scored(root).x[:, 0, 0, 0].tolist() == [10]


def test_a_listed_file_that_is_not_there_is_called_so(tmp_path):
    said = refused(scored, a_list(tmp_path, [0], "file,label\nno\\such.png,0\n"))
    assert "no/such.png (no such file)" in said


# Arrays and data with names of their own


def test_labels_counted_from_1_in_an_npz(tmp_path):
    path = an_npz(tmp_path / "a.npz", [1, 2, 3, 4, 5])
    for names in (None, ANIMALS):
        assert (
            "labels 1 to 5; want 0 to 4 for 5 classes; these are counted from 1: take 1 from each"
            in refused(scored, path, labels=names)
        )
    assert "no images of 1 of 6 classes: 0 (0); want some of each; these are counted from 1" in refused(
        trained, path
    )


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0, 1, 2, 3, 4, 5, 6], "labels 0 to 6; want 0 to 4 for 5 classes"),
        ([0, 1, 2], "no images of 2 of 5 classes: 3 (3), 4 (4); want some of each"),
        ([1, 2, 3, 4], "no images of 1 of 5 classes: 0 (0); want some of each; these are counted from 1"),
        (
            [1, 2, 3],
            "no images of 2 of 5 classes: 0 (0), 4 (4); want some of each; if these are counted from 1, take",
        ),
    ],
)
def test_an_npz_of_other_classes(tmp_path, labels, said):
    assert said in refused(scored, an_npz(tmp_path / "a.npz", labels))


def test_digits_are_no_data_of_others():
    assert refused(scored, "digits").startswith(
        "digits: 10 classes (0, 1, 2, 3, 4, ...); the model has 5 classes"
    )
    assert 'digits: "0" is no class of the model, whose 5 are cat, cow' in refused(
        scored, "digits", labels=ANIMALS
    )
    ten = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    assert '"0" is no class of the model' in refused(scored, "digits", classes=10, labels=ten)


def test_digits_in_another_order_and_in_words():
    own = scored("digits", classes=10)
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "Zero"]
    found = scored("digits", classes=10, labels=words)
    assert found.y.tolist() == ((own.y - 1) % 10).tolist() and found.labels == words


def test_one_output_tells_no_classes_apart(tmp_path):
    found = scored(folders(tmp_path, "a", "b"), classes=1, labels=["a"])
    assert found.y.tolist() == [-1, -1]
    assert found.notices == [
        f"{tmp_path}: the model has one output, which tells no classes apart: no accuracy"
    ]


# Files of names


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"\xef\xbb\xbfcat\r\ndog\r\n", ["cat", "dog"]),
        (b"\n  cat \n\n\tdog\n\n", ["cat", "dog"]),
        ("k\u00fche\n猫\n".encode("utf-16"), ["k\u00fche", "猫"]),
        (b"n01440764\nn01443537\n", ["n01440764", "n01443537"]),
        (b"n01440764 tench, Tinca tinca\nn01443537\tgoldfish\n", ["tench, Tinca tinca", "goldfish"]),
        (b"n01440764: tench\nn01443537,goldfish\n", ["tench", "goldfish"]),
        (b"n02012849 crane\nn03126707 crane\nn1 x\n", ["crane (n02012849)", "crane (n03126707)", "n1 x"]),
        (b"1\n2\n3\n", ["1", "2", "3"]),
        (b"crane\ncat\ncrane\n", ["crane", "cat", "crane"]),
    ],
)  # fmt: skip
def test_names(tmp_path, content, names):
    path = tmp_path / "names.txt"
    path.write_bytes(content)
    assert read_labels(path, len(names)) == names


@pytest.mark.parametrize("content", [b"", b"\r\n \r\n", "k\u00fche\n".encode("cp1252")])
def test_no_names(tmp_path, content):
    path = tmp_path / "names.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=re.escape(f"{path}: n") + ".*want UTF-8 text, one class name a line"):
        read_labels(path)
