"""Accuracy of the user's weights on the user's images."""

from pathlib import Path
from typing import Any

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.claims import compression
from squeezenet_mcu.host_tools.claims.claim import Found
from squeezenet_mcu.host_tools.claims.measured_network import Measured

FULL = 50_000
"""Images of ImageNet's validation set, on which the paper's accuracies are."""

_ENGINE_IMAGES = 20  # a second each


def ids(weights: Path) -> dict[int, str]:
    """The claims that these weights answer, by 1 (top-1) and 5 (top-5)."""
    prefix = "compressed-" if weights.suffix == compression.SUFFIX else ""
    return {k: f"{prefix}top-{k}" for k in (1, 5)}


def measure(
    network: Measured, weights: Path, images: str, limit: int | None, console: Console
) -> dict[str, Found]:
    """By the id of a claim. `limit`: at most so many images. UserError: no labels, and the like."""
    from squeezenet_mcu.host_tools.studies.evaluate import evaluate

    figures = evaluate(network.name, images, limit, _ENGINE_IMAGES, console)
    return answers(figures, weights)


def answers(figures: dict[str, Any], weights: Path) -> dict[str, Found]:
    """`figures`: host_tools.studies.evaluate's. What chance may do counts for the claim: docs/claims.md."""
    count = figures["images"]
    whose = "the whole validation set" if count == FULL else f"not the {FULL:,} of the paper"
    found = {}
    for k, name in ids(weights).items():
        low, high = (100 * end for end in figures[f"keras_top{k}_interval"])
        found[name] = Found(
            100 * figures[f"keras_top{k}"],
            f"{weights.name} in Keras, float32, on {count:,} images of {figures['data']} ({whose}), 95 % "
            f"interval {low:.1f} to {high:.1f}; int8, as on a board: {figures[f'int8_top{k}']:.2%}",
            reaches=high,
            detail={
                "images": count,
                "interval": [low, high],
                "int8": 100 * figures[f"int8_top{k}"],
                "weights": weights.name,
            },
        )
    return found
