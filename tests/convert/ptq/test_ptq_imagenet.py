"""The published networks, quantized by 100 images and scored on the other 1,200."""

import ai_edge_litert.interpreter as lite
import numpy as np
import pytest

from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.ptq.pipeline import quantize
from squeezenet_mcu.model.importers import imported_model
from squeezenet_mcu.model.settings import config
from tests.convert.shared_files import data_file

WEIGHTS = {
    "imagenet_v1_0": "weights/compressed_SqueezeNet.net",
    "imagenet_v1_1": "weights/squeezenet_v1_1_torchvision.npz",
}
BATCH = 25


def float_logits(model, x):
    inner = keras.Model(model.input, model.layers[-2].output)
    batches = [x[i : i + BATCH].astype(np.float32) for i in range(0, len(x), BATCH)]
    return np.concatenate([inner(batch).numpy() for batch in batches])


def int8_logits(content, x):
    """By kernels 20 times as fast as the reference, and exact where a ReLU follows, as it does here."""
    runner = lite.Interpreter(
        model_content=content,
        experimental_op_resolver_type=lite.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    runner.allocate_tensors()
    logits = tflite_file.parse(content).ops[-1].inputs[0]
    found = []
    for image in x:
        runner.set_tensor(runner.get_input_details()[0]["index"], (image ^ np.uint8(128)).view(np.int8)[None])
        runner.invoke()
        found.append(runner.get_tensor(logits)[0].copy())
    return np.array(found)


def percent_right(logits, y):
    return 100 * float(np.mean(logits.argmax(1) == y))


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "bits", "loss"),
    [
        ("imagenet_v1_0", 8, 0.5),
        ("imagenet_v1_0", 7, 1.0),
        ("imagenet_v1_1", 8, 0.5),
        ("imagenet_v1_1", 7, 1.0),
    ],
)
def test_top_1_stays_near_the_floats(name, bits, loss):
    settings = config.load(name)
    model = imported_model.imported(settings, data_file(WEIGHTS[name]))
    source, size = str(data_file("imagenet_val_1300")), settings.input
    every = sources.load(source, "test", size.height, size.width, 3, fit=settings.weights.fit)
    chosen = np.arange(100) * len(every.x) // 100
    scored = np.setdiff1d(np.arange(len(every.x)), chosen)
    content = quantize(model, every.x[chosen], dict.fromkeys(settings.kernels, bits))
    x, y = every.x[scored], every.y[scored]
    wanted, got = percent_right(float_logits(model, x), y), percent_right(int8_logits(content, x), y)
    print(f"{name}, {bits} bits: {got:.2f} %, float {wanted:.2f} %")
    assert got >= wanted - loss
