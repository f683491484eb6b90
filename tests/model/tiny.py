"""A tiny network of the small family on 64 random images: for tests that train for a second or two."""

import dataclasses
from pathlib import Path

import numpy as np

from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train.loop import Job

X = np.random.default_rng(3).integers(0, 256, (64, 16, 16, 1), dtype=np.uint8)
Y = np.arange(64, dtype=np.int64) % 4


def settings(bypass="simple", stages=None, **changes):
    fires = (config.Fire(4, 8, 8), config.Fire(4, 8, 8))
    architecture = config.Architecture(
        "small",
        4,
        bypass,
        config.Conv1(8, 3, 1),
        stages or ("pool", *fires),
        batch_norm=True,
        relu_logits=False,
    )
    return dataclasses.replace(
        config.load("digits"), input=config.Input(16, 16, 1), architecture=architecture, **changes
    )


def job(model, folder: Path, epochs: int, constraints=(), batch=16, images=None, **changes):
    """Trains `model` on the images above, or others."""
    return Job(
        name="tiny",
        model=model,
        settings=dataclasses.replace(settings().train, batch=batch),
        epochs=epochs,
        learning_rate=0.05,
        warmup_epochs=0,
        train=images or Set(X, Y),
        validation=None,
        checkpoint=folder / "tiny.npz",
        fingerprint="",
        constraints=constraints,
        report=lambda line: None,
        **changes,
    )
