"""`sizes`: the networks are ImageNet's but for their weights; SRAM grows with the side, not the area."""

import argparse
import json

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import Kind
from squeezenet_mcu.host_tools.studies import sizes


def options(*words):
    parser = argparse.ArgumentParser()
    sizes.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("network", "side", "macs", "weights"),
    [("v1.0", 227, 861_339_936, 1_244_448), ("v1.1", 224, 349_151_936, 1_231_552)],
)
def test_the_networks_are_the_published_ones(network, side, macs, weights):
    made = lower(tflite_file.parse(sizes.tflite(network, side)))
    assert (made.macs, made.weights_dense_bytes()) == (macs, weights)
    assert made.buffers[made.output_buffer].channels == 1000
    kinds = [layer.kind for layer in made.layers]
    assert kinds.count(Kind.CONV_2D) == 26
    assert kinds.count(Kind.MAX_POOL) == 3
    zeros = sum(int((la.weights == 0).sum()) for la in made.layers if la.weights is not None)
    assert 1 - zeros / weights == pytest.approx(sizes.NETWORKS[network].density, abs=0.02)


def test_growth_is_the_power_of_the_side():
    rows = [
        {"side": side, "leanest_arena_bytes": 100 * side, "dsp_arena_bytes": side**1.5,
         "tflm_arena_bytes": 7 * side**2}
        for side in (96, 128, 224)
    ]  # fmt: skip
    assert sizes.growth(rows) == pytest.approx({"leanest": 1.0, "default": 1.5, "TFLM": 2.0})
    for row in rows:
        row["tflm_arena_bytes"] = None
    assert set(sizes.growth(rows)) == {"leanest", "default"}


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ("--network", "v1.1", "--side", "72", "--side", "64", "--json", "sizes.json")
    assert sizes.run(options(*words)) == 0
    rows = json.loads((tmp_path / "sizes.json").read_text())
    assert rows == json.loads(sizes.RESULTS.read_text())
    assert [row["side"] for row in rows] == [64, 72]
    for row in rows:
        assert 0 < row["leanest_arena_bytes"] <= row["dsp_arena_bytes"] < row["tflm_arena_bytes"]
        assert row["leanest_bytes_per_side"] == pytest.approx(
            row["leanest_arena_bytes"] / row["side"], abs=0.1
        )
    printed = capsys.readouterr().out
    assert f"{rows[1]['leanest_arena_bytes']:,}" in printed
    assert "it grows with the side to the power of: leanest" in printed
    assert "weights\nare random" in printed


@pytest.mark.long
def test_sram_grows_with_the_side_and_not_with_the_area(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sizes.run(options()) == 0
    rows = json.loads(sizes.RESULTS.read_text())
    for network, kind in sizes.NETWORKS.items():
        of_network = [row for row in rows if row["network"] == network]
        assert [row["side"] for row in of_network] == [*sizes.SIDES, kind.side]
        powers = sizes.growth(of_network)
        assert powers["leanest"] < 1.4
        assert powers["default"] < 1.4
        assert powers["TFLM"] > 1.8


@pytest.mark.parametrize("side", ["63", "1025"])
def test_a_side_that_no_pool_survives(side):
    with pytest.raises(UserError, match=f"--side {side}: wanted 64 to 1024 pixels"):
        sizes.run(options("--side", side))
