"""Networks as people build them in Keras: ends of all kinds, batch norms in other places, MobileNet."""

from collections.abc import Callable

import numpy as np

from squeezenet_mcu.common.tf import keras, tf

layers = keras.layers
_CLASSES = 5


def _small(head: Callable, norm: str = "none", relu: str = "before concat"):
    """A SqueezeNet of two fire modules for 32x32 pixels, with `head` behind its last map."""

    def conv(x, filters, kernel, activation="relu"):
        x = layers.Conv2D(filters, kernel, padding="same", activation=activation)(x)
        return layers.BatchNormalization()(x) if norm == "behind ReLU" and activation else x

    def fire(x, squeeze, expand):
        x = conv(x, squeeze, 1)
        activation = "relu" if relu == "before concat" else None
        x = layers.Concatenate()([conv(x, expand, 1, activation), conv(x, expand, 3, activation)])
        return x if activation else layers.ReLU()(x)

    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, 2, activation="relu")(image)
    x = layers.MaxPooling2D(3, 2)(x)
    x = fire(x, 8, 16)
    x = layers.MaxPooling2D(3, 2)(x)
    return keras.Model(image, head(fire(x, 8, 24)))


def _gap_dense(x):
    return layers.Dense(_CLASSES, activation="softmax")(layers.GlobalAveragePooling2D()(x))


def _two_dense(x):
    x = layers.Dense(24, activation="relu")(layers.GlobalAveragePooling2D()(x))
    return layers.Dense(_CLASSES, activation="softmax")(x)


def _flatten_dense(x):
    return layers.Dense(_CLASSES, activation="softmax")(layers.Flatten()(x))


def _sigmoid(x):
    return layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling2D()(x))


def _max_dense(x):
    return layers.Dense(_CLASSES, activation="softmax")(layers.GlobalMaxPooling2D()(x))


def _mobilenet():
    """MobileNetV1 0.25 for 96x96 pixels, as MLPerf Tiny's Visual Wake Words has it."""
    return keras.applications.MobileNet((96, 96, 3), alpha=0.25, weights=None, classes=2)


NETWORKS: dict[str, Callable] = {
    "gap_dense": lambda: _small(_gap_dense),
    "two_dense": lambda: _small(_two_dense),
    "flatten_dense": lambda: _small(_flatten_dense),
    "sigmoid": lambda: _small(_sigmoid),
    "global_max": lambda: _small(_max_dense),
    "norm_behind_relu": lambda: _small(_gap_dense, norm="behind ReLU"),
    "relu_behind_concat": lambda: _small(_gap_dense, relu="behind concat"),
    "open_batch_flatten": lambda: _small(_flatten_dense),
    "mobilenet_v1": _mobilenet,
}


def pictures(count: int, height: int, width: int) -> np.ndarray:
    """uint8 [count, height, width, 3] of coarse squares: networks tell them apart, not noise."""
    rng = np.random.default_rng(count)
    coarse = rng.integers(0, 256, (count, 4, 4, 3)) * rng.random((count, 1, 1, 3))
    return coarse.astype(np.uint8).repeat(height // 4, axis=1).repeat(width // 4, axis=2)


def tflite(name: str) -> bytes:
    """The int8 .tflite of one of NETWORKS: the weights are random."""
    rng = np.random.default_rng(18)
    keras.backend.clear_session()  # layer names count from 1 again
    keras.utils.set_random_seed(18)
    model = NETWORKS[name]()
    samples = pictures(32, *model.input_shape[1:3]).astype(np.float32) / 255
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0  # what it sees next is what it has learned
            layer.gamma.assign(rng.uniform(0.8, 1.5, layer.gamma.shape))
            layer.beta.assign(rng.normal(0, 0.2, layer.beta.shape))
    model(samples, training=True)
    shape = model.input_shape[1:]
    if name == "open_batch_flatten":
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
    else:
        signature = tf.TensorSpec((1, *shape), tf.float32)
        function = tf.function(lambda x: model(x, training=False)).get_concrete_function(signature)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None]] for x in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    content: bytes = converter.convert()
    return content
