"""COMPRESS=none: the float network is quantized as it is, and every later verb knows it."""

import argparse
import json
import subprocess
import sys

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.model.card import curves
from squeezenet_mcu.model.network import to_tflite
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train import records, runner
from squeezenet_mcu.model.train.chain import chain, stage_before, without_compression
from tests.model import stage_records
from tests.model.train.test_loop import CHAIN, environment, folder_with_data

DIGITS = config.load(stage_records.TOML)


def test_without_compression_nothing_is_pruned_or_clustered(tmp_path):
    (tmp_path / "chain.toml").write_text(CHAIN)
    whole = config.load(tmp_path / "chain.toml")
    assert chain(whole) == ["train", "prune", "cluster", "quantize"]
    plain = without_compression(whole)
    assert chain(plain) == ["train", "quantize"] and stage_before(plain, "quantize") == "train"
    assert plain.prune.block is None and plain.quantize == whole.quantize


def test_what_was_asked_for_last_is_noted(tmp_path):
    stage_records.write(DIGITS, tmp_path)
    assert records.as_asked(DIGITS, tmp_path) is DIGITS
    records.note_asked(tmp_path, "toml")
    assert not (tmp_path / records.CHAIN).exists()  # as it is anyway
    records.note_asked(tmp_path, "none")
    plain = records.as_asked(DIGITS, tmp_path)
    assert chain(plain) == ["train", "quantize"]
    # The int8 network is still of the pruned one.
    assert list(records.of_chain(plain, tmp_path)) == ["train"]
    record = json.loads((tmp_path / "quantize.json").read_text())
    record["input_sha256"] = json.loads((tmp_path / "train.json").read_text())["output_sha256"]
    (tmp_path / "quantize.json").write_text(json.dumps(record))
    assert list(records.of_chain(plain, tmp_path)) == ["train", "quantize"]
    assert list(records.of_chain(DIGITS, tmp_path)) == ["train", "prune"]
    records.note_asked(tmp_path, "toml")
    assert records.as_asked(DIGITS, tmp_path) is DIGITS
    (tmp_path / records.CHAIN).write_text('{"compress": "all"}')
    assert records.as_asked(DIGITS, tmp_path) is DIGITS  # damaged: as the TOML says


def test_curves_follow_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stage_records.write(DIGITS, BUILD / "digits")
    drawn = []
    monkeypatch.setattr(curves, "write", lambda settings, folder: drawn.append(chain(settings)))
    for compress in ("none", "toml"):
        records.note_asked(BUILD / "digits", compress)
        curves.run(argparse.Namespace(model=str(stage_records.TOML)))
    assert drawn == [["train", "quantize"], ["train", "prune", "quantize"]]


def test_quantize_says_what_else_it_could_start_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (BUILD / "digits").mkdir(parents=True)
    (BUILD / "digits/float.keras").write_bytes(b"float")
    with pytest.raises(
        UserError, match=r"pruned.keras: no such file; .*python -m model prune .*; or .*: --compress none$"
    ):
        runner._source_hash(DIGITS, "quantize", BUILD / "digits")
    records.note_asked(BUILD / "digits", "none")
    for name, compress, wanted in (
        ("quantize", None, 2), ("quantize", "none", 2), ("train", None, 3), ("train", "none", 2),
        ("dense", None, 3), ("prune", None, 3),
    ):  # fmt: skip
        asked = runner._asked(DIGITS, name, argparse.Namespace(compress=compress))
        assert len(chain(asked)) == wanted, name


@pytest.mark.long
def test_there_and_back(tmp_path):
    """The float network is trained once; each way makes its own of it, and is up to date when run again."""
    folder = folder_with_data(tmp_path)

    def train(*more: str) -> str:
        line = [sys.executable, "-m", "model", "train", "--model", "tiny.toml", "--data", "digits.npz", *more]
        done = subprocess.run(
            line, cwd=folder, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def zeros() -> float:
        model = to_tflite.load_quantized(folder / "build/tiny/quantized.keras")
        kernels = to_tflite.tflite_kernels(to_tflite.to_int8_tflite(model)).values()
        return float(np.mean(np.concatenate([(kernel == 0).ravel() for kernel in kernels])))

    said = train("--compress", "none")
    assert "prune" not in said and "mistakes.png" in said and zeros() < 0.2
    again = train("--compress", "none")
    assert again.count("is up to date") == 2 and "taken for which" not in again
    said = train()
    assert said.count("is up to date") == 1 and "prune 2/2" in said and zeros() > 0.5
    said = train("--compress", "none")
    assert said.count("is up to date") == 1 and "quantize 1/1" in said and zeros() < 0.2
    assert json.loads((folder / "build/tiny/chain.json").read_text()) == {"compress": "none"}
