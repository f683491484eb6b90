"""Writes Keras files of Keras 2 and 3, and what Keras itself answers: NAME.keras, NAME.h5, NAME.npz (x, y).

A process has one Keras. This one has Keras 2; Keras 3 takes a child, which runs this file: some seconds.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np


def branches(keras, version):
    """Functional: bypass, concatenation, a model within, a separable convolution, Rescaling."""
    layers = keras.layers
    x = image = layers.Input((12, 12, 3))
    x = layers.Rescaling(1 / 255)(x)
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv1")(x)
    x = layers.BatchNormalization(name="conv1_bn")(x)
    x = layers.ReLU(max_value=6.0)(x)
    y = layers.SeparableConv2D(4, 3, padding="same", activation="tanh")(x)
    x = layers.Add()([x, y])
    x = layers.Concatenate()([x, y])
    inner = keras.Sequential([layers.Input((12, 12, 8)), layers.DepthwiseConv2D(3), layers.LeakyReLU()])
    x = layers.GlobalAveragePooling2D()(inner(x))
    x = layers.Dropout(0.2)(x)
    return keras.Model(image, layers.Dense(5, activation="softmax", name="head")(x))


def chain(keras, version):
    """Sequential: pads, crops, pools, Flatten, two Dense."""
    layers = keras.layers
    return keras.Sequential([
        layers.Input((11, 13, 1)), layers.ZeroPadding2D(((1, 0), (2, 1))), layers.RandomFlip(),
        layers.Conv2D(3, (3, 2), strides=2, activation="elu"), layers.Cropping2D(1),
        layers.GaussianNoise(0.1),
        layers.AveragePooling2D(2, 1, padding="same"), layers.MaxPooling2D(2),
        layers.Activation("hard_sigmoid"),
        layers.Flatten(), layers.Dense(6, activation="relu6" if version == 3 else "relu"),
        layers.Reshape((6,)), layers.Dense(3), layers.Softmax(),
    ])  # fmt: skip


def shared(keras, version):
    """A model called twice, one within one, PReLU, Normalization of adapted numbers, merges, silu."""
    layers = keras.layers
    normal = layers.Normalization()
    normal.adapt(np.random.RandomState(1).uniform(0, 255, (20, 8, 8, 3)).astype(np.float32))
    deep = keras.Sequential(
        [layers.Input((8, 8, 4)), layers.PReLU(shared_axes=[1, 2], alpha_initializer="ones")]
    )
    given = layers.Input((8, 8, 4))
    within = layers.Conv2D(4, 1, name="conv1")(deep(given))
    inner = keras.Model(given, layers.Conv2D(4, 1, name="conv2")(within))
    image = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="swish", name="conv1")(normal(image))
    a = inner(x)
    b = inner(a)
    b = layers.Multiply()([a, layers.Subtract()([b, a])])
    b = a + b if version == 3 else layers.Maximum()([a, b])
    x = layers.GlobalMaxPooling2D(keepdims=True)(layers.Average()([a, b]))
    return keras.Model(image, layers.Rescaling([1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 1.0, 1.0])(x))


NETWORKS = (branches, chain, shared)


def made(folder: Path) -> Path:
    """Files of all NETWORKS of both Keras in `folder`, as 2_branches.keras and so on."""
    from squeezenet_mcu.common.tf import keras

    _write(folder, keras, 2)
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "0", "KERAS_BACKEND": "tensorflow"}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, __file__, str(folder)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return folder


def _write(folder: Path, keras: Any, version: int) -> None:
    keras.utils.set_random_seed(1)
    for network in NETWORKS:
        model = network(keras, version)
        for layer in model.layers:  # statistics that are not those of a new layer
            if isinstance(layer, keras.layers.BatchNormalization):
                arrays = [np.linspace(0.5, 1.5, w.size, dtype=np.float32) for w in layer.get_weights()]
                layer.set_weights(arrays)
        x = np.random.RandomState(0).uniform(0, 255, (4, *model.input_shape[1:])).astype(np.float32)
        name = f"{version}_{network.__name__}"
        np.savez(folder / f"{name}.npz", x=x, y=np.asarray(model(x, training=False)))
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")


if __name__ == "__main__":
    import keras

    _write(Path(sys.argv[1]), keras, 3)
