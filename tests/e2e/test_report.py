"""`report` and `compare` as a user types them."""

import json

import pytest

from tests.e2e import verbs


def reported(workplace, model):
    """The folder of a model's report, made now."""
    said = verbs.succeed(workplace, "host_tools", "report", "--model", model, "--limit", "20")
    assert f"wrote build/{model}/report/report.html\n" in said
    return workplace / "build" / model / "report"


def test_a_report(workplace):
    folder = reported(workplace, "digits")
    report = json.loads((folder / "report.json").read_text())
    manifest = json.loads((workplace / "build" / "digits" / "manifest.json").read_text())
    sections = report["sections"]
    assert sections["memory"]["tflm_arena_bytes"] == manifest["tflm_arena_bytes"]
    links = {link["what"]: link for link in sections["proof"]["chain"]}
    for what in ("Keras model", ".tflite", "engine model, any CPU"):
        assert links[what]["verdict"] == "equal"
    tables = {table["network"]: table for table in sections["confusion"]["tables"]}
    assert tables["float"]["needs"] == "make train MODEL=digits"
    keras = tables["QAT, Keras"]  # the zoo ships it; its rounding is int8's, but for the last bit
    assert keras["images"] == 20 and keras["same_as_int8"] >= 19
    assert links["test images"]["sha256"] == manifest["accuracy"]["images_sha256"]
    html = (folder / "report.html").read_text()
    assert html.startswith("<!DOCTYPE html>") and manifest["tflite_sha256"] in html


@pytest.mark.long
def test_what_differs(workplace):
    for model in ("digits", "gtsrb"):
        reported(workplace, model)
    said = verbs.succeed(workplace, "host_tools", "compare", "--a", "build/digits", "--b", "build/gtsrb")
    assert "1,298,304" in said and "4,913,152" in said and "conv1" in said
