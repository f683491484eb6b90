"""Writes a shipped model's card, from its figures, its TOML and what about.md says of its data."""

import argparse
import os
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.model.card import card_tables, confusion
from squeezenet_mcu.model.card.card_tables import table
from squeezenet_mcu.model.card.metrics import read_metrics
from squeezenet_mcu.model.settings import config, options
from squeezenet_mcu.model.settings.config import Config

NAME = "card"
HELP = "write the card of a shipped model: model/zoo/<model>/README.md and confusion.png"
EXAMPLES = "  python -m model card --model digits"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model."""
    options.add_model(parser)


def run(args: argparse.Namespace) -> int:
    """Writes README.md and confusion.png beside the model's metrics.json; exit status 0."""
    settings = config.load(args.model)
    folder = ZOO / settings.name
    write(settings, folder)
    terminal.echo(f"card: wrote {os.path.relpath(folder / 'README.md')} and confusion.png")
    return 0


def write(settings: Config, folder: Path) -> None:
    """Writes the card of the model in `folder` (model/zoo/<model>). Raises UserError."""
    metrics = read_metrics(settings, folder)
    about = folder / "about.md"
    if not about.is_file():
        raise UserError(
            f"{about}: missing; want in it, in Markdown, what the model is for, its data (origin, licence) "
            "and its limits"
        )
    content = text(settings, metrics, about.read_text(encoding="utf-8"), list_files(folder))
    count = metrics["test_images"]
    title = f"{settings.name}: int8, {count:,} test images"
    confusion.draw(metrics["confusion"], labels(settings), title, folder / "confusion.png")
    files.write_text(folder / "README.md", content)


def labels(settings: Config) -> list[str]:
    """The names of the classes, in order; their numbers where the TOML has none."""
    return list(settings.data.labels) or [str(n) for n in range(settings.architecture.classes)]


def list_files(folder: Path) -> dict[str, str]:
    """SHA-256 of the files that a user takes from `folder`, by name."""
    names = ("quantized.keras", "model.tflite")
    return {name: files.sha256((folder / name).read_bytes()) for name in names}


def text(settings: Config, metrics: dict[str, Any], about: str, hashes: dict[str, str]) -> str:
    """The card, Markdown. `about`: what was written by hand; `hashes`: SHA-256 of the files beside it."""
    size, name = settings.input, settings.name
    sections = [
        f"# {name}: SqueezeNet for {settings.architecture.classes} classes, "
        f"{size.height}x{size.width}x{size.channels}",
        f"<!-- Written by: python -m model card --model {name}. By hand: about.md. -->",
        about.strip(),
        "## In short",
        card_tables.summary(metrics),
        "## Split",
        card_tables.split(settings, metrics),
        "## Network",
        card_tables.network(settings, metrics),
        "## Schedule",
        card_tables.schedule(settings, metrics),
        "![loss and accuracy over the epochs, zeros and different weights by layer, bytes](curves.png)",
        "## Accuracy",
        card_tables.accuracies(metrics),
        "## Zeros and different weights in the .tflite",
        card_tables.layers(metrics),
        "## Bytes and time",
        card_tables.sizes(metrics),
        "## Confusion",
        _confusion(metrics, labels(settings)),
        "## Make it again",
        _reproduction(settings, metrics),
        "## Files",
        _files(metrics, settings, hashes),
    ]
    return "\n\n".join(sections) + "\n"


def _confusion(metrics: dict[str, Any], names: list[str]) -> str:
    found = confusion.recall(metrics["confusion"])
    known = [(share, names[label]) for label, share in enumerate(found) if share is not None]
    share, label = min(known)
    rows = [
        (names[m.label], names[m.taken], f"{m.images:,} of {m.of:,}")
        for m in confusion.worst(metrics["confusion"])
    ]
    parts = [
        "![which classes are taken for which](confusion.png)",
        f"The int8 model on the test images. Worst known: {label}, {card_tables.percent(share)} of its "
        "images.",
    ]
    if rows:
        parts.append(table(("class", "taken for", "images"), rows, right=(2,)))
    return "\n\n".join(parts)


def _reproduction(settings: Config, metrics: dict[str, Any]) -> str:
    name = settings.name
    data = "" if settings.data.source else f" DATA={name}.npz"
    teacher = "" if settings.distill is None else settings.distill.teacher
    first = f" TEACHER={teacher}" if teacher and teacher != "float" and "." not in teacher else ""
    stages = metrics["stages"]
    seconds = sum(stage["seconds"] for stage in stages.values())
    machines = sorted({stage.get("machine", "a machine not noted") for stage in stages.values()})
    return "\n\n".join(
        [
            "From the weights here to the same .tflite, bit for bit; and from nothing to this card:",
            f"```\nmake convert MODEL={name}\nmake zoo MODEL={name}{data}{first}\n```",
            f"The training, all stages and the dense baseline, took {seconds / 60:,.0f} minutes "
            f"({' + '.join(str(stage['seconds']) for stage in stages.values())} seconds: "
            f"{', '.join(stages)}) on {'; '.join(machines)}. Interrupted, the same line goes on from there; "
            f"`make train MODEL={name}{data}` runs the stages alone. On another machine, or with other "
            "versions, the same seed gives other weights, and accuracies that differ about as much as their "
            "intervals say.",
        ]
    )


def _files(metrics: dict[str, Any], settings: Config, hashes: dict[str, str]) -> str:
    rows = [(f"`{file}`", f"`{digest}`") for file, digest in hashes.items()]
    rows.append((f"`model/configs/{settings.path.name}`", f"`{metrics['toml_sha256']}`"))
    rows.append(("`build/…/model.sqz`, for any CPU", f"`{metrics['converted']['engine_sha256']}`"))
    versions = metrics["versions"] | metrics["converted"]["versions"]
    made = ", ".join(f"{package} {version}" for package, version in versions.items())
    return table(("file", "SHA-256"), rows) + f"\n\nMade with {made}."
