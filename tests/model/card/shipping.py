"""A model as if trained, converted and validated, to be shipped and to have its card written."""

import json

from squeezenet_mcu.common import files
from squeezenet_mcu.model.card import card, publish
from squeezenet_mcu.model.settings import config
from tests.model import stage_records


class Work:
    """A model's TOML, its build folder as if trained and converted, and where it is shipped to."""

    def __init__(self, folder, changes=()):
        text = stage_records.TOML.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.toml = folder / "digits.toml"
        self.toml.write_text(text)
        self.settings = config.load(self.toml)
        self.build, self.zoo = folder / "build", folder / "zoo"
        stage_records.write(self.settings, self.build)

    def change(self, name, **changes):
        path = self.build / f"{name}.json"
        files.write_json(path, json.loads(path.read_text()) | changes)

    def ship(self, validated=None):
        publish.write(self.settings, self.build, self.zoo, validated)
        (self.zoo / "about.md").write_text("Knows digits.\n")
        return json.loads((self.zoo / "metrics.json").read_text())

    def text(self):
        """The card, nothing written."""
        metrics = publish.gather(self.settings, self.build, None)
        return card.text(self.settings, metrics, "Knows digits.\n", {})

    def card(self):
        card.write(self.settings, self.zoo)
        return (self.zoo / "README.md").read_text()


def report(work, **changes):
    """As validate writes it."""
    made = {
        "model": "digits", "board": "stm32f405", "images": 500, "compared_values": 10_000,
        "differing_values": 0, "device_accuracy": 0.984, "python_accuracy": 0.984,
        "instructions_per_image": 1_234_567, "sram_bytes": 15_452, "arena_bytes": 10_624, "stack_bytes": 700,
        "flash_bytes": 107_716,
        "model_sha256": files.sha256((work.build / "model.tflite").read_bytes()),
    } | changes  # fmt: skip
    path = work.build / "validated.json"
    files.write_json(path, made)
    return path


def rows(text, heading):
    """The cells of the table under a heading of the card, by row."""
    part = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if "|" in line
    ]
