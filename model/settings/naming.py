"""What a model can be called, and where the TOML of a second result is (train --name, see named.py)."""

import re
from pathlib import Path

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD

# What the project keeps in build/ beside models.
TAKEN = (
    "bench", "code_sizes", "costs", "cycles", "demo", "host", "host_sanitized", "host_threads",
    "lint", "tests", "weights",
)  # fmt: skip
NAMES = "lower-case letters, digits and underscores, starting with a letter"


def is_name(text: str) -> bool:
    """Whether a model can be called so: it becomes a folder and part of file names and C identifiers."""
    return re.fullmatch(r"[a-z][a-z0-9_]{0,62}", text) is not None


def is_folder(text: str) -> bool:
    """Whether a folder in build/ can be called so, as that of a model from elsewhere is."""
    return re.fullmatch(r"\w[\w.-]*", text) is not None


def folder_of(model: str) -> str:
    """`model`, if it can be a folder in build/; UserError for a path, which would lead out of there."""
    if not is_folder(model):
        raise UserError(
            f"--model {model}: names no folder; want letters, digits and _ - ., or the path of a .toml"
        )
    return model


def toml_of(name: str) -> Path:
    """The TOML of the result `name`, if there is one."""
    return BUILD / name / f"{name}.toml"


def has_toml(name: str) -> bool:
    """Whether `name` is a result that has a TOML of its own."""
    return is_name(name) and toml_of(name).is_file()
