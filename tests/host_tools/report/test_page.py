"""The page: every number of it is in the JSON, names are text, and nothing comes from outside."""

import argparse
import copy
import dataclasses
import itertools
import json
import os
import re
import sys
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.report import command, content, evidence, page
from squeezenet_mcu.host_tools.report.keras_run import KerasRun
from squeezenet_mcu.host_tools.report.sections import claims, confusion, link, proof, verdicts
from squeezenet_mcu.model.settings.budget import Budget, Limit
from tests.host_tools.report.conftest import CLAIM, CONFUSION, COST, IMAGES, PROFILE, VALIDATED

NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
PACKAGE = page.TEMPLATES.parent
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE layers; --",
    "</svg></title><h1>owned</h1>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; ]]> --> \u202e",
)


class Parsed(HTMLParser):
    """What a page shows: the words, the elements with their attributes."""

    def __init__(self, html):
        super().__init__()
        self.words, self.elements, self._hidden = [], [], 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._hidden += tag in ("style", "script")

    def handle_endtag(self, tag):
        self._hidden -= tag in ("style", "script")

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)] + list(value)
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list) else [value]


def written(value):
    """All the ways in which the page writes a number, host_tools/report/numbers.py."""
    value = abs(value)
    found = [f"{value:,}", f"{value:,.6g}"]
    found += [f"{value:,.{digits}f}" for digits in range(4)]
    return found + [f"{100 * value:,.{digits}f}" for digits in range(3)]


def static_numbers():
    """What the templates and the pictures say themselves: "int8", "95 % interval"."""
    texts = [re.sub(r"{[{%].*?[%}]}", " ", path.read_text()) for path in page.TEMPLATES.glob("*.html")]
    quoted = [re.findall(r'"([^"{}]*)', path.read_text()) for path in PACKAGE.rglob("*.py")]
    texts += [text for found in quoted for text in found]
    texts += re.findall(r'"([^"]*)"', " ".join(path.read_text() for path in page.TEMPLATES.glob("*.html")))
    return {number for text in texts for number in NUMBER.findall(text)}


def unknown_numbers(report, html):
    """Those of the page that are not in the JSON, and how many there are in all."""
    known = static_numbers()
    for leaf in leaves(json.loads(files.as_json(report))):
        if isinstance(leaf, str):
            known |= set(NUMBER.findall(leaf))
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
            known |= set(written(leaf))
    seen = [number for word in Parsed(html).words for number in NUMBER.findall(word)]
    return [number for number in seen if number not in known], len(seen)


def test_every_number_of_the_page_is_in_the_json(report, html):
    unknown, count = unknown_numbers(report, html)
    assert unknown == [] and count > 700


def test_the_page_is_made_of_the_json_alone(report, html):
    assert page.render(json.loads(files.as_json(report))) == html


def test_a_number_that_changes_in_the_json_changes_on_the_page(report):
    changed = copy.deepcopy(report)
    changed["sections"]["summary"]["macs"] = 987_654_321
    assert "987,654,321" in page.render(changed)


def test_the_confidence_of_an_interval_is_one_too(report):
    changed = copy.deepcopy(report)
    changed["sections"]["proof"]["confidence"] = 0.9
    changed["sections"]["summary"]["accuracy"]["confidence"] = 0.8
    words = " ".join(Parsed(page.render(changed)).words)
    assert "90 % interval" in words and "80 % interval" in words and "95 % interval" not in words


def test_nothing_comes_from_outside(html):
    elements = Parsed(html).elements
    (policy,) = [a["content"] for tag, a in elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "http" not in policy and "unsafe" not in policy
    for _, attributes in elements:
        for name in ("src", "href", "action", "srcset", "data", "poster"):
            assert re.match(r"#|data:image/png;base64,|$", attributes.get(name) or "")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert not re.search(r"https?:|url\(|@import", html)
    assert {tag for tag, _ in elements}.isdisjoint({"iframe", "object", "embed", "link", "form", "base"})


def test_names_are_text(report, html):
    def hostile(value, number=0):
        if isinstance(value, dict):
            return {
                key: HOSTILE[number % len(HOSTILE)]
                if key
                in ("layer", "name", "label", "taken", "model", "network", "source", "sentence", "what")
                and isinstance(each, str)
                else hostile(each, number + i)
                for i, (key, each) in enumerate(value.items())
            }
        return [hostile(each, i) for i, each in enumerate(value)] if isinstance(value, list) else value

    changed = hostile(copy.deepcopy(report))
    changed["sections"]["confusion"]["labels"] = [*HOSTILE, *HOSTILE][:10]
    found, before = Parsed(page.render(changed)), Parsed(html)
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in before.elements]
    keys = [sorted(attributes) for _, attributes in found.elements]
    assert keys == [sorted(attributes) for _, attributes in before.elements]
    for text in HOSTILE:
        assert any(text in word for word in found.words)


def test_headings_are_in_order_and_pictures_have_texts(html):
    elements = Parsed(html).elements
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(a.get("alt") for tag, a in elements if tag == "img")
    assert all(a.get("aria-label") and a["role"] == "img" for tag, a in elements if tag == "svg")
    ids = [a["id"] for _, a in elements if "id" in a]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"images": -1}, "images = -1"),
        ({"device_accuracy": 2}, "device_accuracy = 2"),
        ({"board": 7}, "board = 7"),
        ({"model_sha256": "x"}, "model_sha256"),
        ({"confusion": [[0, 1]]}, "confusion"),
        ({"confusion": [[0, -1, 1]]}, "confusion"),
        ({"confusion": [[0, 10, 1]]}, "confusion: class 10; want 0 to 9"),
        ({"confusion": [[0, 1, 3], [0, 1, 4]]}, "confusion: a pair of classes stands twice"),
        ({"confusion": [[0, 0, 0]]}, "confusion: a pair of classes of 0 images; want at least 1"),
        ({"confusion": [[0, 1, 30], [1, 1, 21]]}, "confusion: 51 images; want at most 50"),
        ({"data": "x" * 5000}, "data"),
        ({"images": float("nan")}, "not JSON"),
        ({"cost": COST | {"milliseconds": -1}}, "cost.milliseconds = -1"),
    ],
)
def test_a_damaged_file_is_one_line(changed, said, place, monkeypatch, seen):
    monkeypatch.chdir(place)
    path = seen.artefacts.folder / evidence.VALIDATED
    files.write_json(path, VALIDATED | {"model_sha256": seen.manifest["tflite_sha256"]} | changed)
    try:
        with pytest.raises(UserError) as error:
            evidence.of("digits", board_toml.load("stm32f405"), None, 1)
    finally:
        path.unlink()
    assert str(error.value).startswith(f"{path}: ") and said in str(error.value)
    assert "\n" not in str(error.value) and "run: make validate MODEL=digits" in str(error.value)


def test_a_device_that_was_asked(seen):
    found = link.gather(dataclasses.replace(seen, validated=VALIDATED))
    assert found["bytes_an_image"] == round(44677 / 50)
    assert found["rows"][0] == {"what": "requests sent", "count": 306}
    broken = VALIDATED | {"link": VALIDATED["link"] | {"lost": "many"}}
    with pytest.raises(UserError, match=r'validated\.json: link: lost = "many"'):
        link.gather(dataclasses.replace(seen, validated=broken))


def test_confusion_of_the_device(seen, place, monkeypatch):
    monkeypatch.chdir(place)
    validated = VALIDATED | {"confusion": CONFUSION, "data": "my <signs>"}
    known = dataclasses.replace(seen, validated=validated)
    tables = {table["network"]: table for table in confusion.gather(known)["tables"]}
    device = tables["device"]
    assert (device["images"], device["mistakes"], device["same_as_int8"]) == (50, 1, 50)
    assert (device["by"], device["images_of"]) == ("validate, on stm32f405", "my <signs>")
    report = content.gather(known)
    html = page.render(report)
    assert unknown_numbers(report, html)[0] == [] and "my &lt;signs&gt;" in html
    assert "<title>1 taken for 7: 1</title>" in html
    differs = dataclasses.replace(seen, validated=validated | {"differing_values": 3})
    tables = {table["network"]: table for table in confusion.gather(differs)["tables"]}
    assert tables["device"]["same_as_int8"] is None
    for old, said in ((VALIDATED, "earlier version"), (validated | {"confusion": []}, "no known classes")):
        tables = confusion.gather(dataclasses.replace(seen, validated=old))["tables"]
        assert tables[-1]["cells"] is None and said in tables[-1]["why"]
        assert tables[-1]["needs"].startswith("make validate MODEL=digits BOARD=stm32f405 JSON=")


def test_confusion_of_a_keras_network(seen, place, monkeypatch):
    monkeypatch.chdir(place)
    taken = seen.run.taken.copy()
    taken[0] = (taken[0] + 1) % 10
    tables = confusion.gather(dataclasses.replace(seen, keras=KerasRun("float", "x.keras", taken)))["tables"]
    assert [table["network"] for table in tables] == ["float", "int8", "device"]
    assert (tables[0]["same_as_int8"], tables[0]["images"]) == (IMAGES - 1, IMAGES)
    wrong = int((taken != seen.run.labels).sum())
    assert (tables[0]["mistakes"], tables[0]["by"]) == (wrong, "Keras, for this report: x.keras")
    tables = confusion.gather(dataclasses.replace(seen, keras=KerasRun("QAT", "x", taken)))["tables"]
    assert [table["network"] for table in tables] == ["float", "QAT, Keras", "int8", "device"]
    assert (tables[0]["cells"], tables[0]["needs"]) == (None, "make train MODEL=digits")
    tables = confusion.gather(dataclasses.replace(seen, keras=KerasRun("QAT", "x", None, "no TensorFlow")))
    assert tables["tables"][0]["why"] == "no TensorFlow"


def test_a_thousand_classes(seen, place, monkeypatch):
    """The picture and the tables have those of the most mistakes, and the page stays small."""
    monkeypatch.chdir(place)
    rng = np.random.default_rng(5)
    pairs = {(int(a), int(b)): 1 for a, b in rng.integers(0, 1000, (900, 2))}
    validated = VALIDATED | {"confusion": [[a, b, n] for (a, b), n in pairs.items()], "images": 900}
    manifest = seen.manifest | {"labels": [f"name {i}" for i in range(1000)]}
    artefacts = dataclasses.replace(seen.artefacts, manifest=manifest)
    known = dataclasses.replace(seen, artefacts=artefacts, validated=validated, metrics={}, stages={})
    data = confusion.gather(known)
    assert len(data["drawn"]) == 50 and len(data["pairs"]) == 12
    assert all(sum(each["of"] for each in row["counts"]) for row in data["classes"])
    report = content.gather(known)
    html = page.render(report)
    assert len(html) < 1_000_000 and "Of 1,000 classes, the 50 of the most mistakes" in html


def test_what_is_missing_is_said_with_its_command(html):
    for text in (
        "make validate MODEL=digits BOARD=stm32f405 JSON=build/digits/validated.json",
        "make profile MODEL=digits BOARD=stm32f405",
        "make claims JSON=build/claims.json",
        "make firmware MODEL=digits BOARD=stm32f405",
    ):
        assert text in html


def test_budgets(seen):
    limits = Budget(
        max_flash=Limit(1000, "[budget] max_flash = 1,000 in x.toml"), max_ms=Limit(100, "its TOML")
    )
    found = verdicts.gather(
        dataclasses.replace(seen, settings=dataclasses.replace(seen.settings, budget=limits))
    )
    verdict = {row["name"]: row["verdict"] for row in found["rows"]}
    assert verdict["flash"] == "exceeded" and verdict["milliseconds an image"] == "kept"
    assert verdict["SRAM"] == verdict["accuracy"] == "no limit"


def test_claims_are_checked(seen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_json(claims.FILE, {"claims": [CLAIM]})
    assert claims.gather(seen)["claims"] == [CLAIM]
    files.write_json(claims.FILE, {"claims": [CLAIM | {"verdict": "<b>"}]})
    with pytest.raises(UserError, match="verdict = "):
        claims.gather(seen)
    files.write_json(claims.FILE, {"claims": [CLAIM | {"paper": 1e308}]})
    with pytest.raises(UserError, match=r"paper = 1e308"):
        claims.gather(seen)


def test_a_report_is_read_back(report):
    assert content.check(json.loads(files.as_json(report)), "report.json", "make it again") == report
    with pytest.raises(UserError, match=r"^report.json: format = 2"):
        content.check(report | {"format": 2}, "report.json", "make it again")


def test_every_number_of_a_network_that_a_device_has_run(seen, place, monkeypatch):
    monkeypatch.chdir(place)
    known = dataclasses.replace(seen, validated=VALIDATED | {"cost": COST}, profile=PROFILE)
    report = content.gather(known)
    html = page.render(report)
    assert unknown_numbers(report, html)[0] == []
    for shown in ("16.3 ms", "2,733,588", "286,595", "44,677", "2908a4c628decf70"):
        assert shown in html


def test_a_network_that_our_engine_does_not_take(seen, place, monkeypatch):
    """It has a report all the same, of what is known without the engine."""
    monkeypatch.chdir(place)
    refused = dataclasses.replace(seen.subject, maker=None, problems=[UserError("op 3 <b>: not supported")])
    report = content.gather(dataclasses.replace(seen, fit=None, subject=refused))
    html = page.render(report)
    assert "op 3 &lt;b&gt;: not supported" in html and "our engine does not take this network" in html
    assert unknown_numbers(report, html)[0] == []


def test_pictures_where_no_answer_is_right(seen, place, monkeypatch):
    monkeypatch.chdir(place)
    wrong = dataclasses.replace(seen.run, taken=(seen.run.labels + 1) % 10)
    report = content.gather(dataclasses.replace(seen, run=wrong))
    images = report["sections"]["summary"]["images"]
    assert len(images) == 10 and all(image["label"] != image["taken"] for image in images)
    assert "(it is 0)" in page.render(report)


def test_float_accuracy_of_a_network_that_somebody_brought(seen):
    taken = seen.run.labels.copy()
    taken[:3] = (taken[:3] + 1) % 10
    known = dataclasses.replace(seen, settings=None, keras=KerasRun("float", "x.keras", taken))
    rows = {row["network"]: row for row in proof.gather(known)["accuracies"]}
    assert (rows["float"]["share"], rows["float"]["images"]) == ((IMAGES - 3) / IMAGES, IMAGES)
    assert "not trained here" in rows["pruned, QAT"]["origin"]
    accuracy = known.manifest["accuracy"] | {"float_top1": 0.75}
    artefacts = dataclasses.replace(seen.artefacts, manifest=seen.manifest | {"accuracy": accuracy})
    rows = proof.gather(dataclasses.replace(known, artefacts=artefacts))["accuracies"]
    assert (rows[0]["network"], rows[0]["share"], rows[0]["images"]) == ("float", 0.75, 1000)


def test_a_folder_that_cannot_be_written_is_said_before_the_work(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr(evidence, "of", lambda *_: pytest.fail("it has begun"))
    path = place / "build" / "digits" / "report"
    path.write_text("a file")
    try:
        with pytest.raises(OSError, match="build/digits/report"):
            command.run(argparse.Namespace(model="digits", board="stm32f405", data=None, limit=1, json=None))
    finally:
        path.unlink()


def test_images_without_classes(seen, place, monkeypatch):
    monkeypatch.chdir(place)
    unlabelled = dataclasses.replace(seen.run, labels=seen.run.labels * 0 - 1)
    report = content.gather(dataclasses.replace(seen, run=unlabelled, metrics={}))
    html = page.render(report)
    assert "no labelled images are on this machine" in html
    assert "make train MODEL=digits" in html  # for the float network's accuracy


@pytest.mark.skipif(sys.platform != "linux", reason="a file system that takes names without UTF-8")
def test_images_of_a_folder_whose_name_is_no_text(place, tmp_path, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr(files, "write_together", lambda folder, outputs, record: written.update(outputs))
    written: dict[str, bytes] = {}
    folder = tmp_path / os.fsdecode(b"signs\xff")
    folder.mkdir()
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(folder / "a.png")
    command.run(argparse.Namespace(model="digits", board="stm32f405", data=str(folder), limit=1, json=None))
    report = msgspec.json.decode(written["report.json"])
    assert "signs?" in str(report) and "signs?" in written["report.html"].decode()


@pytest.mark.parametrize("name", ["digits/validated.json", "digits/profile.json", "claims.json"])
def test_what_is_read_is_not_written_over(name, place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr(evidence, "of", lambda *_: pytest.fail("it has begun"))
    path = place / "build" / name
    path.write_text("{}")
    try:
        with pytest.raises(UserError, match="json: is read by this very command; want another name"):
            command.run(argparse.Namespace(model="digits", board="stm32f405", data=None, limit=1, json=path))
        assert path.read_text() == "{}"
    finally:
        path.unlink(missing_ok=True)
