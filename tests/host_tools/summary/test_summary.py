"""What a training has come to, in figures and sentences, and the lines that come next."""

import dataclasses
import json
import shutil

import pytest
from msgspec.structs import replace

from squeezenet_mcu.common import files, start
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.summary import command, figures, next_steps, sentences
from squeezenet_mcu.host_tools.summary.figures import Outcome, Row, Share
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train import records
from tests.model import stage_records

DIGITS = config.load(stage_records.TOML)


def outcome(training=0.99, test=0.98, images=1000, sample=500, table=None, **more) -> Outcome:
    row = Row("int8", Share(training, sample), Share(test, images))
    wrong = round((1 - test) * images / 3)
    each = images // 3
    table = table or [[each - wrong if i == j else wrong // 2 for j in range(3)] for i in range(3)]
    rows = more.pop("rows", [Row("float", Share(training, sample), Share(test, images)), row])
    return Outcome(rows, ["cat", "dog", "car"], table, **{"train_images": 900} | more)


def test_of_records(tmp_path):
    stage_records.write(DIGITS, tmp_path)
    found = figures.gather(DIGITS, tmp_path)
    assert [row.name for row in found.rows] == ["float", "pruned", "int8"]
    assert found.float_row.test == Share(0.99, 1000) and found.int8.test.right == 0.985
    assert found.float_row.training is None  # records of an earlier version
    assert found.mistakes == 15 and found.chance == 0.1 and found.pairs()[0] == (1, 3, 15)
    assert 0 < found.zeros < found.weights and not found.asked and not found.values
    record = json.loads((tmp_path / "quantize.json").read_text())
    record |= {"training_accuracy": 0.998, "training_images": 500}
    (tmp_path / "quantize.json").write_text(json.dumps(record))
    assert figures.gather(DIGITS, tmp_path).int8.training == Share(0.998, 500)
    (tmp_path / "quantize.json").write_text(json.dumps(record | {"confusion": [[1]], "labels": ["a", "b"]}))
    with pytest.raises(UserError, match=r"quantize.json: confusion: want a row and a column a class"):
        figures.gather(DIGITS, tmp_path)
    (tmp_path / "quantize.json").write_text(json.dumps(record))
    before = json.loads((tmp_path / "train.json").read_text())["output_sha256"]
    (tmp_path / "quantize.json").write_text(json.dumps(record | {"input_sha256": before}))
    records.note_asked(tmp_path, "none")
    found = figures.gather(DIGITS, tmp_path)
    assert [row.name for row in found.rows] == ["float", "int8"] and found.asked == ["prune"]
    records.note_asked(tmp_path, "toml")
    (tmp_path / "prune.json").unlink()
    with pytest.raises(UserError, match=r"prune.json: missing, .* run: make train MODEL=digits"):
        figures.gather(DIGITS, tmp_path)


def test_the_gap_is_told_from_the_figures():
    (line,) = sentences.gap(outcome())
    assert "99.0 % of the training images, 98.0 % of the test images" in line
    assert "about as easy as known ones" in line
    (line,) = sentences.gap(outcome(test=0.8, table=[[267, 33, 33]] * 3))
    assert "19.0 points less: too few images: 300 a class" not in line and "by heart" in line
    (line,) = sentences.gap(outcome(test=0.8, train_images=300))
    assert "19.0 points less: too few images: 100 a class to learn from" in line
    # Of a few images nobody can tell.
    lines = sentences.gap(outcome(test=0.95, images=40, train_images=300))
    assert "4.0 points less, which may be chance: too few images to tell" in lines[0] and lines[1].startswith(
        "40 test images are few: the true share may be"
    )
    (line,) = sentences.gap(outcome(training=0.7, test=0.7, history=[{}] * 60))
    assert "has not learnt these either: more epochs than 60 (EPOCHS=)" in line
    (line,) = sentences.gap(outcome(training=0.35, test=0.33))
    assert "no better than always the same class (33.3 %): it has learnt nothing" in line
    (line,) = sentences.gap(outcome(training=0.35, test=0.34, history=[{}] * 2))
    assert "cannot tell them apart; more images, or more epochs than 2 (leave EPOCHS= out), may" in line
    # 35 of 36 training images and 15 of 20 test images: 2 in 100 that this is chance.
    lines = sentences.gap(outcome(training=35 / 36, test=0.75, images=20, train_images=36))
    assert "22.2 points less: too few images" in lines[0]
    unknown = outcome(rows=[Row("int8", None, Share(0.9, 100))])
    assert sentences.gap(unknown)[0].endswith("as the records are of an earlier version")


def test_too_many_epochs():
    history = [
        {"epoch": n, "validation_accuracy": 0.5 + 0.1 * min(n, 4) - 0.02 * max(n - 4, 0)}
        for n in range(1, 11)
    ]
    assert figures.best_epoch(history) == (4, pytest.approx(0.9), pytest.approx(0.78))
    (line,) = sentences.gap(outcome(test=0.8, history=history, validation_images=500))
    assert "too many epochs: after epoch 4 of 10 it got 90.0 % of the validation images right" in line
    assert "at the end 78.0 %: try EPOCHS=4" in line
    (line,) = sentences.gap(outcome(test=0.8, history=history[:4], validation_images=500))
    assert "too many epochs" not in line
    # Of 20 validation images, 90 and 78 % are two apart; of records without a number nobody can tell.
    for images in (20, 0):
        (line,) = sentences.gap(outcome(test=0.8, history=history, validation_images=images))
        assert "too many epochs" not in line
    assert figures.best_epoch([{"epoch": 1}]) is None


def test_classes_alike():
    table = [[200, 130, 3], [60, 270, 3], [2, 2, 329]]
    (line,) = sentences.gap(outcome(training=0.95, test=0.8, table=table))
    assert "classes alike: 190 of the 200 mistakes are between cat and dog: look at mistakes.png" in line
    (line,) = sentences.gap(outcome(training=0.85, test=0.84, table=table))
    assert "has not learnt these either: classes alike" in line
    even = [[300, 17, 16], [17, 300, 16], [17, 17, 299]]
    (line,) = sentences.gap(outcome(training=0.99, test=0.9, table=even))
    assert "alike" not in line


def test_what_pruning_costs():
    rows = [
        Row(name, None, Share(share, 1000))
        for name, share in (("float", 0.95), ("pruned", 0.9), ("int8", 0.9))
    ]
    lines = sentences.cost(outcome(rows=rows, zeros=60, weights=100), 45, "make train COMPRESS=none")
    assert lines == [
        "pruned: 60 of 100 weights are zero (60%). It costs 5.0 points (float 95.0 %, pruned 90.0 % of the "
        "test images). The weights, biases included, take 45 B where made for flash, 100 B at one byte each",
        "to do without: make train COMPRESS=none",
    ]
    near = [dataclasses.replace(rows[0], test=Share(0.91, 1000)), *rows[1:]]
    said = sentences.cost(outcome(rows=near, zeros=6, weights=10, values=16, channels=(12, 16)), None, "")[0]
    assert said.startswith(
        "pruned and clustered: 4 of 16 channels are gone, 6 of 10 weights are zero (60%), at"
    )
    assert "at most 16 different weights a layer" in said and said.endswith("no more than chance may explain")
    better = [dataclasses.replace(rows[0], test=Share(0.89, 1000)), *rows[1:]]
    said = sentences.cost(outcome(rows=better, zeros=6, weights=10), None, "")[0]
    assert said.endswith("It costs nothing (float 89.0 %, pruned 90.0 % of the test images)")
    assert sentences.cost(outcome(), 45, "") == []  # the TOML asks for none
    (line,) = sentences.cost(outcome(asked=["prune", "cluster"]), 45, "")
    assert line.startswith("not pruned and clustered, as asked (COMPRESS=none)")


def lines(board: str, by_make=True, data="my images", ports=(), monkeypatch=None) -> list[str]:
    monkeypatch.setattr(start, "by_make", lambda: by_make)
    found = next_steps.steps("mine.toml", board, "mine", board_toml.load(board), data, list(ports))
    return [step.line for step in found]


def test_the_lines_to_paste(monkeypatch):
    pico = lines("rp2040", monkeypatch=monkeypatch, ports=["/dev/ttyACM3"])
    assert pico == [
        "make classify MODEL=mine.toml IMAGE=photo.jpg",
        "make convert MODEL=mine.toml PACKAGE=arduino",
        "make validate MODEL=mine.toml BOARD=rp2040 DATA='my images'",
        "make validate MODEL=mine.toml BOARD=rp2040 DATA='my images' USB=1",
        "make firmware MODEL=mine.toml BOARD=rp2040",
        "make flash MODEL=mine.toml BOARD=rp2040",
        "make validate MODEL=mine.toml PORT=/dev/ttyACM3 DATA='my images'",
    ]
    nucleo = lines("nucleo_f446re", monkeypatch=monkeypatch, data=None)  # which no emulator plays
    assert [line.split()[1] for line in nucleo] == ["classify", "convert", "firmware", "flash", "validate"]
    assert "DATA" not in " ".join(nucleo) and "PORT=" in nucleo[-1]
    mps2 = lines("mps2_an386", monkeypatch=monkeypatch)  # which nobody can buy
    assert [line.split()[1] for line in mps2] == ["classify", "convert", "validate"]
    assert lines("rp2040", by_make=False, monkeypatch=monkeypatch)[1] == (
        "squeezenet-mcu convert --model=mine.toml --package=arduino"
    )
    files = [s.why for s in next_steps.steps("m", "rp2040", "m", board_toml.load("rp2040"), None, [])]
    assert any(why.endswith("firmware/rp2040/firmware.uf2") for why in files)


def test_bytes_in_flash_fast_and_small():
    board = board_toml.load("rp2040")
    found = command.fits_of("gtsrb", board, files.sha256((ZOO / "gtsrb/model.tflite").read_bytes()))
    fast, small = found.fast.flash_used, found.small.flash_used
    line = command.in_flash(found, "gtsrb")
    assert small < fast and 0 < found.weights < small
    assert line.startswith(f"flash of rp2040: {fast:,} B made for speed, about ")
    assert f"; {small:,} B made for flash, about " in line
    assert line.endswith("take the default, OPTIMIZE=speed, unless you need the flash: then OPTIMIZE=flash")
    used = (fast + small) // 2
    little = dataclasses.replace(
        board, memories=tuple(replace(m, bytes=used) if m.use == "image" else m for m in board.memories)
    )
    tight = dataclasses.replace(
        found,
        fast=dataclasses.replace(found.fast, board=little),
        small=dataclasses.replace(found.small, board=little),
    )
    assert command.in_flash(tight, "gtsrb").endswith("only OPTIMIZE=flash fits")
    same = dataclasses.replace(found, fast=found.small)
    assert command.in_flash(same, "gtsrb").endswith("the default, OPTIMIZE=speed, is the smallest, too")


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    toml = shutil.copy(stage_records.TOML, tmp_path / "digits.toml")
    build = tmp_path / "build/digits"
    stage_records.write(DIGITS, build)
    shutil.copy(ZOO / "digits/model.tflite", build / "model.tflite")
    record = json.loads((build / "quantize.json").read_text())
    record["tflite_sha256"] = files.sha256((build / "model.tflite").read_bytes())
    (build / "quantize.json").write_text(json.dumps(record))
    (build / "confusion.png").write_bytes(b"")
    assert console.host_tools(["summary", "--model", str(toml), "--board", "rp2040", "--data", "d.npz"]) == 0
    said = capsys.readouterr().out
    for part in (
        "digits: images that are right", "test (1,000)", "float", "98.5 %", "97.5 to 99.1",
        "int8, class by class (10 classes)", "1 taken for 3: 15 of 100",
        "as pictures: build/digits/confusion.png",
        "weights are zero", "--compress=none", "flash of rp2040: ", "next:\n", "--package=arduino",
    ):  # fmt: skip
        assert part in said, part
    shutil.copy(ZOO / "gtsrb/model.tflite", build / "model.tflite")  # not converted since
    assert console.host_tools(["summary", "--model", str(toml), "--board", "rp2040"]) == 0
    assert "flash of rp2040: not known: build/digits/model.tflite: of another" in capsys.readouterr().out
    records.note_asked(build, "none")
    assert console.host_tools(["summary", "--model", str(toml)]) == 1
    assert "quantize.json: missing, or of another network" in capsys.readouterr().err


def test_of_many_classes_the_worst(capsys):
    from squeezenet_mcu.common.terminal import Console

    table = [[10 if i == j else 0 for j in range(43)] for i in range(43)]
    table[7][7], table[7][8] = 2, 8
    many = Outcome([Row("int8", None, Share(0.98, 430))], [f"sign {n}" for n in range(43)], table, 900)
    command.show_classes(Console(width=90), many, ZOO)
    said = capsys.readouterr().out
    assert "the 10 worst of 43 classes" in said and said.count("  sign ") == 11
    assert said.index("sign 7") < said.index("sign 0 ") and "sign 7 taken for sign 8: 8 of 10" in said
