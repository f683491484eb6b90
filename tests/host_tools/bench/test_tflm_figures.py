"""TFLM's figures: each measurement names its origin, and the documents quote the file and nothing else."""

import json
import re
from pathlib import Path

import pytest

from squeezenet_mcu.host_tools.bench import networks, small_net, tflm_figures

ROOT = Path(__file__).resolve().parents[3]
ORIGIN = {"tflm", "flags", "compiler", "command", "counter", "kernels_registered", "date"}
NETWORKS = {
    "ImageNet v1.0": "squeezenet_v1_0_deep_compression_227",
    "ImageNet v1.1": "squeezenet_v1_1_224",
    "MLPerf Tiny's ResNet-8": "mlperf_tiny_resnet8",
    "small": "small_32",
    "digits": "digits",
    "gtsrb": "gtsrb",
    "cifar10": "cifar10",
}
CPUS = {"M4F": "Cortex-M4F", "M7": "Cortex-M7", "M55": "Cortex-M55"}


def test_every_measurement_says_where_it_comes_from():
    for measurement in tflm_figures.measurements():
        assert set(measurement["origin"]) == ORIGIN
        assert {"tflm", "flags", "counter", "date"} <= {k for k, v in measurement["origin"].items() if v}
        for name, figures in measurement["networks"].items():
            assert name in networks.NAMES
            assert figures["macs"] > 0
            assert figures.get("instructions") or figures["cycles"]


@pytest.mark.parametrize("name", ["squeezenet_v1_1_224", *networks.ZOO])
def test_two_measurements_of_one_network_agree(name):
    """They were counted by different programs: the same instructions but for what feeds the image in."""
    found = [m["networks"][name] for m in tflm_figures.measurements() if name in m["networks"]]
    first, second = [figures for figures in found if "instructions" in figures]
    for key, count in second["instructions"].items():
        assert count == pytest.approx(first["instructions"][key], rel=1e-3)
    assert first["arena_bytes"] == second["arena_bytes"]


def tables(document):
    """Every table: its header's cells, and of each row the cells by header."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    header, rows = [], []
    for line in [*lines, ""]:
        if not line.startswith("|"):
            if rows:
                yield header, rows[1:]
            header, rows = [], []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if header:
            rows.append(dict(zip(header, cells, strict=True)))
        else:
            header = cells


def is_quoted(cell, figure):
    """Whether a cell like "5.73 M" is `figure`, rounded to the cell's digits."""
    found = re.match(r"([\d,]+)(?:\.(\d+))? M", cell)
    assert found, cell
    shown = float(found[0].removesuffix(" M").replace(",", ""))
    return shown == round(figure / 1e6, len(found[2] or ""))


def network_of(cell):
    return next((name for start, name in NETWORKS.items() if cell.startswith(start)), None)


@pytest.mark.parametrize(("document", "least"), [("docs/figures.md", 15), ("README.md", 0)])
def test_documents_quote_the_file(document, least):
    quoted, name = 0, None
    for header, rows in tables(document):
        if "TFLM with CMSIS-NN" not in header:
            continue
        for row in rows:
            name = network_of(row["network"]) or name
            figures = tflm_figures.of(name)
            cpu = CPUS[re.search(r"M4F|M7|M55", row["board"])[0]]
            engine = "portable" if "plain C++" in row["board"] else "dsp"
            wanted = networks.tflm_instructions(name, cpu, engine, figures["macs"])
            assert is_quoted(row["TFLM with CMSIS-NN"], wanted), (row, wanted)
            assert row["TFLM's arena alone"] == f"{figures['arena_bytes']:,} B", row
            quoted += 1
    assert quoted >= least


def test_the_readmes_table_for_the_paper_quotes_the_file():
    figures = tflm_figures.of("squeezenet_v1_0_deep_compression_227")
    ((header, rows),) = [found for found in tables("README.md") if found[0][0].startswith("v1.0 on")]
    cells = {next(iter(row.values())).split(" an ")[0].split(",")[0]: row[header[-1]] for row in rows}
    flash = figures["model_bytes"] + figures["code_bytes_m4"]
    assert cells["model in flash"].startswith(f"{figures['model_bytes']:,} B")
    assert cells["flash in all"].startswith(f"{flash:,} B")
    assert cells["SRAM in all"].startswith(f"{figures['arena_bytes']:,} B")
    assert is_quoted(cells["cycles"], figures["cycles"]["m4_cmsis_nn"])


def test_the_picos_cycles_are_quoted_from_the_file():
    (rows,) = [rows for header, rows in tables("docs/figures.md") if "TFLM's cycles" in header]
    assert [row["network"] for row in rows[:3]] == ["digits", "gtsrb", "cifar10"]
    assert [row["TFLM's cycles"] for row in rows[3:]] == [""]  # ResNet-8: nobody counted them
    for row in rows[:3]:
        assert is_quoted(row["TFLM's cycles"], tflm_figures.of(row["network"])["cycles"]["rp2040"])


def test_the_firmware_with_tflm_is_quoted_from_the_file():
    (rows,) = [rows for header, rows in tables("docs/figures.md") if "SRAM with TFLM" in header]
    for row in rows:
        figures = tflm_figures.of(row["network"])
        firmware = figures["int8_firmware"]
        assert row["SRAM with TFLM"] == f"{firmware['sram_bytes']:,} B"
        assert row["flash with TFLM"] == f"{firmware['flash_bytes']:,} B"
        # The plain registrations of the same network took 24 KB more.
        assert 24_000 < figures["firmware"]["flash_bytes"] - firmware["flash_bytes"] < 25_000


def test_figures_need_nothing_beside_the_repository(monkeypatch, tmp_path):
    """The baselines' .tflite files lie beside a checkout or not: what TFLM takes is known all the same."""
    monkeypatch.setattr(networks, "BASELINES", tmp_path / "none")
    assert networks.tflm_instructions("squeezenet_v1_1_224", "Cortex-M4F", "dsp", 349_151_936) == 722_120_920
    assert networks.tflm_instructions("digits", "Cortex-M55", "mve", 1_298_304) == 1_514_125


def test_the_small_network_is_the_one_that_was_counted():
    from squeezenet_mcu.convert import engine_model
    from squeezenet_mcu.convert.lowering import tflite_file
    from squeezenet_mcu.convert.target import ANY_CPU

    made = engine_model.prepare(tflite_file.parse(small_net.tflite()), [], ANY_CPU)
    assert made.network.macs == tflm_figures.of(networks.SMALL_NET)["macs"]


@pytest.mark.parametrize("name", networks.ZOO)
def test_the_shipped_networks_are_those_that_were_counted(name):
    metrics = json.loads((ROOT / "model" / "zoo" / name / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["converted"]["macs"] == tflm_figures.of(name)["macs"]
