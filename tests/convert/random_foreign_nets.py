"""Random small networks as people build them in Keras, quantized after training by TFLite.

Heads, activations, places of batch norms, depthwise convolutions, open batches: all that is lowered besides
what random_nets.py has.
"""

import numpy as np

from squeezenet_mcu.common.tf import keras, tf
from tests.convert.random_nets import quantized

layers = keras.layers

_ACTIVATIONS = {
    "relu": (0.3, layers.ReLU),
    "relu6": (0.15, lambda: layers.ReLU(6.0)),
    "sigmoid": (0.07, lambda: layers.Activation("sigmoid")),
    "tanh": (0.07, lambda: layers.Activation("tanh")),
    "elu": (0.07, layers.ELU),
    "leaky": (0.1, lambda: layers.LeakyReLU(0.2)),
    "hard swish": (0.07, lambda: layers.Lambda(lambda v: v * tf.nn.relu6(v + 3.0) * np.float32(1 / 6))),
    "none": (0.07, lambda: layers.Activation("linear")),
    "clip": (0.05, lambda: layers.Lambda(lambda v: tf.clip_by_value(v, -0.7, 0.9))),
    "relu -1 to 1": (0.05, lambda: layers.Lambda(lambda v: tf.maximum(tf.minimum(v, 1.0), -1.0))),
}


def _activation(rng, x):
    kind = rng.choice(list(_ACTIVATIONS), p=[share for share, _ in _ACTIVATIONS.values()])
    return _ACTIVATIONS[kind][1]()(x)


def _norm(rng, x):
    """A batch norm that has learned something."""
    channels = x.shape[-1]
    norm = layers.BatchNormalization()
    x = norm(x)
    norm.set_weights([
        rng.uniform(0.3, 2, channels), rng.normal(0, 0.5, channels), rng.normal(0, 0.3, channels),
        rng.uniform(0.2, 1.5, channels),
    ])  # fmt: skip
    return x


def _conv(rng, x, filters, kernel, stride=1):
    """A convolution; a batch norm before or behind its activation, or none."""
    place = rng.choice(["none", "before", "behind"], p=[0.4, 0.25, 0.35])
    bias = bool(rng.random() < 0.7)
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=bias, bias_initializer="normal")(x)
    if place == "before":
        x = _norm(rng, x)
    x = _activation(rng, x)
    return _norm(rng, x) if place == "behind" else x


def _depthwise(rng, x):
    """MobileNet's pair, padded as Keras does it or by a layer of its own."""
    stride, kernel = int(rng.integers(1, 3)), int(rng.choice([3, 5]))
    own = rng.random() < 0.4
    if own:
        x = layers.ZeroPadding2D(kernel // 2)(x)
    x = layers.DepthwiseConv2D(kernel, stride, "valid" if own else "same")(x)
    x = layers.ReLU(6.0)(_norm(rng, x))
    return _conv(rng, x, int(rng.integers(2, 12)), 1)


def _fire(rng, x):
    """Its ReLU in each branch, or behind the concatenation."""
    behind = rng.random() < 0.5
    squeeze = _conv(rng, x, int(rng.integers(2, 7)), 1)
    parts = [
        layers.Conv2D(int(rng.integers(1, 9)), kernel, padding="same", activation=None if behind else "relu")(
            squeeze
        )
        for kernel in (1, 3)
    ]
    x = layers.Concatenate()(parts)
    return layers.ReLU()(x) if behind else x


def _block(rng, x):
    kind = rng.choice(["fire", "pool", "conv", "depthwise", "scale"], p=[0.3, 0.2, 0.15, 0.25, 0.1])
    if kind == "fire":
        return _fire(rng, x)
    if kind == "pool":
        make = layers.MaxPooling2D if rng.random() < 0.6 else layers.AveragePooling2D
        return make(2)(x) if min(x.shape[1:3]) >= 2 else x
    if kind == "depthwise" and min(x.shape[1:3]) >= 3:
        return _depthwise(rng, x)
    if kind == "scale":
        return layers.Rescaling(float(rng.uniform(0.5, 2)), offset=float(rng.uniform(-1, 1)))(x)
    return _conv(rng, x, int(rng.integers(2, 10)), int(rng.choice([1, 3, 5])), int(rng.integers(1, 3)))


def _head(rng, x):
    classes = int(rng.integers(1, 12))
    kind = rng.choice(["mean", "max", "flatten", "pool", "conv"])
    if kind == "conv":
        x = layers.GlobalAveragePooling2D()(layers.Conv2D(classes, 1)(x))
    else:
        if kind == "mean":
            x = layers.GlobalAveragePooling2D(keepdims=bool(rng.random() < 0.3))(x)
        elif kind == "max":
            x = layers.GlobalMaxPooling2D()(x)
        elif kind == "pool":
            x = layers.AveragePooling2D(x.shape[1:3])(x)
        if len(x.shape) == 4:
            x = layers.Flatten()(x)
        if rng.random() < 0.4:
            x = _activation(rng, layers.Dense(int(rng.integers(2, 20)))(x))
        x = layers.Dense(classes)(x)
    if classes == 1:
        return layers.Activation("sigmoid")(x)
    return layers.Softmax()(x) if rng.random() < 0.7 else x


def random_tflite(seed: int) -> bytes:
    """An int8 .tflite of a random network, whose batch is open or one."""
    rng = np.random.default_rng(seed)
    keras.backend.clear_session()  # layer names count from 1 again: the same bytes in any order of tests
    keras.utils.set_random_seed(seed)
    shape = (int(rng.integers(8, 30)), int(rng.integers(8, 30)), int(rng.choice([1, 2, 3, 4])))
    image = keras.Input(shape)
    x = image
    if rng.random() < 0.3:
        x = layers.Rescaling(1 / 2, offset=-0.1)(x)
    x = _conv(rng, x, int(rng.integers(3, 10)), 3, int(rng.integers(1, 3)))
    for _ in range(int(rng.integers(1, 4))):
        x = _block(rng, x)
    model = keras.Model(image, _head(rng, x))

    if rng.random() < 0.5:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
    else:
        signature = tf.TensorSpec((1, *shape), tf.float32)
        function = tf.function(lambda v: model(v, training=False)).get_concrete_function(signature)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    return quantized(rng, converter, shape)
