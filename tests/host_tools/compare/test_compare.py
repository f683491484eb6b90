"""Two reports side by side."""

import copy
import json
import re

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.compare import command, figures


def a_report(model, board="stm32f405", **changed):
    rows = [
        {"layer": "conv1", "macs": 100, "weights": 9, "zeros": 3, "stored_bytes": 12, "cost": 700},
        {"layer": "softmax", "macs": 0, "weights": 0, "zeros": None, "stored_bytes": 0, "cost": 5},
    ]
    summary = {
        "macs": 100, "tflite_bytes": 2000, "weights": 9, "accuracy": {"top1": 0.9, "images": 100},
        "time": {"milliseconds": 1.5, "cycles": 705, "counted": True},
        "memories": [{"name": "flash", "used": 4000}, {"name": "SRAM", "used": 300}],
    }  # fmt: skip
    sections = {
        "summary": summary | changed,
        "memory": {"arena_bytes": 48, "tflm_arena_bytes": None},
        "layers": {"unit": "cycles", "rows": rows, "sums": {"milliseconds": 1.4, "cost": 700}},
    }
    return {"format": 1, "project": "0", "model": model, "board": board, "sections": sections}


def written(report):
    text = json.dumps(report)

    def write(path):
        path.parent.mkdir(parents=True)
        path.write_text(text)

    return write


def test_what_differs_is_named():
    other = a_report("mine", macs=120)
    other["sections"]["layers"]["rows"][0] |= {"macs": 120, "zeros": 5}
    other["sections"]["layers"]["rows"].append(
        {"layer": "conv2", "macs": 1, "weights": 1, "zeros": 0, "stored_bytes": 1, "cost": 2}
    )
    found = figures.compare(a_report("toy"), other)
    by_name = {row["what"]: row for row in found["figures"]}
    assert by_name["MACs"] == {"what": "MACs", "a": 100, "b": 120, "difference": 20}
    assert by_name["TFLite Micro's arena, B"]["difference"] is None
    assert by_name["of so many test images"]["a"] == 100
    assert by_name["zeros among them"]["difference"] == 2
    assert [row["layer"] for row in found["layers"]] == ["conv1", "conv2"]
    assert found["layers"][0]["zeros"] == [3, 5]
    assert found["layers"][1]["in"] == [False, True]


def test_a_report_of_the_same_differs_in_nothing():
    found = figures.compare(a_report("toy"), copy.deepcopy(a_report("toy")))
    assert found["layers"] == []
    assert not any(row["difference"] for row in found["figures"])


def test_what_was_counted_is_not_held_against_an_estimate():
    estimated = a_report("mine", time={"milliseconds": 1.3, "cycles": 650, "counted": False})
    by_name = {row["what"]: row for row in figures.compare(a_report("toy"), estimated)["figures"]}
    counted = by_name["milliseconds an image, counted"]
    assert (counted["a"], counted["b"], counted["difference"]) == (1.5, None, None)
    assert by_name["cycles an image, estimated"]["difference"] == 0


def test_boards_have_to_be_the_same():
    with pytest.raises(UserError, match=r"make report MODEL=mine BOARD=stm32f405$"):
        figures.compare(a_report("toy"), a_report("mine", board="rp2040"))


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, report in (("toy", a_report("toy")), ("mine", a_report("mine\x1b[31m", macs=90))):
        written(report)(tmp_path / "build" / name / "report" / "report.json")
    assert console.host_tools(["compare", "--a", "build/toy/report/report.html", "--b", "mine/"]) == 0
    capsys.readouterr()
    assert console.host_tools(["compare", "--a", "build/toy", "--b", "mine", "--json", "d.json"]) == 0
    said = capsys.readouterr().out
    assert "-10 (-10.0%)" in said and "all layers have the same figures" in said and "\x1b" not in said
    assert json.loads((tmp_path / "d.json").read_text())["models"][0] == "toy"


def test_figures_of_imagenet_stay_whole_in_80_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    reports = []
    for model, figure in (("imagenet_v1_0", 861_339_936), ("imagenet_v1_1", 349_151_936)):
        report = a_report(model, macs=figure)
        row = {"layer": "fire9/squeeze1x1", **dict.fromkeys(("macs", "cost"), figure)}
        report["sections"]["layers"]["rows"][0] |= row | {"weights": figure // 700, "zeros": figure // 1000}
        reports.append(report)
    command.show(Console(), figures.compare(*reports))
    said = capsys.readouterr().out
    assert "above imagenet_v1_0, below imagenet_v1_1" in said and "fire9/squeeze1x1 " in said
    above, below = said[said.index("fire9") :].splitlines()[:2]
    assert above.split()[1:] == ["861,339,936", "1,230,485", "861,339", "12", "861,339,936"]
    assert below.split() == ["349,151,936", "498,788", "349,151", "349,151,936"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--a", "build/toy"], "--b: is missing; want two models"),
        (["--a", "build/toy", "--b", "build/gone"], "run: python -m host_tools report --model gone"),
        (
            ["--a", "build/toy", "--b", "build/bad"],
            "bad/report/report.json: sections.summary.macs = -1; want",
        ),
    ],
)
def test_mistakes_are_one_line(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    written(a_report("toy"))(tmp_path / "build" / "toy" / "report" / "report.json")
    written(a_report("bad", macs=-1))(tmp_path / "build" / "bad" / "report" / "report.json")
    assert console.host_tools(["compare", *words]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.parametrize("given", ["build/toy/report/report.json", "build/mine/report/../report/report.json"])
def test_a_report_that_is_compared_is_not_written_over(given, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("toy", "mine"):
        written(a_report(name))(tmp_path / "build" / name / "report" / "report.json")
    before = (tmp_path / given).read_text()
    assert console.host_tools(["compare", "--a", "toy", "--b", "build/mine", "--json", given]) == 1
    assert f"{given}: is read by this very command; want another name" in capsys.readouterr().err
    assert (tmp_path / given).read_text() == before


@pytest.mark.parametrize("columns", [30, 60, 80])
def test_a_narrow_terminal_leaves_out_no_figure(columns, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(tmp_path)
    names = "a_model_of_a_long_name_and_more", "b_model_of_a_long_name_and_more"
    for name in names:
        written(a_report(name, macs=1_298_304))(tmp_path / "build" / name / "report" / "report.json")
    assert console.host_tools(["compare", "--a", names[0], "--b", names[1]]) == 0
    said = capsys.readouterr().out
    assert "…" not in said
    if columns > 30:
        assert re.search(r"MACs +1,298,304 +1,298,304 ", said)
