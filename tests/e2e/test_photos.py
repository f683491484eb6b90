"""MODEL=photos on folders like a user's: see photo_study.py, which runs all five of them with three seeds."""

import math

import pytest

from tests.convert.shared_files import data_file
from tests.e2e import photo_study
from tests.e2e.photo_study import Run


def test_mean_and_interval():
    """Of three folders whose means are 1, 2 and 3: 2, and 4.303 times 1 / sqrt(3) to both sides."""
    middle, low, high = photo_study.mean_and_interval({1: [0.5, 1.5], 2: [2.0], 3: [3.0]})
    assert middle == pytest.approx(2)
    assert (high - middle, middle - low) == pytest.approx((4.303 / math.sqrt(3),) * 2)


def test_report():
    runs = [
        Run(1, 1, model, share, share - 0.02, 50, 200, 60.0)
        for model, share in (("photos", 0.8), ("small", 0.6))
    ]
    said = photo_study.report(runs).splitlines()
    assert said[1].split() == ["1", "1", "photos", "80.0%", "78.0%", "50", "1.0"]
    assert said[3].startswith("photos: int8 - float: -2.0%")
    assert said[4].startswith("photos: float - small's float: +20.0%")


def test_report_of_a_stopped_training():
    """It is shown, and neither its missing figures nor the pair's other half come into a mean."""
    runs = [Run(1, 1, "photos", 0.8, 0.78, 50, 200, 60.0), Run(1, 1, "small", None, None, 0, 0, 0.0)]
    runs += [Run(2, 1, "photos", 0.9, None, 50, 200, 60.0), Run(2, 1, "small", 0.6, 0.5, 50, 200, 60.0)]
    said = photo_study.report(runs).splitlines()
    assert said[2].split() == ["1", "1", "small", "stopped", "stopped", "0", "0.0"]
    assert said[3].split()[3:5] == ["90.0%", "stopped"]
    assert said[5].startswith("photos: int8 - float: -2.0%")
    assert said[6].startswith("photos: float - small's float: +30.0%")


@pytest.mark.long
def test_a_folder_of_photos(tmp_path):
    """Birds, dogs and vehicles at default settings; of 57 test images, 3 points are two."""
    data_file("imagenet_val_1300/labels.csv")
    photos, small = (photo_study.run(tmp_path, 1, 1, model) for model in ("photos", "small"))
    assert photos.test_images > 50 and photos.train_images > 200
    assert photos.float_accuracy and photos.int8_accuracy and small.float_accuracy
    assert photos.float_accuracy >= small.float_accuracy + 0.1
    assert photos.int8_accuracy >= photos.float_accuracy - 0.04
    data = tmp_path / "data" / "1"
    kinds = {path.suffix for path in data.rglob("*.*")}
    assert {".jpg", ".webp", ".heic"} <= kinds and (data / "birds" / "damaged.jpg").is_file()
