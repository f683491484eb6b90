"""What a comparison has found when it is cut short: kept in a file, for RESUME=1 to go on from."""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.validate.compare import TENSORS, Difference, Report
from squeezenet_mcu.host_tools.validate.top5 import TOP, Answer

_MOST_FILE = 64 << 20
_MOST_COUNT = (1 << 64) - 1  # the device's counter has 64 bits
_NO_COUNTS = ("counts", "ended", "interrupted")
# Each figure is of these, at most.
_PARTS = (
    ("differing_values", "values"),
    ("differing_images", "images"),
    ("same_top1", "images"),
    ("labelled", "images"),
    ("device_correct", "labelled"),
    ("python_correct", "labelled"),
    ("python_top5", "labelled"),
)
_FIX = "run without --resume (RESUME=)"


def path_in(folder: Path) -> Path:
    """Where a model's is; `folder`: build/<model>/."""
    return folder / "validate_kept.json"


def key(
    model_sha256: str,
    engine: str,
    boards: list[str],
    images: npt.NDArray[np.int8],
    labels: npt.NDArray[np.int64],
    classes: int,
) -> dict[str, Any]:
    """What must be the same for a comparison to go on.

    `images`: int8 [n, height, width, channels]; `labels`: int64 [n]. `boards`: names of the boards.
    """
    return {
        "model_sha256": model_sha256,
        "engine": engine,
        "classes": classes,
        "boards": sorted(set(boards)),
        "images": len(images),
        "images_sha256": files.sha256(images.tobytes() + labels.tobytes()),
    }


def save(path: Path, report: Report, of: dict[str, Any]) -> None:
    """Keeps `report`; `of`: its key."""
    files.write_json(path, {"of": of, "report": asdict(replace(report, ended=None))})


def load(path: Path, of: dict[str, Any]) -> Report | None:
    """The report that `save` kept; None: there is none. UserError: it is damaged, or of something else."""
    if not path.exists():
        return None
    try:
        kept = json.loads(files.read_input(path, _MOST_FILE, _FIX))
        for name, wanted in of.items():
            if kept["of"][name] != wanted:
                raise UserError(
                    f"{path}: {name} is {str(kept['of'][name])[:80]}, now {str(wanted)[:80]}; {_FIX}"
                )
        return _report(kept["report"], of["images"], of["classes"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: damaged; {_FIX}") from error


def _report(values: dict[str, Any], most: int, classes: int) -> Report:
    plain = {field.name: values[field.name] for field in fields(Report)}
    plain["ended"], plain["interrupted"] = None, False
    first = plain.pop("first_difference")
    answers = plain.pop("answers")
    counts = plain["counts"]
    if not (isinstance(counts, list) and all(_is_count(count) for count in counts)):
        raise ValueError("counts")
    if not all(_is_count(value) for name, value in plain.items() if name not in _NO_COUNTS):
        raise ValueError
    if not len(counts) == len(answers) == plain["images"] <= most:
        raise ValueError
    for part, whole in _PARTS:
        if plain[part] > plain[whole]:
            raise ValueError(part)
    difference = Difference(**first) if first else None
    if (difference is None) != (plain["differing_values"] == 0):
        raise ValueError
    if difference:
        numbers = (
            difference.image,
            difference.index,
            *(abs(v) for v in (difference.device, difference.python)),
        )
        if difference.tensor not in TENSORS or not all(_is_count(number) for number in numbers):
            raise ValueError
    return Report(**plain, first_difference=difference, answers=[_answer(one, classes) for one in answers])


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST_COUNT


def _answer(values: dict[str, Any], most: int) -> Answer:
    label, classes, probabilities = (values[name] for name in ("label", "classes", "probabilities"))
    if not all(type(number) is int for number in (label, *classes, *probabilities)):
        raise ValueError
    if not len(classes) == len(probabilities) <= TOP or not -1 <= label < most:
        raise ValueError
    if not all(0 <= one < most for one in classes) or not all(-128 <= one <= 127 for one in probabilities):
        raise ValueError
    return Answer(label, tuple(classes), tuple(probabilities))
