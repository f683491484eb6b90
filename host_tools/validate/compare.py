"""The device against Python, image by image, to the last int8. No input or output of its own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.host_tools.link.device import Result
from squeezenet_mcu.host_tools.link.errors import LinkError
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.validate import top5
from squeezenet_mcu.host_tools.validate.top5 import Answer, answer, top_classes

TENSORS = ("logits", "probabilities")


class InfersOnDevice(Protocol):
    """A host_tools.link.device.Device, or what stands for one."""

    def infer_many(self, images: Iterable[npt.NDArray[np.int8]]) -> Iterator[Result]:
        """int8 [height, width, channels] each -> a Result each, in their order."""
        ...


class InfersInPython(Protocol):
    """A common.litert.Reference, or what stands for one."""

    def infer(
        self, x: npt.NDArray[np.int8], logits_tensor: int
    ) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
        """int8 [height, width, channels] -> (logits, probabilities), int8 [classes] each."""
        ...


@dataclass(frozen=True)
class Difference:
    """One int8 on which the two sides differ."""

    image: int
    tensor: str  # of TENSORS
    index: int
    device: int
    python: int

    def __str__(self) -> str:
        return f"image {self.image}, {self.tensor}[{self.index}]: device {self.device}, python {self.python}"


@dataclass
class Report:
    """What a comparison found so far. Accuracies are fractions of the images whose label is known."""

    images: int = 0
    values: int = 0  # int8 values compared
    differing_values: int = 0
    differing_images: int = 0
    same_top1: int = 0
    labelled: int = 0
    device_correct: int = 0
    python_correct: int = 0
    counts: list[int] = field(default_factory=list)  # of the device's counter, for each image
    sram_high_water: int = 0  # bytes
    stack_high_water: int = 0  # bytes
    first_difference: Difference | None = None
    answers: list[Answer] = field(default_factory=list)
    python_top5: int = 0
    interrupted: bool = False
    ended: LinkError | None = None  # what ended it before the last image

    @property
    def exact(self) -> bool:
        """True where there were images and no value differed."""
        return self.images > 0 and self.differing_values == 0

    @property
    def device_accuracy(self) -> float | None:
        """Top-1 of the device; None without labels."""
        return self.device_correct / self.labelled if self.labelled else None

    @property
    def python_accuracy(self) -> float | None:
        """Top-1 of Python; None without labels."""
        return self.python_correct / self.labelled if self.labelled else None

    @property
    def device_top5_accuracy(self) -> float | None:
        """Top-5 of the device; None without labels."""
        return sum(a.rank is not None for a in self.answers) / self.labelled if self.labelled else None

    @property
    def python_top5_accuracy(self) -> float | None:
        """Top-5 of Python; None without labels."""
        return self.python_top5 / self.labelled if self.labelled else None

    @property
    def agreement(self) -> float:
        """The share of the images whose every value is the same on both sides."""
        return 1 - self.differing_images / self.images if self.images else 0.0

    @property
    def mean_count(self) -> int:
        """Mean of the device's counter over the images, rounded; 0 without images."""
        return round(sum(self.counts) / len(self.counts)) if self.counts else 0

    def add(
        self,
        result: Result,
        logits: npt.NDArray[np.int8],
        probabilities: npt.NDArray[np.int8],
        label: int,
    ) -> None:
        """Compares the answers of both sides to one more image; `label` -1: unknown."""
        differing = 0
        for tensor, device, python in (
            ("logits", result.logits, logits),
            ("probabilities", result.probabilities, probabilities),
        ):
            if device.shape != python.shape:
                raise ValueError(f"{tensor}: device has {device.shape}, python {python.shape}")
            where = np.flatnonzero(device != python)
            differing += len(where)
            self.values += device.size
            if len(where) and self.first_difference is None:
                i = int(where[0])
                self.first_difference = Difference(self.images, tensor, i, int(device[i]), int(python[i]))
        # The logits decide: probabilities are rounded to 1/256 and tie where the logits do not.
        device_top1, python_top1 = int(result.logits.argmax()), int(logits.argmax())
        self.answers.append(answer(result.logits, result.probabilities, label))
        self.images += 1
        self.differing_values += differing
        self.differing_images += differing > 0
        self.same_top1 += device_top1 == python_top1
        if label >= 0:
            self.labelled += 1
            self.device_correct += device_top1 == label
            self.python_correct += python_top1 == label
            self.python_top5 += label in top_classes(logits)
        self.counts.append(result.count)
        self.sram_high_water = max(self.sram_high_water, result.sram_high_water)
        self.stack_high_water = max(self.stack_high_water, result.stack_high_water)


def compare_all(
    device: InfersOnDevice,
    reference: InfersInPython,
    images: npt.NDArray[np.int8],
    labels: npt.NDArray[np.int64],
    logits_tensor: int,
    *,
    on_image: Callable[[Report], None] | None = None,
    report: Report | None = None,
) -> Report:
    """Runs every image on both sides.

    `images`: int8 [n, height, width, channels]; `labels`: int64 [n], -1 = unknown; `logits_tensor`: its index
    in the .tflite. `on_image` is called after each image. `report`: of an earlier run, which is to go on.
    Ctrl-C ends the comparison: the report then covers the images done, and says `interrupted`. So does a
    LinkError: the report has it as `ended`.
    """
    report = report or Report()
    images, labels = images[report.images :], labels[report.images :]
    try:
        for image, label, result in zip(images, labels, device.infer_many(images), strict=True):
            logits, probabilities = reference.infer(image, logits_tensor)
            report.add(result, logits, probabilities, int(label))
            if on_image:
                on_image(report)
    except KeyboardInterrupt:
        report.interrupted = True
    except LinkError as error:
        report.ended = error
    return report


def as_json(report: Report, info: Info, manifest: dict[str, Any]) -> dict[str, Any]:
    """The report for programs: bytes, fractions. Boards that count others have no instructions_per_image."""
    counts_instructions = info.counter_kind == "instructions"
    return {
        "model": manifest["model"],
        "board": info.board,
        "images": report.images,
        "differing_values": report.differing_values,
        "differing_images": report.differing_images,
        "compared_values": report.values,
        "first_difference": str(report.first_difference) if report.first_difference else None,
        "device_accuracy": report.device_accuracy,
        "python_accuracy": report.python_accuracy,
        "device_top5_accuracy": report.device_top5_accuracy,
        "python_top5_accuracy": report.python_top5_accuracy,
        "top1_agreement": report.same_top1 / report.images if report.images else None,
        "sram_bytes": report.sram_high_water,
        "sram_total_bytes": info.sram_total_bytes,
        "stack_bytes": report.stack_high_water,
        "static_sram_bytes": info.static_sram_bytes,
        "arena_bytes": info.arena_bytes,
        "flash_bytes": info.flash_used_bytes,
        "flash_total_bytes": info.flash_total_bytes,
        "instructions_per_image": report.mean_count if counts_instructions else None,
        "counter": info.counter_kind,
        "counter_hz": info.counter_hz,
        "count_per_image": {
            "min": min(report.counts, default=0),
            "mean": report.mean_count,
            "max": max(report.counts, default=0),
        },
        "model_sha256": info.model_sha256,
        "engine_sha256": info.engine_sha256,
        "build_id": info.build_id,
        "reset_cause": info.reset_cause,
        "link_version": info.version,
        "ended": str(report.ended) if report.ended else None,
        "confusion": top5.confusion(report.answers),
        "answers": top5.as_json(report.answers, manifest) if top5.many_classes(manifest) else None,
    }
