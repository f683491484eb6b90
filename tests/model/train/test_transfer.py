"""Transfer: which layers of another network are taken, and that they do there what they did here."""

import dataclasses

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.compress import qat
from squeezenet_mcu.model.importers import imported_model
from squeezenet_mcu.model.network import keras_files
from squeezenet_mcu.model.network.squeezenet import build
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train.chain import described
from squeezenet_mcu.model.train.transfer import folded, initial, layers_of, take
from tests.model.importers.weight_files import npz, random_weights

TOML = """
name = "mine"
[input]
height = 16
width = 16
channels = 3
[architecture]
family = "small"
classes = {classes}
conv1 = {{ filters = 8, kernel = 3, stride = 2 }}
stages = [[4, 8, 8], "pool", [4, 8, 8]]
batch_norm = {norm}
"""
LAYERS = 8


def network(tmp_path, classes=4, norm=True, seed=0):
    path = tmp_path / "mine.toml"
    path.write_text(TOML.format(classes=classes, norm=str(norm).lower()))
    model = build(config.load(path))
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        vector = len(variable.shape) == 1  # variances are such: positive
        values = rng.normal(0.5 if vector else 0, 0.2, variable.shape)
        variable.assign(np.abs(values) if vector else values)
    return model


def saved(tmp_path, model, name="source.keras"):
    keras_files.save(model, tmp_path / name)
    return tmp_path / name


def images(size=16):
    return np.random.default_rng(5).random((4, size, size, 3), np.float32)


def test_a_copy_answers_as_its_source(tmp_path):
    source, target = network(tmp_path, seed=1), network(tmp_path, seed=2)
    assert not np.allclose(source(images()), target(images()))
    taken = take(target, saved(tmp_path, source))
    assert len(taken["layers"]) == LAYERS and not taken["left"]
    np.testing.assert_array_equal(source(images()), target(images()))


@pytest.mark.filterwarnings("ignore:.*HDF5")
def test_an_h5_gives_its_layers(tmp_path):
    """--init takes Keras's older format too, and Keras 3's files by the same way."""
    source = network(tmp_path)
    source.save(tmp_path / "old.h5")
    path = initial(config.load("small"), str(tmp_path / "old.h5"), tmp_path)
    target = network(tmp_path, seed=1)
    assert len(take(target, path)["layers"]) == LAYERS
    np.testing.assert_allclose(target(images()).numpy(), source(images()).numpy(), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.h5", "none.h5: no such file; want a .keras or .h5 file"),
        ("net.pth", '--init "net.pth" is PyTorch.*want a .keras or .h5 file.*docs/from-elsewhere.md'),
    ],
)
def test_a_file_to_start_from_that_is_none(name, said, tmp_path):
    with pytest.raises(UserError, match=said):
        initial(config.load("small"), name, tmp_path)


def test_what_training_starts_from(tmp_path):
    """--init goes before the TOML's [train] init; none is random weights."""
    photos, small = config.load("photos"), config.load("small")
    imported = tmp_path / "imagenet_v1_1" / imported_model.OUTPUT
    imported.parent.mkdir()
    imported.touch()
    (tmp_path / "own.keras").touch()
    assert initial(small, None, tmp_path) is None
    assert initial(photos, None, tmp_path) == imported
    assert initial(photos, str(tmp_path / "own.keras"), tmp_path) == tmp_path / "own.keras"
    assert initial(photos, "none", tmp_path) is None


def test_published_weights_that_are_not_there(tmp_path):
    place = "build/weights/squeezenet1_1-b8a52dc0.pth"
    with pytest.raises(UserError) as error:
        initial(config.load("photos"), None, tmp_path)
    assert str(error.value) == (
        f'{config.load("photos").path}: [train] init = "imagenet_v1_1": '
        f"{tmp_path}/imagenet_v1_1/imported.keras: no such file; run first: python -m model weights --model "
        f"imagenet_v1_1; without a network, put squeezenet1_1-b8a52dc0.pth at {place} before; --init none, "
        "to start from random weights"
    )


def test_weights_of_another_architecture_say_what_they_fit(tmp_path):
    """Before any image is read, and whether the weights are there or not."""
    with pytest.raises(UserError) as error:
        initial(config.load("small"), "imagenet_v1_1", tmp_path)
    assert str(error.value) == (
        "--init imagenet_v1_1: no layer fits small; these weights fit --model photos, --model photos_160"
    )


def test_what_training_starts_from_is_no_setting_of_a_stage():
    """The weights count by their SHA-256; records made before there was such a key stay up to date."""
    assert "init" not in described(config.load("photos"), "train")["train"]


def test_conv10_of_other_classes_starts_afresh(tmp_path, capsys):
    source, target = network(tmp_path, seed=1), network(tmp_path, classes=7, seed=2)
    before = target.get_layer("conv10").get_weights()
    taken = take(target, saved(tmp_path, source))
    assert taken["left"] == {"conv10": "1x1x16x4 there, 1x1x16x7 here"}
    assert len(taken["layers"]) == LAYERS - 1
    kernel, bias = target.get_layer("conv10").get_weights()
    assert np.any(before[0]) and not np.any(kernel)  # all classes alike, until it has learnt
    np.testing.assert_array_equal(before[1], bias)
    np.testing.assert_array_equal(
        source.get_layer("fire3_expand3x3").kernel, target.get_layer("fire3_expand3x3").kernel
    )
    said = capsys.readouterr().out
    assert "7 of 8 layers, 952 of 1,064 weights; afresh: conv10 (1x1x16x4 there, 1x1x16x7 here)\n" in said


def test_a_notice_where_more_than_the_classes_starts_afresh(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text(
        TOML.format(classes=4, norm="true").replace("kernel = 3", "kernel = 5")
    )
    source = build(config.load(tmp_path / "mine.toml"))
    take(network(tmp_path), saved(tmp_path, source))
    assert "afresh: conv1 (5x5x3x8 there, 3x3x3x8 here); want a network with" in capsys.readouterr().out


def test_quantized_models_give_their_kernels(tmp_path):
    source, target = network(tmp_path, seed=1), network(tmp_path, seed=2)
    aware = qat.quantization_aware(source, (images() * 255).astype(np.uint8))
    kernels = {name: kernel.numpy() for name, kernel in qat.kernels_of(aware).items()}
    kernels["conv1"] = kernels["conv1"] * 2  # as if trained further
    qat.kernels_of(aware)["conv1"].assign(kernels["conv1"])
    taken = take(target, saved(tmp_path, aware, "quantized.keras"))
    assert len(taken["layers"]) == LAYERS
    for name, kernel in kernels.items():
        np.testing.assert_array_equal(target.get_layer(name).kernel, kernel)
    for part in ("gamma", "beta", "moving_mean", "moving_variance"):
        bn = "fire2_expand1x1_bn"
        np.testing.assert_array_equal(
            getattr(target.get_layer(bn), part), getattr(source.get_layer(bn), part), err_msg=part
        )


def test_batch_norm_goes_into_a_network_without(tmp_path):
    source, target = network(tmp_path, seed=1), network(tmp_path, norm=False, seed=2)
    take(target, saved(tmp_path, source))
    np.testing.assert_allclose(source(images()), target(images()), rtol=2e-3, atol=1e-5)


def test_kernels_go_into_a_network_with_batch_norm(tmp_path):
    source, target = network(tmp_path, norm=False, seed=1), network(tmp_path, seed=2)
    norm = target.get_layer("conv1_bn").get_weights()
    assert len(take(target, saved(tmp_path, source))["layers"]) == LAYERS
    np.testing.assert_array_equal(source.get_layer("conv1").kernel, target.get_layer("conv1").kernel)
    for was, now in zip(norm, target.get_layer("conv1_bn").get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_nothing_fits(tmp_path):
    x = keras.Input((16, 16, 3))
    other = keras.Model(x, keras.layers.Conv2D(8, 5, name="conv1")(x))
    fits = r"no layer fits: conv1 \(5x5x3x8 there, 3x3x3x8 here\), fire2.*; want a network with layers of"
    with pytest.raises(UserError, match=fits):
        take(network(tmp_path), saved(tmp_path, other))


IMPORTED = """
name = "theirs"
[input]
height = 64
width = 64
channels = 3
[architecture]
family = "v1.1"
classes = 20
[weights]
preprocess = "torch"
"""
OURS = """
name = "ours"
[input]
height = {side}
width = {side}
channels = 3
[architecture]
family = "v1.1"
classes = "data"
"""


def test_imported_weights_at_another_size_and_other_classes(tmp_path):
    (tmp_path / "theirs.toml").write_text(IMPORTED)
    theirs = config.load(tmp_path / "theirs.toml")
    imported_model.write(theirs, npz(tmp_path / "weights.npz", random_weights(theirs.kernels)), tmp_path)
    source = tmp_path / "imported.keras"
    theirs_model = keras_files.load(source)
    for side in (64, 96):
        (tmp_path / "ours.toml").write_text(OURS.format(side=side))
        ours = build(config.load(tmp_path / "ours.toml").with_labels(["a", "b", "c"]))
        taken = take(ours, source)
        assert set(taken["layers"]) == {*theirs.kernels} - {"conv10"} and list(taken["left"]) == ["conv10"]
        if side == 64:  # what conv10 sees of the same image: pixels 0 to 255 there, 0 to 1 here
            seen = [
                keras.Model(model.input, model.get_layer("fire9_concat").output)(x).numpy()
                for model, x in ((theirs_model, images(64) * 255), (ours, images(64)))
            ]
            assert seen[0].max() > 0
            np.testing.assert_allclose(seen[0], seen[1], rtol=1e-3, atol=1e-3 * seen[0].max())


def test_folded_is_what_conversion_makes_of_it(tmp_path):
    layer = layers_of(network(tmp_path))["conv1"]
    bare = dataclasses.replace(layer, norm=None, bias=np.ones(8, np.float32))
    kernel, bias = folded(bare)
    np.testing.assert_array_equal(kernel, bare.kernel)
    np.testing.assert_array_equal(bias, np.ones(8))
