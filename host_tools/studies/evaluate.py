"""`python -m model evaluate`: the same images through Keras, the int8 .tflite, and our engine on the host."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from squeezenet_mcu.common import files, statistics, terminal
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.data.images import spread
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest, remembered
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.common.terminal import Console, TextColumn
from squeezenet_mcu.host_tools.validate.top5 import MANY
from squeezenet_mcu.model.card import mistakes
from squeezenet_mcu.model.network import keras_config
from squeezenet_mcu.model.settings import budget, config, model_budget

NAME = "evaluate"
HELP = "accuracy of the Keras model, of the int8 .tflite and of our engine on the host"
EXAMPLES = """\
  python -m model evaluate --model digits
  python -m model evaluate --model gtsrb --data signs.npz --limit 1000 --json accuracy.json
  python -m model evaluate --model imagenet_v1_0 --data imagenet_val/ --engine-limit 100"""
_KERAS_BATCH = 32
_LABELS = {"keras": "Keras, float32", "int8": "int8, LiteRT's reference kernels", "engine": "int8, engine"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    parser.add_argument("--data", metavar="SOURCE", help="folder, .npz or name (the model's own)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N images of the test split (all)")
    parser.add_argument(
        "--engine-limit",
        type=int,
        metavar="N",
        help="run the engine, whose host build takes about a second an ImageNet image, on N of them (all)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    budget.add_arguments(parser, ("min_accuracy",))


@dataclass(frozen=True)
class Model:
    """What `make convert` left of a model."""

    manifest: dict[str, Any]
    tflite: bytes
    blob: bytes


@dataclass(frozen=True)
class TestSet:
    """uint8 [n, h, w, c] and int64 [n]; of `source`, `skipped` are not among them: used for calibration."""

    x: npt.NDArray[np.uint8]
    y: npt.NDArray[np.int64]
    source: str
    skipped: int
    notices: list[str]


def _load(name: str) -> Model:
    folder = BUILD / name
    paths = [folder / file for file in ("manifest.json", "model.tflite", "model.sqz")]
    for path in paths:
        if not path.is_file():
            if path.suffix == ".sqz" and "engine" in read_manifest(folder):
                raise UserError(
                    f"{name} is converted for TFLite Micro alone (ENGINE=tflm); evaluate scores our engine"
                )
            raise UserError(f"{path}: missing; run: make convert MODEL={name}")
    return Model(read_manifest(folder), paths[1].read_bytes(), paths[2].read_bytes())


def _test_set(manifest: dict[str, Any], source: str, limit: int | None) -> TestSet:
    """At most `limit` labelled test images of `source`, spread over it, none of them used for calibration."""
    if manifest["output"]["classes"] == 1:
        raise UserError(
            f"{manifest['model']} has one output, which tells no classes apart: there is no accuracy to "
            f"evaluate; answers are compared by: make validate MODEL={manifest['model']}"
        )
    if not source:
        raise UserError(
            f"{manifest['model']} has no data of its own; evaluate wants labelled test images (DATA=)"
        )
    used = set(manifest["calibration"]["sha256"]) if manifest["calibration"] else set()
    size = manifest["input"]
    found = sources.load(
        *(source, "test", size["height"], size["width"], size["channels"]),
        None if limit is None else limit + len(used),  # enough, should all of these be among them
        manifest["labels"] or None,
        manifest["fit"],
        manifest["output"]["classes"],
    )
    fresh = sources.without(found, used)
    chosen = np.flatnonzero(fresh.y >= 0)
    if not len(chosen):
        why = "none of them labelled" if len(fresh.x) else "all of them used for calibration"
        raise UserError(
            f"{source}: {len(found.x)} images, {why}; evaluate wants other, labelled test images (DATA=)"
        )
    chosen = chosen[spread(len(chosen), limit)]
    skipped = len(found.x) - len(fresh.x)
    return TestSet(fresh.x[chosen], fresh.y[chosen], source, skipped, fresh.notices)


def _own_data(manifest: dict[str, Any]) -> str:
    """The data that the model remembers, "" = none; says so. UserError where they are gone."""
    source, model = remembered(manifest), manifest["model"]
    if source and not sources.is_there(source):
        raise UserError(
            f"{source}: no such data any more, and {model} was trained on them or scored with them; put them "
            "back, or give labelled test images: DATA= (--data)"
        )
    if source and not sources.is_named(source):
        notice(f"images of {source}, as {model} remembers; DATA= (--data) takes others")
    return source


def _float_model(manifest: dict[str, Any]) -> Any:
    """The Keras model that was converted; None where there was none (a .tflite from elsewhere)."""
    entry = manifest["float"]
    if entry is None:
        return None
    source = Path(entry["file"])
    if not source.is_file() or files.sha256(source.read_bytes()) != entry["sha256"]:
        name = manifest["model"]
        raise UserError(f"{source}: gone or changed since the conversion; run: make convert MODEL={name}")
    keras_config.read(source)  # refused before TensorFlow takes its seconds
    from squeezenet_mcu.common.tf import keras
    from squeezenet_mcu.model.network import keras_files

    network = keras_files.load(source)
    last = network.layers[-1]
    # A softmax, maybe wrapped for quantization, would round small probabilities to equal ones.
    if isinstance(getattr(last, "layer", last), keras.layers.Softmax):
        return keras.Model(network.inputs, last.input)
    return network


def _keras_logits(
    network: Any, x: npt.NDArray[np.uint8], divisor: float, progress: Callable[[int], None]
) -> npt.NDArray[np.float32]:
    """float32 [n, classes] for pixels x [n, h, w, c], of which few at a time are held as floats."""
    parts = []
    for i in range(0, len(x), _KERAS_BATCH):
        batch = x[i : i + _KERAS_BATCH].astype(np.float32) / np.float32(divisor)
        parts.append(network.predict_on_batch(batch))
        progress(i + len(batch))
    return np.concatenate(parts)


def _score_all(
    model: Model, tests: TestSet, on_engine: npt.NDArray[np.bool_], console: Console
) -> tuple[dict[str, npt.NDArray[Any] | None], int]:
    """Logits of each runner by its name, and on how many values LiteRT and the engine differ."""
    from squeezenet_mcu.convert.verify import accuracy

    count = len(tests.x)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        # The processes before Keras: TensorFlow's threads would not survive their start.
        int8 = progress.add_task("int8 and engine", total=count)
        scores = accuracy.score(
            model.tflite,
            model.blob,
            model.manifest,
            tests.x,
            lambda n: progress.update(int8, completed=n),
            on_engine,
        )
        logits: dict[str, npt.NDArray[Any] | None] = {"int8": scores.int8, "engine": scores.engine}
        network = _float_model(model.manifest)
        if network is not None:
            keras = progress.add_task(_LABELS["keras"], total=count)
            divisor = model.manifest["float"]["divisor"]
            logits["keras"] = _keras_logits(
                network, tests.x, divisor, lambda n: progress.update(keras, completed=n)
            )
    return logits, scores.differing


def evaluate(
    name: str, source: str | None, limit: int | None, engine_limit: int | None, console: Console
) -> dict[str, Any]:
    """Figures of model `name` on the test split of `source` (its own data by default): fractions of 1.

    `engine_limit`: so many of the images, spread evenly, go through the engine as well (all).
    """

    for option, value in (("limit", limit), ("engine-limit", engine_limit)):
        if value is not None and value < 1:
            raise UserError(f"--{option} {value}: want at least 1 image")
    model = _load(name)
    tests = _test_set(model.manifest, source or _own_data(model.manifest), limit)
    for text in tests.notices:
        notice(f"{text} (test)")
    on_engine = np.zeros(len(tests.x), bool)
    on_engine[spread(len(tests.x), engine_limit)] = True
    logits, differing = _score_all(model, tests, on_engine, console)
    figures: dict[str, Any] = {
        "model": name,
        "data": tests.source,
        "classes": model.manifest["output"]["classes"],
        "images": len(tests.x),
        "engine_images": int(on_engine.sum()),
        "calibration_images_skipped": tests.skipped,
        "differing_values": differing,
        "tflite_sha256": model.manifest["tflite_sha256"],
        "weight_bits": model.manifest["weight_bits"],
    }
    for runner in _LABELS:
        outputs = logits.get(runner)
        y = tests.y[on_engine] if runner == "engine" else tests.y
        for k in (1, 5):
            share = None if outputs is None else statistics.top_k(outputs, y, k)
            figures[f"{runner}_top{k}"] = share
            figures[f"{runner}_top{k}_interval"] = (
                None if share is None else list(statistics.interval(share, len(y)))
            )
    _draw(name, model, tests, logits["int8"])
    return figures


def _draw(name: str, model: Model, tests: TestSet, logits: npt.NDArray[Any] | None) -> None:
    """confusion.png and mistakes.png of the int8 network; what goes wrong is told, and loses no figure."""
    if logits is None:
        return
    output, y = model.manifest["output"], tests.y
    try:
        found = logits.argmax(axis=1)
        steps = logits - logits.max(axis=1, keepdims=True).astype(np.float64)
        sure = 1 / np.exp(steps * output["logits_scale"]).sum(axis=1)
        table = statistics.confusion(y, found, output["classes"])
        worst = statistics.worst_mistakes(y, found, sure)
        mistakes.write(name, model.manifest["labels"], table, worst, Set(tests.x, y), BUILD / name)
    except Exception as error:  # whatever a picture can fail of
        terminal.echo(f"notice: {BUILD / name / mistakes.MISTAKES} not drawn: {error!r}")


def _cells(figures: dict[str, Any], key: str) -> tuple[str, str]:
    """A share, and its interval."""
    if figures[key] is None:
        return "-", ""
    low, high = figures[f"{key}_interval"]
    return f"{figures[key]:.2%}", f"{100 * low:.1f} to {100 * high:.1f}"


def _show(console: Console, figures: dict[str, Any]) -> None:
    count = figures["images"]
    table = Table(title=f"{figures['model']}: {count:,} test images of {figures['data']}")
    table.add_column("")
    ks = (1, 5) if figures["classes"] > MANY else (1,)  # of few classes, five say little
    for column in ("images", *(text for k in ks for text in (f"top-{k}", "95 % interval"))):
        table.add_column(column, justify="right", no_wrap=True)
    for runner, label in _LABELS.items():
        images = figures["engine_images"] if runner == "engine" else count
        cells = [cell for k in ks for cell in _cells(figures, f"{runner}_top{k}")]
        table.add_row(label, f"{images:,}", *cells)
    console.print(table)
    if figures["engine_images"] < count:
        console.print(
            f"the engine ran {figures['engine_images']:,} of the {count:,} images, spread over them: "
            "its shares are of these"
        )
    if figures["keras_top1"] is not None:
        points = [(100 * (figures[f"int8_top{k}"] - figures[f"keras_top{k}"]), k) for k in ks]
        said = ", ".join(f"{gained:+.2f} points of top-{k}" for gained, k in points)
        console.print(f"int8 against float: {said}")
    differing = figures["differing_values"]
    console.print(
        f"int8 values on which LiteRT and the engine differ: {differing} "
        f"(in {figures['engine_images']:,} images)"
    )


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    console = Console()
    if args.json:
        files.outputs(args.json)
    figures = evaluate(config.name_of(args.model), args.data, args.limit, args.engine_limit, console)
    _show(console, figures)
    if args.json:
        files.write_json(args.json, figures)
        console.print(f"wrote {args.json}", soft_wrap=True)
    if figures["differing_values"]:
        return 1
    inputs = read_manifest(BUILD / figures["model"])["inputs"]
    found = budget.Figures(figures["model"], accuracy=figures["int8_top1"])
    budget.enforce(model_budget.of(args, args.model, inputs), found)
    return 0
