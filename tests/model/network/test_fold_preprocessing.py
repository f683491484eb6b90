"""Preprocessing folded into conv1: the same network, for plain RGB pixels."""

import dataclasses

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.preprocess import PREPROCESSES
from squeezenet_mcu.model.importers import imported_model, load
from squeezenet_mcu.model.network import keras_files
from squeezenet_mcu.model.network.fold_preprocessing import fold
from squeezenet_mcu.model.network.squeezenet import build
from squeezenet_mcu.model.settings import config
from tests.convert.shared_files import data_file
from tests.model.importers import imagenet_files
from tests.model.importers.weight_files import npz, random_weights


def test_config_knows_the_preprocesses():
    assert set(config.PREPROCESSES) == set(PREPROCESSES)


def preprocessed(x: np.ndarray, name: str) -> np.ndarray:
    """What the weights' own framework feeds them: written out, not from the table that fold reads."""
    if name == "caffe":
        return x[..., ::-1] - np.float32([104, 117, 123])
    if name == "torch":
        return (x / np.float32(255) - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    if name == "tf":
        return x / np.float32(127.5) - np.float32(1)
    if name == "unit":
        return x / np.float32(255)
    return x


def without_dropout(model, x):
    return model(x.astype(np.float32), training=False).numpy()


@pytest.mark.parametrize("name", config.PREPROCESSES)
@pytest.mark.parametrize("model", ["imagenet_v1_0", "imagenet_v1_1"])
def test_folded_equals_unfolded(tmp_path, model, name):
    """On random weights: every activation of conv1, and the logits."""
    loaded = config.load(model)
    settings = dataclasses.replace(
        loaded,
        input=config.Input(67, 67, 3),
        architecture=dataclasses.replace(loaded.architecture, classes=11),
        weights=dataclasses.replace(loaded.weights, preprocess=name),
    )
    weights = random_weights(settings.kernels)
    folded = imported_model.imported(settings, npz(tmp_path / "a.npz", weights))
    plain = build(settings)
    for layer, pair in weights.items():
        plain.get_layer(layer).set_weights(pair)
    assert plain.get_layer("conv1").padding == "valid"  # or the fold would be wrong at the border
    x = np.random.default_rng(1).integers(0, 256, (3, 67, 67, 3)).astype(np.float32)
    for layer in ("conv1", "pool10"):
        one, other = (
            without_dropout(type(plain)(m.input, m.get_layer(layer).output), pixels)
            for m, pixels in ((folded, x), (plain, preprocessed(x, name)))
        )
        # Not bit by bit: w * (p - mean) and w * p - w * mean round differently in float32, by some 2^-24 of
        # their terms, which are up to 255 |w|.
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * np.abs(other).max())


@pytest.mark.parametrize("model", ["imagenet_v1_0", "imagenet_v1_1"])
def test_whole_networks_on_pictures(tmp_path, model):
    """1000 classes at the usual size, by weights that spread as trained ones do, from a file."""
    from squeezenet_mcu.common.data import sources

    settings = config.load(model)
    size = settings.input.height
    pictures = imagenet_files.pictures(tmp_path / "pictures", 4)
    found = sources.load(str(pictures), "test", size, size, 3, fit=settings.weights.fit)
    x = found.x.astype(np.float32)
    path = imagenet_files.weights_file(model, tmp_path)
    folded, plain = imported_model.imported(settings, path), build(settings)
    for layer, pair in load(path, settings.kernels).items():
        plain.get_layer(layer).set_weights(pair)
    one = without_dropout(folded, x)
    other = without_dropout(plain, preprocessed(x, settings.weights.preprocess))
    # Probabilities: float32's rounding of pixels up to 255 at conv1, carried through 18 layers.
    assert one.max() > 0.01  # of 1000 classes: the answer says something
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(one.argmax(axis=1), other.argmax(axis=1))


def test_fold_of_one_weight_by_hand():
    kernel = np.zeros((1, 1, 3, 1), np.float32)
    kernel[0, 0, 0] = 2  # of blue, in Caffe's order
    folded, bias = fold(kernel, np.float32([1]), "caffe")
    assert folded[0, 0, :, 0].tolist() == [0, 0, 2] and bias.tolist() == [1 - 2 * 104]


def test_the_file_is_the_same_each_time_and_knows_its_settings(tmp_path):
    loaded = config.load("imagenet_v1_1")
    settings = dataclasses.replace(
        loaded,
        input=config.Input(31, 31, 3),
        architecture=dataclasses.replace(loaded.architecture, classes=3),
    )
    weights = npz(tmp_path / "a.npz", random_weights(settings.kernels, density=0.5))
    folders = [tmp_path / "one", tmp_path / "two"]
    made = [imported_model.write(settings, weights, folder) for folder in folders]
    assert made[0] == made[1] == imported_model.read(settings, folders[0])
    assert made[0]["parameters"] == made[0]["weights"] + sum(s[3] for s in settings.kernels.values())
    assert 0.49 < made[0]["zeros"] / made[0]["weights"] < 0.51
    model = keras_files.load(folders[0] / imported_model.OUTPUT)
    assert model.input_shape == (None, 31, 31, 3) and model.output_shape == (None, 3)

    other = dataclasses.replace(settings, weights=dataclasses.replace(settings.weights, preprocess="caffe"))
    with pytest.raises(UserError, match="imported with other settings"):
        imported_model.read(other, folders[0])
    (folders[0] / imported_model.OUTPUT).write_bytes(b"x")
    with pytest.raises(UserError, match="changed since the import"):
        imported_model.read(settings, folders[0])
    (folders[0] / imported_model.RECORD).write_text("{}")
    with pytest.raises(UserError, match=r"import.json: the whole: \w+ is missing; give the weights again"):
        imported_model.read(settings, folders[0])
    with pytest.raises(UserError, match=r"imported\.keras: missing; give the weights"):
        imported_model.read(settings, tmp_path)


def test_networks_that_are_trained_here_import_nothing(tmp_path):
    with pytest.raises(UserError, match=r"digits\.toml: no table \[weights\]"):
        imported_model.imported(config.load("digits"), tmp_path / "a.npz")
    with pytest.raises(UserError, match=r"photos starts from imagenet_v1_1: want --model imagenet_v1_1$"):
        imported_model.imported(config.load("photos"), tmp_path / "a.npz")


@pytest.mark.long
@pytest.mark.parametrize(
    ("model", "file", "top1", "top5"),
    [
        ("imagenet_v1_0", "compressed_SqueezeNet.net", 71.54, 90.85),
        ("imagenet_v1_0", "squeezenet_v1_0_caffe.npz", 71.85, 91.31),
        ("imagenet_v1_1", "squeezenet_v1_1_torchvision.npz", 68.23, 89.23),
        ("imagenet_v1_1", "squeezenet_v1_1_gluon.npz", 69.85, 90.23),
    ],
)
def test_accuracy_is_what_others_measured(model, file, top1, top5):
    from squeezenet_mcu.common.data import sources
    from squeezenet_mcu.common.statistics import top_k

    settings = config.load(model)
    size = settings.input.height
    images = sources.load(
        str(data_file("imagenet_val_1300")), "test", size, size, 3, fit=settings.weights.fit
    )
    network = imported_model.imported(settings, data_file(f"weights/{file}"))
    outputs = np.concatenate([without_dropout(network, part) for part in np.array_split(images.x, 26)])
    assert round(100 * top_k(outputs, images.y, 1), 2) == top1
    assert round(100 * top_k(outputs, images.y, 5), 2) == top5
