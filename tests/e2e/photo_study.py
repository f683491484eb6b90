"""What MODEL=photos gains on folders of photographs like a user's: against `small`, float and int8.

    python -m tests.e2e.photo_study PLACE [--tasks 1,2] [--seeds 1,2,3] [--models photos,small]

makes the folders in PLACE/data, trains in PLACE/<task>-<seed>, and prints the table of all that is done so
far. What is done is not done again; an interrupted training goes on from its last epoch. Where a training
stops with its line of advice, the table says "stopped", and it counts in no mean. It needs the photographs
and the weights that lie beside the repository.
"""

import argparse
import csv
import io
import json
import math
import random
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.convert.shared_files import SHARED
from tests.e2e import verbs

PHOTOS = SHARED / "data" / "imagenet_val_1300"
WEIGHTS = SHARED / "data" / "weights" / "squeezenet_v1_1_torchvision.npz"
LEAST, MOST = 60, 100  # photographs of a class
SEEDS = (1, 2, 3)


def _labels(*parts: int | tuple[int, int]) -> frozenset[int]:
    """Numbers of ImageNet's classes: single ones, and (first, last)."""
    found: set[int] = set()
    for part in parts:
        found |= {part} if isinstance(part, int) else set(range(part[0], part[1] + 1))
    return frozenset(found)


# Superclasses, by the numbers of ImageNet's classes in their usual order, which is WordNet's for animals.
SUPERCLASSES = {
    "birds": _labels((7, 24), (80, 100), (127, 146)),
    "dogs": _labels((151, 268)),
    "fish_reptiles": _labels((0, 6), (25, 68), (389, 397)),
    "insects_spiders": _labels((70, 77), (300, 326)),
    "cats_bears_wild_dogs": _labels((269, 299)),
    "wild_mammals": _labels((101, 106), (147, 150), (330, 388)),
    "vehicles": _labels(
        *(403, 404, 405, 407, 408, 436, 444, 450, 466, 468, 472, 484, 510, 511, 547, 554, 555, 561, 565, 573),
        *(576, 586, 595, 603, 609, 612, 621, 625, 627, 628, 654, 656, 660, 661, 665, 670, 671, 675, 694, 705),
        *(717, 734, 751, 757, 779, 780, 802, 803, 812, 814, 817, 820, 829, 833, 847, 856, 864, 866, 867, 870),
        *(871, 874, 880, 895, 914),
    ),
    "food": _labels((924, 957), (959, 969), 987, 988, 998),
    "clothing": _labels(
        *(399, 400, 411, 433, 439, 443, 445, 451, 452, 457, 459, 474, 496, 501, 502, 514, 515, 518, 552, 560),
        *(568, 578, 601, 608, 610, 614, 615, 617, 630, 638, 639, 652, 655, 658, 667, 689, 697, 735, 770, 774),
        *(775, 793, 796, 806, 808, 824, 834, 836, 837, 841, 842, 869, 887, 906),
    ),
    "buildings": _labels(
        *(410, 421, 425, 437, 442, 449, 460, 483, 489, 497, 498, 500, 525, 536, 540, 562, 580, 624, 634, 649),
        *(663, 668, 672, 698, 706, 716, 718, 727, 743, 762, 788, 821, 825, 832, 839, 853, 858, 863, 865, 873),
        *(877, 884, 888, 900, 912, 915),
    ),
}
# Each folder has three classes; chosen before anything was trained.
TASKS = (
    ("birds", "dogs", "vehicles"),
    ("fish_reptiles", "food", "insects_spiders"),
    ("buildings", "clothing", "wild_mammals"),
    ("birds", "cats_bears_wild_dogs", "dogs"),
    ("buildings", "food", "vehicles"),
)


def members(name: str) -> list[Path]:
    """The photographs of a superclass, at most MOST, evenly spread over those there are."""
    with (PHOTOS / "labels.csv").open(newline="") as file:
        found = [
            PHOTOS / row["file"] for row in csv.DictReader(file) if int(row["label"]) in SUPERCLASSES[name]
        ]
    found.sort()
    return found if len(found) <= MOST else [found[i * len(found) // MOST] for i in range(MOST)]


def _as_taken(path: Path) -> Image.Image:
    """The photograph as cameras and phones give them: wide, high or square, larger and smaller."""
    rng = random.Random(path.name)
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    side = image.width
    wide, high = rng.choice(((1.0, 0.75), (0.75, 1.0), (1.0, 0.9), (1.0, 1.0)))
    left, top = round(side * (1 - wide) / 2), round(side * (1 - high) / 2)
    image = image.crop((left, top, side - left, side - top))
    scale = rng.choice((0.7, 1.0, 1.5, 2.5))
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)


def make_folder(task: tuple[str, ...], folder: Path) -> Path:
    """Writes the photographs of `task` to folder/<class>/, a .webp, a .heic and a damaged one among them."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    for name in task:
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(members(name)):
            kind = {0: ".webp", 1: ".heic"}.get(number, ".jpg")
            _as_taken(path).save(place / f"{path.stem}{kind}", quality=90)
    whole = io.BytesIO()
    Image.new("RGB", (200, 150)).save(whole, "JPEG")
    (folder / task[0] / "damaged.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 3])
    return folder


@dataclass(frozen=True)
class Run:
    """What one training came to: shares of the test images that are right, and how long it took."""

    task: int
    seed: int
    model: str
    float_accuracy: float | None  # None, both, where a stage stopped before it was known
    int8_accuracy: float | None
    test_images: int  # 0 where not known
    train_images: int
    seconds: float


def run(place: Path, task: int, seed: int, model: str) -> Run:
    """Trains `model` on the folder of `task` (from 1) with `seed`, at its default settings, or reads what it

    came to before. `place` keeps everything.
    """
    data = place / "data" / str(task)
    if not data.is_dir():
        making = data.with_name(f"{task}.making")
        make_folder(TASKS[task - 1], making)
        making.rename(data)
    own = place / f"{task}-{seed}"
    built = own / "build" / model
    stopped = built / "stopped.txt"
    if not (built / "quantize.json").is_file() and not stopped.is_file():
        own.mkdir(parents=True, exist_ok=True)
        start = "build/imagenet_v1_1/imported.keras"
        if model != "small" and not (own / start).is_file():
            verbs.succeed(own, "model", "import", "--model", "imagenet_v1_1", "--weights", str(WEIGHTS))
        began = time.monotonic()
        arguments = ("train", "--model", model, "--data", str(data), "--seed", str(seed))
        done = verbs.run(own, "model", *arguments, timeout=7200)
        if done.returncode:
            line = done.stderr.splitlines()[-1]
            if "learning_rate" not in line:  # no advice: another trouble
                raise RuntimeError(f"{task}-{seed} {model}: {done.stderr[-2000:]}")
            stopped.parent.mkdir(parents=True, exist_ok=True)
            stopped.write_text(line + "\n")
        sys.stderr.write(f"{task}-{seed} {model}: {time.monotonic() - began:.0f} s\n")
    stages = [built / f"{stage}.json" for stage in ("train", "prune", "quantize")]
    records = [json.loads(path.read_text()) for path in stages if path.is_file()]
    seconds = sum(record["seconds"] for record in records)
    first = records[0] if records else {}
    return Run(
        *(task, seed, model, first.get("test_accuracy")),
        None if stopped.is_file() else records[-1]["test_accuracy"],
        *(first.get("test_images", 0), first.get("train_images", 0), seconds),
    )


def _percent(share: float | None) -> str:
    return "stopped" if share is None else f"{share:.1%}"


_T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}  # Student's t, 95 %, by degrees of freedom


def mean_and_interval(by_task: dict[int, list[float]]) -> tuple[float, float, float]:
    """The mean of the tasks' means, and its 95 % interval by Student's t over the tasks.

    Seeds of a task share its images, so that only tasks count as independent.
    """
    means = [statistics.fmean(values) for values in by_task.values()]
    middle = statistics.fmean(means)
    if len(means) < 2:
        return middle, math.nan, math.nan
    half = _T[len(means) - 1] * statistics.stdev(means) / math.sqrt(len(means))
    return middle, middle - half, middle + half


def report(runs: list[Run]) -> str:
    """The runs in a table, and the two differences that are to be shown."""
    lines = ["task seed model          float    int8  test images  minutes"]
    lines += [
        f"{r.task:4} {r.seed:4} {r.model:12} {_percent(r.float_accuracy):>7} {_percent(r.int8_accuracy):>7} "
        f"{r.test_images:12} {r.seconds / 60:8.1f}"
        for r in runs
    ]
    models = sorted({r.model for r in runs})
    by = {(r.task, r.seed, r.model): r for r in runs}
    for model in models:
        drops: dict[int, list[float]] = {}
        gains: dict[int, list[float]] = {}
        for r in runs:
            if r.model != model:
                continue
            if r.float_accuracy is None:
                continue
            if r.int8_accuracy is not None:
                drops.setdefault(r.task, []).append(r.int8_accuracy - r.float_accuracy)
            other = by.get((r.task, r.seed, "small"))
            if model != "small" and other and other.float_accuracy is not None:
                gains.setdefault(r.task, []).append(r.float_accuracy - other.float_accuracy)
        for what, values in (("int8 - float", drops), ("float - small's float", gains)):
            if values:
                middle, low, high = mean_and_interval(values)
                lines.append(f"{model}: {what}: {middle:+.1%} (95 %: {low:+.1%} to {high:+.1%})")
    return "\n".join(lines)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("place", type=Path)
    for option, default in (("tasks", range(1, 6)), ("seeds", SEEDS)):
        parser.add_argument(f"--{option}", default=",".join(map(str, default)))
    parser.add_argument("--models", default="photos,small")
    args = parser.parse_args()
    runs = []
    for seed in map(int, args.seeds.split(",")):
        for task in map(int, args.tasks.split(",")):
            for model in args.models.split(","):
                runs.append(run(args.place.resolve(), task, seed, model))
                print(report(runs), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
