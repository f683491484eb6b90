"""`bench`: exact counts, compared with a reference; what cannot be measured is said, not an error."""

import argparse
import hashlib
import json

import numpy as np
import pytest

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools import bench
from squeezenet_mcu.host_tools.bench import measure, networks, results, small_net, tflm_figures
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest

BOARD = "stm32f405"
KEYS = {
    "model", "board", "engine", "instructions", "cycles", "cycles_with_flash", "milliseconds", "tflm",
    "milliseconds_with_flash", "macs", "sram_bytes", "weights_stored_bytes", "code_bytes", "functions",
    "tflm_instructions", "tflm_cycles", "instructions_of_tflm", "cycles_of_tflm", "arena_bytes",
    "flash_bytes", "engine_model_bytes", "layers",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder whose build/ the tests of this module share."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(autouse=True)
def in_place(place, monkeypatch):
    monkeypatch.chdir(place)


def options(*words):
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(words)


def test_small_net_is_the_same_file_every_time():
    content = small_net.tflite()
    digest = hashlib.sha256(content).hexdigest()
    assert digest == "e8c51a144aa261015afd305aeb3a9894853739ba4b6dc5889fdde58042a407d4"


def test_small_net_is_measured(capsys):
    assert bench.run(options("--model", networks.SMALL_NET, "--board", BOARD, "--layers")) == 0
    (result,) = json.loads(bench.RESULTS.read_text())
    assert set(result) >= KEYS
    assert (result["model"], result["board"], result["engine"]) == (
        networks.SMALL_NET,
        BOARD,
        board_toml.load(BOARD).kernel_family,
    )
    assert result["macs"] == sum(layer["macs"] for layer in result["layers"]) == 4_045_568
    assert result["instructions_of_tflm"] == pytest.approx(result["instructions"] / 12_440_000, abs=1e-4)
    in_layers = sum(layer["instructions"] for layer in result["layers"])
    assert 0.9 * result["instructions"] < in_layers < result["instructions"]
    assert result["arena_bytes"] + result["stack_bytes"] < result["sram_bytes"] < 128 * 1024
    assert result["engine_code_bytes"] < result["code_bytes"] < 64 * 1024
    assert result["code_bytes"] + result["engine_model_bytes"] == result["flash_bytes"]
    tflm = result["tflm"]
    assert tflm["arena_bytes"] > result["sram_bytes"]
    assert tflm["code_bytes"] + tflm["model_bytes"] == tflm["flash_bytes"]
    printed = capsys.readouterr().out
    assert "small_32: memory, in bytes" in printed
    assert f"{result['tflm']['arena_bytes']:,}" in printed
    for text in (f"{result['instructions']:,} instructions", "fire7/expand3x3", "conv10", str(bench.RESULTS)):
        assert text in printed


@pytest.mark.parametrize("board", ["stm32f405", pytest.param("mps3_an547", marks=pytest.mark.long)])
def test_each_boot_counts_the_same(board):
    networks.prepare(Console(quiet=True), networks.SMALL_NET)
    program = measure.build(networks.SMALL_NET, board, ModelRequest()).bench
    figures = [measure.run(board, program) for _ in range(3)]
    assert figures == figures[:1] * 3


def test_a_wrong_answer_of_the_board_is_an_error():
    networks.prepare(Console(quiet=True), networks.SMALL_NET)
    built = measure.build(networks.SMALL_NET, BOARD, ModelRequest())
    measured = measure.run(BOARD, built.bench)
    measure.check_exact(networks.SMALL_NET, built.content, measured)
    changed = bytearray(built.content)
    changed[300:3000] = bytes(byte ^ 0x40 for byte in changed[300:3000])  # another image: other logits
    with pytest.raises(measure.NotExactError, match="NOT exact"):
        measure.check_exact(networks.SMALL_NET, bytes(changed), measured)


def test_pseudo_image_is_cut_as_on_the_board():
    content = bytes(range(100)) * 2
    image = measure.pseudo_image(content, (20, 9, 3))
    for row in range(20):
        start = row * 27 % (200 - 27) // 4 * 4
        assert image[row].tobytes() == content[start : start + 27]
    assert image.dtype == np.int8


def printed_figures(*extra):
    return iter(["unit instructions\n", "step 1\n", *extra])


def test_what_the_program_prints_is_read():
    lines = [
        "status 0",
        "total 900",
        "layer 0 100",
        "layer 1 700",
        "arena 64",
        "stack 32 4096",
        "logits 4 77",
        "end",
    ]
    measured = measure.parse(printed_figures(*lines, "never read"))
    assert measured == measure.Measured("instructions", 1, 900, [100, 700], 64, 32, 77)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["status 7", "end"], "a layer contradicts its buffers"),
        (["FAULT exception=00000003 pc=00000bb4"], "faulted"),
        (["total 5"], "ended before"),
    ],
)
def test_trouble_on_the_board_is_said(lines, says):
    with pytest.raises(UserError, match=says):
        measure.parse(printed_figures(*lines))


def result(instructions, model="digits", cycles=None):
    return {
        "model": model, "board": BOARD, "engine": "dsp", "instructions": instructions, "cycles": cycles
    }  # fmt: skip


def test_regressions_are_over_one_percent():
    reference = {"digits/stm32f405/dsp": results.Reference(1_000_000, 2_000_000)}
    fine = [result(1_010_000, cycles=2_020_000), result(900_000), result(5, "other")]
    assert results.regressions(fine, reference) == []
    (line,) = results.regressions([result(1_010_001)], reference)
    assert line == "digits/stm32f405/dsp: 1,010,001 instructions, +1.0% on the reference's 1,000,000"
    (line,) = results.regressions([result(900_000, cycles=2_100_000)], reference)
    assert line == "digits/stm32f405/dsp: 2,100,000 cycles, +5.0% on the reference's 2,000,000"
    assert results.without_reference([result(1), result(1, "other")], reference) == ["other/stm32f405/dsp"]


def test_update_keeps_what_was_not_measured(tmp_path):
    path = tmp_path / "reference.json"
    results.write_reference([result(7), result(8, "other", 5)], path)
    results.write_reference([result(9)], path)
    assert json.loads(path.read_text()) == {
        "digits/stm32f405/dsp": {"instructions": 9},
        "other/stm32f405/dsp": {"instructions": 8, "cycles": 5},
    }
    assert results.read_reference(path)["digits/stm32f405/dsp"] == results.Reference(9)
    path.write_text("[1]")
    with pytest.raises(UserError, match="the whole: want object; remove it"):
        results.read_reference(path)


def test_the_committed_reference_names_what_is_measured():
    for name in results.read_reference():
        model, board, engine, *tight = name.split("/")
        assert model in networks.NAMES
        assert board in bench.BOARDS or (board == bench.CYCLES_BOARD and model in bench.WITH_CYCLES)
        assert engine in ("portable", board_toml.load(board).kernel_family)
        assert tight in ([], [str(bench.TIGHT.get((model, board)))])


@pytest.fixture
def counted(monkeypatch):
    """measure.record without the work: what it gives, by (model, board, kernels)."""
    given = {}

    def record(model, board, request):
        found = given[model, board, request.kernel_family]
        if isinstance(found, BaseException):
            raise found
        full = dict.fromkeys((*KEYS, "engine_code_bytes"), 1) | {
            "instructions_of_tflm": 0.25,
            "layers": [],
            "tflm": {"arena_bytes": 52_436, "model_bytes": 148_000, "code_bytes": None, "flash_bytes": None},
            "model": model,
            "board": board,
            "cycles": None,
            "functions": None,
        }
        return full | {
            "engine": request.kernel_family or board_toml.load(board).kernel_family,
            "instructions": found,
        }

    monkeypatch.setattr(measure, "record", record)
    monkeypatch.setattr(networks, "prepare", lambda *_: None)
    monkeypatch.setattr(results, "REFERENCE", paths.BUILD / "reference.json")
    monkeypatch.setattr(results.read_reference, "__defaults__", (paths.BUILD / "reference.json",))
    monkeypatch.setattr(results.write_reference, "__defaults__", (paths.BUILD / "reference.json",))
    return given


def test_check_fails_on_a_regression(counted, capsys):
    words = ("--model", "digits", "--board", BOARD)
    counted["digits", BOARD, None] = 1000
    assert bench.run(options(*words, "--update")) == 0
    assert bench.run(options(*words, "--check")) == 0
    counted["digits", BOARD, None] = 1011
    assert bench.run(options(*words, "--check")) == 1
    assert "regression: digits/stm32f405/dsp" in capsys.readouterr().out


def test_check_fails_on_a_missed_goal(counted, capsys):
    words = ("--model", networks.SMALL_NET, "--board", "mps3_an547")
    counted[networks.SMALL_NET, "mps3_an547", None] = 1_000_000
    assert bench.run(options(*words, "--check")) == 0
    counted[networks.SMALL_NET, "mps3_an547", None] = 1_000_001
    assert bench.run(options(*words, "--check")) == 1
    printed = capsys.readouterr().out
    assert "goal missed: small_32/mps3_an547/mve: instructions 1,000,001, goal 1,000,000" in printed
    assert "MISSED" in printed


def test_what_does_not_fit_is_listed(counted, capsys):
    counted["digits", BOARD, None] = measure.DoesNotFitError("500 bytes too many in FLASH")
    counted["digits", "mps2_an386", None] = 1000
    words = ("--model", "digits", "--board", BOARD, "--board", "mps2_an386")
    assert bench.run(options(*words)) == 0
    assert "digits on stm32f405, dsp: skipped: 500 bytes too many in FLASH" in capsys.readouterr().out
    assert [r["board"] for r in json.loads(bench.RESULTS.read_text())] == ["mps2_an386"]


def test_a_difference_fails_but_the_others_are_measured(counted, capsys):
    counted["digits", BOARD, None] = measure.NotExactError("NOT exact: CRC-32")
    counted["gtsrb", BOARD, None] = 1000
    assert bench.run(options("--model", "digits", "--model", "gtsrb", "--board", BOARD)) == 1
    assert "FAILED: digits on stm32f405, dsp: NOT exact" in capsys.readouterr().out
    assert [r["model"] for r in json.loads(bench.RESULTS.read_text())] == ["gtsrb"]


TAKES = {"flash_bytes": 48_364, "sram_reserved_bytes": 16_708, "milliseconds": 19.5, "optimize": "speed"}


@pytest.mark.parametrize(
    ("words", "changed", "says"),
    [
        (("--max-flash", "48364", "--max-sram", "16708", "--max-ms", "19.5"), {}, ""),
        (
            ("--max-flash", "46000"),
            {},
            "takes 48,364 bytes of flash, 2,364 more than --max-flash 46,000; take",
        ),
        (
            ("--max-sram", "16K"),
            {},
            "takes 16,708 bytes of SRAM, 324 more than --max-sram 16,384; take a smaller",
        ),
        (
            ("--max-ms", "19"),
            {},
            "takes 19.500 ms an image, 0.500 more than --max-ms 19; take a smaller network",
        ),
        (("--max-ms", "20"), {"milliseconds_with_flash": 20.4}, "takes 20.400 ms an image, 0.400 more than"),
        (
            ("--max-ms", "20"),
            {"milliseconds": None},
            ": its ms an image are not known: there is no table of cycles",
        ),
    ],
)
def test_a_budget(counted, monkeypatch, capsys, words, changed, says):
    counted["digits", BOARD, None] = 1000
    record = measure.record
    takes = TAKES | {"milliseconds_with_flash": None} | changed
    monkeypatch.setattr(measure, "record", lambda *given: record(*given) | takes)
    status = bench.run(options("--model", "digits", "--board", BOARD, *words))
    error = capsys.readouterr().err
    assert status == (1 if says else 0)
    assert error.count("\n") == (1 if says else 0)
    assert error.startswith(f"bench: error: digits on {BOARD}" if says else "") and says in error


def test_a_budget_is_not_met_by_what_was_not_measured(counted, capsys):
    counted["digits", BOARD, None] = measure.DoesNotFitError("500 bytes too many in FLASH")
    assert bench.run(options("--model", "digits", "--board", BOARD, "--max-ms", "20")) == 1
    assert capsys.readouterr().err == (
        f"bench: error: digits on {BOARD}, dsp: 500 bytes too many in FLASH; so its budget is not met\n"
    )


def test_an_interruption_keeps_what_was_measured(counted, capsys):
    counted["digits", BOARD, None] = 1000
    counted["gtsrb", BOARD, None] = KeyboardInterrupt()
    assert bench.run(options("--model", "digits", "--model", "gtsrb", "--board", BOARD)) == 130
    assert [r["model"] for r in json.loads(bench.RESULTS.read_text())] == ["digits"]
    assert "interrupted" in capsys.readouterr().out


def test_portable_kernels_are_measured_where_tflm_counted_its_own(counted):
    model, board = bench.PORTABLE[0]
    counted[model, board, None], counted[model, board, "portable"] = 1000, 4000
    assert bench.run(options("--model", model, "--board", board)) == 0
    assert [r["engine"] for r in json.loads(bench.RESULTS.read_text())] == [
        board_toml.load(board).kernel_family,
        "portable",
    ]


def test_the_tight_flash_has_a_reference_of_its_own(counted, monkeypatch, capsys):
    """Beside the board's whole flash; a regression of it alone is seen."""
    ((model, board), most) = next(iter(bench.TIGHT.items()))
    figures = {None: 1000, most: 2000}
    plain = measure.record
    counted[model, board, None] = 0

    def record(name, at, request):
        asked = {"flash_bytes_asked": request.flash_bytes, "instructions": figures[request.flash_bytes]}
        return plain(name, at, request) | asked

    monkeypatch.setattr(measure, "record", record)
    words = ("--model", model, "--board", board)
    assert bench.run(options(*words, "--update")) == 0
    reference = results.read_reference()
    assert reference[f"{model}/{board}/dsp"] == results.Reference(1000)
    assert reference[f"{model}/{board}/dsp/{most}"] == results.Reference(2000)
    assert bench.run(options(*words, "--check")) == 0
    figures[most] = 2021
    assert bench.run(options(*words, "--check")) == 1
    assert f"regression: {model}/{board}/dsp/{most}: 2,021 instructions" in capsys.readouterr().out


def test_the_reference_guards_imagenet_s_networks_without_trained_weights():
    reference = results.read_reference(results.REFERENCE)
    v1_0, v1_1 = networks.IMAGENET_RANDOM
    for name in (f"{v1_0}/stm32f405/dsp", f"{v1_0}/stm32f405/dsp/470000", f"{v1_0}/mps3_an547/mve",
                 f"{v1_1}/mps2_an386/dsp", f"{v1_1}/mps3_an547/mve"):  # fmt: skip
        assert name in reference


def test_missing_baselines_are_skipped_with_a_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(networks, "BASELINES", tmp_path)
    assert bench.run(options("--model", networks.IMAGENET[0].name, "--board", BOARD)) == 0
    assert "squeezenet_v1_1_224: skipped: " in capsys.readouterr().out


def test_a_baseline_for_tflm_alone_is_converted_for_it(monkeypatch, tmp_path):
    """With ENGINE=tflm a network that our engine refuses is measured; without, it is skipped as before."""
    from tests.convert.outputs import tflm_nets

    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / networks.MLPERF_TINY.file).write_bytes(tflm_nets.dense_tflite(scale=1.0))
    monkeypatch.setattr(networks, "BASELINES", tmp_path / "baselines")
    monkeypatch.chdir(tmp_path)
    name, console = networks.MLPERF_TINY.name, Console(quiet=True)
    with pytest.raises(networks.NotMeasurableError, match="MUL of two maps"):
        networks.prepare(console, name)
    networks.prepare(console, name, tflm=True)
    manifest = networks.BUILD / name / "manifest.json"
    assert json.loads(manifest.read_text())["engine"] == "tflm"
    before = manifest.stat().st_mtime_ns
    networks.prepare(console, name, tflm=True)
    assert manifest.stat().st_mtime_ns == before, "converted again"
    with pytest.raises(networks.NotMeasurableError, match="MUL of two maps"):
        networks.prepare(console, name)


def test_mistakes():
    with pytest.raises(UserError, match="no board 'zx81'"):
        bench.run(options("--board", "zx81"))
    with pytest.raises(UserError, match=r"^nano33ble: no emulator; boards with one: mps2_an386, "):
        bench.run(options("--board", "nano33ble"))
    with pytest.raises(UserError, match="make convert MODEL=nonesuch"):
        bench.run(options("--model", "nonesuch", "--board", BOARD))
    with pytest.raises(UserError, match="CALIBRATION=folder"):
        bench.run(options("--model", "imagenet_v1_0", "--board", BOARD))
    for words in (("--optimize", "sram"), ("--sram-bytes", "9000"), ("--flash-bytes", "9000")):
        with pytest.raises(UserError, match="--optimize speed only"):
            bench.run(options(*words, "--check"))


def manifest(kinds=("INPUT", "CONV_2D", "MAX_POOL", "MEAN", "SOFTMAX"), macs=7):
    return {
        "plan": [{"kind": kind} for kind in kinds],
        "tflm_arena_bytes": 30_000,
        "tflite_bytes": 9_000,
        "macs": macs,
    }


def test_tflm_needs_what_was_measured_and_nothing_else(monkeypatch, tmp_path):
    known = networks.IMAGENET[1]
    figures = {"arena_bytes": 1_586_500, "code_bytes_m4": 44_177, "macs": 7,
               "instructions": {"m4_cmsis_nn": 1_673}}  # fmt: skip
    measurement = {"squeezenet_code_bytes_m4": 44_176, "networks": {known.name: figures}}
    (tmp_path / "figures.json").write_text(json.dumps({"measurements": [measurement]}))
    monkeypatch.setattr(tflm_figures, "FILE", tmp_path / "figures.json")
    assert networks.tflm_memory(known.name, manifest()) == {
        "arena_bytes": 1_586_500, "model_bytes": 9_000, "code_bytes": 44_177, "flash_bytes": 53_177,
    }  # fmt: skip
    assert networks.tflm_memory("imagenet_v1_0", manifest())["arena_bytes"] == 1_586_500
    assert networks.tflm_memory("mine", manifest())["arena_bytes"] == 30_000
    assert networks.tflm_memory("mine", manifest())["flash_bytes"] == 44_176 + 9_000
    assert networks.tflm_memory("mine", manifest(("INPUT", "ADD")))["flash_bytes"] is None
    # An imported network is compared with the baseline of the same layers, and with no other.
    assert networks.tflm_instructions("imagenet_v1_0", "Cortex-M4F", "dsp", 7) == 1_673
    assert networks.tflm_instructions("imagenet_v1_0", "Cortex-M4F", "dsp", 8) is None
    assert networks.tflm_instructions("imagenet_v1_1", "Cortex-M4F", "dsp", 7) is None


def test_the_first_measurement_of_a_figure_is_quoted(monkeypatch, tmp_path):
    older = {"networks": {"net": {"macs": 7, "instructions": {"m4_cmsis_nn": 100}}}}
    newer = {"networks": {"net": {"macs": 7, "instructions": {"m4_cmsis_nn": 101, "m55_cmsis_nn": 30},
                                  "firmware": {"sram_bytes": 5}}}}  # fmt: skip
    (tmp_path / "figures.json").write_text(json.dumps({"measurements": [older, newer]}))
    monkeypatch.setattr(tflm_figures, "FILE", tmp_path / "figures.json")
    found = tflm_figures.of("net", 7)
    assert found["instructions"] == {"m4_cmsis_nn": 100, "m55_cmsis_nn": 30}
    assert found["firmware"] == {"sram_bytes": 5}
    assert tflm_figures.of("net", 8) == tflm_figures.of("other") == {}


def tflm_result(engine):
    return dict.fromkeys((*KEYS, "engine_code_bytes"), 1) | {
        "model": "digits", "board": BOARD, "engine": engine, "sram_bytes": 37_776, "layers": [],
        "tflm": {"arena_bytes": 24_548, "model_bytes": 55_000, "code_bytes": None, "flash_bytes": None},
    }  # fmt: skip


def test_tflm_measured_is_not_called_unknown(capsys):
    """Of our own engine's results the note is right; below a measurement of TFLM itself it would be wrong."""
    results.show_memory(Console(width=100), [tflm_result("tflm")])
    shown = capsys.readouterr().out
    assert "37,776" in shown
    assert "is known" not in shown
    assert "TFLite Micro" not in shown
    results.show_memory(Console(width=100), [tflm_result("dsp")])
    shown = capsys.readouterr().out
    assert "of TFLite Micro the arena\nalone is known" in shown
    assert "24,548" in shown


def test_the_memory_asked_for_reaches_the_board(monkeypatch, counted):
    asked = []

    def record(_model, _board, request):
        asked.append(request)
        raise measure.DoesNotFitError("enough")

    monkeypatch.setattr(measure, "record", record)
    words = ("--optimize", "flash", "--sram-bytes", "9000", "--flash-bytes", "8000")
    assert bench.run(options("--model", "digits", "--board", BOARD, *words)) == 0
    assert asked == [ModelRequest(None, "flash", 9000, 8000)]
