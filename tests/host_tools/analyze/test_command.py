"""`analyze`: an answer for each file that can be read, on the terminal and as JSON; for others one line."""

import dataclasses
import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.host_tools.analyze import command, fit, subject
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.console import host_tools
from squeezenet_mcu.host_tools.firmware import board_model
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from tests.convert import graph_ops as ops

DIGITS = ZOO / "digits" / "model.tflite"


class Missing(msgspec.Struct, forbid_unknown_fields=True):
    flash: int = 0
    sram: int = 0


class Flash(msgspec.Struct, forbid_unknown_fields=True):
    used: int
    total: int
    left: int
    engine_code: int
    engine_model: int
    rest: int


class Sram(msgspec.Struct, forbid_unknown_fields=True):
    used: int
    total: int
    left: int
    arena: int
    rest: int


class Peak(msgspec.Struct, forbid_unknown_fields=True):
    layer: str
    bytes: int


class OnBoard(msgspec.Struct, forbid_unknown_fields=True):
    board: str
    title: str
    cpu: str
    kernel_family: str
    cores: int
    fits: bool
    missing: Missing
    flash: Flash
    sram: Sram
    compiler: str
    exact: bool
    milliseconds: float | None
    cycles: int | None
    cycles_of: str | None
    instructions: int | None
    peak: Peak


class Next(msgspec.Struct, forbid_unknown_fields=True):
    what: str
    effect: str
    board: str
    fits: bool
    missing: Missing
    milliseconds: float | None
    cycles: int | None
    instructions: int | None
    flash_bytes: int
    sram_bytes: int


class Problem(msgspec.Struct, forbid_unknown_fields=True):
    op: int | None
    operator: str | None
    tensor: str | None
    reason: str


class Layer(msgspec.Struct):
    layer: str
    operator: str
    output: list[int]
    macs: int
    weights: int
    zeros: float | None
    distinct: int | None
    dense_bytes: int


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    model: str
    tflite: str
    tflite_sha256: str
    input: list[int]
    macs: int
    weights: int
    notes: list[str]
    problems: list[Problem]
    tflm_lacks: list[str]
    boards: list[OnBoard]
    board: str | None
    layers: list[Layer]
    next: list[Next]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """build/ is made here."""
    monkeypatch.chdir(tmp_path)


def analyzed(capsys, *words):
    """The JSON file's content, checked, and what was printed."""
    assert host_tools(["analyze", *map(str, words), "--json", "answer.json"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    content = json.loads(Path("answer.json").read_text())
    msgspec.convert(content, Answer)
    return content, said.out


def refused(capsys, *words):
    assert host_tools(["analyze", *map(str, words)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1 and said.err.startswith("python -m host_tools analyze: error: ")
    return said.err


def test_one_answer_for_every_board(capsys):
    content, out = analyzed(capsys, "--model", "digits")
    assert [each["board"] for each in content["boards"]] == board_toml.names()
    assert all(each["fits"] for each in content["boards"])
    known = {each["board"]: each for each in content["boards"]}
    assert known["stm32f405"]["milliseconds"] == pytest.approx(
        known["stm32f405"]["cycles"] / 168_000, abs=0.001
    )
    assert known["riscv_virt"]["milliseconds"] is None and known["riscv_virt"]["instructions"] > 1e6
    others = {name: each["cycles_of"] for name, each in known.items() if each["cycles_of"]}
    assert others == dict.fromkeys(("mps2_an505", "mps2_an521", "pico2"), "Cortex-M4")
    assert known["pico2"]["milliseconds"] == pytest.approx(known["pico2"]["cycles"] / 150_000, abs=0.001)
    assert (
        "mps2_an505, mps2_an521, pico2: by a Cortex-M4's cycles; no table of a Cortex-M33's is known." in out
    )
    assert content["board"] == "stm32f405" and content["problems"] == []
    assert json.loads(Path("build/digits/analyze.json").read_text()) == content
    assert max(len(line) for line in out.split("\n") if "  1. " not in line and "board" not in line) <= 100
    for name in board_toml.names():
        assert re.search(rf"^ {name} +yes ", out, re.M)


@pytest.mark.long
def test_the_engines_bytes_are_those_of_the_firmwares_model(capsys):
    content, _ = analyzed(capsys, "--model", "digits")
    file = tflite_file.read(DIGITS)
    manifest = subject.of_model("digits").manifest
    for each in content["boards"]:
        board = board_toml.load(each["board"])
        made = engine_model.prepare(file, [], board_model.target_for(board, manifest, ModelRequest()))
        assert each["flash"]["engine_model"] == len(made.content)
        assert each["sram"]["arena"] == made.plan.arena_bytes


def test_layers_say_what_the_weights_are(capsys):
    content, _ = analyzed(capsys, "--tflite", DIGITS, "--board", "rp2040")
    assert [each["board"] for each in content["boards"]] == ["rp2040"]
    file = tflite_file.read(DIGITS)
    weights = next(file.tensors[op.inputs[1]].data for op in file.ops if op.name == "CONV_2D")
    first = next(row for row in content["layers"] if row["operator"] == "CONV_2D")
    assert first["weights"] == first["dense_bytes"] == weights.size
    assert first["zeros"] == pytest.approx(np.mean(weights == 0), abs=1e-4)
    assert first["distinct"] == len(np.unique(weights))
    assert first["macs"] == weights.size * first["output"][0] * first["output"][1]
    assert sum(row["cycles"] or 0 for row in content["layers"]) == pytest.approx(
        content["boards"][0]["cycles"], abs=len(content["layers"])
    )
    assert sum(row["share"] or 0 for row in content["layers"]) == pytest.approx(1, abs=0.01)


def unsupported() -> bytes:
    g = RandomGraph(5, "two of them")
    image = g.map("image", [1, 24, 24, 3], 1 / 255)
    x = g.conv("conv1", image, 6, 3)
    x = ops.operator(
        g, "SQUARE", *ops.NO_OPTIONS, [x], g.map("sq\x1b]0;owned\x07\nuares", ops.shape_of(g, x), 0.1)
    )
    x = g.conv("conv2", x, 6, 9)
    return g.packed(image, g.mean(x, g.scale(x)))


def test_what_our_engine_does_not_take_is_told_whole(tmp_path, capsys):
    (tmp_path / "mine.int8.tflite").write_bytes(unsupported())
    content, out = analyzed(capsys, "--tflite", "mine.int8.tflite")
    assert content["model"] == "mine"
    assert [(p["op"], p["operator"]) for p in content["problems"]] == [(1, "SQUARE"), (2, "CONV_2D")]
    assert content["boards"] == [] and content["board"] is None and content["next"] == []
    rows = {row["layer"]: row for row in content["layers"]}
    assert [row["supported"] for row in content["layers"]] == [True, False, False, True]
    assert rows["conv1"]["macs"] == 24 * 24 * 6 * 27 and rows["conv2"]["weights"] == 6 * 6 * 81
    assert "2 of 4 operators" in out and "op 2 CONV_2D" in out and "kernel 9x9; wanted at most 7" in out


def test_names_of_a_file_do_not_steer_the_terminal(tmp_path, capsys):
    (tmp_path / "mine.tflite").write_bytes(unsupported())
    _, out = analyzed(capsys, "--tflite", "mine.tflite")
    assert "sq?]0;owned??uares" in out
    assert all(c.isprintable() or c == "\n" for c in out)


def test_a_layers_name_does_not_either(tmp_path, capsys):
    g = RandomGraph(5, "a name")
    image = g.map("image", [1, 12, 12, 3], 1 / 255)
    x = g.conv("/torch.nn.modules.conv.Conv2d_a\x1b[2J\nb", image, 6, 3)
    (tmp_path / "a\x1b[31m.tflite").write_bytes(g.packed(image, g.mean(x, g.scale(x))))
    content, out = analyzed(capsys, "--tflite", "a\x1b[31m.tflite")
    assert content["model"] == "a__31m"
    assert all(c.isprintable() or c == "\n" for c in out)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a .tflite file: it has 0 bytes"),
        (b"\0" * 100, "not a .tflite file: its fifth to eighth byte"),
        (DIGITS.read_bytes()[:3000], "damaged"),
        (DIGITS.read_bytes()[:40] + b"\xff" * 4000, "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_ends_in_one_line(tmp_path, capsys, content, said):
    (tmp_path / "bad.tflite").write_bytes(content)
    assert said in refused(capsys, "--tflite", "bad.tflite")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "nothing"), "model/zoo ships no 'nothing'; run: python -m convert --model nothing"),
        (("--model", "photos"), "model/zoo ships no 'photos'; run: python -m model train --model photos"),
        (("--model", "digit"), "model/zoo ships no 'digit'; did you mean digits?"),
        (("--model", "x.tflite"), "is a .tflite; give it as --tflite"),
        (("--model", "../digits"), "names no folder; want letters"),
        (("--board", "nothing"), "no board 'nothing'; boards: "),
        (("--model", "digits", "--tflite", DIGITS), "want one of them"),
    ],
)
def test_a_mistake_is_one_line(capsys, words, said):
    assert said in refused(capsys, *words)


def test_a_converted_model_comes_before_the_shipped_one(tmp_path, capsys):
    """And whoever damages its folder is told."""
    folder = tmp_path / "build" / "digits"
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(DIGITS.read_bytes())
    assert "build/digits/manifest.json" in refused(capsys, "--model", "digits")


def small(board: str, flash: int, sram: int) -> board_toml.Board:
    """A board of those sizes."""
    found = board_toml.load(board)
    sizes = {"image": flash, "data": sram}
    memories = tuple(type(m)(m.name, m.use, m.address, sizes[m.use]) for m in found.memories)
    return dataclasses.replace(found, memories=memories)


def test_what_is_missing_is_said_to_the_byte():
    found = subject.of_model("digits")
    roomy = fit.on(board_toml.load("stm32f405"), found.manifest, found.maker, ModelRequest())
    assert roomy.missing == {}
    tight = fit.on(small("stm32f405", 40_000, 9_000), found.manifest, found.maker, ModelRequest())
    assert tight.missing == {
        "flash": tight.flash_used - 40_000,
        "SRAM": tight.code.sram + tight.made.plan.arena_bytes - 9_000,
    }
    assert min(tight.missing.values()) > 0


def test_an_arena_that_does_not_fit_with_the_variables_goes_to_the_memory_for_arenas():
    found = subject.of_model("digits")
    board = board_toml.load("nucleo_h743zi")
    data = type(board.memories[0])("DTCM", "data", 0x20000000, 14_000)
    board = dataclasses.replace(board, memories=tuple(data if m.use == "data" else m for m in board.memories))
    there = fit.on(board, found.manifest, found.maker, ModelRequest())
    assert there.apart and there.missing == {}
    assert there.sram_total == 14_000 + 524_288
    least = fit.on(board, found.manifest, found.maker, ModelRequest(optimize="sram")).made.plan.arena_bytes
    assert there.made.plan.arena_bytes > least, "the other memory is large: no need for the leanest arena"


def test_help_says_what_the_exit_status_means(capsys):
    with pytest.raises(SystemExit):
        host_tools(["analyze", "--help"])
    assert "exit status: 0 for every answer" in capsys.readouterr().out
    assert command.DEFAULT_BOARD in board_toml.names()
