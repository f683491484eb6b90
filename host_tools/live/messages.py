"""What pages are told of a device, as JSON has it: pictures, rows, results, figures, how the device is."""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.host_tools.classify import answers
from squeezenet_mcu.host_tools.classify.runners import Run
from squeezenet_mcu.host_tools.link.device import Result
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.live.source import Picture
from squeezenet_mcu.host_tools.live.totals import Totals
from squeezenet_mcu.host_tools.validate import top5

_SMALL = 64  # pixels: the longer side of a picture among the last ones
_MOST_CLASSES = 8  # of an answer
_MOST_NAME = 80  # characters

Int8 = npt.NDArray[np.int8]


def picture(number: int, shown: Picture, manifest: dict[str, Any]) -> dict[str, Any]:
    """A picture that is about to go in. `number`: from 1."""
    return {"type": "picture", "number": number, "pixels": _pixels(shown, 1)} | _about(shown, manifest)


def rows(number: int, done: int) -> dict[str, Any]:
    """How many rows of picture `number` the device has taken."""
    return {"type": "rows", "number": number, "rows": done}


def result(
    number: int,
    shown: Picture,
    manifest: dict[str, Any],
    device: Result,
    python: tuple[Int8, Int8],
    ms: float | None,
) -> dict[str, Any]:
    """Both answers to a picture. `python`: logits and probabilities; `ms`: by the device's own counter."""
    sides = (
        answers.probabilities(Run(device.logits, device.probabilities, None), manifest),
        answers.probabilities(Run(*python, None), manifest),
    )
    one = len(device.logits) == 1
    best = dict.fromkeys((*top5.top_classes(device.logits), *top5.top_classes(python[0])))
    equal = (device.logits == python[0]) & (device.probabilities == python[1])
    classes = [
        {
            "name": top5.name_of(manifest, i)[:_MOST_NAME],
            "said": [answers.said(float(side[i]), one) for side in sides],
            "share": [0.0 if one else round(float(side[i]), 4) for side in sides],
            "equal": bool(equal[i]),
        }
        for i in list(best)[:_MOST_CLASSES]
    ]
    return {
        "type": "result",
        "number": number,
        "small": _pixels(shown, -(-max(shown.pixels.shape[:2]) // _SMALL)),
        "classes": classes,
        "all": len(equal),
        "differing": int((~equal).sum()),
        "ms": None if ms is None else round(ms, 3),
        "count": f"{device.count:,} {device.count_kind}",
    } | _about(shown, manifest)


def milliseconds(result: Result, info: Info) -> float | None:
    """What the device took for an image, by its own counter; None: it does not count time."""
    if info.counter_kind == "cycles" and info.counter_hz:
        return result.count / info.counter_hz * 1e3
    return result.count / 1e3 if info.counter_kind == "microseconds" else None


def figures(
    totals: Totals, last: dict[str, Any], info: Info, estimated: float | None = None
) -> dict[str, Any]:
    """The running figures, in words. `last`: the newest result(); `estimated`: ms on the board."""
    seconds = totals.recent[-1] if totals.recent else 0.0
    lines = {}
    if totals.labelled:
        right = f"{totals.device_correct / totals.labelled:.2%}".replace("%", " %")
        lines["Right by their labels"] = f"{right} of {totals.labelled:,}"
    lines["Images a second"] = f"{totals.rate:.1f}, link included, one at a time"
    if last["ms"] is None:
        time = (
            "this board counts no time"
            if estimated is None
            else f"{estimated:,.1f} ms estimated (make analyze)"
        )
        lines["An image"] = f"{last['count']}; {time}"
        lines["An image, here"] = f"{seconds * 1e3:,.0f} ms on this computer, link included"
    else:
        clock = f" at {info.counter_hz / 1e6:g} MHz" if info.counter_kind == "cycles" else ""
        lines["An image"] = f"{last['ms']:,.2f} ms by the board's own counter{clock}"
        lines["An image, here"] = f"{seconds * 1e3:,.0f} ms, link included"
    lines["SRAM"] = (
        f"{totals.sram_high_water:,} of {info.sram_total_bytes:,} bytes, stack included "
        f"(engine's arena {info.arena_bytes:,}, stack {totals.stack_high_water:,})"
    )
    lines["Flash"] = f"{info.flash_used_bytes:,} of {info.flash_total_bytes:,} bytes"
    if totals.losses or totals.resets:
        lines["Interruptions"] = f"{totals.losses} x away, {totals.resets} x reset; it went on each time"
    if totals.images_given_up:
        lines["Given up"] = f"{totals.images_given_up} images that the device never answered"
    return {
        "type": "figures",
        "images": totals.images,
        "exact": totals.exact_images,
        "agreement": f"{totals.agreement:.2%}".replace("%", " %") if totals.images else "",
        "first_difference": totals.first_difference or "",
        "lines": [[name, text] for name, text in lines.items()],
    }


def state(kind: str, text: str, board: str, paused: bool) -> dict[str, Any]:
    """How the device is. `kind`: "starting", "here", "quiet", "away" or "ended"; `text`: for people."""
    return {"type": "state", "state": kind, "text": text, "board": board, "paused": paused}


def want() -> dict[str, Any]:
    """The device waits for a frame of a camera."""
    return {"type": "want"}


def _about(shown: Picture, manifest: dict[str, Any]) -> dict[str, Any]:
    label = top5.name_of(manifest, shown.label)[:_MOST_NAME] if shown.label >= 0 else None
    return {"name": shown.name[:_MOST_NAME], "label": label}


def _pixels(shown: Picture, step: int) -> dict[str, Any]:
    """The picture, every `step`th pixel of it, as gray or RGB bytes."""
    pixels = shown.pixels[::step, ::step]
    channels = 3 if pixels.shape[2] >= 3 else 1
    height, width = pixels.shape[:2]
    content = np.ascontiguousarray(pixels[:, :, :channels]).tobytes()
    return {
        "width": width,
        "height": height,
        "channels": channels,
        "bytes": base64.b64encode(content).decode(),
    }
