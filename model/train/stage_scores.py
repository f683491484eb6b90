"""What the record of a stage says of its accuracy: of the float network and of the int8 one made of it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from squeezenet_mcu.common.data import images
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.statistics import confusion, worst_mistakes
from squeezenet_mcu.model.network import keras_files, to_tflite
from squeezenet_mcu.model.train.scoring import scorer
from squeezenet_mcu.model.train.stage import TrainingStage

_SAMPLE = 500  # training images, as they are, that tell how much better these are known than the test images


def int8_scorer(stage: TrainingStage, tflite: bytes) -> tuple[Callable[[Set], float], dict[str, Any]]:
    """The same for a .tflite, and what a record has of its test images, which it goes through once."""
    of_test, sure = to_tflite.answers(tflite, stage.test.x)

    def score(those: Set) -> float:
        found = of_test if those is stage.test else to_tflite.predictions(tflite, those.x)
        return float(np.mean(found == those.y))

    return score, {
        "confusion": confusion(stage.test.y, of_test, stage.config.architecture.classes),
        "mistakes": worst_mistakes(stage.test.y, of_test, sure),
    }


def accuracies_of(stage: TrainingStage, score: Callable[[Set], float]) -> dict[str, float | int]:
    """For a record: what `score` gives for the test, validation and reserve images, and their numbers.

    Of the training images, without augmentation, for a sample.
    """
    some = images.spread(len(stage.train.y), _SAMPLE)
    sample = Set(stage.train.x[some], stage.train.y[some])
    found: dict[str, float | int] = {
        "training_accuracy": round(score(sample), 6),
        "training_images": len(sample.y),
    }
    for part, those in (("test", stage.test), ("validation", stage.validation), ("reserve", stage.reserve)):
        if those is not None:
            found |= {f"{part}_accuracy": round(score(those), 6), f"{part}_images": len(those.y)}
    return found


def scored_anew(stage: TrainingStage, record: dict[str, Any]) -> dict[str, Any]:
    """`record` with the accuracies of the stage's finished network on the images that there are now."""
    model = keras_files.load(stage.output)
    figures: dict[str, Any] = {"test_sha256": stage.test_sha256}
    score = scorer(model)
    if "confusion" in record:
        score, more = int8_scorer(stage, to_tflite.to_int8_tflite(model))
        figures |= more
    return record | accuracies_of(stage, score) | figures
