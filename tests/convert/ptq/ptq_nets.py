"""Small float networks with repeatable weights, and images, for the tests of post-training quantization."""

import dataclasses
from typing import Any

import numpy as np

from squeezenet_mcu.common import litert
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.model.network import squeezenet
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.settings.architecture import Architecture, Conv1, Fire, Input


def published(name: str = "imagenet_v1_1", side: int = 64, classes: int = 10, bypass: str = "none") -> Any:
    """v1.0 or v1.1 for small images, on pixels 0 to 255; a third of most kernels is 0."""
    loaded = config.load(name)
    architecture = dataclasses.replace(loaded.architecture, classes=classes, bypass=bypass)
    size = Input(side, side, 3)
    return with_weights(squeezenet.build(dataclasses.replace(loaded, input=size, architecture=architecture)))


def small(relu_logits: bool = True, bypass: str = "none") -> Any:
    """Conv1, two fires and a pool for 32x32 pixels, without batch norm."""
    loaded = config.load("imagenet_v1_1")
    architecture = Architecture(
        "small",
        10,
        bypass,
        Conv1(16, 3, 2),
        (Fire(8, 16, 16), "pool", Fire(8, 16, 16)),
        False,
        relu_logits,
    )
    size = Input(32, 32, 3)
    return with_weights(squeezenet.build(dataclasses.replace(loaded, input=size, architecture=architecture)))


def with_weights(model: Any) -> Any:
    """Gives every convolution normal weights that keep activations alive, a third of them 0."""
    random = np.random.RandomState(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = layer.get_weights()
            fan_in = np.prod(kernel.shape[:3])
            values = random.normal(0, np.sqrt(3 / fan_in), kernel.shape)
            values[random.uniform(size=kernel.shape) < 1 / 3] = 0
            values *= random.uniform(0.5, 2, kernel.shape[3])  # channels of different ranges
            scale = 1 / 64 if layer.name == "conv1" else 1
            shift = np.abs(random.normal(0, 0.1, bias.shape)) + (1 if layer.name == "conv10" else 0)
            layer.set_weights([(values * scale).astype(np.float32), shift.astype(np.float32)])
    return model


def images(count: int, side: int, seed: int = 0) -> np.ndarray:
    """uint8 [count, side, side, 3]: blurred noise, so that neighbours are alike as in photographs."""
    noise = np.random.RandomState(seed).normal(0, 1, (count, side + 6, side + 6, 3))
    for axis in (1, 2):
        total = np.cumsum(noise, axis)
        noise = np.diff(total.take(range(0, total.shape[axis], 1), axis), axis=axis)
        noise = sum(np.roll(noise, shift, axis) for shift in range(6))
    noise = noise[:, :side, :side]
    low, high = noise.min((1, 2, 3), keepdims=True), noise.max((1, 2, 3), keepdims=True)
    return np.round((noise - low) / (high - low) * 255).astype(np.uint8)


def float_logits(model: Any, x: np.ndarray) -> np.ndarray:
    """float32 [n, classes], before softmax."""
    return keras.Model(model.input, model.layers[-2].output)(x.astype(np.float32)).numpy()


def int8_logits(content: bytes, x: np.ndarray) -> np.ndarray:
    """float32 [n, classes], before softmax, by LiteRT's reference kernels."""
    file = tflite_file.parse(content)
    tensor = file.tensors[file.ops[-1].inputs[0]]
    runner = litert.Reference(content)
    found = [runner.infer((image ^ np.uint8(128)).view(np.int8), tensor.index)[0] for image in x]
    return (np.array(found, np.float32) - tensor.zero_point) * tensor.scale[0]
