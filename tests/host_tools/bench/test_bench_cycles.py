"""`python -m host_tools bench` in cycles: of the Pico's emulator, and by QEMU's plugin."""

import dataclasses
import json

import pytest

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools import bench
from squeezenet_mcu.host_tools.bench import measure, networks, results
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from tests.host_tools.bench.test_bench import BOARD, KEYS, options


def measured(capsys, *boards):
    words = [word for board in boards for word in ("--board", board)]
    assert bench.run(options("--model", networks.SMALL_NET, *words, "--layers", "--functions")) == 0
    return json.loads(bench.RESULTS.read_text()), capsys.readouterr().out


@pytest.mark.long
def test_the_pico_and_a_cortex_m4(capsys, monkeypatch, tmp_path):
    """One counts itself; the other is counted from outside, to the instruction."""
    monkeypatch.chdir(tmp_path)
    (m4, pico), printed = measured(capsys, BOARD, bench.CYCLES_BOARD)
    assert set(m4) >= KEYS and set(pico) >= KEYS
    # An M0+ takes a cycle for most instructions and two to load: 5 to 20 for each multiplication.
    assert 5 * pico["macs"] < pico["cycles"] < 20 * pico["macs"]
    assert 1.2 * pico["instructions"] < pico["cycles"] < 1.6 * pico["instructions"]
    assert pico["cycles"] < pico["cycles_with_flash"] < 1.5 * pico["cycles"]
    assert pico["milliseconds"] == pytest.approx(pico["cycles"] / 125e3, abs=1e-3)
    assert 1.2 * m4["instructions"] < m4["cycles"] < 2 * m4["instructions"]
    assert m4["cycles"] < m4["cycles_with_flash"] < 1.5 * m4["cycles"]
    assert m4["milliseconds"] == pytest.approx(m4["cycles"] / 168e3, abs=1e-3)
    for result in (m4, pico):
        for unit in ("cycles", "instructions"):
            in_functions = sum(f[unit] for f in result["functions"])
            assert in_functions == pytest.approx(result[unit], abs=10)
        assert result["functions"][0]["function"].startswith("squeeze::")
        assert not any(f["function"].startswith(("board::", "cpu::")) for f in result["functions"])
        in_layers = sum(layer["cycles"] for layer in result["layers"])
        assert 0.9 * result["cycles"] < in_layers < result["cycles"]
        assert f"{result['cycles']:,} cycles" in printed
        assert f"{result['milliseconds']:,.1f}" in printed
    for text in ("M cycles", "+ flash", "fire7/expand3x3", "the costliest functions", f"{BOARD} ", "::Dot"):
        assert text in printed
    name = f"{networks.SMALL_NET}/{bench.CYCLES_BOARD}/v6m"
    (line,) = results.regressions([pico], {name: results.Reference(cycles=1_000_000)})
    assert line.startswith(f"{name}: {pico['cycles']:,} cycles, +")


def test_the_plugin_counts_the_counter_s_instructions(monkeypatch, tmp_path):
    """stm32f405's counter is exact to the instruction. Counting from outside changes nothing on the board."""
    monkeypatch.chdir(tmp_path)
    networks.prepare(Console(quiet=True), networks.SMALL_NET)
    program = measure.build(networks.SMALL_NET, BOARD, ModelRequest()).bench
    found = measure.run(BOARD, program)
    plain = measure._run(BOARD, program, ())
    assert plain.total == found.total
    # The calls of the marks at both ends: some instructions, of which the counter sees others.
    assert found.profile.total.instructions == pytest.approx(found.total, abs=10)
    assert found.profile.total.waits > 0
    for counted, spent in zip(found.layers, found.profile.layers, strict=True):
        assert spent.instructions == pytest.approx(counted, rel=0.02, abs=200)


@pytest.mark.long
def test_the_pico_s_counter_counts_the_firmware_s_cycles(monkeypatch, tmp_path):
    """But for the cycle that rp2040js leaves out of a PUSH with LR. Counting changes nothing on the board."""
    monkeypatch.chdir(tmp_path)
    networks.prepare(Console(quiet=True), networks.SMALL_NET)
    program = measure.build(networks.SMALL_NET, bench.CYCLES_BOARD, ModelRequest()).bench
    found = measure.run(bench.CYCLES_BOARD, program)
    assert measure._run(bench.CYCLES_BOARD, program, ()) == dataclasses.replace(found, profile=None)
    assert found.total < found.profile.total.cycles < 1.01 * found.total
    in_layers = sum(found.layers)
    assert in_layers < sum(spent.cycles for spent in found.profile.layers) < 1.01 * in_layers


def test_no_figure_where_nobody_has_a_table():
    """Cortex-M7 and M55 run two instructions at a time: an M4's prices would be a guess."""
    from squeezenet_mcu.host_tools.cycles import cpus

    known = {name for name in board_toml.names() if cpus.of(board_toml.load(name)) is not None}
    assert known == {"mps2_an386", "stm32f405"}
    themselves = {name for name in board_toml.names() if cpus.counts_itself(board_toml.load(name))}
    assert themselves == {"rp2040"}


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
    def quoted(board, macs=1_298_304, engine="dsp"):
        return networks.tflm_cycles("digits", board_toml.load(board), engine, macs)

    assert quoted("rp2040", engine="portable") == 23_500_000
    assert quoted("rp2040", 5, "portable") is None
    assert quoted("mps3_an547", engine="mve") is None
