"""`python -m host_tools bench` on the Pico, whose emulator counts cycles."""

import json

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools import bench
from squeezenet_mcu.host_tools.bench import networks, results
from tests.host_tools.bench.test_bench import BOARD, KEYS, options


def test_the_pico_s_cycles_stand_beside_instructions(capsys, monkeypatch, tmp_path):
    """Its emulator counts cycles; they have a column, a reference and a line a layer of their own."""
    monkeypatch.chdir(tmp_path)
    words = ("--model", networks.SMALL_NET, "--board", bench.CYCLES_BOARD, "--layers")
    assert bench.run(options(*words)) == 0
    (result,) = json.loads(bench.RESULTS.read_text())
    assert set(result) >= KEYS
    assert (result["unit"], result["instructions"], result["engine"]) == ("cycles", None, "portable")
    # An M0+ takes a cycle for most instructions and two to load: 5 to 20 for each multiplication.
    assert 5 * result["macs"] < result["cycles"] < 20 * result["macs"]
    in_layers = sum(layer["cycles"] for layer in result["layers"])
    assert 0.9 * result["cycles"] < in_layers < result["cycles"]
    printed = capsys.readouterr().out
    for text in (
        f"{result['cycles']:,} cycles",
        "M cycles",
        f"{result['cycles'] / 1e6:.3f}",
        "fire7/expand3x3",
    ):
        assert text in printed
    assert "M instr." not in printed
    two = [result, result | {"board": BOARD, "unit": "instructions", "instructions": 1_234_000}]
    results.show(Console(), two)
    printed = capsys.readouterr().out
    assert "M instr." in printed
    assert f"{BOARD} " in printed, "cut"
    name = f"{networks.SMALL_NET}/{bench.CYCLES_BOARD}/portable"
    (line,) = results.regressions([result], {name: 1_000_000})
    assert line.startswith(f"{name}: {result['cycles']:,} cycles, +")


def test_small_networks_are_measured_in_cycles_too(monkeypatch):
    """Without --board: ImageNet's would take the Pico's emulator minutes, the others take seconds."""
    tried = []
    monkeypatch.setattr(networks, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(bench._Session, "measure", lambda _, model, board, __: tried.append((model, board)))
    bench._measure_all(bench._Session(Console(quiet=True), []), options())
    on_the_pico = {model for model, board in tried if board == bench.CYCLES_BOARD}
    assert on_the_pico == {"digits", "gtsrb", "cifar10", "small_32", "mlperf_tiny_resnet8"}
    assert {model for model, board in tried if board == BOARD} == set(networks.NAMES)


def test_tflm_s_cycles_are_quoted_of_the_board_they_were_counted_on():
    assert networks.tflm_cycles("digits", "rp2040", 1_298_304) == 23_500_000
    assert networks.tflm_cycles("digits", "rp2040", 5) is None
    assert networks.tflm_cycles("digits", "stm32f405", 1_298_304) is None
