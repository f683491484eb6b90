"""ship --measured-again: new figures of a network that is shipped already."""

import json

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.card import publish
from tests.model.card.shipping import Work, report, rows

COST = {
    "instructions": 1_234_567, "cycles": 3_170_001, "cycles_with_flash": None, "milliseconds": 18.87,
    "milliseconds_with_flash": 20.04
}  # fmt: skip


def test_what_is_measured_again_keeps_the_training(tmp_path):
    work = Work(tmp_path)
    before = work.ship(report(work))
    assert "an image, at its clock" not in work.card()
    (work.build / "train.json").unlink()
    publish.write_measured(work.settings, work.build, work.zoo, report(work, cost=COST))
    after = json.loads((work.zoo / "metrics.json").read_text())
    assert after["validated"].pop("cost") == COST
    assert after == before
    assert dict(rows(work.card(), "Bytes and time")).items() >= {
        "stm32f405: an image, at its clock": "18.9 ms",
        "stm32f405: the same with its flash's wait states, by a model": "20.0 ms",
        "stm32f405: cycles an image, without wait states": "3,170,001",
        "stm32f405: instructions an image": "1,234,567",
    }.items()  # fmt: skip


def test_what_is_measured_again_must_be_of_the_shipped_network(tmp_path):
    work = Work(tmp_path)
    work.ship(report(work))
    (work.build / "model.tflite").write_bytes(b"another")
    with pytest.raises(UserError, match=r"manifest\.json: missing, or of another \.tflite"):
        publish.write_measured(work.settings, work.build, work.zoo, None)
