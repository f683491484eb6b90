"""Small Keras files for the tests: without training, but with answers that differ from image to image."""

from pathlib import Path

import numpy as np
from PIL import Image

from squeezenet_mcu.common.tf import keras

CLASSES = 4


def images(folder: Path, count: int = 24, channels: int = 3) -> np.ndarray:
    """Writes blurred noise of 16x16 in CLASSES folders; the same as uint8 [n, 16, 16, channels]."""
    found = smooth(count, channels)
    for i, image in enumerate(found):
        place = folder / f"class{i % CLASSES}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze()).save(place / f"{i}.png")
    return found


def smooth(count: int, channels: int = 3) -> np.ndarray:
    """uint8 [count, 16, 16, channels]: blurred noise."""
    found = []
    for i in range(count):
        noise = np.random.default_rng(i).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        picture = Image.fromarray(noise).resize((16, 16), Image.Resampling.BICUBIC)
        picture = picture if channels == 3 else picture.convert("L")
        found.append(np.asarray(picture).reshape(16, 16, channels))
    return np.stack(found)


def network(*front, padding="same", middle=(), dense=True, channels=3, values=None):
    """A convolution, batch norm, `middle`, a convolution and a head; `front` comes before them.

    `values`: float32 images that it is made for; None: pixels 0 to 255.
    """
    layers = keras.layers
    head = [layers.GlobalAveragePooling2D(), layers.Dense(CLASSES, name="head")]
    if not dense:
        head = [layers.Conv2D(CLASSES, 1, name="head"), layers.GlobalAveragePooling2D()]
    model = keras.Sequential([
        layers.Input((16, 16, channels)), *front,
        layers.Conv2D(8, 3, padding=padding, use_bias=False, name="conv1"),
        layers.BatchNormalization(name="conv1_bn"), layers.ReLU(), *middle,
        layers.Conv2D(12, 3, 2, activation="relu", name="conv2"), *head, layers.Softmax(),
    ])  # fmt: skip
    rng = np.random.default_rng(7)
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense):
            new = [rng.normal(0, 2 / np.sqrt(np.prod(w.shape[:-1])), w.shape) for w in layer.get_weights()]
            layer.set_weights([w.astype(np.float32) for w in new])
    _normalize(model, smooth(32, channels).astype(np.float32) if values is None else values)
    return model


def _normalize(model, values: np.ndarray) -> None:
    """Gives the batch norm and the head what makes answers differ, for images that became `values`."""
    norm, head = model.get_layer("conv1_bn"), model.get_layer("head")
    seen = keras.Model(model.inputs, norm.input)(values).numpy()
    ones = np.ones(seen.shape[-1], np.float32)
    norm.set_weights([ones, ones / 4, seen.mean((0, 1, 2)), seen.var((0, 1, 2))])
    logits = keras.Model(model.inputs, model.layers[-1].input)(values).numpy()
    spread = logits.std(0) / 2
    kernel, bias = head.get_weights()
    head.set_weights([kernel / spread, (bias - logits.mean(0)) / spread])


def saved(model, path: Path) -> Path:
    """Writes `model`, .h5 or .keras."""
    model.save(path)
    return path
