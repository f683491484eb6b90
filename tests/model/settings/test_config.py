"""Settings: what a TOML may say, and the one line a mistake gets."""

import subprocess
import sys
from pathlib import Path

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.settings import config

GOOD = """
name = "mine"
[input]
height = 20
width = 24
channels = 3
[architecture]
family = "small"
classes = 3
bypass = "simple"
conv1 = { filters = 8, kernel = 5, stride = 2 }
stages = ["pool", [4, 8, 8], [4, 8, 8]]
[data]
labels = ["a", "b", "c"]
[train]
epochs = 2
[prune]
sparsity = 0.7
layers = { conv1 = 0.1 }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_reads_every_value(tmp_path):
    mine = config.load(write(tmp_path, GOOD))
    assert mine.name == "mine"
    assert mine.input == config.Input(20, 24, 3)
    assert mine.architecture.conv1 == config.Conv1(8, 5, 2)
    assert mine.architecture.stages == ("pool", config.Fire(4, 8, 8), config.Fire(4, 8, 8))
    assert mine.architecture.batch_norm and mine.architecture.relu_logits
    assert mine.data == config.Data("", ("a", "b", "c"), 0.0)
    assert mine.train.epochs == 2
    assert (mine.prune.sparsity, mine.prune.layers) == (0.7, {"conv1": 0.1})


def check_mistake(tmp_path, text, old, new, words):
    """`text` with `new` for `old` is refused in one line that names the file and holds `words`."""
    assert old in text
    path = write(tmp_path, text.replace(old, new, 1))
    with pytest.raises(UserError) as error:
        config.load(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", config.names())
def test_shipped_models_load_under_their_own_name(name):
    assert config.load(name).name == name


def test_shipped_names():
    assert config.names() == [
        *("cifar10", "digits", "gtsrb", "imagenet_v1_0", "imagenet_v1_1"),
        *("photos", "photos_160", "small", "v1_0", "v1_1"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("height = 20", "height = 20\nhight = 20", ["[input] hight = 20", "no such key", "height"]),
        ("height = 20", "", ["[input] height is missing", "from 16 to 227"]),
        ("height = 20", 'height = "20"', ['[input] height = "20"', "whole number from 16 to 227"]),
        ("height = 20", "height = true", ["[input] height = true", "whole number"]),
        ("height = 20", "height = 15", ["[input] height = 15", "from 16 to 227"]),
        ("width = 24", "width = 228", ["[input] width = 228", "from 16 to 227"]),
        ("channels = 3", "channels = 2", ["[input] channels = 2", "1 (gray) or 3 (RGB)"]),
        ('"small"', '"v2"', ['[architecture] family = "v2"', '"v1.0", "v1.1", "small"']),
        ('"small"', '"v1.0"', ["[architecture] conv1 = ", "no such key"]),
        ("classes = 3", "classes = 1", ["[architecture] classes = 1", "from 2 to"]),
        ('bypass = "simple"', 'bypass = "both"', ['bypass = "both"', '"none", "simple", "complex"']),
        ("stride = 2", "stride = 3", ["[architecture.conv1] stride = 3", "from 1 to 2"]),
        ('["pool", ', "[" + '"pool", ' * 59, ["[architecture] stages = ", "at most 60 in all"]),
        ("kernel = 5, ", "", ["[architecture.conv1] kernel is missing"]),
        ('["pool", [4', '["pol", [4', ["[architecture] stages = ['pol'", 'a list of "pool" and [squeeze']),
        ("[4, 8, 8], [4, 8, 8]", "[4, 8]", ["[architecture] stages", "expand3x3"]),
        (", [4, 8, 8], [4, 8, 8]]", "]", ["[architecture] stages = ['pool']", "at least one"]),
        ('"b", "c"', '"b"', ["[data] labels", "3 different names"]),
        ('"b", "c"', '"b", "b"', ["[data] labels", "3 different names"]),
        ('"b", "c"', '"b", "\\u001b[31mc"', ["[data] labels", "3 different names"]),
        ("epochs = 2", "epochs = 0", ["[train] epochs = 0", "from 1 to"]),
        ("epochs = 2", "shift = 11", ["[train] shift = 11", "from 0 to 10"]),
        ("epochs = 2", "init = 1", ["[train] init = 1", "a string"]),
        ("sparsity = 0.7", "sparsity = 1.0", ["[prune] sparsity = 1.0", "from 0 to 0.99"]),
        ("conv1 = 0.1", 'conv1 = "x"', ['[prune.layers] conv1 = "x"', "a number"]),
        ('name = "mine"', 'name = "My Model"', ['name = "My Model"', "lower-case"]),
        ('name = "mine"', 'name = "mine"\ncolour = 1', ["colour = 1", "no such key"]),
        ("[data]", "[dada]", ["dada = ", "no such key"]),
        ("epochs = 2", "epochs = ", ["not a TOML file"]),
    ],
)
def test_mistakes_name_file_key_value_and_wanted(tmp_path, old, new, words):
    check_mistake(tmp_path, GOOD, old, new, words)


def test_classes_of_the_data(tmp_path):
    text = GOOD.replace("classes = 3", 'classes = "data"').replace('labels = ["a", "b", "c"]', "")
    mine = config.load(write(tmp_path, text))
    assert mine.architecture.classes == 0 and mine.data.labels == ()
    known = mine.with_labels(["x", "y"])
    assert known.architecture.classes == 2 and known.data.labels == ("x", "y")
    assert known.kernels["conv10"] == (1, 1, 16, 2)
    assert (known.train, known.input, known.path) == (mine.train, mine.input, mine.path)


def test_classes_of_the_data_have_no_other_names(tmp_path):
    words = ["[data] labels", 'no names beside [architecture] classes = "data"']
    check_mistake(tmp_path, GOOD, "classes = 3", 'classes = "data"', words)


def test_imported_weights_have_a_number_of_classes(tmp_path):
    words = ['[architecture] classes = "data"', "want a whole number from 2 to 10000"]
    check_mistake(tmp_path, IMPORTED, "classes = 10", 'classes = "data"', words)


IMPORTED = """
name = "mine"
[input]
height = 64
width = 64
channels = 3
[architecture]
family = "v1.1"
classes = 10
[weights]
preprocess = "torch"
fit = "crop"
[convert]
weight_bits = { default = 7, conv10 = 8, fire2_squeeze1x1 = 4 }
calibration = 50
"""


def test_imported_weights(tmp_path):
    mine = config.load(write(tmp_path, IMPORTED))
    assert mine.weights == config.Weights("torch", "crop", 0)
    assert mine.convert.calibration == 50
    bits = [mine.convert.bits_of(name) for name in ("conv1", "conv10", "fire2_squeeze1x1")]
    assert bits == [7, 8, 4]
    shipped = config.load("imagenet_v1_0")
    assert shipped.weights == config.Weights("caffe", "resize", 1)
    assert (shipped.convert.weight_bits, shipped.convert.layers, shipped.convert.calibration) == (7, {}, 100)
    assert config.load("v1_0").weights is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"torch"', '"keras"', ['[weights] preprocess = "keras"', '"byte", "caffe", "tf", "torch", "unit"']),
        ('preprocess = "torch"', "", ["[weights] preprocess is missing"]),
        ('"crop"', '"stretch"', ['[weights] fit = "stretch"', '"resize", "crop"']),
        ("channels = 3", "channels = 1", ['[weights] preprocess = "torch"; want "byte"']),
        ('fit = "crop"', "conv10_padding = 2", ["[weights] conv10_padding = 2", "from 0 to 1"]),
        ('fit = "crop"', "mean = 1", ["[weights] mean = 1", "no such key"]),
        ("{ default = 7, conv10 = 8, fire2_squeeze1x1 = 4 }", "9", ["[convert] weight_bits = 9", "4 to 8"]),
        ("{ default = 7, conv10 = 8, fire2_squeeze1x1 = 4 }", "3", ["[convert] weight_bits = 3", "4 to 8"]),
        ("conv10 = 8", "conv10 = 9", ["[convert.weight_bits] conv10 = 9", "from 4 to 8"]),
        ("conv10 = 8", "conv11 = 8", ["[convert.weight_bits] conv11 = 8", "a layer of the network: conv1, "]),
        ("default = 7", "default = true", ["[convert.weight_bits] default = true", "from 4 to 8"]),
        ("calibration = 50", "calibration = 0", ["[convert] calibration = 0", "from 1 to"]),
        ("calibration = 50", "images = 50", ["[convert] images = 50", "no such key"]),
        (
            '[weights]\npreprocess = "torch"\nfit = "crop"',
            "",
            ["[convert] weight_bits = ", "beside a table [weights]"],
        ),
        ("[weights]", "[[weights]]", ["weights = ", "a table [weights]"]),
    ],
)
def test_mistakes_of_imported_weights(tmp_path, old, new, words):
    check_mistake(tmp_path, IMPORTED, old, new, words)


def test_compression(tmp_path):
    text = """
[distill]
teacher = "float"
[prune]
pattern = "2:4"
layers = { conv1 = 0 }
channels = 0.25
[cluster]
clusters = 16
layers = { conv1 = 64 }
[convert]
flash_bytes = 4096
"""
    mine = config.load(write(tmp_path, GOOD.partition("[prune]")[0] + text))
    assert mine.distill == config.Distill("float", 0.7, 4.0)
    assert mine.prune.block == (2, 4) and mine.prune.sparsity == 0.5 and mine.prune.channels == 0.25
    assert mine.cluster.clusters == 16 and mine.cluster.layers == {"conv1": 64}
    assert mine.convert.flash_bytes == {"portable": 4096, "v6m": 4096, "dsp": 4096, "mve": 4096}
    text = text.replace("4096", "{ dsp = 4096 }")
    mine = config.load(write(tmp_path, GOOD.partition("[prune]")[0] + text))
    assert mine.convert.flash_bytes == {"dsp": 4096}
    text = text.replace("4096", '"4K", mve = 0')
    mine = config.load(write(tmp_path, GOOD.partition("[prune]")[0] + text))
    assert mine.convert.flash_bytes == {"dsp": 4096}
    assert config.load("digits").distill is None and config.load("digits").cluster.clusters == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[distill]\nweight = 0.5", ["[distill] teacher is missing", "name of a model"]),
        ('[distill]\nteacher = "float"\ntemperature = 0.5', ["[distill] temperature = 0.5", "from 1 to 100"]),
        (
            '[distill]\nteacher = "float"\nmirror = true',
            ["[distill] mirror = true", "false where [train] flip is"],
        ),
        ('[prune]\npattern = "4:2"', ['[prune] pattern = "4:2"', '"m:n" with 1 <= m < n <= 16']),
        ('[prune]\npattern = "2:4"\nsparsity = 0.5', ["[prune] sparsity = 0.5", "says how many zeros"]),
        ('[prune]\npattern = "2:4"\nspread = "sensitivity"', ["[prune] pattern", '"free" where spread']),
        ('[prune]\nspread = "random"', ['[prune] spread = "random"', '"even", "lamp", "sensitivity"']),
        ("[prune]\nchannels = 0.95", ["[prune] channels = 0.95", "from 0 to 0.9"]),
        (
            "[prune]\nlayers = { conv2 = 0.5 }",
            ["[prune.layers] conv2 = 0.5", "a layer of the network: conv1"],
        ),
        ("[cluster]\nclusters = 8\nlayers = { conv2 = 8 }", ["[cluster.layers] conv2 = 8", "a layer of the"]),
        ("[cluster]\nclusters = 4", ["[cluster] clusters = 4", "from 8 to 256"]),
        ("[cluster]\nlayers = { conv1 = 8 }", ["[cluster] layers", "beside clusters = 8 to 256"]),
        (
            "[convert]\nflash_bytes = -1",
            ["[convert] flash_bytes = -1", "or a table of them by kernels: portable"],
        ),
        (
            "[convert]\nflash_bytes = { m55 = 9 }",
            ["[convert.flash_bytes] m55 = 9", "known here: portable, v6m, dsp"],
        ),
        ("[convert]\ncalibration = 5", ["[convert] calibration = 5", "beside a table [weights] only"]),
        ("[data]\nreserve = 0.6", ["[data] reserve = 0.6", "from 0 to 0.5"]),
    ],
)
def test_mistakes_of_compression(tmp_path, text, words):
    bare = GOOD.partition("[data]")[0]
    with pytest.raises(UserError) as error:
        config.load(write(tmp_path, bare + text))
    assert all(word in str(error.value) for word in words), error.value


def test_published_networks_keep_their_channels(tmp_path):
    text = '[input]\nheight=64\nwidth=64\nchannels=3\n[architecture]\nfamily="v1.1"\nclasses=10\n'
    text += "[prune]\nchannels=0.5\n"
    with pytest.raises(
        UserError, match=r"\[prune\] channels = 0.5; want 0: only networks of the small family"
    ):
        config.load(write(tmp_path, 'name="mine"\n' + text))


def test_small_networks_are_not_imported(tmp_path):
    with pytest.raises(UserError, match="no such table for the small family"):
        config.load(write(tmp_path, GOOD + '[weights]\npreprocess = "byte"\n'))


def test_published_networks_are_square(tmp_path):
    text = '[input]\nheight=64\nwidth=63\nchannels=3\n[architecture]\nfamily="v1.1"\nclasses=10\n'
    with pytest.raises(UserError, match="width = 63; want 64"):
        config.load(write(tmp_path, 'name="mine"\n' + text))


def test_unknown_name_lists_the_known():
    with pytest.raises(UserError, match='"nosuch" is unknown; want one of cifar10, digits, gtsrb'):
        config.load("nosuch")


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        config.load(tmp_path / "none.toml")


def test_needs_neither_tensorflow_nor_numpy():
    code = (
        "import sys, squeezenet_mcu.model.settings.config as c; c.load('digits'); "
        "print({'numpy', 'tensorflow'} & {*sys.modules})"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_a_mistake_is_one_line_and_status_1_on_the_command_line(tmp_path):
    path = write(tmp_path, GOOD.replace("height = 20", "height = 5"))
    done = subprocess.run(
        [sys.executable, "-m", "model", "train", "--model", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"python -m model train: error: {path}: [input] height = 5; want a whole number from 16 to 227"
    ]


@pytest.mark.parametrize("model", ["../../etc", "a/b", "..", "."])
def test_a_path_is_no_name(model):
    """It would have files be read, and written, elsewhere than in build/."""
    with pytest.raises(UserError, match="names no folder; want letters"):
        config.name_of(model)
