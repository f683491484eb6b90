"""What a float network's pixels become before its first convolution: a factor and an offset a channel."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.preprocess import FREE, for_channels

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pixels:
    """value = pixel * factor + offset, float64 [channels] each, in the network's own order of channels.

    `bgr`: the network takes blue first. `said`: how the user or the file says so.
    """

    factor: Floats
    offset: Floats
    bgr: bool
    said: str

    def then(self, factor: Floats, offset: Floats, said: str) -> "Pixels":
        """This, and behind it a layer of the network that computes value * factor + offset."""
        return Pixels(self.factor * factor, self.offset * factor + offset, self.bgr, f"{self.said}, {said}")

    def reversed(self) -> "Pixels":
        """For a network whose first layer has been turned to take red first."""
        return Pixels(self.factor[::-1], self.offset[::-1], False, self.said)

    @property
    def uniform(self) -> bool:
        """Whether all channels are treated alike."""
        return bool(np.ptp(self.factor) == 0 and np.ptp(self.offset) == 0)

    @property
    def text(self) -> str:
        """As common.preprocess.parse reads it; red first."""
        mean, std = (
            ":".join(f"{v:.8g}" for v in row) for row in (-self.offset / self.factor, 1 / self.factor)
        )
        return f"mean={mean},std={std}"

    def values(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """What the network is given for pixels x [n, height, width, channels], red first."""
        ordered = x[..., ::-1] if self.bgr else x
        return (ordered * self.factor + self.offset).astype(np.float32)


def of_rule(text: str, channels: int, said: str) -> Pixels:
    """Those of a rule of common.preprocess. Raises UserError."""
    rule = for_channels(text, channels)
    std = np.array(rule.std, np.float64)
    return Pixels(1 / (rule.divisor * std), -np.array(rule.mean) / std, rule.order == "bgr", said)


def missing(path: Path) -> UserError:
    """Nobody has said what the network was trained with."""
    return UserError(
        f"{path}: begins with no Rescaling or Normalization, so it does not say which values it wants of a "
        "pixel; give PREPROCESS= as it was trained: unit (pixel/255), tf (pixel/127.5 - 1), byte (0 to 255), "
        f"torch, caffe, or {FREE}"
    )
