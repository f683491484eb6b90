"""The records of a training's stages and the metrics of a shipped model, damaged, and what reads them."""

from pathlib import Path

from squeezenet_mcu.common.paths import ROOT
from squeezenet_mcu.model.card import card, curves, metrics, publish
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train import records, runner
from squeezenet_mcu.model.train.chain import chain
from tests.model import stage_records
from tests.mutations.run import guarded

DIGITS = config.load(stage_records.TOML)


def sound(folder: Path) -> list[tuple[str, bytes]]:
    """build/, as all stages leave it, and zoo/ with metrics.json."""
    build = folder / "build"
    stage_records.write(DIGITS, build)
    (build / "curves.png").write_bytes(b"")
    publish.curves.write = lambda *_: None  # draws, for seconds
    publish.write(DIGITS, build, folder / "zoo", None)
    names = [*(f"build/{name}.json" for name in (*chain(DIGITS), "dense")), "zoo/metrics.json"]
    return [(name, (folder / name).read_bytes()) for name in names]


def read(folder: Path) -> int:
    """What curves, ship, card and the stages themselves read of them."""

    def run() -> None:
        found = metrics.read_metrics(DIGITS, folder / "zoo")
        card.text(DIGITS, found, "about", {})
        for name in chain(DIGITS):
            records.other_settings(records.read(folder / "build" / f"{name}.json"), DIGITS, name)
            runner._check_before(DIGITS, name, folder / "build")
        curves.gather(DIGITS, folder / "build")
        publish.gather(DIGITS, folder / "build", None)

    return guarded(run)


def tomls(_folder: Path) -> list[tuple[str, bytes]]:
    """A model's TOML, a board's, and a search's."""
    zoo = ROOT / "model"
    search = (zoo / "zoo/cifar10/search.toml").read_text()
    return [
        ("own/board.toml", (ROOT / "firmware_cpp/boards/rp2040/board.toml").read_bytes()),
        ("mine.toml", (zoo / "configs/cifar10.toml").read_bytes()),
        ("search.toml", search.replace('base = "cifar10"', 'base = "cifar10.toml"').encode()),
        ("cifar10.toml", (zoo / "configs/cifar10.toml").read_bytes()),
    ]


def read_tomls(folder: Path) -> int:
    """All three."""
    from squeezenet_mcu.host_tools.boards import board_toml
    from squeezenet_mcu.host_tools.studies.search import settings as search

    def run() -> None:
        board_toml.load("./own")
        config.load("mine.toml")
        search.load("./search.toml")

    return guarded(run)
