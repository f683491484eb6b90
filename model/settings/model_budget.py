"""Which budget a command's model has: its TOML is found by what was typed, or by what was converted."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.model.settings import budget, config
from squeezenet_mcu.model.settings.budget import Budget


def accuracy_of(manifest: dict[str, Any]) -> float | str:
    """The int8 model's share of right answers that the conversion measured, or why there is none."""
    accuracy = manifest["accuracy"]
    if accuracy and "int8_top1" in accuracy:
        share: float = accuracy["int8_top1"]
        return share
    return f"{manifest['model']} was converted without labelled images of its classes (--data)"


def of(args: argparse.Namespace, model: str | None, inputs: Iterable[str] = ()) -> Budget:
    """The options' limits, and those of the model's TOML that no option gives.

    Args:
        args: with what budget.add_arguments asked for.
        model: as typed: a name or the path of a TOML; None where nothing was.
        inputs: of a converted model: the files in its manifest, of which one may be its TOML.
    """
    converted_from = next((path for path in inputs if path.endswith(".toml")), "")
    if model and model.endswith(".toml"):
        found = model
    elif converted_from and Path(converted_from).is_file():
        found = converted_from
    elif model in config.names():
        found = model
    else:
        if converted_from:
            notice(f"{converted_from} is gone; if it has a [budget], that is not looked at")
        return budget.of(args)
    return budget.of(args, config.load(found).budget)
