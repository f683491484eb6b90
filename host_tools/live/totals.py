"""Running figures of a device that is watched: as many images as it likes, in memory that does not grow."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.validate.compare import Report

_RECENT = 20  # images that the rate is taken over
_MOST_NAMES = 100  # of pictures that were given up


@dataclass
class Totals:
    """What has come of the images so far. An image counts once, when both answers to it are there."""

    images: int = 0
    values: int = 0  # int8 values compared
    differing_values: int = 0
    differing_images: int = 0
    same_top1: int = 0
    labelled: int = 0
    device_correct: int = 0
    python_correct: int = 0
    least_count: int = 0  # of the device's counter, for an image
    most_count: int = 0
    sum_count: int = 0
    sram_high_water: int = 0  # bytes
    stack_high_water: int = 0  # bytes
    first_difference: str | None = None
    images_given_up: int = 0  # that the device never answered
    given_up: list[str] = field(default_factory=list)  # names of the first of them
    losses: int = 0  # times that the device went away
    resets: int = 0  # of the device, while its line stayed
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))  # seconds, of the last images

    @property
    def exact_images(self) -> int:
        """Those whose every value is the same on both sides."""
        return self.images - self.differing_images

    @property
    def agreement(self) -> float:
        """Their share, 0 to 1; 0 without images."""
        return self.exact_images / self.images if self.images else 0.0

    @property
    def rate(self) -> float:
        """Images a second, over the last ones: the time between pauses and losses. 0 without images."""
        seconds = sum(self.recent)
        return len(self.recent) / seconds if seconds else 0.0

    @property
    def sound(self) -> bool:
        """Nothing differed, and no image was given up."""
        return not self.differing_images and not self.images_given_up

    @property
    def tried(self) -> int:
        """Images that are done, answered or given up."""
        return self.images + self.images_given_up

    def give_up(self, name: str) -> None:
        """Counts a picture that the device never answers."""
        self.images_given_up += 1
        if len(self.given_up) < _MOST_NAMES:
            self.given_up.append(name)

    def add(self, one: Report, name: str, seconds: float) -> None:
        """Adds a picture. `one`: the comparison of this image alone; `seconds`: that it took on this host."""
        (count,) = one.counts
        self.images += one.images
        self.values += one.values
        self.differing_values += one.differing_values
        self.differing_images += one.differing_images
        self.same_top1 += one.same_top1
        self.labelled += one.labelled
        self.device_correct += one.device_correct
        self.python_correct += one.python_correct
        self.least_count = count if self.images == 1 else min(self.least_count, count)
        self.most_count = max(self.most_count, count)
        self.sum_count += count
        self.sram_high_water = max(self.sram_high_water, one.sram_high_water)
        self.stack_high_water = max(self.stack_high_water, one.stack_high_water)
        self.recent.append(seconds)
        if one.first_difference and self.first_difference is None:
            first = one.first_difference
            place = f"{first.tensor}[{first.index}]: device {first.device}, python {first.python}"
            self.first_difference = f"image {self.images}, {name}: {place}"

    def as_json(self, info: Info, model: str, source: str) -> dict[str, Any]:
        """For programs: bytes, fractions. `info`: of the device; `source`: of the images."""
        return {
            "model": model,
            "board": info.board,
            "source": source,
            "images": self.images,
            "agreement": self.agreement,
            "compared_values": self.values,
            "differing_values": self.differing_values,
            "differing_images": self.differing_images,
            "first_difference": self.first_difference,
            "images_given_up": self.images_given_up,
            "given_up": self.given_up,
            "top1_agreement": self.same_top1 / self.images if self.images else None,
            "device_accuracy": self.device_correct / self.labelled if self.labelled else None,
            "python_accuracy": self.python_correct / self.labelled if self.labelled else None,
            "times_away": self.losses,
            "resets": self.resets,
            "images_per_second": round(self.rate, 3),
            "counter": info.counter_kind,
            "counter_hz": info.counter_hz,
            "count_per_image": {
                "min": self.least_count,
                "mean": round(self.sum_count / self.images) if self.images else 0,
                "max": self.most_count,
            },
            "sram_bytes": self.sram_high_water,
            "sram_total_bytes": info.sram_total_bytes,
            "stack_bytes": self.stack_high_water,
            "arena_bytes": info.arena_bytes,
            "flash_bytes": info.flash_used_bytes,
            "model_sha256": info.model_sha256,
            "engine_sha256": info.engine_sha256,
            "build_id": info.build_id,
        }
