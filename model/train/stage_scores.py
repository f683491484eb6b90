"""What the record of a stage says of its accuracy: of the float network and of the int8 one made of it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.model.network import keras_files, to_tflite
from squeezenet_mcu.model.train.scoring import confusion, scorer
from squeezenet_mcu.model.train.stage import TrainingStage


def int8_scorer(stage: TrainingStage, tflite: bytes) -> tuple[Callable[[Set], float], list[list[int]]]:
    """The same for a .tflite, and its confusion on the test images, which it goes through once."""
    of_test = to_tflite.predictions(tflite, stage.test.x)

    def score(images: Set) -> float:
        found = of_test if images is stage.test else to_tflite.predictions(tflite, images.x)
        return float(np.mean(found == images.y))

    return score, confusion(stage.test.y, of_test, stage.config.architecture.classes)


def accuracies_of(stage: TrainingStage, score: Callable[[Set], float]) -> dict[str, float | int]:
    """For a record: what `score` gives for the test, validation and reserve images, and their numbers."""
    found: dict[str, float | int] = {}
    for part, images in (("test", stage.test), ("validation", stage.validation), ("reserve", stage.reserve)):
        if images is not None:
            found |= {f"{part}_accuracy": round(score(images), 6), f"{part}_images": len(images.y)}
    return found


def scored_anew(stage: TrainingStage, record: dict[str, Any]) -> dict[str, Any]:
    """`record` with the accuracies of the stage's finished network on the images that there are now."""
    model = keras_files.load(stage.output)
    figures: dict[str, Any] = {"test_sha256": stage.test_sha256}
    score = scorer(model)
    if "confusion" in record:
        score, figures["confusion"] = int8_scorer(stage, to_tflite.to_int8_tflite(model))
    return record | accuracies_of(stage, score) | figures
