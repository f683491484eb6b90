"""Random small SqueezeNet-like networks, quantized after training by TFLite: what the engine must take."""

import numpy as np

from squeezenet_mcu.common.tf import keras, tf

layers = keras.layers
PREPROCESS = "mean=128,std=32"  # spreads pixels over the normal noise that they are calibrated with


def _activation(rng, x):
    kind = rng.choice(["relu", "relu6", "none"], p=[0.6, 0.15, 0.25])
    if kind == "relu":
        return layers.ReLU()(x)
    if kind == "relu6":
        return layers.ReLU(6.0)(x)
    return x


def _conv(rng, x, filters, kernel, stride=1, padding="same"):
    return _activation(rng, layers.Conv2D(filters, kernel, stride, padding, bias_initializer="normal")(x))


def _fire(rng, x):
    squeeze = _conv(rng, x, int(rng.integers(1, 9)), 1)
    one, three = int(rng.integers(1, 13)), int(rng.integers(1, 13))
    left = layers.Conv2D(one, 1, activation="relu", bias_initializer="normal")(squeeze)
    right = layers.Conv2D(three, 3, padding="same", activation="relu", bias_initializer="normal")(squeeze)
    y = layers.Concatenate()([left, right])
    if rng.random() < 0.5:  # bypass: a 1x1 convolution where the channels differ, as in the paper
        way = x if x.shape[-1] == y.shape[-1] else layers.Conv2D(y.shape[-1], 1)(x)
        y = layers.Add()([y, way])
    return y


def _pool(rng, x):
    size, stride = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    padding = rng.choice(["same", "valid"])
    kind = layers.MaxPooling2D if rng.random() < 0.7 else layers.AveragePooling2D
    if min(x.shape[1:3]) < size:
        return x
    return kind(size, stride, padding)(x)


def _block(rng, x):
    kind = rng.choice(["fire", "pool", "conv", "pad", "branch"], p=[0.35, 0.25, 0.2, 0.1, 0.1])
    if kind == "fire":
        return _fire(rng, x)
    if kind == "pool":
        return _pool(rng, x)
    if kind == "pad":
        amounts = [tuple(int(v) for v in rng.integers(0, 3, 2)) for _ in range(2)]
        padded = layers.ZeroPadding2D(amounts)(x)
        if rng.random() < 0.5:
            return layers.MaxPooling2D(2, 2)(padded)
        return _conv(rng, padded, int(rng.integers(1, 9)), int(rng.integers(1, 4)), padding="valid")
    if kind == "branch":  # a pooled branch cannot be written in place: the converter copies it
        pooled = layers.MaxPooling2D(3, 1, "same")(x)
        return layers.Concatenate()([pooled, _conv(rng, x, 3, 1)])
    kernel = (int(rng.integers(1, 8)), int(rng.integers(1, 8)))
    padding = "same" if min(x.shape[1:3]) < max(kernel) else str(rng.choice(["same", "valid"]))
    return _conv(rng, x, int(rng.integers(1, 12)), kernel, int(rng.integers(1, 3)), padding)


def quantized(rng, converter, shape: tuple[int, int, int]) -> bytes:
    """The int8 .tflite that a converter makes after some noise, with edges of int8, uint8 or float."""

    def samples():
        for _ in range(8):
            yield [rng.normal(0, 1, (1, *shape)).astype(np.float32)]

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    edge = [tf.int8, tf.uint8, tf.float32][int(rng.choice(3, p=[0.7, 0.15, 0.15]))]
    converter.inference_input_type = edge
    converter.inference_output_type = edge
    content: bytes = converter.convert()
    return content


def random_tflite(seed: int) -> bytes:
    """An int8 .tflite of a random network: odd sizes, strides, paddings, bypasses, one to three channels."""
    rng = np.random.default_rng(seed)
    keras.backend.clear_session()  # layer names count from 1 again: the same bytes in any order of tests
    keras.utils.set_random_seed(seed)
    shape = (int(rng.integers(7, 40)), int(rng.integers(7, 40)), int(rng.choice([1, 3])))
    image = keras.Input(shape)
    x = _conv(rng, image, int(rng.integers(3, 13)), int(rng.integers(1, 8)), int(rng.integers(1, 3)))
    for _ in range(int(rng.integers(2, 6))):
        x = _block(rng, x)
    x = _conv(rng, x, int(rng.integers(2, 20)), 1)
    x = layers.GlobalAveragePooling2D(keepdims=bool(rng.random() < 0.3))(x)
    if len(x.shape) == 4:
        x = layers.Reshape((x.shape[-1],))(x)
    if rng.random() < 0.8:
        x = layers.Softmax()(x)
    model = keras.Model(image, x)

    signature = tf.TensorSpec((1, *shape), tf.float32)
    function = tf.function(lambda value: model(value, training=False)).get_concrete_function(signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    return quantized(rng, converter, shape)
