"""The worst mistakes as pictures: images that are surely taken for another class than theirs."""

from typing import Any

from squeezenet_mcu.host_tools.report.evidence import Evidence

_MOST = 12


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    found = e.run.mistakes()
    known = e.run.labelled
    return {
        "source": e.run.source,
        "images": int(known.sum()),
        "wrong": int((e.run.labels[known] != e.run.taken[known]).sum()),
        "needs": e.needs("report", DATA="images"),
        "worst": [
            {
                "image": mistake["image"],
                "label": e.labels[mistake["label"]],
                "taken": e.labels[mistake["taken"]],
                "probability": mistake["probability"],
                "png": e.run.picture(mistake["image"]),
            }
            for mistake in found[:_MOST]
        ],
    }
