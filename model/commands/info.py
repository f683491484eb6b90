"""Describes a model: its settings, layers, parameters and multiply-accumulates."""

import argparse
from dataclasses import dataclass
from typing import Any

from squeezenet_mcu.common import terminal
from squeezenet_mcu.model.settings import config, options

NAME = "info"
HELP = "describe a model: layers, shapes, parameters, multiply-accumulates"
EXAMPLES = """  python -m model info
  python -m model info --model v1_0"""
_EXAMPLE = 10  # classes, where the data say how many


@dataclass(frozen=True)
class LayerRow:
    """One convolution: output [height, width, channels], parameters, multiply-accumulates of an image."""

    name: str
    shape: tuple[int, int, int]
    parameters: int
    macs: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model."""
    options.add_model(parser)


def convolutions(model: Any) -> list[LayerRow]:
    """The convolutions of a Keras model, in order. Batch norm counts as the bias it becomes."""
    from squeezenet_mcu.common.tf import keras

    found = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            _, height, width, channels = layer.output_shape
            weights = layer.kernel.shape.num_elements()
            found.append(
                LayerRow(layer.name, (height, width, channels), weights + channels, weights * height * width)
            )
    return found


def run(args: argparse.Namespace) -> int:
    """Prints the description; exit status 0."""
    settings = config.load(args.model)
    said = f"{settings.architecture.classes} classes"
    if not settings.architecture.classes:
        said = f"classes as in the data, here {_EXAMPLE}"
        settings = settings.with_labels([str(number) for number in range(_EXAMPLE)])
    from squeezenet_mcu.model.network.squeezenet import build

    model = build(settings)
    rows = convolutions(model)
    size, architecture = settings.input, settings.architecture
    terminal.echo(
        f"{settings.name}: SqueezeNet {architecture.family}, {size.height}x{size.width}x{size.channels}, "
        f"{said}, bypass {architecture.bypass} ({settings.path})"
    )
    width = max(len(row.name) for row in rows)
    for row in rows:
        shape = "x".join(map(str, row.shape))
        terminal.echo(
            f"  {row.name:{width}} {shape:>13} {row.parameters:>10,} parameters {row.macs:>13,} MACs"
        )
    parameters, macs = sum(row.parameters for row in rows), sum(row.macs for row in rows)
    terminal.echo(f"  {'all':{width}} {'':13} {parameters:>10,} parameters {macs:>13,} MACs")
    return 0
