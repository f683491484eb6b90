"""Settings of an architecture search: one TOML beside the zoo's model. Imports no TensorFlow.

`base`: a model's TOML, by name or by path from the search's; `epochs`, `images`, [limits]: see Search; then a
[[candidate]] each: `name`, those of `conv1`, `stages`, `bypass` that are not the base's, and such keys of
[train] as a table `train`.
"""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.toml_table import Table, read_toml
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.settings.architecture import Architecture
from squeezenet_mcu.model.settings.config import Config, Train

MIN_VALIDATION = 0.1
_OF_ARCHITECTURE = ("conv1", "stages", "bypass")
# The same for all candidates, else their accuracies could not be compared.
_OF_ALL = ("epochs", "validation", "validation_block")
_MOST = 1 << 40


@dataclass(frozen=True)
class Limits:
    """What a candidate may take; None for no limit.

    `macs`: dense multiply-accumulates an image. `weights_bytes`: of the weights as stored. `sram_bytes`: of
    the engine's arena.
    """

    macs: int | None
    weights_bytes: int | None
    sram_bytes: int | None


@dataclass(frozen=True)
class Search:
    """A search. `base`: the model that its result is for; `candidates`: the same with other networks, by
    name.

    Each is trained for `epochs` on at most `images` training images (None: all that are left).
    """

    path: Path
    base: Config
    epochs: int
    images: int | None
    limits: Limits
    candidates: dict[str, Config]

    @property
    def validation(self) -> float:
        """The share of the training images that accuracies are measured on."""
        return max(self.base.train.validation, MIN_VALIDATION)

    @property
    def chosen(self) -> str | None:
        """The candidate that is the base's own network; None where none is."""
        own = (self.base.architecture, self.base.train)
        for name, candidate in self.candidates.items():
            if (candidate.architecture, dataclasses.replace(candidate.train, epochs=own[1].epochs)) == own:
                return name
        return None

    def with_labels(self, labels: Sequence[str]) -> "Search":
        """The same search among these classes: those of the data."""
        candidates = {name: candidate.with_labels(labels) for name, candidate in self.candidates.items()}
        return dataclasses.replace(self, base=self.base.with_labels(labels), candidates=candidates)


def load(name_or_path: str) -> Search:
    """Reads a search: by the name of a model in the zoo, or by the path of its TOML.

    Raises UserError (file, key, value seen, value wanted).
    """
    by_name = not (name_or_path.endswith(".toml") or "/" in name_or_path)
    path = ZOO / name_or_path / "search.toml" if by_name else Path(name_or_path)
    if not path.is_file():
        known = ", ".join(sorted(p.parent.name for p in ZOO.glob("*/search.toml")))
        raise UserError(f"{path}: no such file; want the TOML of a search, or one of {known}")
    root = Table(path, "", read_toml(path))
    base = _read_base(root)
    if by_name and base.name != name_or_path:
        raise root.fail("base", f'"{name_or_path}", as the folder is called')
    epochs = root.integer("epochs", 1, 10_000)
    search = Search(
        path=path,
        base=base,
        epochs=epochs,
        images=_optional(root, "images"),
        limits=_read_limits(root.table("limits")),
        candidates=_read_candidates(root, base, epochs),
    )
    root.close()
    return search


def _read_base(root: Table) -> Config:
    want = "the name of a model, or the path of its TOML beside this file"
    text = root.read("base", None, want, lambda v: isinstance(v, str) and v != "")
    is_path = text.endswith(".toml") or "/" in text
    base = config.load(root.path.parent / text if is_path else text)
    if base.architecture.family != "small":
        raise root.fail("base", f'a model of family "small", not "{base.architecture.family}"')
    return base


def _optional(table: Table, key: str) -> int | None:
    return table.integer(key, 1, _MOST, 0) or None


def _read_limits(table: Table) -> Limits:
    limits = Limits(
        _optional(table, "macs"), _optional(table, "weights_bytes"), _optional(table, "sram_bytes")
    )
    table.close()
    return limits


def _read_candidates(root: Table, base: Config, epochs: int) -> dict[str, Config]:
    want = "at least one table [[candidate]]"
    tables = root.read("candidate", None, want, _is_list_of_tables)
    found: dict[str, Config] = {}
    for number, values in enumerate(tables, 1):
        # The name becomes part of file names.
        table = Table(root.path, f"candidate {number}", values)
        name = table.read("name", None, "lower-case letters, digits and underscores", _is_name)
        if name in found:
            raise table.fail("name", "another name for each candidate")
        table.section = f"candidate {name}"
        found[name] = dataclasses.replace(
            base,
            architecture=_read_architecture(table, base.architecture),
            train=dataclasses.replace(_read_train(table, base), epochs=epochs),
        )
        table.close()
    return found


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9_]{1,40}", value) is not None


def _read_architecture(table: Table, base: Architecture) -> Architecture:
    table.known += _OF_ARCHITECTURE
    values = dataclasses.asdict(base)
    values["stages"] = [
        stage if isinstance(stage, str) else list(dataclasses.astuple(stage)) for stage in base.stages
    ]
    values["classes"] = base.classes or config.CLASSES_OF_DATA
    values |= {key: table.values[key] for key in _OF_ARCHITECTURE if key in table.values}
    # The base's values have been checked: a mistake is the candidate's.
    return config.read_architecture(Table(table.path, table.section, values), imported=False)


def _read_train(table: Table, base: Config) -> Train:
    own = table.table("train")
    for key in _OF_ALL:
        if key in own.values:
            raise own.fail(key, "no such key here: it is the same for all candidates")
    values = dataclasses.asdict(base.train) | own.values
    return config.read_train(Table(own.path, own.section, values), base.input)
