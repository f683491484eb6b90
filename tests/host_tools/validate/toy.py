"""A model of nothing, for the tests of `validate`: its files, and what answers in the place of LiteRT."""

import json

from squeezenet_mcu.common import cli
from squeezenet_mcu.host_tools.validate import command as validate
from tests.protocol.link_binaries import fake_answer

CLASSES = 10


class Python:
    """Stands for a Reference of the fake device's hash. The images numbered `wrong` get another logit."""

    def __init__(self, wrong=()) -> None:
        self._wrong = set(wrong)
        self._count = 0

    def infer(self, x, logits_tensor):
        assert logits_tensor == 5
        logits, probabilities, _ = fake_answer(x, CLASSES)
        logits = logits.copy()
        if self._count in self._wrong:
            logits[3] ^= 1
        self._count += 1
        return logits, probabilities


def set_sha(build, value: str) -> None:
    noted = json.loads((build / "manifest.json").read_text())
    (build / "manifest.json").write_text(json.dumps(noted | {"tflite_sha256": value}))


def run(*arguments: str) -> int:
    return cli.main("python -m host_tools", "test", [validate], ["validate", "--model", "toy", *arguments])
