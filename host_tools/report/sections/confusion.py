"""Which classes are taken for which by the float network, the int8 one and the device, on which images."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from markupsafe import Markup

from squeezenet_mcu.host_tools.report import heat_map
from squeezenet_mcu.host_tools.report.evidence import VALIDATED, Evidence

_MOST_CLASSES = 50  # that are drawn; of more, those of the most mistakes
_MOST_PAIRS = 12  # of the table of mistakes
_Pairs = dict[tuple[int, int], int]  # of (class, taken for): images


def gather(e: Evidence) -> dict[str, Any]:
    """See sections. `cells` of a table: [class, taken for, images]."""
    tables = [*_keras(e), _int8(e), _device(e)]
    known = [table for table in tables if table["cells"] is not None]
    return {
        "labels": e.labels,
        "tables": tables,
        "drawn": _drawn(known, len(e.labels)),
        "pairs": _most_frequent(known, e.labels),
        "classes": _by_class(known, e.labels),
    }


def _table(network: str, pairs: _Pairs, by: str, images_of: str, **more: Any) -> dict[str, Any]:
    images = sum(pairs.values())
    right = sum(count for (label, taken), count in pairs.items() if label == taken)
    return {
        "network": network,
        "by": by,
        "images_of": images_of,
        "images": images,
        "mistakes": images - right,
        "accuracy": round(right / max(images, 1), 5),
        "cells": [[label, taken, count] for (label, taken), count in sorted(pairs.items())],
        "same_as_int8": None,
        "why": "",
        "needs": "",
        **more,
    }


def _unknown(network: str, why: str, needs: str = "") -> dict[str, Any]:
    empty = dict.fromkeys(("images", "mistakes", "accuracy", "cells", "same_as_int8"))
    return {"network": network, "by": "", "images_of": "", **empty, "why": why, "needs": needs}


def _keras(e: Evidence) -> list[dict[str, Any]]:
    """The float network's table; where another Keras network lies nearest, that one's, too."""
    run = e.keras
    known = np.flatnonzero(e.run.labelled)
    if run is None or run.taken is None:
        tables = []
    elif not len(known):
        tables = [_no_labels(e, _named(run.network))]
    else:
        pairs = _counted(e.run.labels[known], run.taken[known])
        same = int((run.taken[known] == e.run.taken[known]).sum())
        file = f"Keras, for this report: {run.file}"
        tables = [_table(_named(run.network), pairs, file, e.run.source, same_as_int8=same)]
    if run is None:
        tables.append(_unknown("float", "no Keras model of this .tflite is here", _makes_float(e)))
    elif run.taken is None:
        tables.append(_unknown(_named(run.network), run.why))
    elif run.network != "float":
        tables.insert(0, _unknown("float", "its file is not here", _makes_float(e)))
    return tables


def _named(network: str) -> str:
    return network if network == "float" else f"{network}, Keras"


def _makes_float(e: Evidence) -> str:
    """The command that makes the float network; "": the model came without one."""
    if e.settings is None:
        return ""
    return e.needs("train") if e.settings.weights is None else e.needs("import", WEIGHTS="file")


def _int8(e: Evidence) -> dict[str, Any]:
    classes = len(e.labels)
    for record, by in (
        (e.stages.get("quantize", {}), "this machine's training"),
        (e.metrics, "the model's card"),
    ):
        table = record.get("confusion")
        if table and len(table) == classes and all(len(row) == classes for row in table):
            pairs = {(i, j): count for i, row in enumerate(table) for j, count in enumerate(row) if count}
            return _table("int8", pairs, by, f"all test images of {_data(e)}")
    known = np.flatnonzero(e.run.labelled)
    if not len(known):
        return _no_labels(e, "int8")
    pairs = _counted(e.run.labels[known], e.run.taken[known])
    return _table("int8", pairs, "LiteRT, for this report", e.run.source)


def _data(e: Evidence) -> str:
    found: str = e.manifest["data"] or "its data"
    return found


def _no_labels(e: Evidence, network: str) -> dict[str, Any]:
    return _unknown(network, "no labelled images are here", e.needs("report", DATA="images"))


def _device(e: Evidence) -> dict[str, Any]:
    needs = e.needs("validate", BOARD=e.board.name, JSON=str(e.artefacts.folder / VALIDATED))
    seen = e.validated
    if seen is None:
        return _unknown("device", "no device has been asked", needs)
    if "confusion" not in seen:
        return _unknown("device", "the report of validate is of an earlier version", needs)
    pairs = {(label, taken): count for label, taken, count in seen["confusion"]}
    if not pairs:
        return _unknown("device", "the images that it was sent have no known classes", needs + " DATA=images")
    return _table(
        "device",
        pairs,
        f"validate, on {seen['board']}",
        seen.get("data", ""),
        # Every value the same: then the classes are, too.
        same_as_int8=sum(pairs.values()) if seen["differing_values"] == 0 else None,
    )


def _counted(labels: Iterable[int], taken: Iterable[int]) -> _Pairs:
    pairs: _Pairs = {}
    for key in zip(map(int, labels), map(int, taken), strict=True):
        pairs[key] = pairs.get(key, 0) + 1
    return pairs


def _drawn(tables: list[dict[str, Any]], classes: int) -> list[int]:
    """The classes that the pictures show, in their order: all, or those of the most mistakes in any table."""
    if classes <= _MOST_CLASSES:
        return list(range(classes))
    wrong = [0] * classes
    for label, taken, count in (cell for table in tables for cell in table["cells"]):
        if label != taken:
            wrong[label] += count
            wrong[taken] += count
    order = sorted(range(classes), key=lambda i: -wrong[i])
    return sorted(i for i in order[:_MOST_CLASSES] if wrong[i])


def _most_frequent(tables: list[dict[str, Any]], labels: list[str]) -> list[dict[str, Any]]:
    """The pairs of classes of the most mistakes in any table, and how many images each table has of them."""
    found = [{(label, taken): count for label, taken, count in table["cells"]} for table in tables]
    of = [_images_of(table) for table in tables]
    most: dict[tuple[int, int], float] = {}
    for counts, images in zip(found, of, strict=True):
        for (label, taken), count in counts.items():
            if label != taken:  # a share, as the tables are of different numbers of images
                share = count / max(sum(images.values()), 1)
                most[label, taken] = max(most.get((label, taken), 0.0), share)
    return [
        {
            "label": labels[label],
            "taken": labels[taken],
            "counts": [
                {"images": counts.get((label, taken), 0), "of": images.get(label, 0)}
                for counts, images in zip(found, of, strict=True)
            ],
        }
        for label, taken in sorted(most, key=lambda pair: (-most[pair], pair))[:_MOST_PAIRS]
    ]


def _images_of(table: dict[str, Any]) -> dict[int, int]:
    """Of each class that has some, how many."""
    found: dict[int, int] = {}
    for label, _, count in table["cells"]:
        found[label] = found.get(label, 0) + count
    return found


def _by_class(tables: list[dict[str, Any]], labels: list[str]) -> list[dict[str, Any]]:
    """Of each class that any table has images of, how many each table has right."""
    of = [_images_of(table) for table in tables]
    right = [{label: count for label, taken, count in t["cells"] if label == taken} for t in tables]
    return [
        {
            "label": labels[i],
            "counts": [
                {
                    "right": hits.get(i, 0),
                    "of": images.get(i, 0),
                    "share": round(hits.get(i, 0) / images[i], 4) if images.get(i) else None,
                }
                for hits, images in zip(right, of, strict=True)
            ],
        }
        for i in range(len(labels))
        if any(i in images for images in of)
    ]


def pictures(data: dict[str, Any]) -> dict[str, Markup]:
    """A map of squares for each table."""
    return {
        table["network"]: heat_map.drawn(table, data["drawn"], data["labels"])
        for table in data["tables"]
        if table["cells"] is not None and data["drawn"]
    }
