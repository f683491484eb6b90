"""Which SqueezeNet v1.0 is measured: with the user's weights where there are some, else with random ones."""

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

from squeezenet_mcu.common import files
from squeezenet_mcu.common.paths import BUILD, CONFIGS
from squeezenet_mcu.common.terminal import Console

FOLDER = BUILD / "claims"
_REAL = "claims_v1_0"
_RANDOM = "imagenet_v1_0_random"  # of bench/networks.py


@dataclass(frozen=True)
class Measured:
    """A converted v1.0, in build/`name`. `weights`: what its weights are, for a reader."""

    name: str
    weights: str

    @property
    def folder(self) -> Path:
        """With its manifest.json and model.tflite."""
        return BUILD / self.name


def with_random_weights(console: Console) -> Measured:
    """`make bench`'s, of the densities of trained ones, which bytes and memory depend on."""
    from squeezenet_mcu.host_tools.bench import networks

    networks.prepare(console, _RANDOM)
    return Measured(
        _RANDOM, "v1.0 with random weights of 7 bits, as many of them zero as in the authors' file"
    )


def with_weights(weights: Path, images: str, console: Console) -> Measured:
    """Imports, quantizes by some of `images`, converts, as `make convert MODEL=imagenet_v1_0 WEIGHTS=` does.

    In a folder of its own, build/claims_v1_0: a model that the user has converted stays as it is.
    UserError: weights or images that cannot be used.
    """
    from squeezenet_mcu.convert import command as convert

    toml = FOLDER / f"{_REAL}.toml"
    text = (CONFIGS / "imagenet_v1_0.toml").read_text(encoding="utf-8")
    files.write_text(toml, re.sub(r'^name = ".*"$', f'name = "{_REAL}"', text, count=1, flags=re.M))
    console.print(f"quantizing {weights} by images of {images}", soft_wrap=True)
    options = ["--model", str(toml), "--weights", str(weights), "--calibration", images]
    with contextlib.redirect_stdout(io.StringIO()):  # its plan and summary are not what claims is asked for
        convert.run(convert.parser().parse_args(options))
    return Measured(_REAL, f"v1.0 with the weights of {weights.name}, quantized to 7 bits")
