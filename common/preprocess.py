"""How the pixels of an image become the int8 input of a model: the same rule everywhere, from one table.

A rule gives each input a real value, linear in the pixel, which the input's scale and zero point quantize.
All of that depends on one byte, so 256 int8 a channel are the whole rule.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.command_line.nearest import did_you_mean
from squeezenet_mcu.common.errors import UserError


@dataclass(frozen=True)
class Rule:
    """value = (pixel / divisor - mean) / std, each step in float32, as the framework that trained does it.

    `mean` and `std`: for each channel of the network's input, or one number for all. `order`: of these
    channels, "rgb" (that of the pixels) or "bgr".
    """

    mean: tuple[float, ...]
    std: tuple[float, ...] = (1.0,)
    order: str = "rgb"
    divisor: float = 1.0


PREPROCESSES: dict[str, Rule] = {
    "byte": Rule((0.0,)),
    "unit": Rule((0.0,), divisor=255.0),
    "tf": Rule((1.0,), divisor=127.5),
    "torch": Rule((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), divisor=255.0),  # torchvision, ImageNet
    "caffe": Rule((104.0, 117.0, 123.0), order="bgr"),  # the SqueezeNet authors' prototxt
}
FREE = "mean=M,std=S[,order=bgr]"
# All that a free rule can hold is of these characters: it stands in C comments and in command lines.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LEAST_STD, _MOST = 1e-6, 1e6
_LONGEST = 200


def parse(text: str) -> Rule:
    """The rule of a name of PREPROCESSES, or of a free text like "mean=124:116:104,std=58".

    UserError, in one line, for what is neither.
    """
    if text in PREPROCESSES:
        return PREPROCESSES[text]
    if len(text) > _LONGEST:
        raise UserError(f"preprocess: {len(text)} characters; want {_LONGEST} at most")
    said = f'preprocess "{text}"'
    if "=" not in text:
        hint = did_you_mean(text, PREPROCESSES)
        raise UserError(f"{said}: unknown{hint or ';'} want {', '.join(PREPROCESSES)} or {FREE}")
    values: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals:
            raise UserError(f'{said}: "{part}" is no key=value; numbers have ":" between: mean=124:116:104')
        if key not in ("mean", "std", "order"):
            raise UserError(f'{said}: unknown key "{key}"; want {FREE}')
        if key in values:
            raise UserError(f"{said}: {key} twice; want it once")
        values[key] = value
    for key in ("mean", "std"):
        if key not in values:
            raise UserError(f"{said}: {key} is missing; want {FREE}")
    order = values.get("order", "rgb")
    if order not in ("rgb", "bgr"):
        raise UserError(f"{said}: order={order}; want rgb or bgr")
    mean, std = (_numbers(values[key], f"{said}: {key}") for key in ("mean", "std"))
    if min(map(abs, std)) < _LEAST_STD:
        raise UserError(f"{said}: std {min(std, key=abs):g}; want {_LEAST_STD:g} or more, it divides")
    return Rule(mean, std, order)


def _numbers(text: str, what: str) -> tuple[float, ...]:
    parts = text.split(":")
    for part in parts:
        if not _NUMBER.fullmatch(part) or abs(float(part)) > _MOST:
            raise UserError(f'{what}: "{part}"; want a number of pixel units, at most {_MOST:,.0f}')
    return tuple(float(part) for part in parts)


def for_channels(text: str, channels: int) -> Rule:
    """The rule `text` with a mean and a std for each of so many channels. UserError where it has others."""
    rule = parse(text)
    if rule.order == "bgr" and channels != 3:
        raise UserError(f'preprocess "{text}" wants 3 channels (BGR); the input has {channels}')
    for name, numbers in (("mean", rule.mean), ("std", rule.std)):
        if len(numbers) not in (1, channels):
            raise UserError(
                f'preprocess "{text}" has {len(numbers)} numbers for {name}; the input has {channels} '
                f"channel{'s' * (channels > 1)}: want {channels}{' or 1' * (channels > 1)}"
            )
    mean, std = (n * channels if len(n) == 1 else n for n in (rule.mean, rule.std))
    return replace(rule, mean=mean, std=std)


def byte_of(text: str, channels: int) -> list[int]:
    """For each channel of the input: which byte of a pixel it is made from."""
    order = list(range(channels))
    return order[::-1] if parse(text).order == "bgr" else order


def steps(
    text: str, channels: int, scale: float, zero_point: int, edge: str = "int8"
) -> npt.NDArray[np.float64]:
    """What each channel makes of each of the 256 pixel values, as int8 would hold it had it no ends.

    Whole numbers, [channels, 256]: the float32 value by the float32 scale, rounded, and the zero point. With
    -1 to 1 for pixels every second value, or every one, is a half, so it matters how these are rounded. Where
    the .tflite's input is float32 (`edge`), LiteRT quantizes: its AffineQuantize takes halves away from zero.
    An int8 or uint8 input is quantized by whoever feeds it, in Python: round takes halves to the even number.
    """
    rule = for_channels(text, channels)
    mean, std = (np.array(numbers, np.float32)[:, np.newaxis] for numbers in (rule.mean, rule.std))
    value = (np.arange(256, dtype=np.float32) / np.float32(rule.divisor) - mean) / std
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # a scale may be next to nothing
        quotient = np.nan_to_num(value / np.float32(scale), posinf=np.inf, neginf=-np.inf)
    exact = quotient.astype(np.float64)  # + 0.5 is exact in float64 alone
    rounded = np.copysign(np.floor(np.abs(exact) + 0.5), exact) if edge == "float32" else np.round(exact)
    found: npt.NDArray[np.float64] = rounded + zero_point
    return found


def tables(channels: int, input: dict[str, Any]) -> npt.NDArray[np.int8]:
    """The inputs that each channel makes of the 256 pixel values: int8 [channels, 256].

    `input`: see quantize_images.
    """
    edge = input.get("edge", "int8")
    free = steps(input["preprocess"], channels, input["scale"], input["zero_point"], edge)
    return np.clip(free, -128, 127).astype(np.int8)


def plain(table: npt.NDArray[np.int8]) -> bool:
    """Whether `table`, [channels, 256], is pixel - 128 for every pixel, as that of our own networks."""
    return bool((table == np.arange(-128, 128)).all())


def quantize_images(x: np.ndarray, input: dict[str, Any]) -> np.ndarray:
    """uint8 images [n, height, width, channels] -> int8 of the same shape.

    `input` is the manifest's entry: `preprocess` (see parse), `scale`, `zero_point`, `edge` (see steps).
    """
    channels, text = x.shape[-1], input["preprocess"]
    table = tables(channels, input)
    if plain(table) and parse(text).order == "rgb":
        return (x ^ np.uint8(0x80)).view(np.int8)  # pixel - 128 in two's complement
    found = np.empty(x.shape, np.int8)
    for channel, byte in enumerate(byte_of(text, channels)):
        found[..., channel] = table[channel][x[..., byte]]
    return found


_SLACK = 2  # steps over the ends: half of one is lost by rounding zero points, and hurts nobody
_MOST_CLIPPED, _LEAST_USED = 0.05, 0.45
_HOPELESS_CLIPPED, _HOPELESS_USED = 0.9, 8 / 256


@dataclass(frozen=True)
class Fit:
    """How well the values of a rule and the int8 range of an input agree.

    `clipped`: share of the pixel values that lie beyond the range's ends. `used`: share of the range's steps
    between the lowest input and the highest.
    """

    clipped: float
    used: float

    @property
    def good(self) -> bool:
        """Nearly nothing clips, and about half of the range is used, or more."""
        return self.clipped <= _MOST_CLIPPED and self.used >= _LEAST_USED

    @property
    def hopeless(self) -> bool:
        """So few different inputs are left that no network can have been made for them."""
        return self.clipped > _HOPELESS_CLIPPED or self.used < _HOPELESS_USED

    def __str__(self) -> str:
        return f"{self.clipped:.0%} of the pixel values clip, {self.used:.0%} of the int8 range is used"


def fit(text: str, channels: int, scale: float, zero_point: int) -> Fit:
    """That of the rule `text` and an input of this scale and zero point."""
    free = steps(text, channels, scale, zero_point)
    held = np.clip(free, -128, 127)
    used = (held.max() - held.min() + 1) / 256
    return Fit(float((np.abs(free - held) > _SLACK).mean()), float(used))


def fitting(channels: int, scale: float, zero_point: int) -> list[str]:
    """The names of PREPROCESSES whose values an input of this scale and zero point was made for, it seems."""
    found = []
    for name, rule in PREPROCESSES.items():
        if (rule.order == "bgr" or len(rule.mean) > 1) and channels != 3:
            continue
        if fit(name, channels, scale, zero_point).good:
            found.append(name)
    return found
