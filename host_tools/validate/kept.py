"""What a comparison has found when it is cut short: kept in a file, for RESUME=1 to go on from."""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.validate.compare import Difference, Report
from squeezenet_mcu.host_tools.validate.top5 import TOP, Answer

_MOST_FILE = 64 << 20
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
) -> dict[str, Any]:
    """What must be the same for a comparison to go on.

    `images`: int8 [n, height, width, channels]; `labels`: int64 [n]. `boards`: names of the boards.
    """
    return {
        "model_sha256": model_sha256,
        "engine": engine,
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
        return _report(kept["report"], of["images"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: damaged; {_FIX}") from error


def _report(values: dict[str, Any], most: int) -> Report:
    plain = {field.name: values[field.name] for field in fields(Report)}
    plain["ended"], plain["interrupted"] = None, False
    first = plain.pop("first_difference")
    answers = plain.pop("answers")
    for name, value in plain.items():
        if name == "counts":
            good = isinstance(value, list) and all(type(count) is int and count >= 0 for count in value)
        else:
            good = name in ("ended", "interrupted") or (type(value) is int and value >= 0)
        if not good:
            raise ValueError(name)
    if not len(plain["counts"]) == len(answers) == plain["images"] <= most:
        raise ValueError
    difference = Difference(**first) if first else None
    return Report(**plain, first_difference=difference, answers=[_answer(answer) for answer in answers])


def _answer(values: dict[str, Any]) -> Answer:
    label, classes, probabilities = (values[name] for name in ("label", "classes", "probabilities"))
    numbers = [label, *classes, *probabilities]
    if len(classes) > TOP or not all(type(number) is int for number in numbers):
        raise ValueError
    return Answer(label, tuple(classes), tuple(probabilities))
