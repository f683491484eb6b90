"""What a training has come to, by the records of its stages: accuracies, mistakes, what was pruned."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import statistics
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.card import confusion
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train import records
from squeezenet_mcu.model.train.chain import chain

NAMES = {"train": "float", "prune": "pruned", "cluster": "clustered", "quantize": "int8"}
Interval = tuple[float, float]


@dataclass(frozen=True)
class Share:
    """`right`, a share of `images`."""

    right: float
    images: int

    @property
    def interval(self) -> Interval:
        """95 %, as fractions."""
        return statistics.interval(self.right, self.images)


@dataclass(frozen=True)
class Row:
    """Of a stage, "float" to "int8"; `training`: None in records of versions before there was it."""

    name: str
    training: Share | None
    test: Share


@dataclass(frozen=True)
class Outcome:
    """A training, whole.

    Attributes:
        rows: one a stage, in their order; the last is "int8".
        labels: names of the classes.
        confusion: of the int8 network: test images of class `row` that are taken for class `column`.
        train_images: that were learnt from, all classes together.
        validation_images: by which the history's validation_accuracy was measured; 0: not known.
        history: of the float network, an entry an epoch.
        zeros, weights: of the int8 network.
        values: the most different weights that a layer has; 0: it was not clustered.
        channels: how many of how many channels of the fires are left; (0, 0): all.
        tflite_sha256: of the int8 network.
        asked: stages that the TOML asks for and that were left out (COMPRESS=none).
    """

    rows: list[Row]
    labels: list[str]
    confusion: list[list[int]]
    train_images: int
    validation_images: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    zeros: int = 0
    weights: int = 0
    values: int = 0
    channels: tuple[int, int] = (0, 0)
    tflite_sha256: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def float_row(self) -> Row:
        """Of the network as `train` left it."""
        return self.rows[0]

    @property
    def int8(self) -> Row:
        """Of the network as the board runs it."""
        return self.rows[-1]

    @property
    def chance(self) -> float:
        """The accuracy of taking all test images for the commonest class."""
        return max(map(sum, self.confusion)) / max(sum(map(sum, self.confusion)), 1)

    @property
    def mistakes(self) -> int:
        """Test images that the int8 network takes for another class."""
        return sum(map(sum, self.confusion)) - sum(row[i] for i, row in enumerate(self.confusion))

    def pairs(self) -> list[tuple[int, int, int]]:
        """Two classes and how many images of either are taken for the other, the most first."""
        found: dict[tuple[int, int], int] = {}
        for mistake in confusion.worst(self.confusion, len(self.labels) ** 2):
            key = (min(mistake.label, mistake.taken), max(mistake.label, mistake.taken))
            found[key] = found.get(key, 0) + mistake.images
        return sorted(((*key, count) for key, count in found.items()), key=lambda pair: -pair[2])


def gather(settings: Config, folder: Path) -> Outcome:
    """Of the model in `folder` (build/<model>). UserError: a stage has not run."""
    made = records.as_asked(settings, folder)
    found = records.of_chain(made, folder)
    fix = f"run: make train MODEL={settings.name}"
    for name in chain(made):
        if name not in found:
            raise UserError(
                f"{folder / f'{name}.json'}: missing, or of another network than the stage before has left; "
                f"{fix}"
            )
    last = found["quantize"]
    table = last.get("confusion", [])
    labels = last.get("labels") or [str(number) for number in range(len(table))]
    if not table or len(labels) != len(table) or any(len(row) != len(table) for row in table):
        raise UserError(f"{folder / 'quantize.json'}: confusion: want a row and a column a class; {fix}")
    layers = last.get("layers", {}).values()
    channels = found.get("prune", {}).get("channels", {}).values()
    return Outcome(
        rows=[_row(NAMES[name], record) for name, record in found.items()],
        labels=labels,
        confusion=table,
        train_images=last["train_images"],
        validation_images=found["train"].get("validation_images", 0),
        history=found["train"]["history"],
        zeros=sum(layer["zeros"] for layer in layers),
        weights=sum(layer["weights"] for layer in layers),
        values=max((layer["values"] for layer in layers), default=0) if "cluster" in found else 0,
        channels=(sum(c[1] for c in channels), sum(c[0] for c in channels)),
        tflite_sha256=last.get("tflite_sha256", ""),
        asked=[name for name in chain(settings) if name not in found],
    )


def _row(name: str, record: dict[str, Any]) -> Row:
    known = "training_accuracy" in record and "training_images" in record
    training = Share(record["training_accuracy"], record["training_images"]) if known else None
    return Row(name, training, Share(record["test_accuracy"], record["test_images"]))


def best_epoch(history: list[dict[str, Any]]) -> tuple[int, float, float] | None:
    """The epoch of the best validation accuracy, this, and that of the last epoch; None: none was noted."""
    key = "validation_accuracy"
    known = [(entry[key], entry["epoch"]) for entry in history if key in entry]
    if not known:
        return None
    accuracy, epoch = max(known, key=lambda pair: (pair[0], -pair[1]))
    return epoch, accuracy, known[-1][0]


def surely_worse(one: Share, other: Share) -> bool:
    """Whether `one` is smaller than `other` by more than chance makes of so few images."""
    right = [round(share.right * share.images) for share in (one, other)]
    return statistics.surely_fewer(right[0], one.images, right[1], other.images)
