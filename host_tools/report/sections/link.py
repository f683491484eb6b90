"""Link statistics: what passed between host and device while validate compared."""

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import Count
from squeezenet_mcu.host_tools.report.evidence import VALIDATED, Evidence

_Time = Annotated[float, Meta(ge=0, le=1e9)]


class _Trip(TypedDict):
    min: _Time
    mean: _Time
    max: _Time


class _Line(TypedDict):
    requests: Count
    answers: Count
    lost: Count
    bytes_sent: Count
    bytes_received: Count
    restarts: Count
    reopened: Count
    images_again: Count
    dropped_bytes: Count
    damaged_frames: Count
    round_trip_ms: _Trip


_WHAT = {
    "requests": "requests sent",
    "answers": "answers received",
    "lost": "requests without an answer in time, sent again",
    "bytes_sent": "bytes sent",
    "bytes_received": "bytes received",
    "images_again": "images sent again",
    "restarts": "resets of the device",
    "reopened": "times the port was opened again",
    "damaged_frames": "damaged frames that the device has seen",
    "dropped_bytes": "bytes that the device has dropped",
}


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    path = e.artefacts.folder / VALIDATED
    needs = e.needs("validate", BOARD=e.board.name, JSON=str(path))
    line = e.validated.get("link") if e.validated else None
    if line is None:
        return {"rows": None, "needs": needs}
    json_files.check(line, _Line, f"{path}: link", f"run: {needs}")
    assert e.validated is not None
    return {
        "board": e.validated["board"],
        "images": e.validated["images"],
        "rows": [{"what": text, "count": line[key]} for key, text in _WHAT.items()],
        "bytes_an_image": round(line["bytes_sent"] / max(e.validated["images"], 1)),
        "round_trip_ms": {key: line["round_trip_ms"][key] for key in ("min", "mean", "max")},
    }
