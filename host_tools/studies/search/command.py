"""Command: a small architecture search, which trains a model's candidates shortly and compares them."""

import argparse
import dataclasses
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from squeezenet_mcu.common import files, paths, terminal
from squeezenet_mcu.common.data import splits
from squeezenet_mcu.common.data.images import spread
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.json_files import Count, Positive, Share
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.studies.search import report
from squeezenet_mcu.host_tools.studies.search import settings as search_settings
from squeezenet_mcu.host_tools.studies.search.settings import Search
from squeezenet_mcu.model.distributed import tf_environment
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train import records, training_images

NAME = "search"
HELP = "train the candidates of a search.toml shortly; compare accuracy, weights, SRAM and instructions"
EXAMPLES = """  python -m model search --model gtsrb --data gtsrb.npz
  python -m model search --model gtsrb --data gtsrb.npz --only a_base b_late40
  python -m model search --model mine/search.toml --data my_images/     # base = "mine.toml", see the zoo's
  python -m model search --model gtsrb --publish     # search.md, .json, pareto.png: beside the search.toml

A candidate's figures are in build/<model>/search/<candidate>.json; without that file they are taken anew,
from the training that is kept beside it."""

OUTPUTS = ("search.json", "search.md", "pareto.png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="NAME|TOML",
        help="a model of the zoo that has a search.toml, or such a file",
    )
    parser.add_argument(
        "--data",
        metavar="SOURCE",
        help="as of train: folder, .npz or name (default: what the base's TOML says)",
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these candidates alone (all)")
    parser.add_argument("--fresh", action="store_true", help="train them again, whatever is there already")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="copy what was found beside the search.toml, and do nothing else",
    )


@dataclass(frozen=True)
class Task:
    """A candidate about to be trained. `trained`: a digest of all that its weights depend on; `fingerprint`:

    of all that its record does.
    """

    name: str
    config: Config
    trained: str
    fingerprint: str
    folder: Path

    @property
    def record(self) -> Path:
        """Its figures."""
        return self.folder / f"{self.name}.json"

    @property
    def checkpoint(self) -> Path:
        """Its training, kept when it is complete: figures can be taken anew without it."""
        return self.folder / "checkpoints" / f"{self.name}-{self.trained[:12]}.npz"


def run(args: argparse.Namespace) -> int:
    """Writes build/<model>/search/; exit status 0."""
    tf_environment.prepare()
    search = search_settings.load(args.model)
    folder = paths.BUILD / search.base.name / "search"
    console = Console()
    if args.publish:
        _publish(search, folder)
        return 0
    for name in args.only or ():
        if name not in search.candidates:
            known = ", ".join(search.candidates)
            raise UserError(f"{name}: no such candidate in {search.path}; want some of {known}")
    search, parts = images_of(search, args.data)
    tasks = tasks_of(search, parts, folder)
    for number, task in enumerate(tasks, 1):
        if args.only is not None and task.name not in args.only:
            continue
        if not args.fresh and _finished(task):
            terminal.echo(f"search: {task.record} is up to date")
            continue
        terminal.echo(f"search: {task.name}, candidate {number} of {len(tasks)}", flush=True)
        if args.fresh:
            task.checkpoint.unlink(missing_ok=True)
        files.clear(task.record)
        files.write_json(task.record, _try(task, search, parts))
    _report(search, tasks, folder, console)
    return 0


def images_of(search: Search, source: str | None) -> tuple[Search, splits.Parts]:
    """The search with the classes of the data; the training images to learn from, and those to validate on.

    The reserve is split off, and let go; the images to test with are not even read.
    """
    source = search.base.data.source if source is None else source
    base, train = training_images.load_train(search.base, source)
    # The reserve first, of all images: those that train's stages keep for the end.
    parts = splits.split(train, base.data.reserve, search.validation, base.train.validation_block)
    if parts.validation is None:
        raise UserError(
            f"{source}: no images left to validate on; want more than one run of [train] validation_block = "
            f"{base.train.validation_block} images in some class"
        )
    chosen = spread(len(parts.train.y), search.images)
    learned = Set(parts.train.x[chosen], parts.train.y[chosen])
    return search.with_labels(base.data.labels), splits.Parts(learned, parts.validation, None)


def _digest(value: Any) -> str:
    return files.sha256(json.dumps(value, sort_keys=True).encode())


def tasks_of(search: Search, parts: splits.Parts, folder: Path) -> list[Task]:
    """All candidates; `parts`: as images_of gives them."""
    assert parts.validation is not None
    arrays = (parts.train.x, parts.train.y, parts.validation.x, parts.validation.y)
    shared = {
        "input": dataclasses.asdict(search.base.input),
        "images": [files.sha256(array.tobytes()) for array in arrays],
    }
    tasks = []
    for name, candidate in search.candidates.items():
        own = {key: dataclasses.asdict(getattr(candidate, key)) for key in ("architecture", "train")}
        trained = _digest(shared | own)
        zeros = [search.base.prune.sparsity, search.base.prune.layers]
        fingerprint = _digest({"trained": trained, "zeros": zeros, "limits": vars(search.limits)})
        tasks.append(Task(name, candidate, trained, fingerprint, folder))
    return tasks


class Candidate(TypedDict):
    """A candidate's record: see figures."""

    candidate: str
    architecture: dict[str, Any]
    train_images: Positive
    validation_images: Positive
    float_accuracy: Share
    int8_accuracy: Share
    parameters: Positive
    macs: Positive
    weights_dense_bytes: Positive
    weights_stored_bytes: Positive
    engine_model_bytes: Positive
    sram_least_bytes: Positive
    sram_bytes: Positive
    instructions: Positive
    limited_sram_bytes: Count | None
    limited_instructions: Count | None
    seconds: Annotated[float, Meta(ge=0)]
    fingerprint: str
    history: list[records.Epoch]


def _finished(task: Task) -> dict[str, Any]:
    """The candidate's record, {} where there is none of these settings and data."""
    record = records.read(task.record, Candidate)
    return record if record.get("fingerprint") == task.fingerprint else {}


def _try(task: Task, search: Search, parts: splits.Parts) -> dict[str, Any]:
    """Trains a candidate, or goes on with it, and takes its figures: its record."""
    from squeezenet_mcu.common.tf import keras
    from squeezenet_mcu.model.network.squeezenet import build  # imports TensorFlow: seconds

    keras.backend.clear_session()
    keras.utils.set_random_seed(task.config.train.seed)
    model = build(task.config)
    history = _train(task, model, parts)
    return figures(task, search, parts, model, history)


def figures(
    task: Task, search: Search, parts: splits.Parts, model: Any, history: Sequence[dict[str, float]]
) -> dict[str, Any]:
    """The record of a trained candidate: `model` is the float Keras network, `history` as fit gives it."""
    from squeezenet_mcu.host_tools.studies.search import figures as search_figures
    from squeezenet_mcu.model.commands import info
    from squeezenet_mcu.model.train.scoring import scorer

    assert parts.validation is not None
    terminal.echo("  quantizing, planning", flush=True)
    layers = info.convolutions(model)
    tflite = search_figures.quantized(model, parts.train)
    footprint = search_figures.footprint(
        tflite,
        search_figures.zeros_of(model, search.base.prune),
        search_figures.fastest(task.config),
        search.limits,
    )
    return {
        "candidate": task.name,
        "architecture": dataclasses.asdict(task.config.architecture),
        "train_images": len(parts.train.y),
        "validation_images": len(parts.validation.y),
        "float_accuracy": round(scorer(model)(parts.validation), 6),
        "int8_accuracy": round(search_figures.int8_accuracy(tflite, parts.validation), 6),
        "parameters": sum(layer.parameters for layer in layers),
        "macs": sum(layer.macs for layer in layers),
        "weights_dense_bytes": sum(layer.parameters - layer.shape[2] for layer in layers),
        **dataclasses.asdict(footprint),
        # Of the epochs alone, whenever they were run.
        "seconds": round(sum(len(parts.train.y) / entry["images_per_s"] for entry in history), 1),
        "fingerprint": task.fingerprint,
        "history": history,
    }


def _train(task: Task, model: Any, parts: splits.Parts) -> list[dict[str, float]]:
    from squeezenet_mcu.model.train.divergence import Rate
    from squeezenet_mcu.model.train.loop import Job, fit

    settings = task.config.train
    # Those of other settings or data; no candidate's name holds a hyphen.
    for old in task.checkpoint.parent.glob(f"{task.name}-*.npz"):
        if old != task.checkpoint:
            old.unlink()
    return fit(
        Job(
            name=task.name,
            model=model,
            settings=settings,
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            warmup_epochs=settings.warmup_epochs,
            train=parts.train,
            validation=parts.validation,
            checkpoint=task.checkpoint,
            fingerprint=task.trained,
            class_weights=splits.class_weights(parts.train.y, settings.balance),
            rate=Rate.of(task.config, "train", settings.epochs),
            report=lambda line: terminal.echo(f"  {line}", flush=True),
        )
    )


def _report(search: Search, tasks: Sequence[Task], folder: Path, console: Console) -> None:
    records = [record for task in tasks if (record := _finished(task))]
    found = report.summary(search, records)
    files.write_bytes(folder / "pareto.png", report.picture(found))
    files.write_text(folder / "search.md", report.markdown(found))
    files.write_json(folder / "search.json", found)
    console.print(report.table(found))
    console.print(f"wrote {folder}/: {', '.join(OUTPUTS)}", soft_wrap=True)
    if found["missing"]:
        console.print(f"not tried yet: {', '.join(found['missing'])}", soft_wrap=True)


def _publish(search: Search, folder: Path) -> None:
    for name in OUTPUTS:
        if not (folder / name).is_file():
            raise UserError(f"{folder / name}: no such file; run first: python -m model search")
    for name in OUTPUTS:
        with files.replacing(search.path.parent / name) as temporary:
            shutil.copyfile(folder / name, temporary)
    terminal.echo(f"search: wrote {', '.join(OUTPUTS)} to {search.path.parent}")
