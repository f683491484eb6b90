"""Proof chain: the SHA-256 of each link from the data to the firmware, and the accuracy of each network."""

from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, statistics
from squeezenet_mcu.host_tools.firmware import build_id
from squeezenet_mcu.host_tools.report.evidence import VALIDATED, Evidence
from squeezenet_mcu.host_tools.report.keras_run import has_sha256, place
from squeezenet_mcu.model.train import records
from squeezenet_mcu.model.train.chain import chain

_NAMES = {"train": "float", "prune": "pruned", "cluster": "clustered", "quantize": "QAT and int8"}


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    return {
        "chain": _chain(e),
        "confidence": statistics.CONFIDENCE,
        "accuracies": _accuracies(e),
        "versions": e.manifest["versions"],
    }


def _link(
    what: str, sha256: str | None, origin: str, checked: bool | None, needs: str = ""
) -> dict[str, Any]:
    """`checked`: whether the file that lies there has the SHA-256 that was noted; None: there is none."""
    verdict = {True: "equal", False: "differs", None: "not checked"}[checked] if sha256 else "missing"
    return {"what": what, "sha256": sha256, "origin": origin, "verdict": verdict, "needs": needs}


def _chain(e: Evidence) -> list[dict[str, Any]]:
    manifest, folder = e.manifest, e.artefacts.folder
    accuracy = manifest["accuracy"] or {}
    again = e.needs("convert", DATA="images")
    links = [
        _link(
            "test images",
            accuracy.get("images_sha256"),
            f"as int8, all {accuracy['test_images']:,} of them" if accuracy else "",
            _same_images(e, accuracy),
            "" if accuracy.get("images_sha256") else again,
        )
    ]
    keras = manifest["float"]
    if keras:
        same = has_sha256(place(keras["file"]), keras["sha256"])
        links.append(_link("Keras model", keras["sha256"], keras["file"], same))
    else:
        links.append(_link("Keras model", None, "the model came as a .tflite or as weights", None))
    links += [
        _link(f"input: {Path(name).name}", sha256, name, has_sha256(place(name), sha256))
        for name, sha256 in sorted(manifest["inputs"].items())
        if not keras or name != keras["file"]
    ]
    tflite, engine = manifest["tflite_sha256"], manifest["engine_sha256"]
    links.append(_link(".tflite", tflite, "model.tflite", has_sha256(folder / "model.tflite", tflite)))
    links.append(
        _link("engine model, any CPU", engine, "model.sqz", has_sha256(folder / "model.sqz", engine))
    )
    return links + _on_board(e)


def _same_images(e: Evidence, accuracy: dict[str, Any]) -> bool | None:
    """Whether the report's own are the images of the accuracy; None: it has run others, or fewer of them."""
    run = e.run
    if run.source != accuracy.get("data") or len(run.pixels) != accuracy["test_images"]:
        return None
    found: bool = files.sha256(run.quantized(e.manifest["input"]).tobytes()) == accuracy["images_sha256"]
    return found


def _on_board(e: Evidence) -> list[dict[str, Any]]:
    """The board's own engine model, its firmware, and what a device said that it runs."""
    board = e.board.name
    build = e.needs("firmware", BOARD=board)
    found = []
    made = e.fit and files.sha256(e.fit.made.content)
    if e.firmware is None:
        found.append(_link(f"engine model, {board}", None, "of its firmware", None, build))
    else:
        # Made again for this report, from the .tflite alone.
        noted = e.firmware["engine_sha256"]
        found.append(
            _link(
                f"engine model, {board}",
                noted,
                "of its firmware, made again here",
                None if made is None else made == noted,
                ""
                if made in (None, noted)
                else "the firmware was built with other settings than the default",
            )
        )
    elf = e.firmware_folder / "firmware.elf"
    if elf.is_file():
        # The device says its firmware's build id; where it is this file's, this is what has been compared.
        ran = e.validated and e.validated["build_id"] == build_id.of_elf(elf)
        found.append(_link(f"firmware, {board}", files.sha256(elf.read_bytes()), elf.name, ran or None))
    else:
        found.append(_link(f"firmware, {board}", None, elf.name, None, build))
    seen = e.validated
    if seen is None:
        found.append(_link("device's model", None, "as the device says", None, _validate(e)))
    else:
        same = (
            e.firmware is not None
            and seen["board"] == board
            and seen["engine_sha256"] == e.firmware["engine_sha256"]
        )
        found.append(
            _link(
                "device's model",
                seen["engine_sha256"] or None,
                f"as {seen['board']} said, firmware {seen['build_id']}",
                same or None,
            )
        )
    return found


def _validate(e: Evidence) -> str:
    return e.needs("validate", BOARD=e.board.name, JSON=str(e.artefacts.folder / VALIDATED))


def _row(network: str, share: float | None, images: int, origin: str, needs: str = "") -> dict[str, Any]:
    low, high = (None, None) if share is None or not images else statistics.interval(share, images)
    return {
        "network": network,
        "share": share,
        "images": images if share is not None else None,
        "low": low,
        "high": high,
        "origin": origin,
        "needs": needs,
    }


def _trained(e: Evidence) -> list[dict[str, Any]]:
    """The float network and what training made of it, stage by stage."""
    stages = e.stages or e.metrics.get("stages", {})
    if e.settings is None or e.settings.weights is not None:
        none = "the model was not trained here, so there are no such stages"
        return [_brought(e), _row("pruned, QAT", None, 0, none)]
    origin = "this machine's training" if e.stages else "the model's card"
    asked = chain(records.as_asked(e.settings, e.artefacts.folder))
    wanted = [name for name in _NAMES if name in stages or name in asked]
    return [
        _row(_NAMES[name], stages[name]["test_accuracy"], stages[name]["test_images"], origin)
        if name in stages
        else _row(_NAMES[name], None, 0, "no record is of this .tflite", e.needs("train"))
        for name in wanted
    ]


def _brought(e: Evidence) -> dict[str, Any]:
    """The float network of somebody else: as convert measured it, or else by the report's own images."""
    accuracy, known = e.manifest["accuracy"] or {}, e.run.labelled
    if "float_top1" in accuracy:
        return _row("float", accuracy["float_top1"], accuracy["test_images"], "make convert")
    if e.keras is None:
        return _row("float", None, 0, "no Keras model of this .tflite is here")
    if e.keras.taken is None or not known.any():
        return _row("float", None, 0, e.keras.why or "no labelled images are here")
    right = float((e.keras.taken[known] == e.run.labels[known]).mean())
    return _row("float", right, int(known.sum()), "Keras, for this report")


def _accuracies(e: Evidence) -> list[dict[str, Any]]:
    rows = _trained(e)
    accuracy, seen = e.manifest["accuracy"], e.validated
    if accuracy:
        rows.append(_row("int8, LiteRT", accuracy["int8_top1"], accuracy["test_images"], "make convert"))
        if "engine_top1" in accuracy:
            rows.append(
                _row(
                    "int8, our engine on this host",
                    accuracy["engine_top1"],
                    accuracy["test_images"],
                    "make convert",
                )
            )
    else:
        rows.append(
            _row(
                "int8, LiteRT",
                None,
                0,
                "converted without labelled images",
                e.needs("convert", DATA="images"),
            )
        )
    if seen and seen["device_accuracy"] is not None:
        labelled = sum(count for _, _, count in seen.get("confusion", [])) or seen["images"]
        name = f"int8, device ({seen['board']})"
        rows.append(_row(name, seen["device_accuracy"], labelled, "make validate"))
    else:
        why = "its images have no classes" if seen else "no device has been asked"
        rows.append(_row("int8, device", None, 0, why, "" if seen else _validate(e)))
    return rows
