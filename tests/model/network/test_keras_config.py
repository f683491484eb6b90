"""Hostile .keras files: one line that names the layer, and none of their code runs."""

import copy
import json
import zipfile

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.network import keras_config, keras_files


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Members of the file of a small model, as Keras writes it."""
    path = tmp_path_factory.mktemp("sound") / "model.keras"
    x = keras.layers.Input((8, 8, 3))
    y = keras.layers.Conv2D(4, 3, activation="relu", name="conv1")(x)
    y = keras.layers.BatchNormalization(name="conv1_bn")(y)
    y = keras.layers.Softmax()(keras.layers.Dense(2, name="head")(keras.layers.GlobalAveragePooling2D()(y)))
    keras.Model(x, y).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, members, config=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            changed = config is not None and name == "config.json"
            archive.writestr(name, json.dumps(config) if changed else data)
    return path


def layer_of(config, name):
    return next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)


def refused(path):
    with pytest.raises(UserError) as error:
        keras_files.load(path)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value)


def test_what_keras_writes_is_loaded(sound, tmp_path):
    model = keras_files.load(packed(tmp_path / "a.keras", sound))
    assert [layer.name for layer in model.layers][1:3] == ["conv1", "conv1_bn"]


def system(config):
    layer_of(config, "conv1").update({"module": "os", "class_name": "system", "config": "touch ran"})


def foreign_module(config):
    layer_of(config, "conv1")["module"] = "ran_on_import"


def lambda_layer(config):
    code = {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}
    layer_of(config, "conv1").update(class_name="Lambda", config={"name": "conv1", "function": code})


def op_layer(config):
    layer_of(config, "conv1").update(
        class_name="TFOpLambda", config={"name": "conv1", "function": "io.write_file"}
    )


def foreign_initializer(config):
    layer_of(config, "conv1")["config"]["kernel_initializer"] = {
        "module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function",
    }  # fmt: skip


def foreign_activation(config):
    layer_of(config, "conv1")["config"]["activation"] = "os>system"


def a_nested_model(config):
    inner = copy.deepcopy(config)
    system(inner)
    layer_of(config, "head").update(inner)


CODE = [
    system, foreign_module, lambda_layer, op_layer, foreign_initializer, foreign_activation, a_nested_model,
]  # fmt: skip


@pytest.mark.parametrize("change", CODE)
def test_code_in_a_layer_is_refused_and_does_not_run(change, sound, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "ran_on_import.py").write_text("open('ran', 'w').close()\n")
    config = json.loads(sound["config.json"])
    change(config)
    said = refused(packed(tmp_path / "evil.keras", sound, config))
    assert 'layer "conv1"' in said or 'layer "the model"' in said
    assert not (tmp_path / "ran").exists()


def test_an_hdf5_file_is_refused_and_its_lambda_does_not_run(tmp_path):
    """Keras reads one whatever its name, and runs the Lambda in it."""
    x = keras.layers.Input((2,))
    model = keras.Model(x, keras.layers.Lambda(lambda v: v + 1)(x))
    model.save(tmp_path / "old.h5", save_format="h5")
    path = (tmp_path / "old.h5").rename(tmp_path / "old.keras")
    assert "not a .keras file" in refused(path)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"assets/x": b"y"}, r'holds "assets/x"; want config.json, metadata.json, model.weights.h5 alone'),
        ({"../../x": b"y"}, 'holds "../../x"'),
        ({"config.json": b"[" * 100_000}, "not a .keras file"),
        ({"config.json": b"{"}, "not a .keras file"),
        ({"config.json": b"[]"}, "config.json is no table; want Keras's table"),
        (
            {"config.json": b" " * (17 << 20)},
            "config.json unpacks to 17,825,792 bytes; want at most 4,194,304",
        ),
        ({"config.json": b"\xff\xfe"}, "not a .keras file"),
        (
            {"metadata.json": b" " * (1 << 20)},
            "metadata.json unpacks to 1,048,576 bytes; want at most 65,536",
        ),
    ],
)
def test_other_members(members, said, sound, tmp_path):
    assert said in refused(packed(tmp_path / "a.keras", sound | members))


@pytest.mark.parametrize("lost", sorted(keras_config.MEMBERS))
def test_a_member_that_is_missing(lost, sound, tmp_path):
    rest = {name: data for name, data in sound.items() if name != lost}
    assert f"lacks {lost}" in refused(packed(tmp_path / "a.keras", rest))


def test_numbers_and_weights_are_bounded_before_memory_is_taken(sound, tmp_path):
    config = json.loads(sound["config.json"])
    layer_of(config, "conv1")["config"]["filters"] = 10**9
    assert 'layer "conv1": "filters" "1000000000"; want at most 65,536' in refused(
        packed(tmp_path / "a.keras", sound, config)
    )
    layer_of(config, "conv1")["config"]["filters"] = 60_000
    layer_of(config, "head")["config"]["units"] = 60_000
    said = refused(packed(tmp_path / "b.keras", sound, config))
    assert "over 30,000,000 weights" in said


def test_control_characters_do_not_reach_the_message(sound, tmp_path):
    config = json.loads(sound["config.json"])
    layer_of(config, "conv1").update(name="\x1b[31mred\n", class_name="\x1b]0;title\x07")
    assert "\x1b" not in refused(packed(tmp_path / "a.keras", sound, config))


def test_a_cut_off_file(sound, tmp_path):
    whole = packed(tmp_path / "a.keras", sound).read_bytes()
    rng = np.random.default_rng(1)
    for end in rng.integers(0, len(whole), 20):
        (tmp_path / "b.keras").write_bytes(whole[:end])
        refused(tmp_path / "b.keras")


def test_a_member_that_is_there_twice(sound, tmp_path):
    """Which of the two is read is another question for each reader."""
    path = packed(tmp_path / "a.keras", sound)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", sound["config.json"])
    assert "a member is there twice" in refused(path)


@pytest.mark.parametrize("name", ["a.KERAS", "a", "a.h5", "a.keras"])
def test_an_hdf5_file_before_a_sound_zip(sound, tmp_path, name, monkeypatch):
    """A zip may have anything before it. Keras reads by the name: HDF5, whose Lambda ran."""
    monkeypatch.chdir(tmp_path)
    x = keras.layers.Input((2,))
    ran = keras.layers.Lambda(lambda v: open("ran", "w").close() or v + 1)  # noqa: PTH123
    keras.Model(x, ran(x)).save("old.h5", save_format="h5")
    (tmp_path / "ran").unlink()
    whole = packed(tmp_path / "sound.keras", sound).read_bytes()
    path = tmp_path / name
    path.write_bytes((tmp_path / "old.h5").read_bytes() + whole)
    if name.endswith(".h5"):  # which is read as what it is called
        assert '("Lambda"): is not among the layers' in refused(path)
        assert not (tmp_path / "ran").exists()
        return
    assert [layer.name for layer in keras_files.load(path).layers][1:3] == ["conv1", "conv1_bn"]
    assert not (tmp_path / "ran").exists()


def test_an_initializer_that_takes_minutes(sound, tmp_path):
    config = json.loads(sound["config.json"])
    layer_of(config, "head")["config"]["kernel_initializer"]["class_name"] = "Orthogonal"
    assert '"keras.initializers.Orthogonal" is not among' in refused(
        packed(tmp_path / "a.keras", sound, config)
    )


def test_layers_in_a_circle(sound, tmp_path):
    """Keras waits for an input that waits for it."""
    config = json.loads(sound["config.json"])
    head, conv = layer_of(config, "head"), layer_of(config, "conv1")
    conv["inbound_nodes"] = json.loads(json.dumps(conv["inbound_nodes"]).replace("input_", "head_"))
    text = json.dumps(conv["inbound_nodes"])
    name = next(layer["config"]["name"] for layer in config["config"]["layers"])
    conv["inbound_nodes"] = json.loads(text.replace(name.replace("input_", "head_"), head["config"]["name"]))
    assert "its layers run in a circle" in refused(packed(tmp_path / "a.keras", sound, config))


@pytest.mark.parametrize("config", [{}, {"class_name": "Dense", "config": {}}, {"class_name": "Functional"}])
def test_a_config_of_no_model(config, sound, tmp_path):
    said = refused(packed(tmp_path / "a.keras", sound, config))
    assert "config.json describes no model; want one of Functional, Model, Sequential" in said


def test_weights_that_are_no_numbers(tmp_path):
    x = keras.layers.Input((4,))
    model = keras.Model(x, keras.layers.Dense(2, name="head")(x))
    model.get_layer("head").set_weights([np.full((4, 2), np.nan, np.float32), np.zeros(2, np.float32)])
    model.save(tmp_path / "a.keras")
    assert '"head/kernel:0" holds values that are no numbers' in refused(tmp_path / "a.keras")


@pytest.mark.parametrize("call", [True, 1, -1, 0.0])
def test_an_output_that_there_is_not(call, sound, tmp_path):
    config = json.loads(sound["config.json"])
    layer_of(config, "head")["inbound_nodes"][0][0][1] = call
    assert "is an input; want one that there is" in refused(packed(tmp_path / "a.keras", sound, config))
