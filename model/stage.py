"""What train, prune and quantize share: options, data, knowing when there is nothing to do, the record."""

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from model import config, data, files
from model.config import Config
from model.errors import UserError
from model.splits import Set, held_out

# Before TensorFlow is imported: oneDNN doubles the speed of training on a CPU. Elsewhere it is off,
# because it rounds differently from machine to machine; trained weights cannot be the same everywhere anyway.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

BUILD = Path("build")
_VERSIONS = ("tensorflow", "tensorflow-cpu", "tf-keras", "tensorflow-model-optimization", "numpy")


@dataclass(frozen=True)
class Stage:
    """One of train, prune, quantize, about to run. `folder` is build/<model>."""

    name: str
    config: Config
    folder: Path
    train: Set
    validation: Set | None
    test: Set
    epochs: int
    fingerprint: str
    fresh: bool
    source: str

    @property
    def output(self) -> Path:
        """The model this stage makes."""
        return self.folder / OUTPUTS[self.name]

    @property
    def record(self) -> Path:
        """What this stage noted down about it."""
        return self.folder / f"{self.name}.json"

    @property
    def checkpoint(self) -> Path:
        """Where the training stands, while it runs."""
        return self.folder / "checkpoints" / f"{self.name}.npz"


OUTPUTS = {"train": "float.keras", "prune": "pruned.keras", "quantize": "quantized.keras"}
BEFORE = {"prune": "train", "quantize": "prune"}


def _source_hash(name: str, folder: Path, model: str) -> str:
    """SHA-256 of the model that stage `name` starts from ("" for train)."""
    if name not in BEFORE:
        return ""
    before = BEFORE[name]
    path = folder / OUTPUTS[before]
    if not path.is_file():
        raise UserError(f"{path}: no such file; run first: python -m model {before} --model {model}")
    return files.sha256(path.read_bytes())


def open_stage(name: str, args: argparse.Namespace) -> Stage:
    """Reads the settings and the data of `args` (see add_arguments). Raises UserError."""
    settings = config.load(args.model)
    if settings.weights is not None:
        raise UserError(
            f"{settings.path}: its weights are imported, says its table [weights]; to train it here, take a "
            "TOML without that table, like v1_0"
        )
    size = settings.input
    epochs = getattr(settings, name).epochs if args.epochs is None else args.epochs
    if not 1 <= epochs <= 10_000:
        raise UserError(f"--epochs {epochs}: want a whole number from 1 to 10000")
    folder = BUILD / settings.name
    source_hash = _source_hash(name, folder, args.model)
    source = settings.data.source if args.data is None else args.data
    if source.startswith("random"):
        raise UserError(f'data "{source}" has no classes to learn; want labelled images')
    splits = []
    for split in data.SPLITS:
        images = data.load(source, split, size.height, size.width, size.channels, labels=settings.data.labels)
        if len(images.labels) != settings.architecture.classes:
            raise UserError(
                f"{source}: {len(images.labels)} classes; want {settings.architecture.classes}, as "
                f"[architecture] classes in {settings.path} says"
            )
        for notice in images.notices:
            print(f"notice: {notice} ({split})")
        splits.append(images)
    train, test = splits
    mask = held_out(train.y, settings.train.validation, settings.train.validation_block)
    known = {
        "stage": name,
        "epochs": epochs,
        "source": source_hash,
        "input": dataclasses.asdict(size),
        "architecture": dataclasses.asdict(settings.architecture),
        "train": {**dataclasses.asdict(settings.train), "epochs": 0},
        name: dataclasses.asdict(getattr(settings, name)),
        "x": files.sha256(train.x.tobytes()),
        "y": files.sha256(train.y.tobytes()),
    }
    return Stage(
        name=name,
        config=settings,
        folder=folder,
        train=Set(train.x[~mask], train.y[~mask]),
        validation=Set(train.x[mask], train.y[mask]) if mask.any() else None,
        test=Set(test.x, test.y),
        epochs=epochs,
        fingerprint=files.sha256(json.dumps(known, sort_keys=True).encode()),
        fresh=args.fresh,
        source=source,
    )


def read_record(path: Path) -> dict[str, Any]:
    """A stage's record; {} if there is none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def is_done(stage: Stage) -> bool:
    """Whether the same settings and data have already made the output; says so. Never with --fresh."""
    if stage.fresh:
        stage.checkpoint.unlink(missing_ok=True)
        return False
    record = read_record(stage.record)
    if record.get("fingerprint") != stage.fingerprint or not stage.output.is_file():
        return False
    if record["output_sha256"] != files.sha256(stage.output.read_bytes()):
        return False
    print(
        f"{stage.name}: {stage.output} is up to date (test accuracy {record['test_accuracy']:.4f}); "
        "--fresh makes it again"
    )
    return True


def train(
    stage: Stage, model: Any, learning_rate: float, warmup_epochs: int, **extra: Any
) -> list[dict[str, float]]:
    """Trains `model` on the stage's images; returns the history. `extra` goes to training.Job."""
    from model.training import Job, fit

    print(
        f"{stage.name}: {stage.config.name}, {len(stage.train.y)} images of {stage.source}, "
        f"{0 if stage.validation is None else len(stage.validation.y)} held out, {stage.epochs} epochs"
    )
    return fit(
        Job(
            name=stage.name,
            model=model,
            settings=stage.config.train,
            epochs=stage.epochs,
            learning_rate=learning_rate,
            warmup_epochs=warmup_epochs,
            train=stage.train,
            validation=stage.validation,
            checkpoint=stage.checkpoint,
            fingerprint=stage.fingerprint,
            report=lambda line: print(line, flush=True),
            **extra,
        )
    )


def finish(
    stage: Stage,
    model: Any,
    history: list[dict[str, float]],
    *,
    started: float,
    figures: Mapping[str, Any] | None = None,
    test_accuracy: Callable[[], float] | None = None,
) -> None:
    """Saves the model, then its record, then drops the checkpoint: killed anywhere, a second run mends it."""
    from model import keras_files
    from model.training import scorer

    score = (test_accuracy or (lambda: scorer(model)(stage.test)))()
    keras_files.save(model, stage.output)
    versions = {}
    for package in _VERSIONS:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # tensorflow or tensorflow-cpu, whichever this platform has
    record = {
        "model": stage.config.name,
        "stage": stage.name,
        "test_accuracy": round(score, 6),
        "test_images": len(stage.test.y),
        "parameters": model.count_params(),
        **(figures or {}),
        "epochs": stage.epochs,
        "seconds": round(time.monotonic() - started, 1),
        "output_sha256": files.sha256(stage.output.read_bytes()),
        "fingerprint": stage.fingerprint,
        "versions": versions,
        "history": history,
    }
    files.write_json(stage.record, record)
    stage.checkpoint.unlink(missing_ok=True)
    print(f"{stage.name}: test accuracy {score:.4f} on {len(stage.test.y)} images; wrote {stage.output}")
