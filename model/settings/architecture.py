"""What a network is: settings of the three families, and the convolutions they come to. No TensorFlow."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Input:
    """Size of the image the network takes, in pixels; channels is 1 (gray) or 3 (RGB)."""

    height: int
    width: int
    channels: int


@dataclass(frozen=True)
class Fire:
    """Output channels of a fire module's three convolutions."""

    squeeze: int
    expand1x1: int
    expand3x3: int


@dataclass(frozen=True)
class Conv1:
    """The first convolution of the small family."""

    filters: int
    kernel: int
    stride: int


@dataclass(frozen=True)
class Architecture:
    """What the network is. `conv1`, `stages`, `batch_norm`, `relu_logits` belong to the small family only.

    `classes`: 0 until the data are read, where they say how many.
    `relu_logits`: a ReLU behind conv10, as the paper has it. Without one, LiteRT's optimized kernels round
    some of conv10's negative values otherwise than its reference kernels, TFLite Micro and the engine do.
    """

    family: str
    classes: int
    bypass: str
    conv1: Conv1 | None
    stages: tuple[Fire | Literal["pool"], ...]
    batch_norm: bool
    relu_logits: bool


@dataclass(frozen=True)
class Layout:
    """One network, whatever its family."""

    conv1: Conv1
    conv1_padding: str
    stages: tuple[Fire | Literal["pool"], ...]
    ceil_pools: bool  # the published networks; the small family pads symmetrically
    dropout: float


_V1_0: tuple[Fire | Literal["pool"], ...] = (
    "pool",
    *(Fire(16, 64, 64), Fire(16, 64, 64), Fire(32, 128, 128), "pool"),
    *(Fire(32, 128, 128), Fire(48, 192, 192), Fire(48, 192, 192), Fire(64, 256, 256), "pool"),
    Fire(64, 256, 256),
)
_V1_1: tuple[Fire | Literal["pool"], ...] = (
    "pool",
    *(Fire(16, 64, 64), Fire(16, 64, 64), "pool"),
    *(Fire(32, 128, 128), Fire(32, 128, 128), "pool"),
    *(Fire(48, 192, 192), Fire(48, 192, 192), Fire(64, 256, 256), Fire(64, 256, 256)),
)


def layout(architecture: Architecture) -> Layout:
    """The network of `architecture`: v1.0 is table 1 of arXiv:1602.07360, v1.1 the authors' later release."""
    if architecture.family == "v1.0":
        return Layout(Conv1(96, 7, 2), "valid", _V1_0, True, 0.5)
    if architecture.family == "v1.1":
        return Layout(Conv1(64, 3, 2), "valid", _V1_1, True, 0.5)
    assert architecture.conv1 is not None
    return Layout(architecture.conv1, "same", architecture.stages, False, 0.0)


def kernels(architecture: Architecture, channels: int) -> dict[str, tuple[int, int, int, int]]:
    """The shape [height, width, in, out] of every convolution's kernel, by layer, in their order.

    A fire's layers come as squeeze1x1, expand1x1, expand3x3, bypass1x1 (where a complex bypass has one).
    `channels`: of the image.
    """
    network = layout(architecture)
    first = network.conv1
    shapes = {"conv1": (first.kernel, first.kernel, channels, first.filters)}
    channels = first.filters
    fires = [stage for stage in network.stages if isinstance(stage, Fire)]
    for number, fire in enumerate(fires, 2):  # conv1 is layer 1, so the paper's first fire module is fire2
        name, out = f"fire{number}", fire.expand1x1 + fire.expand3x3
        shapes[f"{name}_squeeze1x1"] = (1, 1, channels, fire.squeeze)
        shapes[f"{name}_expand1x1"] = (1, 1, fire.squeeze, fire.expand1x1)
        shapes[f"{name}_expand3x3"] = (3, 3, fire.squeeze, fire.expand3x3)
        if architecture.bypass == "complex" and channels != out:
            shapes[f"{name}_bypass1x1"] = (1, 1, channels, out)
        channels = out
    shapes["conv10"] = (1, 1, channels, architecture.classes)
    return shapes
