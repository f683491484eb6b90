"""What all stages share: options, data, knowing when there is nothing to do, the record."""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.data import fits, images, splits
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.model.distributed import machine, tf_environment
from squeezenet_mcu.model.network import keras_config, keras_graphs
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train import checkpoint, fresh_run, records, training_images
from squeezenet_mcu.model.train.chain import (
    OUTPUTS,
    chain,
    described,
    stage_before,
    table_of,
    without_compression,
)
from squeezenet_mcu.model.train.distill import teacher_file, teacher_logits
from squeezenet_mcu.model.train.divergence import DivergedError, Rate, check_collapse
from squeezenet_mcu.model.train.stage import TrainingStage
from squeezenet_mcu.model.train.transfer import initial

_VERSIONS = ("tensorflow", "tensorflow-cpu", "tf-keras", "tensorflow-model-optimization", "numpy")


def _source_hash(settings: Config, name: str, folder: Path) -> str:
    """SHA-256 of the model that stage `name` starts from ("" for train)."""
    before = stage_before(settings, name)
    if before is None:
        return ""
    path = folder / OUTPUTS[before]
    if not path.is_file():
        other = "; or quantize what was not pruned: --compress none" if before in ("prune", "cluster") else ""
        raise UserError(
            f"{path}: no such file; run first: python -m model {before} --model {settings.path}{other}"
        )
    return _sha256(path)


def _digests(images: Set) -> dict[str, str]:
    """SHA-256 of the arrays of `images`, by their names."""
    found = {"x": files.sha256(images.x.tobytes()), "y": files.sha256(images.y.tobytes())}
    if images.keys is not None:
        found["keys"] = files.sha256(images.keys.tobytes())
    return found


def _sha256(path: Path) -> str:
    """Of a .keras file."""
    return files.sha256(files.read_input(path, keras_config.MOST_FILE, "want a .keras or .h5 file"))


def _asked(settings: Config, name: str, args: argparse.Namespace) -> Config:
    """`settings` without compression where that is asked for: now, by --compress, or by the train before."""
    folder, asked = BUILD / settings.name, getattr(args, "compress", None)
    if name == "quantize" and asked is None:
        return records.as_asked(settings, folder)
    return without_compression(settings) if asked == "none" and name != "dense" else settings


def open_stage(name: str, args: argparse.Namespace) -> TrainingStage:
    """Reads the settings and the data of `args` (see options.add_stage; train has init). Raises UserError."""
    tf_environment.prepare()
    settings = _asked(config.load(args.model), name, args)
    if settings.weights is not None:
        raise UserError(
            f"{settings.path}: its weights are imported, says its table [weights]; to train it here, take a "
            "TOML without that table, like v1_0"
        )
    if args.seed is not None:
        if not 0 <= args.seed < 2**31:
            raise UserError(f"--seed {args.seed}: want a whole number from 0 to {2**31 - 1}")
        settings = dataclasses.replace(settings, train=dataclasses.replace(settings.train, seed=args.seed))
    teacher = teacher_file(settings, name, BUILD)
    epochs = table_of(settings, name).epochs if args.epochs is None else args.epochs
    least = 0 if name in ("quantize", "dense") else 1
    if not least <= epochs <= 10_000:
        raise UserError(f"--epochs {epochs}: want a whole number from {least} to 10000")
    folder = BUILD / settings.name
    source_hash = _source_hash(settings, name, folder)
    init = initial(settings, args.init, BUILD) if name == "train" else None
    before = stage_before(settings, name)
    # Now, before images are read and TensorFlow takes its seconds: they may hold what is not to be loaded.
    for model in (teacher, init, folder / OUTPUTS[before] if before else None):
        if model is not None:
            keras_graphs.check(model)
    source = training_images.source_of(settings, folder, args.data, name)
    of_data = not settings.architecture.classes
    settings = settings.with_fit(_fit(settings, name, folder, getattr(args, "fit", None)))
    settings, train, test = training_images.load(settings, source, say=name == "train")
    if of_data:
        _check_classes(settings, name, folder, source)
    parts = splits.split(
        train, settings.data.reserve, settings.train.validation, settings.train.validation_block
    )
    _check_before(settings, name, folder)
    for path in (teacher, init):
        if path is not None:
            _check_unseen(settings, path, source)
    known = {
        **described(settings, name),
        "stage": name,
        "epochs": epochs,
        "source": source_hash,
        "teacher": None if teacher is None else _sha256(teacher),
        **_digests(train),
    }
    # Only where there is one: what has been trained before there were such options stays up to date.
    if of_data:
        known["labels"] = settings.data.labels
    if init is not None:
        if init.resolve() == (folder / OUTPUTS[name]).resolve():
            raise UserError(
                f"--init {args.init or settings.train.init}: {init} is what this training will write; want "
                "another, or a copy"
            )
        known["init"] = _sha256(init)
    return TrainingStage(
        name=name,
        config=settings,
        folder=folder,
        train=parts.train,
        validation=parts.validation,
        reserve=parts.reserve,
        test=test,
        epochs=epochs,
        fingerprint=files.sha256(json.dumps(known, sort_keys=True).encode()),
        fresh=args.fresh,
        source=source,
        teacher=teacher,
        init=init,
        input_sha256=source_hash,
    )


def _fit(settings: Config, name: str, folder: Path, asked: str | None) -> str:
    """How the images of stage `name` come to their size: as those that the float network was trained on."""
    wanted = asked or settings.data.fit
    record = records.read(folder / "train.json") if name != "train" else {}
    if not record:
        return wanted
    used: str = record.get("fit", "resize")  # nobody could say otherwise, before records had it
    if wanted not in (used, fits.AS_THE_PICTURES_ARE):
        raise UserError(
            f"{folder / 'train.json'}: made with fit {used}; {settings.path} says {wanted}; run first: "
            f"python -m model train --model {settings.path}"
        )
    return used


def _check_before(settings: Config, name: str, folder: Path) -> None:
    """UserError where a stage before `name` was run with other settings than the TOML's."""
    before = stage_before(settings, name)
    while before is not None:
        path = folder / f"{before}.json"
        other = records.other_settings(records.read(path), settings, before)
        if other:
            raise UserError(
                f"{path}: made with {other}; run first: python -m model {before} --model {settings.path}"
            )
        before = stage_before(settings, before)


def _check_unseen(settings: Config, path: Path, source: str) -> None:
    """UserError where the network in `path` has learnt from images that this model keeps for the end."""
    record = records.read(path.with_name("train.json"))
    if not settings.data.reserve or record.get("data") != source or "settings" not in record:
        return
    own, its = described(settings, "train"), record["settings"]
    kept = [(of["reserve"], of["train"].get("validation_block")) for of in (own, its)]
    if kept[0] != kept[1]:
        raise UserError(
            f"{path}: trained on {source} with reserve = {its['reserve']:g}, validation_block = "
            f"{kept[1][1]}; {settings.path} says {own['reserve']:g}, {kept[0][1]}: it has learnt from images "
            "that are for the end; want the same in both"
        )


def _check_classes(settings: Config, name: str, folder: Path, source: str) -> None:
    """UserError where the model that stage `name` starts from was made for other classes than the data's."""
    before = stage_before(settings, name)
    if before is None:
        return
    known = records.read(folder / f"{before}.json").get("labels", [])
    if tuple(known) != settings.data.labels:
        raise UserError(
            f"{source}: classes {_shown(settings.data.labels)}; {folder / OUTPUTS[before]} was made for "
            f"{_shown(known)}; want the same data for all stages, or run first: python -m model {before} "
            f"--model {settings.path} --data {source}"
        )


def _shown(labels: Sequence[str]) -> str:
    return ", ".join(labels[:5]) + (f", ... ({len(labels)})" if len(labels) > 5 else "")


def is_done(stage: TrainingStage) -> bool:
    """Whether the same settings and data have already made the output; says so. Never with --fresh.

    With --fresh, a checkpoint goes, unless --fresh has begun it: its training was interrupted and goes on.
    """
    if stage.fresh:
        if not checkpoint.begun_fresh(stage.checkpoint, stage.fingerprint):
            stage.checkpoint.unlink(missing_ok=True)
        return False
    record = records.read(stage.record)
    if record.get("fingerprint") != stage.fingerprint or not stage.output.is_file():
        return False
    if record["output_sha256"] != files.sha256(stage.output.read_bytes()):
        return False
    now = stage.test_sha256
    others = record.get("test_sha256", now) != now
    if others or "training_accuracy" not in record or ("confusion" in record and "mistakes" not in record):
        from squeezenet_mcu.model.train.stage_scores import scored_anew

        record = scored_anew(stage, record)
        files.write_json(stage.record, record)
        if others:
            terminal.echo(f"{stage.name}: other test images than before: scored anew")
    # Of a run that was killed before it could: --fresh would go on from it.
    stage.checkpoint.unlink(missing_ok=True)
    terminal.echo(
        f"{stage.name}: {stage.output} is up to date (test accuracy {record['test_accuracy']:.4f}); "
        + as_typed("--fresh makes it again")
    )
    return True


def train(
    stage: TrainingStage, model: Any, learning_rate: float, warmup_epochs: int, **extra: Any
) -> list[dict[str, float]]:
    """Trains `model` on the stage's images; returns the history. `extra` goes to training.Job."""
    from squeezenet_mcu.model.train.loop import Job, fit

    held = [0 if part is None else len(part.y) for part in (stage.validation, stage.reserve)]
    terminal.echo(
        f"{stage.name}: {stage.config.name}, {len(stage.train.y)} images of {stage.source}, {held[0]} more "
        f"held out to validate{f', {held[1]} for the end' if held[1] else ''}, {stage.epochs} epochs"
    )
    teacher = None
    distill = stage.config.distill
    if stage.teacher is not None and distill is not None:
        terminal.echo(f"{stage.name}: taught by {stage.teacher}")
        shape, classes = stage.train.x.shape[1:], stage.config.architecture.classes
        teacher = teacher_logits(stage.teacher, shape, classes, distill.mirror)
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
            class_weights=splits.class_weights(stage.train.y, stage.config.train.balance),
            teacher=teacher,
            distill=distill,
            fresh=stage.fresh or checkpoint.begun_fresh(stage.checkpoint, stage.fingerprint),
            rate=Rate.of(stage.config, stage.name, stage.epochs, stage.init is not None),
            report=lambda line: terminal.echo(line, flush=True),
            **extra,
        )
    )


def _check_collapse(stage: TrainingStage, accuracies: Mapping[str, float]) -> None:
    """DivergedError where the stage has lost what the one before it knew."""
    before = stage_before(stage.config, stage.name)
    record = records.read(stage.folder / f"{before}.json") if before else {}
    rate = Rate.of(stage.config, stage.name, stage.epochs)
    some = images.spread(len(stage.train.y), int(accuracies["training_images"]))
    try:
        for part, y in (("test", stage.test.y), ("training", stage.train.y[some])):
            key = f"{part}_accuracy"
            if key in record:
                check_collapse(stage.name, rate, record[key], accuracies[key], y)
    except DivergedError:
        stage.checkpoint.unlink(missing_ok=True)  # with another rate it is of no use, and in the way
        raise


def finish(
    stage: TrainingStage,
    model: Any,
    history: list[dict[str, float]],
    *,
    started: float,
    figures: Mapping[str, Any] | None = None,
    score: Callable[[Set], float] | None = None,
) -> None:
    """Saves the model, then its record, then drops the checkpoint: killed anywhere, a second run mends it.

    `score`: the share of images it gets right, where that is not the Keras model's own.
    """
    from squeezenet_mcu.model.network import keras_files
    from squeezenet_mcu.model.train.scoring import scorer
    from squeezenet_mcu.model.train.stage_scores import accuracies_of

    accuracies = accuracies_of(stage, score or scorer(model))
    _check_collapse(stage, accuracies)
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
        "data": stage.source,
        "labels": list(stage.config.data.labels),
        "fit": stage.config.data.fit or "resize",
        **accuracies,
        "train_images": len(stage.train.y),
        "parameters": model.count_params(),
        **(figures or {}),
        "epochs": stage.epochs,
        "seconds": round(time.monotonic() - started, 1),
        "machine": machine.describe(),
        "settings": described(stage.config, stage.name),
        "teacher": None if stage.teacher is None else str(stage.teacher),
        "input_sha256": stage.input_sha256,
        "test_sha256": stage.test_sha256,
        "output_sha256": files.sha256(stage.output.read_bytes()),
        "fingerprint": stage.fingerprint,
        "versions": versions,
        "history": history,
    }
    files.write_json(stage.record, record)
    stage.checkpoint.unlink(missing_ok=True)
    if stage.name == chain(stage.config)[-1]:
        fresh_run.forget(stage.folder)
    terminal.echo(
        f"{stage.name}: test accuracy {accuracies['test_accuracy']:.4f} on {len(stage.test.y)} images; "
        f"wrote {stage.output}"
    )
