"""Parameters, multiply-accumulates and bytes of the family, counted in the Keras networks that we train."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from squeezenet_mcu.host_tools.claims import alexnet
from squeezenet_mcu.host_tools.claims.claim import Found
from squeezenet_mcu.host_tools.claims.paper import TABLE_1
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.settings.architecture import Fire, kernels, layout

_FLOAT_BYTES, _BIAS_BYTES = 4, 4
RATIO = 0.75
# Name, model, bypass, what the paper prints of it.
_MEMBERS = (
    ("v1.0", "v1_0", "none", "1,248,424 (table 1), 4.8 MB (table 3)"),
    ("v1.1", "v1_1", "none", "none: the authors' later release"),
    ("v1.0, simple bypass", "v1_0", "simple", "4.8 MB (table 3)"),
    ("v1.0, complex bypass", "v1_0", "complex", "7.7 MB (table 3)"),
)


@dataclass(frozen=True)
class Member:
    """One network of the family.

    Attributes:
        name: for a reader.
        paper: what the paper prints of it.
        lines: parameters by conv1, fire2 to fire9 and conv10, bypasses with the fire that they lead round.
        biases: output channels of all convolutions.
        macs: multiply-accumulates of an image.
    """

    name: str
    paper: str
    lines: dict[str, int]
    biases: int
    macs: int

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(self.lines.values())

    @property
    def float_bytes(self) -> int:
        """All of them as float32."""
        return _FLOAT_BYTES * self.parameters

    @property
    def int8_bytes(self) -> int:
        """Weights of a byte, biases of four, nothing compressed."""
        return self.parameters - self.biases + _BIAS_BYTES * self.biases


def _count(name: str, model: str, bypass: str, paper: str) -> Member:
    from squeezenet_mcu.model.commands.info import convolutions
    from squeezenet_mcu.model.network.squeezenet import build  # imports TensorFlow: seconds

    settings = config.load(model)
    chosen = dataclasses.replace(settings.architecture, bypass=bypass)
    rows = convolutions(build(dataclasses.replace(settings, architecture=chosen)))
    lines: dict[str, int] = {}
    for row in rows:
        line = row.name.partition("_")[0]
        lines[line] = lines.get(line, 0) + row.parameters
    biases = sum(row.shape[2] for row in rows)
    return Member(name, paper, lines, biases, sum(row.macs for row in rows))


def _macs(model: str, side: int) -> int:
    """Multiply-accumulates for an image of `side` x `side` pixels."""
    from squeezenet_mcu.model.commands.info import convolutions
    from squeezenet_mcu.model.network.squeezenet import build

    settings = config.load(model)
    sized = dataclasses.replace(settings.input, height=side, width=side)
    return sum(row.macs for row in convolutions(build(dataclasses.replace(settings, input=sized))))


def members() -> list[Member]:
    """v1.0, v1.1, and v1.0 with simple and with complex bypasses."""
    return [_count(*member) for member in _MEMBERS]


def squeezed(ratio: float) -> int:
    """Parameters of v1.0 with `ratio` times as many squeeze filters as expand filters (section 5.1)."""
    settings = config.load("v1_0")

    def changed(fire: Fire) -> Fire:
        return dataclasses.replace(fire, squeeze=round(ratio * (fire.expand1x1 + fire.expand3x3)))

    stages = tuple(changed(stage) if isinstance(stage, Fire) else stage for stage in _stages(settings))
    first = layout(settings.architecture).conv1
    wider = dataclasses.replace(settings.architecture, family="small", conv1=first, stages=stages)
    shapes = kernels(wider, settings.input.channels)
    return sum(height * width * inputs * out + out for height, width, inputs, out in shapes.values())


def _stages(settings: config.Config) -> tuple[Fire | Literal["pool"], ...]:
    return layout(settings.architecture).stages


def answers(found: list[Member]) -> dict[str, Found]:
    """By the id of a claim: what `members` say of it."""
    v1_0, v1_1, simple, complex_ = found
    count = "counted in the Keras network of make train MODEL=v1_0"
    by_layer = {layer.name: layer.parameters for layer in alexnet.LAYERS}
    wider = squeezed(RATIO)
    macs = {(model, side): _macs(model, side) for model in ("v1_0", "v1_1") for side in (224, 227)}
    times = {side: macs["v1_0", side] / macs["v1_1", side] for side in (224, 227)}
    return {
        "parameters": Found(v1_0.parameters, count),
        "parameters-by-line": Found(
            sum(v1_0.lines.get(line) == parameters for line, parameters in TABLE_1.items()),
            f"{count}, line by line",
            detail={"lines": v1_0.lines, "paper": TABLE_1},
        ),
        "fewer-parameters": Found(
            alexnet.PARAMETERS / v1_0.parameters,
            f"AlexNet's {alexnet.PARAMETERS:,}, by its table of layers with grouped convolutions, through "
            f"{v1_0.parameters:,}",
            detail={
                "alexnet_parameters": alexnet.PARAMETERS,
                "alexnet": by_layer,
                "parameters": v1_0.parameters,
            },
        ),
        "alexnet-megabytes": Found(
            alexnet.FLOAT_BYTES, f"{alexnet.PARAMETERS:,} parameters by its table of layers, 4 bytes each"
        ),
        "megabytes": Found(v1_0.float_bytes, f"{count}, 4 bytes each"),
        "squeeze-ratio-megabytes": Found(
            _FLOAT_BYTES * wider,
            f"{wider:,} parameters by the formula of section 5.1, 4 bytes each",
            detail={"parameters": wider},
        ),
        "simple-bypass-megabytes": Found(
            simple.float_bytes,
            f"{simple.parameters:,} parameters, {count}, 4 bytes each",
            detail={"parameters": simple.parameters},
        ),
        "complex-bypass-megabytes": Found(
            complex_.float_bytes,
            f"{complex_.parameters:,} parameters: as in figure 2, a 1x1 convolution round each fire that "
            "changes the number of channels; 4 bytes each",
            detail={"parameters": complex_.parameters},
        ),
        "v1.1-computation": Found(
            times[224],
            f"{macs['v1_0', 224]:,} multiply-accumulates through {macs['v1_1', 224]:,}, counted in the Keras "
            f"networks, both at 224 x 224 pixels, the size of v1.1; at 227 x 227, that of v1.0, it is "
            f"{times[227]:.2f} times",
            detail={f"{model}_macs_at_{side}": count for (model, side), count in macs.items()},
        ),
        "v1.1-parameters": Found(v1_1.parameters, "counted in the Keras network of make train MODEL=v1_1"),
    }


def as_json(found: list[Member]) -> list[dict[str, Any]]:
    """The table of the family, for programs."""
    return [
        {
            "name": member.name,
            "parameters": member.parameters,
            "macs": member.macs,
            "float_bytes": member.float_bytes,
            "int8_bytes": member.int8_bytes,
            "paper": member.paper,
            "lines": member.lines,
        }
        for member in found
    ]
