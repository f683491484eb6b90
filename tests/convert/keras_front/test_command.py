"""`python -m convert --model my.keras`: from a float Keras file to everything that `make convert` writes."""

import json

import numpy as np
import pytest

from squeezenet_mcu.common import litert
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.common.tf import keras, tf
from squeezenet_mcu.convert import command
from squeezenet_mcu.convert.keras_front import command as front
from squeezenet_mcu.convert.keras_front import pixels as front_pixels
from squeezenet_mcu.convert.keras_front import quantize
from squeezenet_mcu.host_tools.bench import small_net
from squeezenet_mcu.model.network import keras_files
from tests.convert.keras_front import nets

pytestmark = pytest.mark.filterwarnings("ignore:.*HDF5")
layers = keras.layers


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with images/ to work in."""
    monkeypatch.chdir(tmp_path)
    nets.images(tmp_path / "images")
    return tmp_path


def convert(*options):
    return command.run(command.parser().parse_args([*options, "--calibration", "images"]))


def gathered(*options):
    args = command.parser().parse_args([*options, "--calibration", "images"])
    return front.gather(args, front.Path("build"), Console(quiet=True))


def gathered_loud(*options):
    args = command.parser().parse_args([*options, "--calibration", "images"])
    return front.gather(args, front.Path("build"), Console())


def int8_answers(manifest_input, tflite, output, x):
    """float32 [n, classes]: LiteRT's, for pixels x and what the manifest says of the input."""
    reference = litert.Reference(tflite)
    found = [
        reference.infer(image, output["logits_tensor"])[1] for image in quantize_images(x, manifest_input)
    ]
    return (np.array(found, np.float32) - output["zero_point"]) * output["scale"]


def test_everything_is_written(place, capsys):
    """A Rescaling in front of a padded convolution, Dense behind a global average."""
    x = nets.smooth(24)
    model = nets.network(layers.Rescaling(1 / 127.5, offset=-1))
    nets.saved(model, place / "my.h5")
    assert convert("--model", "my.h5", "--data", "images") == 0
    build = place / "build" / "my"
    manifest = json.loads((build / "manifest.json").read_text())
    given = manifest["input"]
    assert (given["scale"], given["zero_point"], given["preprocess"]) == (1, 0, "mean=128:128:128,std=1:1:1")
    saved = "build/my/float_pixels.keras"
    assert manifest["float"] == {
        "file": saved,
        "divisor": 1.0,
        "sha256": manifest["inputs"][saved],
    }
    assert manifest["weight_bits"] == {"conv1": 8, "conv2": 8, "head": 8}
    train = sources.load("images", "train", 16, 16, 3)
    assert len(manifest["calibration"]["sha256"]) == len(train.y)
    real = model(x.astype(np.float32), training=False).numpy()
    tflite = (build / "model.tflite").read_bytes()
    int8 = int8_answers(manifest["input"], tflite, manifest["output"], x)
    assert np.abs(int8 - real).mean() < 0.02
    assert (int8.argmax(1) == real.argmax(1)).mean() > 0.9
    accuracy = manifest["accuracy"]
    test = sources.load("images", "test", 16, 16, 3)
    wanted = (model(test.x.astype(np.float32)).numpy().argmax(1) == test.y).mean()
    assert accuracy["float_top1"] == pytest.approx(wanted)
    said = capsys.readouterr().out
    assert "mean=127.5:127.5:127.5,std=127.5:127.5:127.5" in said
    assert f"note: images: {len(train.y)} images; 100 would be better" in said
    shares = f"float {accuracy['float_top1']:.2%}, int8 {accuracy['int8_top1']:.2%}"
    assert f"accuracy: {shares} of {len(test.y)} images: " in said
    assert "calibration images" in said


@pytest.mark.parametrize("rule", ["torch", "caffe"])
def test_pixels_as_the_user_says(rule, place):
    """Padding of the normalized image, channels with means of their own: what the manifest says is right."""
    x = nets.smooth(24)
    given = front_pixels.of_rule(rule, 3, "")
    model = nets.network(values=given.values(x))
    nets.saved(model, place / "my.keras")
    found = gathered("--model", "my.keras", "--preprocess", rule)
    c = found.conversion
    output = c.network.buffers[c.network.output_buffer]
    about = {"logits_tensor": c.network.logits_tensor, "scale": output.scale, "zero_point": output.zero_point}
    int8 = int8_answers(c.image, c.file.content, about, x)
    real = model(given.values(x)).numpy()
    assert np.abs(int8 - real).mean() < 0.02
    assert (int8.argmax(1) == real.argmax(1)).mean() > 0.9
    np.testing.assert_allclose(found.outputs(x), real, atol=1e-4)
    written = keras_files.load(place / found.origin.float_model["file"])  # as `evaluate` does
    np.testing.assert_allclose(written(x.astype(np.float32)).numpy(), real, atol=1e-4)
    low, high = quantize.input_range(quantize.Samples(x, given, None))
    assert c.image["scale"] == pytest.approx((high - low) / 255)
    assert c.image["zero_point"] == round(-128 - low / c.image["scale"])


def test_blue_first_behind_a_padding(place):
    """As ResNet of keras.applications begins: ZeroPadding2D, then the convolution that takes BGR."""
    x = nets.smooth(24)
    given = front_pixels.of_rule("caffe", 3, "")
    model = nets.network(layers.ZeroPadding2D(1), padding="valid", values=given.values(x))
    nets.saved(model, place / "my.keras")
    found = gathered("--model", "my.keras", "--preprocess", "caffe")
    np.testing.assert_allclose(found.outputs(x), model(given.values(x)).numpy(), atol=1e-4)


@pytest.mark.parametrize("activation", ["elu", "gelu"])
def test_activations_that_need_another_s_kernel(activation, place, capsys):
    """TFLite's converter leaves ELU in float, and TFLite Micro has no GELU: our engine runs both."""
    nets.saved(nets.network(middle=(layers.Activation(activation),)), place / "my.keras")
    assert convert("--model", "my.keras", "--preprocess", "byte") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "proven: engine == LiteRT in every int8 of every layer" in said
    assert ("TFLite Micro does not have GELU; our engine runs it" in said) == (activation == "gelu")


def test_pixels_that_are_scaled_twice_are_noted(place, capsys):
    nets.saved(nets.network(layers.Rescaling(1 / 255)), place / "my.keras")
    gathered_loud("--model", "my.keras", "--preprocess", "unit")
    said = " ".join(capsys.readouterr().out.split())
    assert "note: the network begins with a Rescaling or Normalization, and --preprocess unit comes" in said
    gathered_loud("--model", "my.keras")
    assert "comes before" not in capsys.readouterr().out


def test_an_operator_that_the_engine_lacks(place):
    nets.saved(nets.network(middle=(layers.PReLU(shared_axes=[1, 2], name="odd"),)), place / "my.keras")
    with pytest.raises(UserError, match=r"my: op \d+ DEQUANTIZE, .* for NEG; is not supported"):
        gathered("--model", "my.keras", "--preprocess", "byte")
    assert not (place / "build").exists()
    with pytest.raises(UserError, match="--weight-bits 7: this network is quantized by TensorFlow Lite's"):
        gathered("--model", "my.keras", "--preprocess", "byte", "--weight-bits", "7")


WRONG = {
    ("my.keras",): "no such file; want a .keras",
    ("net.h5",): "begins with no Rescaling or Normalization.*give PREPROCESS= as it was trained: unit",
    ("net.h5", "--preprocess", "mean=1:2,std=3"): "2 numbers for mean; the input has 3 channels",
    ("net.h5", "--preprocess", "unit", "--weight-bits", "9"): "--weight-bits 9: want 4 to 8",
    ("net.h5", "--weights", "x.npz"): "--weights goes with a model whose TOML has a table",
    ("net.h5", "--trust"): "--trust goes with a SavedModel as --model",
    ("digits.h5", "--preprocess", "unit"): "digits is the name of a model that comes with the project",
    ("saved",): "saved is a SavedModel, and loading one runs whatever its maker put in.*say TRUST=1",
    ("saved", "--trust"): "does not say which values it wants of a pixel; give PREPROCESS=",
    ("x.pth",): r'--model "x.pth" is PyTorch\'s weights, which hold code; .*docs/from-elsewhere.md',
    ("x.onnx",): '--model "x.onnx" is an ONNX network; .*docs/from-elsewhere.md',
    ("x.pb",): '--model "x.pb" is a TensorFlow graph; .*docs/from-elsewhere.md',
}  # fmt: skip


@pytest.mark.parametrize("options", WRONG, ids=" ".join)
def test_one_line(options, place):
    model = keras.Sequential([layers.Input((8, 8, 3)), layers.Conv2D(2, 1), layers.GlobalAveragePooling2D()])
    for name in ("net.h5", "digits.h5"):
        nets.saved(model, place / name)
    (place / "saved").mkdir()
    (place / "saved" / "saved_model.pb").touch()
    with pytest.raises(UserError, match=WRONG[options]) as error:
        convert("--model", *options)
    assert str(error.value).isprintable()
    assert not (place / "build").exists()


def test_images_must_be_given(place):
    nets.saved(nets.network(), place / "net.h5")
    for more, said in (((), "CALIBRATION=folder"), (("--calibration", "random"), "not noise")):
        args = command.parser().parse_args(["--model", "net.h5", "--preprocess", "unit", *more])
        with pytest.raises(UserError, match=said):
            command.run(args)


def test_the_name_of_a_shipped_model_is_not_taken(place):
    """build/digits would be another network, and `evaluate MODEL=digits` ask for data."""
    (place / "digits.tflite").write_bytes(small_net.tflite())
    with pytest.raises(
        UserError, match="digits is the name of a model that comes with the project; give another"
    ):
        command.run(command.parser().parse_args(["--tflite", "digits.tflite", "--preprocess", "unit"]))
    assert not (place / "build").exists()


@pytest.mark.parametrize(
    ("name", "said"), [("x.pt", "PyTorch's.*docs/from-elsewhere.md"), ("x.keras", "as MODEL=")]
)
def test_other_files_as_tflite(name, said):
    with pytest.raises(UserError, match=said):
        command.run(command.parser().parse_args(["--tflite", name]))


@pytest.mark.long
def test_a_saved_model_of_somebody_trusted(place):
    x = nets.smooth(24)
    given = front_pixels.of_rule("tf", 3, "")
    model = nets.network(values=given.values(x), dense=False)
    tf.saved_model.save(model, str(place / "saved"))
    found = gathered("--model", "saved", "--trust", "--preprocess", "tf")
    c = found.conversion
    assert c.name == "saved"
    assert c.image["scale"] == pytest.approx(1 / 127)
    output = c.network.buffers[c.network.output_buffer]
    about = {"logits_tensor": c.network.logits_tensor, "scale": output.scale, "zero_point": output.zero_point}
    real = model(given.values(x)).numpy()
    assert np.abs(int8_answers(c.image, c.file.content, about, x) - real).mean() < 0.02
    np.testing.assert_allclose(found.outputs(x), real, atol=1e-4)
    (place / "saved" / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(UserError, match="saved: TensorFlow cannot convert it"):
        gathered("--model", "saved", "--trust", "--preprocess", "tf")
