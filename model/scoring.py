"""How many images a network gets right: Keras models, and the int8 ones made of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from model import export, keras_files
from model.splits import Set
from model.stage import Stage
from model.tf import keras, tf

_BATCH = 256


def logits_of(model: Any) -> Any:
    """A Keras model of images in [0, 1] to logits, which shares the variables of `model`."""
    # Not layers[-1].input: TFMOT wraps layers that another model has called before.
    return keras.Model(model.input, model.output.node.keras_inputs[0])


def scorer(model: Any) -> Callable[[Set], float]:
    """A function that gives the share of images a Keras model (float32 in [0, 1] to softmax) gets right.

    It follows the model's variables as they change, and is compiled once.
    """
    logits = logits_of(model)
    signature = [tf.TensorSpec(logits.input_shape, tf.uint8), tf.TensorSpec([None], tf.int64)]

    @tf.function(input_signature=signature)
    def right(x: Any, y: Any) -> Any:
        found = tf.argmax(logits(tf.cast(x, tf.float32) / 255, training=False), axis=1)
        return tf.reduce_sum(tf.cast(found == y, tf.int64))

    def score(images: Set) -> float:
        parts = (slice(i, i + _BATCH) for i in range(0, len(images.y), _BATCH))
        return sum(int(right(images.x[part], images.y[part])) for part in parts) / len(images.y)

    return score


def int8_scorer(stage: Stage, tflite: bytes) -> tuple[Callable[[Set], float], list[list[int]]]:
    """The same for a .tflite, and its confusion on the test images, which it goes through once."""
    of_test = export.predictions(tflite, stage.test.x)

    def score(images: Set) -> float:
        found = of_test if images is stage.test else export.predictions(tflite, images.x)
        return float(np.mean(found == images.y))

    return score, confusion(stage.test.y, of_test, stage.config.architecture.classes)


def confusion(y: npt.NDArray[np.int64], found: npt.NDArray[np.int64], classes: int) -> list[list[int]]:
    """How many images of class `row` were taken for class `column`."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (y, found), 1)
    return table.tolist()


def accuracies_of(stage: Stage, score: Callable[[Set], float]) -> dict[str, float | int]:
    """For a record: what `score` gives for the test, validation and reserve images, and their numbers."""
    found: dict[str, float | int] = {}
    for part, images in (("test", stage.test), ("validation", stage.validation), ("reserve", stage.reserve)):
        if images is not None:
            found |= {f"{part}_accuracy": round(score(images), 6), f"{part}_images": len(images.y)}
    return found


def scored_anew(stage: Stage, record: dict[str, Any]) -> dict[str, Any]:
    """`record` with the accuracies of the stage's finished network on the images that there are now."""
    model = keras_files.load(stage.output)
    figures: dict[str, Any] = {"test_sha256": stage.test_sha256}
    score = scorer(model)
    if "confusion" in record:
        score, figures["confusion"] = int8_scorer(stage, export.to_int8_tflite(model))
    return record | accuracies_of(stage, score) | figures
