"""What is known of a model for its report: the artefacts in build/<model>/, and one run of its images.

What a command has not made yet is None here; a damaged file is one line of error.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict, TypeVar, cast

from msgspec import Meta

from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import engine_record, json_files
from squeezenet_mcu.common.formats.json_files import Count, Sha256, Share
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.host_tools.analyze import fit, subject
from squeezenet_mcu.host_tools.analyze.fit import Fit
from squeezenet_mcu.host_tools.analyze.subject import Subject
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware import board_model
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.report.images_run import Run
from squeezenet_mcu.host_tools.report.keras_run import KerasRun
from squeezenet_mcu.host_tools.validate.inputs import Artefacts, load_artefacts
from squeezenet_mcu.model.card import metrics
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train import records

VALIDATED, PROFILE = "validated.json", "profile.json"
_MAX_TEXT = 4096
_MOST_PAIRS = 100_000  # of classes that were taken for each other
_Text = Annotated[str, Meta(max_length=_MAX_TEXT)]
_Time = Annotated[float, Meta(ge=0, le=1e12)]
_Pair = Annotated[list[Count], Meta(min_length=3, max_length=3)]  # label, taken, images


class Validated(TypedDict):
    """The report of `validate --json`: what of it is used here."""

    model: _Text
    board: _Text
    images: Count
    differing_values: Count
    differing_images: Count
    compared_values: Count
    device_accuracy: Share | None
    python_accuracy: Share | None
    sram_bytes: Count
    sram_total_bytes: Count
    stack_bytes: Count
    arena_bytes: Count
    flash_bytes: Count
    flash_total_bytes: Count
    model_sha256: Sha256
    engine_sha256: _Text
    build_id: _Text
    counter: _Text
    data: NotRequired[_Text]
    confusion: NotRequired[Annotated[list[_Pair], Meta(max_length=_MOST_PAIRS)]]
    link: NotRequired[dict[str, Any]]
    cost: NotRequired[metrics.Cost | None]


class ProfiledLayer(TypedDict):
    """A line of profile.json."""

    layer: _Text
    count: Count
    milliseconds: _Time | None
    share: Share


class Profiled(TypedDict):
    """profile.json: what of it is used here."""

    model_sha256: Sha256
    board: _Text
    counter: _Text
    image_count: Count
    milliseconds: _Time | None
    layers: Annotated[list[ProfiledLayer], Meta(max_length=1000)]


T = TypeVar("T")


@dataclass(frozen=True)
class Evidence:
    """All that the sections look at.

    Attributes:
        model: as the user typed it, for commands.
        artefacts: build/<model>/manifest.json and model.tflite.
        board: which the figures are of.
        subject: the .tflite, read and lowered.
        fit: the network on the board, as `make firmware` makes it; None: our engine does not take it.
        settings: its TOML; None: it has none.
        metrics: the card's figures of a shipped model, where they are of this very .tflite; {} else.
        stages: the records of this machine's own training, by stage, where they are of this .tflite; {} else.
        validated: validate's report on this .tflite.
        profile: profile's, likewise.
        firmware: engine.json of the board's firmware.
        run: what LiteRT answered for the test images.
        keras: what the Keras network behind the .tflite answered for them; None: it is not here.
    """

    model: str
    artefacts: Artefacts
    board: Board
    subject: Subject
    fit: Fit | None
    settings: Config | None
    metrics: dict[str, Any]
    stages: dict[str, dict[str, Any]]
    validated: dict[str, Any] | None
    profile: dict[str, Any] | None
    firmware: dict[str, Any] | None
    run: Run
    keras: KerasRun | None

    @property
    def manifest(self) -> dict[str, Any]:
        return self.artefacts.manifest

    @property
    def firmware_folder(self) -> Path:
        """Of the board's firmware with our engine."""
        return board_model.folder_for(self.artefacts.folder, self.board.name, "squeeze")

    @property
    def labels(self) -> list[str]:
        """A name a class: its number where the model has none."""
        found: list[str] = self.manifest["labels"]
        return found or [str(number) for number in range(self.manifest["output"]["classes"])]

    def needs(self, verb: str, **options: str) -> str:
        """The command that makes what is missing."""
        words = [f"make {verb} MODEL={self.model}", *(f"{name}={value}" for name, value in options.items())]
        return " ".join(words)


def of(model: str, board: Board, data: str | None, limit: int | None) -> Evidence:
    """Everything of `model`, a name or its TOML, on `board`; `data`, `limit`: the images, see load_tests.

    UserError: it is not converted, or a file of build/<model>/ is damaged.
    """
    name = config.name_of(model)
    artefacts = load_artefacts(name)
    sha256 = artefacts.manifest["tflite_sha256"]
    settings = _settings(model, name)
    folder = artefacts.folder
    fix = f"run: make validate MODEL={model} BOARD={board.name} JSON={folder / VALIDATED}"
    validated = _of_this(folder / VALIDATED, Validated, sha256, fix)
    if validated:
        _check_confusion(validated, artefacts.manifest["output"]["classes"], folder / VALIDATED, fix)
    fix = f"run: make profile MODEL={model} BOARD={board.name}"
    profile = _of_this(folder / PROFILE, Profiled, sha256, fix)
    firmware = board_model.folder_for(folder, board.name, "squeeze") / "model"
    record = engine_record.read(firmware) if (firmware / engine_record.NAME).is_file() else None
    found = subject.of_model(name)
    stages = _stages(settings, folder, sha256)
    run = Run.of(artefacts, data, limit)
    return Evidence(
        model=model,
        artefacts=artefacts,
        board=board,
        subject=found,
        fit=None if found.maker is None else fit.on(board, found.manifest, found.maker, ModelRequest()),
        settings=settings,
        metrics=_metrics(settings, name, sha256),
        stages=stages,
        validated=validated,
        profile=profile,
        firmware=record,
        run=run,
        keras=KerasRun.of(artefacts, stages, run.pixels),
    )


def _settings(model: str, name: str) -> Config | None:
    """Of a model of ours; None of a .tflite from elsewhere."""
    if model.endswith(".toml"):
        return config.load(model)
    return config.load(name) if name in config.names() or config.whose(name) else None


def _metrics(settings: Config | None, name: str, sha256: str) -> dict[str, Any]:
    folder = ZOO / name
    if settings is None or not (folder / metrics.NAME).is_file():
        return {}
    try:
        found = metrics.read_metrics(settings, folder)
    except UserError as error:  # of a model in work: the report goes on without
        notice(f"the card's figures are left out: {error}")
        return {}
    return found if found["tflite_sha256"] == sha256 else {}


def _stages(settings: Config | None, folder: Path, sha256: str) -> dict[str, dict[str, Any]]:
    if settings is None:
        return {}
    found = records.of_chain(records.as_asked(settings, folder), folder)
    return found if found.get("quantize", {}).get("tflite_sha256") == sha256 else {}


def _check_confusion(seen: dict[str, Any], classes: int, path: Path, fix: str) -> None:
    """UserError: the pairs name classes that there are not, a pair twice or of no image, or more images than

    were sent.
    """
    pairs = seen.get("confusion", [])
    named = [(label, taken) for label, taken, _ in pairs]
    most = max((max(pair) for pair in named), default=0)
    if most >= classes:
        raise UserError(f"{path}: confusion: class {most}; want 0 to {classes - 1}; {fix}")
    if len(set(named)) < len(named):
        raise UserError(f"{path}: confusion: a pair of classes stands twice; want each once; {fix}")
    if any(count == 0 for _, _, count in pairs):
        raise UserError(f"{path}: confusion: a pair of classes of 0 images; want at least 1; {fix}")
    images = sum(count for _, _, count in pairs)
    if images > seen["images"]:
        raise UserError(f"{path}: confusion: {images} images; want at most {seen['images']}; {fix}")


def _of_this(path: Path, kind: type[T], sha256: str, fix: str) -> dict[str, Any] | None:
    """The file `path`, where it is of the .tflite that has `sha256`."""
    if not path.is_file():
        return None
    found = cast(dict[str, Any], json_files.read(path, kind, fix))
    if found["model_sha256"] == sha256:
        return found
    notice(f"{path} is left out: it is of another .tflite; {fix}")
    return None
