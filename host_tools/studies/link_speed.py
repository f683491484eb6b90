"""`python -m host_tools link_speed`: how fast the link is beside the line itself, and on lines that fail."""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.firmware import board_model
from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.device import Device, Result
from squeezenet_mcu.host_tools.link.errors import LinkError
from squeezenet_mcu.host_tools.link.faulty_line import KINDS, FaultyLine, parse
from squeezenet_mcu.host_tools.link.messages import Request

NAME = "link_speed"
HELP = "images a second over the link to an emulated board, beside its byte rate, and on lines that fail"
EXAMPLES = """\
  python -m host_tools link_speed --model gtsrb
  python -m host_tools link_speed --model digits --faults --rate 0.01 --json link.json"""

RATES = (0.0001, 0.001, 0.01)
_ROUNDS = 12
_SECONDS = 0.5  # of each way in a round: this machine's other work meets both
_IMAGES = 200
_DIFFERENT = 10  # images; they come again and again
_PATIENCE = 28.0  # seconds of silence, as validate has with an emulator
Int8 = npt.NDArray[np.int8]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    parser.add_argument("--board", default="stm32f405", metavar="NAME", help="(stm32f405)")
    parser.add_argument("--faults", action="store_true", help="the matrix of faults, not the throughput")
    parser.add_argument(
        "--rate", action="append", type=float, help="of the faults, per byte (0.0001, 0.001, 0.01)"
    )
    parser.add_argument("--kind", action="append", choices=(*KINDS, "all"), help="of fault (each, and all)")
    parser.add_argument("--images", type=int, default=_IMAGES, help=f"with --faults ({_IMAGES})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")


@dataclass(frozen=True)
class Throughput:
    """Of one board and model, all in image bytes a second; medians over rounds in which each had its turn.

    `raw`: ROWS frames that the device answers and ignores, sent as fast as the window lets them: the line's
    own rate. `single`: `infer` for each image; `many`: `infer_many`. `share`: of `many` in `raw`.
    """

    raw: float
    single: float
    many: float
    share: float
    image_bytes: int

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "raw_bytes_per_second": round(self.raw),
            "single_images_per_second": round(self.single / self.image_bytes, 2),
            "many_images_per_second": round(self.many / self.image_bytes, 2),
            "share_of_raw": round(self.share, 3),
        }


def images_for(device: Device) -> Int8:
    """Random images, int8 [n, height, width, channels]."""
    info = device.info
    size = (_DIFFERENT, info.height, info.width, info.channels)
    return np.random.RandomState(0).randint(-128, 128, size).astype(np.int8)


def throughput(device: Device, rounds: int = _ROUNDS, seconds: float = _SECONDS) -> Throughput:
    """Measures; the device must be idle, and the line good."""
    images = images_for(device)
    device.infer(images[0])
    ways: dict[str, Callable[[float], int]] = {
        "raw": lambda end: _raw(device, images[0], end),
        "single": lambda end: _single(device, images, end),
        "many": lambda end: _many(device, images, end),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.monotonic()
            sent = way(began + seconds)
            found[name].append(sent / (time.monotonic() - began))
    shares = [many / raw for many, raw in zip(found["many"], found["raw"], strict=True)]
    median = {name: float(np.median(values)) for name, values in found.items()}
    return Throughput(**median, share=float(np.median(shares)), image_bytes=device.info.image_bytes)


def _raw(device: Device, image: Int8, end: float) -> int:
    """Rows of an image that the device has already, in frames as `infer` makes them; returns their bytes."""
    info, exchange = device.info, device.exchange
    credit = info.window_bytes // (info.row_bytes + 18)
    rows = max(1, min(messages.max_row_data(info.max_frame) // info.row_bytes, credit // 2, info.height // 2))
    data = image.tobytes()[: min(rows * info.row_bytes, messages.max_row_data(info.max_frame))]
    payload = messages.rows(device.image, 0, data)
    sent = 0
    while time.monotonic() < end or exchange.in_flight:
        while time.monotonic() < end and exchange.bytes_in_flight + len(payload) + 16 <= info.window_bytes:
            exchange.send(Request.ROWS, payload, device.image)
        if exchange.receive(_PATIENCE):
            sent += len(data)
    return sent


def _single(device: Device, images: Int8, end: float) -> int:
    count = 0
    while time.monotonic() < end:
        device.infer(images[count % len(images)])
        count += 1
    return count * device.info.image_bytes


def _many(device: Device, images: Int8, end: float) -> int:
    def until() -> Iterator[Int8]:
        count = 0
        while time.monotonic() < end:
            yield images[count % len(images)]
            count += 1

    return sum(device.info.image_bytes for _ in device.infer_many(until()))


@dataclass(frozen=True)
class FaultRun:
    """What came of images over a line with faults: `error` is "" where all are there."""

    faults: str
    images: int
    wrong: int
    seconds: float
    error: str
    link: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {**vars(self), "images_per_second": round(self.images / self.seconds, 3)}


def under_faults(url: str, right: list[Result], images: Int8, faults: str, count: int) -> FaultRun:
    """`count` images over a line to `url` with `faults`, as FAULTS= has them; `right`: their answers."""
    done = wrong = 0
    error, link = "", {}
    began = time.monotonic()
    try:
        with Device(
            url,
            timeout=_PATIENCE,
            open_timeout=_PATIENCE,
            image_timeout=4 * _PATIENCE,
            over=lambda line: FaultyLine(line, parse(faults)),
        ) as device:
            for result in device.infer_many(images[i % len(images)] for i in range(count)):
                wanted = right[done % len(images)]
                same = np.array_equal(result.logits, wanted.logits)
                wrong += not (same and np.array_equal(result.probabilities, wanted.probabilities))
                done += 1
                link = device.statistics.as_json()
    except LinkError as trouble:
        error = str(trouble)
    return FaultRun(faults, done, wrong, time.monotonic() - began, error, link)


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command. Exit status 1 where an answer is wrong or missing."""
    # They need the emulator's side.
    from squeezenet_mcu.common.paths import BUILD
    from squeezenet_mcu.host_tools.emulate import emulator
    from squeezenet_mcu.model.settings import config

    console = Console()
    if args.json:
        files.outputs(args.json)
    if args.images < 1:
        raise UserError(f"--images {args.images}; want 1 or more")
    model = config.name_of(args.model)
    elf = board_model.folder_for(BUILD / model, args.board, "squeeze") / "firmware.elf"
    table = Table(title=f"{model} on {args.board}", show_header=args.faults)
    found: dict[str, Any] = {"model": model, "board": args.board}
    bad = False
    with emulator.running(args.board, elf) as url:
        if not args.faults:
            with Device(url, timeout=_PATIENCE) as device:
                measured = throughput(device)
            found |= measured.as_json()
            for name, value in measured.as_json().items():
                table.add_row(name.replace("_", " "), f"{value:,}")
        else:
            with Device(url, timeout=_PATIENCE) as device:
                images = images_for(device)
                right = list(device.infer_many(images))
            runs = []
            for name in ("faults", "images", "wrong", "images/s", "error"):
                table.add_column(name)
            for rate in args.rate or RATES:
                for kind in args.kind or (*KINDS, "all"):
                    one = under_faults(url, right, images, f"{kind}={rate}", args.images)
                    runs.append(one.as_json())
                    bad |= bool(one.error or one.wrong)
                    speed = f"{one.images / one.seconds:.2f}"
                    table.add_row(one.faults, str(one.images), str(one.wrong), speed, one.error)
                    console.print(f"{one.faults}: {one.images} images, {one.wrong} wrong, {speed} images/s")
            found["faults"] = runs
    console.print(table)
    if args.json:
        files.write_json(args.json, found)
        console.print(f"wrote {args.json}", soft_wrap=True)
    return int(bad)
