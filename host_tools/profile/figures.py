"""What each layer of an image takes on a device, by the counter of its firmware."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.link.device import Result
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.link.watch import Spent

SCHEDULE = "schedule, input rows"  # what is between the layers
TOLERANCE = 0.01  # of the image's count


class Profiles(Protocol):
    """A host_tools.link.device.Device, or what stands for one."""

    info: Info

    def infer(self, image: npt.NDArray[np.int8]) -> Result:
        """See Device."""
        ...

    def profile(self, image: npt.NDArray[np.int8]) -> list[Spent]:
        """See Device."""
        ...


@dataclass(frozen=True)
class Layer:
    """One layer. `count`: of the firmware's counter; `kernel`: "" where nobody knows it."""

    name: str
    kernel: str
    macs: int
    count: int
    steps: int


@dataclass(frozen=True)
class Profile:
    """An image's work, layer by layer. `image_count`: what the image takes where nothing is watched."""

    unit: str  # "instructions", "cycles" or "microseconds"
    hertz: int  # ticks of the counter in a second; 0: it has no rate
    layers: list[Layer]  # the last one is SCHEDULE
    image_count: int
    sram_high_water: int  # bytes
    stack_high_water: int  # bytes

    @property
    def total(self) -> int:
        """Of all layers and of the schedule."""
        return sum(layer.count for layer in self.layers)

    @property
    def off(self) -> float:
        """By how much the sum differs from the image's count, as a fraction of it."""
        return self.total / self.image_count - 1 if self.image_count else 0.0

    @property
    def sound(self) -> bool:
        """Whether the sum is the image's count, nearly."""
        return self.image_count > 0 and abs(self.total - self.image_count) <= TOLERANCE * self.image_count

    def milliseconds(self, count: int) -> float | None:
        """None where the counter has no rate: an emulator's instructions."""
        return count / self.hertz * 1e3 if self.hertz else None

    def share(self, count: int) -> float:
        """A fraction of the sum."""
        return count / self.total if self.total else 0.0


def measure(device: Profiles, image: npt.NDArray[np.int8], plan: list[dict[str, Any]]) -> Profile:
    """Three runs of an image, int8 [height, width, channels]: to warm up, watched, and as usual.

    `plan`: of the engine's model, its first line the input (convert.outputs.report.plan_rows).

    UserError: the device has other layers. LinkError: see Device.
    """
    first = device.infer(image)  # of the memory: to watch takes stack
    spent = device.profile(image)
    result = device.infer(image)
    planned = plan[1:]
    if len(spent) != len(planned) + 1:
        raise UserError(
            f"{device.info.board}: its firmware has {len(spent) - 1} layers, the model {len(planned)}; "
            "flash firmware of this checkout: make flash INSPECT=1"
        )
    layers = [
        Layer(entry["layer"], entry.get("kernel", ""), entry["macs"], part.count, part.steps)
        for entry, part in zip(planned, spent, strict=False)
    ]
    layers.append(Layer(SCHEDULE, "", 0, spent[-1].count, spent[-1].steps))
    info = device.info
    hertz = info.counter_hz if info.counter_kind != "instructions" else 0
    return Profile(
        info.counter_kind, hertz, layers, result.count, first.sram_high_water, first.stack_high_water
    )


def as_json(profile: Profile, model: str, info: Info) -> dict[str, Any]:
    """Everything, for a file. Times in milliseconds, null where the counter has no rate."""

    def rounded(count: int) -> float | None:
        found = profile.milliseconds(count)
        return None if found is None else round(found, 4)

    return {
        "model": model,
        "model_sha256": info.model_sha256,
        "board": info.board,
        "counter": profile.unit,
        "counter_hz": profile.hertz,
        "image_count": profile.image_count,
        "milliseconds": rounded(profile.image_count),
        "sum": profile.total,
        "sum_off": round(profile.off, 6),
        "sram_high_water": profile.sram_high_water,
        "stack_high_water": profile.stack_high_water,
        "layers": [
            {
                "layer": layer.name,
                "kernel": layer.kernel or None,
                "macs": layer.macs,
                "count": layer.count,
                "milliseconds": rounded(layer.count),
                "a_mac": round(layer.count / layer.macs, 4) if layer.macs else None,
                "share": round(profile.share(layer.count), 4),
                "steps": layer.steps,
            }
            for layer in profile.layers
        ],
    }
