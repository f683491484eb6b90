"""Keras 3 files and .h5 that are damaged, hostile or too large: one line that names file and layer."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.keras_import.build import build
from squeezenet_mcu.model.network import keras_graphs

LAYER = {"module": "keras.layers", "registered_name": None}


def tensor(name):
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}


def layer(kind, name, source=None, **settings):
    nodes = [] if source is None else [{"args": [tensor(source)], "kwargs": {}}]
    return {
        **LAYER,
        "class_name": kind,
        "name": name,
        "config": {"name": name, **settings},
        "inbound_nodes": nodes,
    }


def network():
    """A network as Keras 3 describes it: a convolution and a Dense."""
    conv = layer("Conv2D", "conv1", "image", filters=4, kernel_size=[3, 3], activation="relu")
    config = {
        "name": "net",
        "layers": [
            layer("InputLayer", "image", batch_shape=[None, 8, 8, 3]),
            conv,
            layer("GlobalAveragePooling2D", "mean", "conv1"),
            layer("Dense", "head", "mean", units=2, activation="softmax"),
        ],
        "input_layers": ["image", 0, 0],
        "output_layers": ["head", 0, 0],
    }
    return {"module": "keras", "class_name": "Functional", "config": config}


def arrays(file):
    rng = np.random.default_rng(1)
    for place, shapes in {"conv2d": [(3, 3, 3, 4), (4,)], "dense": [(4, 2), (2,)]}.items():
        for i, shape in enumerate(shapes):
            file[f"layers/{place}/vars/{i}"] = rng.normal(size=shape).astype(np.float32)


def packed(path, config, fill=arrays):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.9.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", stream.getvalue())
    return path


def legacy(path, config, fill):
    with h5py.File(path, "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "3.9.0"
        fill(file)
    return path


def refused(path):
    with pytest.raises(UserError) as error:
        build(keras_graphs.read(path))
    said = str(error.value)
    assert said.startswith(f"{path}: ")
    assert said.isprintable()
    return said


def of(config, name):
    return next(entry for entry in config["config"]["layers"] if entry["name"] == name)


def test_sound(tmp_path):
    """What the tests below damage."""
    model = build(keras_graphs.read(packed(tmp_path / "a.keras", network())))
    assert model(np.ones((1, 8, 8, 3), np.float32)).shape == (1, 2)


def setting(name, **settings):
    return lambda config: of(config, name)["config"].update(settings)


def entry(name, **values):
    return lambda config: of(config, name).update(values)


def many(config):
    config["config"]["layers"] += [layer("ReLU", f"r{i}", "head") for i in range(1001)]


def nested(config):
    """Each model calls the one within it many times: the calls grow by powers."""
    inner = network()
    for depth in range(5):
        calls = [{"args": [tensor("image")], "kwargs": {}}] * 40
        part = {**inner, "name": f"m{depth}", "inbound_nodes": calls}
        part["config"] = {**inner["config"], "name": f"m{depth}"}
        image = layer("InputLayer", "image", batch_shape=[None, 8, 8, 3])
        ends = {"input_layers": ["image", 0, 0], "output_layers": [f"m{depth}", 39, 0]}
        inner = {
            **LAYER,
            "class_name": "Functional",
            "config": {"name": "x", "layers": [image, part], **ends},
        }
    config.update(inner)


WRONG = {
    "unknown class": (entry("conv1", class_name="Lambda"), 'layer "conv1" ("Lambda"): is not among'),
    "module": (entry("conv1", module="os"), 'layer "conv1" ("os.Conv2D"): is not among'),
    "activation": (setting("conv1", activation="os>system"), "activation 'os>system' is not known"),
    "huge": (setting("conv1", filters=10**9), "filters is \"1000000000\"; want a whole number"),
    "shape": (setting("conv1", filters=5), "its kernel in the file is 3x3x3x4; its settings want 3x3x3x5"),
    "large": (setting("head", units=65_536), "its kernel in the file is 4x2; its settings want 4x65536"),
    "channels first": (setting("conv1", data_format="channels_first"), "want channels_last"),
    "int8": (setting("head", dtype={"class_name": "QuantizedDTypePolicy"}), "want float32"),
    "lora": (setting("head", lora_rank=4), '"lora_rank" is "4", which is not known here'),
    "open size": (setting("image", batch_shape=[None, None, None, 3]), "of fixed size"),
    "no pixels": (setting("image", batch_shape=[None, 10]), "its input is not height, width and channels"),
    "circle": (entry("conv1", inbound_nodes=[{"args": [tensor("mean")], "kwargs": {}}]), "without a circle"),
    "no such layer": (entry("conv1", inbound_nodes=[{"args": [tensor("who")], "kwargs": {}}]), '"who"'),
    "a number": (entry("head", inbound_nodes=[{"args": [2.0], "kwargs": {}}]), "called with other arguments"),
    "an option": (
        entry("head", inbound_nodes=[{"args": [tensor("mean")], "kwargs": {"mask": 3}}]),
        'is called with "mask"="3"',
    ),
    "many": (many, "1,005 layers"),
    "nested": (nested, "over 1,000 layers"),
    "no layers": (lambda config: config["config"].pop("layers"), "no list of layers"),
    "inputs": (lambda config: config["config"].update(input_layers=[]), "names no input or output"),
    "padding": (
        entry("mean", class_name="ZeroPadding2D", config={"name": "mean", "padding": 9999}),
        "values; want fewer",
    ),
    "kwargs": (entry("conv1", config={"name": "conv1"}), "lacks filters"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_said(kind, tmp_path):
    change, said = WRONG[kind]
    config = network()
    change(config)
    assert said in refused(packed(tmp_path / "a.keras", config))


def test_weights_of_other_layers_and_none(tmp_path):
    def renamed(file):
        arrays(file)
        file["layers/conv2d/vars"].attrs["name"] = "conv9"

    assert 'has the weights of "conv9"' in refused(packed(tmp_path / "a.keras", network(), renamed))
    said = refused(packed(tmp_path / "b.keras", network(), lambda file: file.create_group("layers")))
    assert "its weights are not in the file, as layers/conv2d" in said

    def infinite(file):
        arrays(file)
        file["layers/dense/vars/1"][:] = np.inf

    assert "holds values that are no numbers" in refused(packed(tmp_path / "c.keras", network(), infinite))

    def flat(file):
        file["layers/conv2d"] = np.zeros(3, np.float32)

    assert "its weights are damaged" in refused(packed(tmp_path / "d.keras", network(), flat))


def test_legacy_files(tmp_path):
    def by_name(file):
        rng = np.random.default_rng(1)
        for name, shape in {
            "conv1/x/kernel": (3, 3, 3, 4),
            "conv1/x/bias": (4,),
            "head/head/kernel": (4, 2),
        }.items():
            file[f"model_weights/{name}"] = rng.normal(size=shape).astype(np.float32)

    assert "0 arrays for its bias" in refused(legacy(tmp_path / "a.h5", network(), by_name))
    config = network()
    of(config, "head")["config"]["use_bias"] = False
    assert build(keras_graphs.read(legacy(tmp_path / "b.h5", config, by_name))).count_params() == 120
    with h5py.File(tmp_path / "c.h5", "w") as file:
        by_name(file)
    assert "holds no model, only weights; want what model.save wrote" in refused(tmp_path / "c.h5")
    (tmp_path / "d.h5").write_bytes(b"PK")
    assert "does not begin as HDF5 does" in refused(tmp_path / "d.h5")


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_damaged_bytes(ending, tmp_path):
    """Any byte may be wrong: one line, or a network."""

    def both(file):
        arrays(file)
        for name, place in {"conv1": "conv2d", "head": "dense"}.items():
            for i, end in enumerate(("kernel", "bias")):
                file[f"model_weights/{name}/{end}"] = file[f"layers/{place}/vars/{i}"][()]

    path = tmp_path / f"a{ending}"
    whole = (packed if ending == ".keras" else legacy)(path, network(), both).read_bytes()
    rng, said = np.random.default_rng(2), 0
    for _ in range(60):
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), 12):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            keras_graphs.read(path)
        except UserError as error:
            said += 1
            assert str(error).isprintable()
    assert said > 10
