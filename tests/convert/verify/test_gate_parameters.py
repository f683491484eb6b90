"""A conversion with a wrong limit, multiplier, window, scale or end is refused, and nothing is written.

Most of them change no value of the sample images: they are found by reading the engine's model back.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert import command, engine_model
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.lowering import operators, tflite_file
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.convert.outputs import artefacts, settings_header
from squeezenet_mcu.convert.schedule import split
from squeezenet_mcu.convert.target import ANY_CPU
from squeezenet_mcu.convert.verify import exactness
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from tests.convert import every_kind

BUILD = Path("build/net")
CONTENT = every_kind.tflite()
WITH_LIMITS = (
    Kind.CONV_2D, Kind.DEPTHWISE, Kind.DENSE, Kind.MAX_POOL, Kind.AVERAGE_POOL, Kind.ADD, Kind.MUL_CONSTANT,
    Kind.ADD_CONSTANT,
)  # fmt: skip
CONVOLUTIONS = (Kind.CONV_2D, Kind.DEPTHWISE)


def field(name, by):
    """`name` of a layer changed by `by`."""
    return lambda layer: replace(layer, **{name: getattr(layer, name) + by})


def pair(name, place, by):
    """One of the two numbers of `name` changed by `by`."""

    def changed(layer):
        values = list(getattr(layer, name))
        values[place] += by
        return replace(layer, **{name: tuple(values)})

    return changed


def param(place, by):
    """One of `params` changed by `by`."""

    def changed(layer):
        params = list(layer.params)
        params[place] += by
        return replace(layer, params=params)

    return changed


def one_more(name):
    """The first number of an array changed by 1."""

    def changed(layer):
        values = getattr(layer, name).copy()
        values.flat[0] += 1 if values.flat[0] < 127 else -1
        return replace(layer, **{name: values})

    return changed


LIMITS = {"act_min": field("act_min", 1), "act_max": field("act_max", -1)}  # one step less of a range

# By kind of layer, what changes in the last of them, and the words for it.
NUMBERS = {
    **{(kind, name): ("act_min and act_max", LIMITS[name]) for kind in WITH_LIMITS for name in LIMITS},
    **{(Kind.ADD, f"multiplier {i}"): ("params", param(i, 4096)) for i in range(3)},
    **{(Kind.ADD, f"shift {i}"): ("params", param(3 + i, -1)) for i in range(3)},
    (Kind.MEAN, "multiplier by 4096"): ("params", param(0, 4096)),
    (Kind.MEAN, "multiplier by 1"): ("params", param(0, 1)),
    (Kind.MEAN, "shift"): ("params", param(1, -1)),
    (Kind.REQUANTIZE, "multiplier"): ("params", param(0, 1)),
    (Kind.REQUANTIZE, "shift"): ("params", param(1, -1)),
    (Kind.SOFTMAX, "multiplier"): ("params", param(0, 1 << 18)),
    (Kind.SOFTMAX, "left shift"): ("params", param(1, 1)),
    (Kind.SOFTMAX, "difference"): ("params", param(2, 100)),
    (Kind.AVERAGE_POOL, "windows"): ("params", param(0, 1)),
    (Kind.MUL_CONSTANT, "multiplier"): ("params", param(0, 1)),
    (Kind.MUL_CONSTANT, "shift"): ("params", param(1, -1)),
    **{(Kind.ADD_CONSTANT, f"multiplier {i}"): ("params", param(i, 4096)) for i in range(2)},
    **{(Kind.ADD_CONSTANT, f"shift {i}"): ("params", param(2 + i, -1)) for i in range(2)},
    (Kind.LOOKUP, "table"): ("constant", one_more("constant")),
    (Kind.MUL_CONSTANT, "constant"): ("constant", one_more("constant")),
    (Kind.ADD_CONSTANT, "constant"): ("constant", one_more("constant")),
    **{
        (kind, what): (words, one_more(what))
        for kind in (Kind.DEPTHWISE, Kind.DENSE)
        for what, words in (("weights", "weights"), ("bias", "biases"), ("multipliers", "multipliers"))
    },
}
WINDOWS = {
    **{
        (kind, f"{name} {i}"): (name, pair(name, i, 1))
        for kind in (*CONVOLUTIONS, Kind.MAX_POOL, Kind.AVERAGE_POOL)
        for name in ("kernel", "stride")
        for i in range(2)
    },
    **{
        (kind, name): ("padding", field(name, 1))
        for kind in (*CONVOLUTIONS, Kind.MAX_POOL, Kind.AVERAGE_POOL, Kind.PAD)
        for name in ("pad_top", "pad_left")
    },
}


def key(value):
    return value.name if isinstance(value, Kind) else value


def in_lowering(monkeypatch, kind, change, which=-1):
    """The last layer of `kind` leaves lowering changed; `which`: another of them."""
    lower = operators.lower

    def lowered(file):
        network = lower(file)
        places = [i for i, layer in enumerate(network.layers) if layer.kind is kind]
        network.layers[places[which]] = change(network.layers[places[which]])
        return network

    monkeypatch.setattr(engine_model, "lower", lowered)


def in_storing(monkeypatch, kind, change):
    """The records of all layers of `kind` are stored changed."""
    record = blob._layer_record

    def stored(layer, resume, data):
        return record(change(layer) if layer.kind is kind else layer, resume, data)

    monkeypatch.setattr(blob, "_layer_record", stored)


def make():
    return engine_model.make(tflite_file.parse(CONTENT, "net.tflite"), [], ANY_CPU)


def convert(*more: str) -> int:
    Path("net.tflite").write_bytes(CONTENT)
    return command.run(command.parser().parse_args(["--tflite", "net.tflite", *more]))


def refused(match: str, call) -> None:
    with pytest.raises(UserError, match=match) as error:
        call()
    assert "\n" not in str(error.value)


def test_the_network_has_every_kind_and_passes():
    made = make()
    assert {layer.kind for layer in made.network.layers} == set(Kind)


@pytest.mark.parametrize(("kind", "number"), NUMBERS, ids=key)
def test_convert_writes_nothing_of_a_wrong_number(kind, number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    what, change = NUMBERS[kind, number]
    in_lowering(monkeypatch, kind, change)
    refused(rf"net.tflite: layer .*: its {what} in the engine's model.*a bug of the converter", convert)
    assert not BUILD.exists()


def test_the_first_convolution_and_the_first_copy_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind, change in ((Kind.CONV_2D, field("act_max", -1)), (Kind.REQUANTIZE, param(0, 1))):
        with monkeypatch.context() as patch:
            in_lowering(patch, kind, change, which=0)
            refused("in the engine's model.*a bug of the converter", convert)
    assert not BUILD.exists()


@pytest.mark.parametrize(("kind", "number"), {**NUMBERS, **WINDOWS}, ids=key)
def test_no_engine_model_with_a_wrong_record(kind, number, monkeypatch):
    what, change = {**NUMBERS, **WINDOWS}[kind, number]
    in_storing(monkeypatch, kind, change)
    refused(rf"net.tflite: layer .*: its {what} in the engine's model.*a bug of the converter", make)


def wrong_scale(end):
    def changed(network):
        at = getattr(network, f"{end}_buffer")
        network.buffers[at] = replace(network.buffers[at], scale=network.buffers[at].scale * 1.01)

    return changed


def wrong_zero_point(end):
    def changed(network):
        at = getattr(network, f"{end}_buffer")
        network.buffers[at] = replace(network.buffers[at], zero_point=network.buffers[at].zero_point + 1)

    return changed


def softmax_as_logits(network):
    network.logits_tensor = network.output_tensor


def softmax_as_logits_everywhere(network):
    network.logits_tensor, network.logits_buffer = network.output_tensor, network.output_buffer


ENDS = {
    **{f"{end} scale": wrong_scale(end) for end in ("input", "logits", "output")},
    **{f"{end} zero point": wrong_zero_point(end) for end in ("input", "logits", "output")},
    "logits tensor": softmax_as_logits,
    "logits tensor and buffer": softmax_as_logits_everywhere,
}


@pytest.mark.parametrize("end", ENDS)
def test_convert_writes_nothing_of_a_wrong_end(end, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lower = operators.lower

    def lowered(file):
        network = lower(file)
        ENDS[end](network)
        return network

    monkeypatch.setattr(engine_model, "lower", lowered)
    what = end.removesuffix(" and buffer")
    refused(rf"net.tflite: the {what} .*that the conversion hands on is .*a bug of the converter", convert)
    assert not BUILD.exists()


@pytest.mark.parametrize("end", [end for end in ENDS if end.endswith(("scale", "point"))])
def test_no_engine_model_with_a_wrong_end(end, monkeypatch):
    """The network is right; what is stored of it is not."""
    serialize = blob.serialize

    def stored(network, plan, labels):
        wrong = replace(network, buffers=list(network.buffers))
        ENDS[end](wrong)
        return serialize(wrong, plan, labels)

    monkeypatch.setattr(engine_model.blob, "serialize", stored)
    refused(rf"net.tflite: the {end} in the engine's model that the conversion hands on is ", make)


MANIFEST = [
    *(("input", name) for name in ("height", "width", "channels", "scale", "zero_point")),
    *(("output", name) for name in ("classes", "tensor", "logits_tensor", "logits_scale")),
    *(("output", name) for name in ("logits_zero_point", "scale", "zero_point", "softmax")),
]


@pytest.mark.parametrize(("end", "name"), MANIFEST)
def test_nothing_is_written_where_the_manifest_has_another_end(end, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    manifest = artefacts._manifest

    def changed(*arguments):
        made = manifest(*arguments)
        made[end][name] += 1
        return made

    monkeypatch.setattr(artefacts, "_manifest", changed)
    refused(rf"net.tflite: the manifest's {end} {name} that the conversion hands on is ", convert)
    assert not BUILD.exists()


NAMES = ("CLASSES", *(f"INPUT_{n}" for n in ("HEIGHT", "WIDTH", "CHANNELS", "SCALE", "ZERO_POINT")))
MORE = (f"{end}_{n}" for end in ("LOGITS", "OUTPUT") for n in ("SCALE", "ZERO_POINT", "TENSOR"))


@pytest.mark.parametrize("name", [*NAMES, *MORE])
def test_nothing_is_written_where_the_settings_have_another_end(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    header = settings_header.settings_header

    def changed(*arguments):
        return re.sub(rf"(MODEL_{name} \(?-?)(\d)", r"\g<1>1\g<2>", header(*arguments))

    monkeypatch.setattr(settings_header, "settings_header", changed)
    refused(rf"net.tflite: the MODEL_{name} that the conversion hands on is -?1", convert)
    assert not BUILD.exists()


def test_no_engine_model_with_a_wrong_copy_of_means(monkeypatch):
    """A convolution with long rows before the MEAN is split: each group's means are copied as they are."""
    g = RandomGraph(1, "long rows")
    image = g.map("image", [1, 4, 64, 3], 1 / 255)
    content = g.packed(image, g.softmax(g.mean(g.conv("conv1", image, 80, 1))))
    file = tflite_file.parse(content, "long.tflite")
    layers = engine_model.make(file, [], ANY_CPU).network.layers
    assert [layer.kind for layer in layers].count(Kind.MEAN) == 2
    monkeypatch.setattr(split, "_IDENTITY", [(1 << 30) + 1, 1])
    match = r"long.tflite: layer mean_1\[0:40\] copy: its params in the engine's model"
    refused(match, lambda: engine_model.make(file, [], ANY_CPU))


def contents(folder: Path) -> dict[str, str]:
    return {str(p): files.sha256(p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_nothing_is_written_where_the_models_own_images_differ(tmp_path, monkeypatch):
    """They are more than the gate's samples: what passes there may differ here. The gate is off for this."""
    monkeypatch.chdir(tmp_path)
    x = np.random.RandomState(0).randint(0, 256, (8, every_kind.SIDE, every_kind.SIDE, 3)).astype(np.uint8)
    y = np.arange(8) % every_kind.CLASSES
    np.savez("images.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    assert convert("--data", "images.npz") == 0
    before = contents(BUILD)
    assert str(BUILD / "manifest.json") in before
    monkeypatch.setattr(exactness, "prove", lambda *_: None)
    in_lowering(monkeypatch, Kind.CONV_2D, lambda layer: replace(layer, bias=layer.conv.bias + 300))
    refused(
        r"net: the engine differs from LiteRT in [\d,]+ int8 values of the images of images.npz",
        lambda: convert("--data", "images.npz"),
    )
    assert contents(BUILD) == before
