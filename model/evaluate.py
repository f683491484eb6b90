"""`python -m model evaluate`: the same images through Keras, the int8 .tflite, and our engine on the host."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from model import config, data, files
from model.errors import UserError
from model.preprocess import quantize_images

NAME = "evaluate"
HELP = "accuracy of the Keras model, of the int8 .tflite and of our engine on the host"
EXAMPLES = """\
  python -m model evaluate --model digits
  python -m model evaluate --model gtsrb --data signs.npz --limit 1000 --json accuracy.json"""
BUILD = Path("build")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See model.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    parser.add_argument("--data", metavar="SOURCE", help="folder, .npz or name (the model's own)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N images of the test split (all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")


def _load(name: str) -> tuple[dict[str, Any], bytes, bytes]:
    folder = BUILD / name
    paths = [folder / file for file in ("manifest.json", "model.tflite", "model.sqz")]
    for path in paths:
        if not path.is_file():
            raise UserError(f"{path}: missing; run: make convert MODEL={name}")
    manifest = json.loads(paths[0].read_text(encoding="utf-8"))
    return manifest, paths[1].read_bytes(), paths[2].read_bytes()


def _keras_logits(manifest: dict[str, Any], x: np.ndarray) -> np.ndarray | None:
    """The outputs, float32 [n, classes], of the Keras model that was converted; None when there was none."""
    sources = [Path(p) for p in manifest["inputs"] if p.endswith(".keras")]
    if not sources:
        return None
    source = sources[0]
    if not source.is_file() or files.sha256(source.read_bytes()) != manifest["inputs"][str(source)]:
        name = manifest["model"]
        raise UserError(f"{source}: gone or changed since the conversion; run: make convert MODEL={name}")
    from model import export

    network = export.load_quantized(source)
    return network.predict(x.astype(np.float32) / np.float32(255), batch_size=128, verbose=0)


def evaluate(name: str, source: str | None, limit: int | None, console: Console) -> dict[str, Any]:
    """Figures of model `name` on the test split of `source` (its own data by default): fractions of 1."""
    from convert import accuracy

    manifest, tflite, blob = _load(name)
    source = source or manifest["data"]
    size = manifest["input"]
    shape = (size["height"], size["width"], size["channels"])
    images = data.load(source, "test", *shape, limit, manifest["labels"] or None)
    for notice in images.notices:
        console.print(f"note: {notice}", highlight=False, soft_wrap=True)
    if not np.any(images.y >= 0):
        raise UserError(f"{source}: no image has a label; evaluate wants labelled test images (DATA=)")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("int8 and engine", total=len(images.x))
        quantized = quantize_images(images.x, size)
        scores = accuracy.score(
            tflite, blob, manifest, quantized, lambda n: progress.update(task, completed=n)
        )
    keras = _keras_logits(manifest, images.x)
    figures: dict[str, Any] = {
        "model": name,
        "data": source,
        "images": int((images.y >= 0).sum()),
        "differing_values": scores.differing,
        "tflite_sha256": manifest["tflite_sha256"],
    }
    for label, outputs in (("keras", keras), ("int8", scores.int8), ("engine", scores.engine)):
        for k in (1, 5):
            value = None if outputs is None else accuracy.top_k(outputs, images.y, k)
            figures[f"{label}_top{k}"] = value
    return figures


def run(args: argparse.Namespace) -> int:
    """See model.cli.Command."""
    console = Console()
    if args.json:
        files.clear(args.json)
    figures = evaluate(config.name_of(args.model), args.data, args.limit, console)
    table = Table(title=f"{figures['model']}: {figures['images']:,} test images of {figures['data']}")
    for column in ("", "top-1", "top-5"):
        table.add_column(column, justify="right" if column else "left")
    for label, what in (("keras", "Keras"), ("int8", "int8 .tflite (LiteRT)"), ("engine", "engine (host)")):
        values = [figures[f"{label}_top{k}"] for k in (1, 5)]
        table.add_row(what, *("-" if v is None else f"{v:.2%}" for v in values))
    console.print(table)
    differing = figures["differing_values"]
    console.print(f"int8 values on which LiteRT and the engine differ: {differing}", highlight=False)
    if args.json:
        files.write_json(args.json, figures)
        console.print(f"wrote {args.json}", highlight=False, soft_wrap=True)
    return 1 if differing else 0
