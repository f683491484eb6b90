"""One stage of a model's making, about to run: its settings, its data, its files."""

from dataclasses import dataclass
from pathlib import Path

from squeezenet_mcu.common import files
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train.chain import OUTPUTS, stage_before


@dataclass(frozen=True)
class TrainingStage:
    """One stage about to run. `folder` is build/<model>; `reserve`: images that no stage learns or chooses

    by. `init`: the model whose weights it starts from (train).
    """

    name: str
    config: Config
    folder: Path
    train: Set
    validation: Set | None
    reserve: Set | None
    test: Set
    epochs: int
    fingerprint: str
    fresh: bool
    source: str
    teacher: Path | None
    init: Path | None = None
    input_sha256: str = ""

    @property
    def output(self) -> Path:
        """The model this stage makes."""
        return self.folder / OUTPUTS[self.name]

    @property
    def input(self) -> Path:
        """The model this stage starts from."""
        before = stage_before(self.config, self.name)
        assert before is not None, "train starts from nothing"
        return self.folder / OUTPUTS[before]

    @property
    def record(self) -> Path:
        """What this stage noted down about it."""
        return self.folder / f"{self.name}.json"

    @property
    def test_sha256(self) -> str:
        """Of the test images and their classes: these change accuracies, not networks."""
        return files.sha256(self.test.x.tobytes() + self.test.y.tobytes())

    @property
    def checkpoint(self) -> Path:
        """Where the training stands, while it runs."""
        return self.folder / "checkpoints" / f"{self.name}.npz"
