"""Building the firmware of a model, and what is said when it cannot be built or does not fit."""

import argparse
import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from squeezenet_mcu.common import cli, files, paths
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.bench import small_net
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.console import host_tools
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import board_model, build, uf2
from squeezenet_mcu.host_tools.firmware.code_sizes import STACK_BYTES
from squeezenet_mcu.host_tools.link.device import Device
from tests.manifests import engine_record, manifest

MODEL = "probe"
BOARD = "stm32f405"
# Each with another start-up, linker script or CPU; the other boards are theirs with other numbers.
VARIED = ("stm32f405", "mps2_an521", "mps3_an547", "rp2040", "riscv_virt")
SHAPE = (8, 8, 1)
CLASSES = 4
PLAN = [
    manifest()["plan"][1] | {"layer": name, "weights_bytes": size}
    for name, size in (("conv1", 400_000), ("fire2/squeeze1x1", 500_000), ("conv10", 300_000))
]
PEAK = [{"layer": "conv10", "bytes": 90_000}, {"layer": "conv1", "bytes": 4_000}]
MADE = engine_record(plan=PLAN, peak=PEAK)
TFLITE = b"what it was made from"
SIZE = dict(zip(("height", "width", "channels"), SHAPE, strict=True))
MANIFEST = manifest(
    TFLITE,
    input=manifest()["input"] | SIZE,
    output=manifest()["output"] | {"classes": CLASSES},
    labels=[],
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder whose build/ the tests of this module share: only what they change is compiled again."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture(autouse=True)
def in_project(project, monkeypatch):
    monkeypatch.chdir(project)
    converted()


def converted(blob_bytes=64, arena_bytes=1000, source=""):
    """Writes what `convert` and board_model would, for a blob of zeros: no engine takes it."""
    folder = paths.BUILD / MODEL
    files = {
        "model_sqz.h": '#ifdef __cplusplus\nextern "C" {\n#endif\n'
        "extern const unsigned char g_model_sqz[];\nextern const unsigned int g_model_sqz_len;\n"
        "#ifdef __cplusplus\n}\n#endif\n",
        "model_sqz.c": '#include "model_sqz.h"\n'
        f"const unsigned int g_model_sqz_len = {blob_bytes};\n"
        f"_Alignas(16) const unsigned char g_model_sqz[{blob_bytes}] = {{0}};\n{source}",
        "model.sqz": "",
        "model_settings.h": f"#define MODEL_ARENA_BYTES {arena_bytes}\n#define MODEL_ROW_BYTES {SHAPE[1]}\n"
        f"#define MODEL_INPUT_HEIGHT {SHAPE[0]}\n#define MODEL_INPUT_WIDTH {SHAPE[1]}\n"
        f"#define MODEL_INPUT_CHANNELS {SHAPE[2]}\n#define MODEL_CLASSES {CLASSES}\n",
    }
    for board in board_toml.names():
        loaded = board_toml.load(board)
        target = board_model.target_for(loaded, MANIFEST, build.BOARD_DEFAULT)
        made = MADE | {
            "made_from": board_model.made_from(target, TFLITE, loaded),
            "arena_bytes": arena_bytes,
            "engine_model_bytes": blob_bytes,
        }
        for name, text in (files | {"engine.json": json.dumps(made)}).items():
            write(folder / "firmware" / board / "model" / name, text)
    write(folder / "manifest.json", json.dumps(MANIFEST))
    write(folder / "model.tflite", TFLITE.decode())


def write(path, text):
    """Where it does not stand there already: what is not changed is not compiled again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)


def test_a_board_with_a_uf2_gets_one():
    elf = build.build("rp2040", MODEL)
    image, made = elf.with_suffix(".bin").read_bytes(), elf.with_suffix(".uf2").read_bytes()
    assert made == uf2.from_image(image, 0x10000000, 0xE48BFF56)


@pytest.mark.parametrize(
    "board", [b if b in VARIED else pytest.param(b, marks=pytest.mark.long) for b in board_toml.names()]
)
def test_firmware_has_no_heap_no_unwinder_and_no_constructors(board):
    elf = build.build(board, MODEL)
    listing = subprocess.run(
        [f"{board_toml.binutils(elf)}nm", elf], check=True, capture_output=True, text=True
    ).stdout
    names = {line.split()[-1] for line in listing.splitlines()}
    forbidden = (
        r"_?sbrk|_?malloc.*|_?free(_r)?|_?calloc.*|_?realloc.*|_Zn[wa].*|_Zd[la].*|.*printf.*|abort|exit"
    )
    forbidden += r"|__cxa_.*|_Unwind.*|__gxx.*|__aeabi_unwind.*|__aeabi_atexit|_GLOBAL__sub_I.*"
    assert {name for name in names if re.fullmatch(forbidden, name)} == set()
    assert {"vector_table", "ResetHandler", "main", "g_model_sqz"} <= names
    sections = subprocess.run(
        [f"{board_toml.binutils(elf)}size", "-A", elf], check=True, capture_output=True, text=True
    ).stdout
    assert not re.search(
        r"^\.(init_array|preinit_array|ctors|ARM\.exidx|ARM\.extab|eh_frame) +[1-9]", sections, re.M
    )


def test_the_linker_refuses_a_heap():
    # In .vectors, because the linker drops whatever nothing refers to everywhere else.
    converted(
        source="extern void* malloc(unsigned);\n"
        '__attribute__((used, section(".vectors"))) void* (*const heap)(unsigned) = malloc;\n'
    )
    with pytest.raises(UserError, match=r"the build failed: .*undefined reference to `_sbrk'"):
        build.build(BOARD, MODEL)


@pytest.mark.parametrize("changed", ["convert/encode/huffman.py", "firmware_cpp/engine/dsp/sparse_list.h"])
def test_a_change_in_any_folder_of_the_tools_makes_the_engine_model_anew(changed, tmp_path):
    """The key of the cached model covers sub-folders: else a stale model would be flashed."""
    path = tmp_path / changed
    path.parent.mkdir(parents=True)
    path.write_text("before")
    before = board_model.tools_digest(tmp_path)
    path.write_text("after")
    board_model.tools_digest.cache_clear()
    assert board_model.tools_digest(tmp_path) != before


def test_a_board_s_memory_for_arenas_is_part_of_what_its_model_was_made_from():
    board = board_toml.load("nucleo_h743zi")
    target = board_model.target_for(board, MANIFEST, build.BOARD_DEFAULT)
    smaller = dataclasses.replace(board, memories=tuple(m for m in board.memories if m.use != "arena"))
    assert board_model.made_from(target, TFLITE, board) != board_model.made_from(target, TFLITE, smaller)


def test_binary_is_what_the_flash_holds():
    elf = build.build(BOARD, MODEL)
    binary = elf.with_suffix(".bin").read_bytes()
    used = build.usage(elf)
    assert len(binary) == used.flash_used
    stack_top = board_toml.load(BOARD).memory("SRAM").address + used.stack_reserve
    assert int.from_bytes(binary[:4], "little") == stack_top


def test_table_shows_the_figures_of_the_elf(capsys):
    parser = argparse.ArgumentParser()
    build.add_arguments(parser)
    assert build.run(parser.parse_args(["--board", BOARD, "--model", MODEL])) == 0
    used = build.usage(paths.BUILD / MODEL / "firmware" / BOARD / "firmware.elf")
    printed = capsys.readouterr().out
    for figure in (used.flash_used, used.sram_used, 1_048_576, 131_072, used.sram_static, used.stack_reserve):
        assert f"{figure:,} B" in printed


@pytest.mark.parametrize(
    ("key", "over", "says"),
    [
        ("flash", 0, ""),
        ("sram", 0, ""),
        (
            "flash",
            1,
            "bytes of flash, 1 more than --max-flash {limit:,}; take a smaller network or --optimize flash",
        ),
        (
            "sram",
            1,
            "bytes of SRAM, 1 more than --max-sram {limit:,}; take a smaller input or --optimize sram",
        ),
    ],
)
def test_a_budget(key, over, says, capsys):
    used = build.usage(build.build(BOARD, MODEL))
    takes = getattr(used, f"{key}_used")
    parser = argparse.ArgumentParser()
    build.add_arguments(parser)
    words = ["--board", BOARD, "--model", MODEL, f"--max-{key}", str(takes - over)]
    assert cli.guarded(build.run, parser.parse_args(words), "firmware") == over
    said = f"firmware: error: {MODEL} on {BOARD} takes {takes:,} {says.format(limit=takes - over)}\n"
    assert capsys.readouterr().err == (said if over else "")


def test_a_budget_of_the_toml_that_was_converted(capsys):
    toml = paths.BUILD / f"{MODEL}.toml"
    digits = (paths.CONFIGS / "digits.toml").read_text()
    toml.write_text(digits.replace('name = "digits"', f'name = "{MODEL}"') + '\n[budget]\nmax_sram = "3K"\n')
    inputs = {str(toml): files.sha256(toml.read_bytes())}
    (paths.BUILD / MODEL / "manifest.json").write_text(json.dumps(MANIFEST | {"inputs": inputs}))
    parser = argparse.ArgumentParser()
    build.add_arguments(parser)
    words = ["--board", BOARD, "--model", MODEL]
    assert cli.guarded(build.run, parser.parse_args(words), "firmware") == 1
    assert f"more than [budget] max_sram = 3,072 in {MODEL}.toml; take a smaller" in capsys.readouterr().err
    assert cli.guarded(build.run, parser.parse_args([*words, "--max-sram", "64K"]), "firmware") == 0


@pytest.mark.parametrize("option", ["--sram-bytes", "--flash-bytes", "--max-flash", "--max-sram"])
@pytest.mark.parametrize("value", ["64X", "-1", "nan", "0"])
def test_a_bad_size_is_one_line(option, value, capsys):
    parser = cli.Parser(prog="firmware")
    build.add_arguments(parser)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args([f"{option}={value}"])
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert (
        said.startswith(f'firmware: error: argument {option}: "{value}": want a size')
        and said.count("\n") == 1
    )


def test_sizes_in_k_and_m():
    parser = argparse.ArgumentParser()
    build.add_arguments(parser)
    asked = build.request_of(parser.parse_args(["--sram-bytes", "64K", "--flash-bytes", "1M"]))
    assert (asked.sram_bytes, asked.flash_bytes) == (65536, 1 << 20)


def test_too_much_for_the_flash_names_bytes_memory_and_layer():
    build.build(BOARD, MODEL)
    elf = paths.BUILD / MODEL / "firmware" / BOARD / "firmware.elf"
    converted(blob_bytes=1_200_000)
    with pytest.raises(UserError) as error:
        build.build(BOARD, MODEL)
    found = re.fullmatch(
        rf"{MODEL} does not fit {BOARD}: ([\d,]+) bytes too many in FLASH \(1,048,576 bytes\), "
        r"from the weights of layer conv10 on; take a smaller model or a larger board",
        str(error.value),
    )
    assert found
    assert not elf.exists()  # an older one would run another model
    assert not elf.with_suffix(".bin").exists()
    excess = int(found[1].replace(",", ""))
    excess = -(-excess // 8) * 8  # what follows the model is aligned
    converted(blob_bytes=1_200_000 - excess)
    left = 1_048_576 - build.usage(build.build(BOARD, MODEL)).flash_used
    assert 0 <= left < 8, "but for the alignment of what follows the model"
    converted(blob_bytes=1_200_000 - excess + 16)
    with pytest.raises(UserError, match=f"{16 - left} bytes too many in FLASH"):
        build.build(BOARD, MODEL)


def test_too_much_for_the_sram_names_bytes_memory_and_layer():
    converted(arena_bytes=130_000)
    with pytest.raises(
        UserError,
        match=r"SRAM \(131,072 bytes\), most of them held for layer conv10 \(90,000 bytes\), then conv1",
    ) as error:
        build.build(BOARD, MODEL)
    excess = int(re.search(r"([\d,]+) bytes too many in SRAM", str(error.value))[1].replace(",", ""))
    converted(arena_bytes=130_000 - -(-excess // 16) * 16)  # what lies behind it stays as aligned as it was
    assert 0 <= 131_072 - build.usage(build.build(BOARD, MODEL)).sram_used < 32


def test_arena_lies_where_it_fits():
    """Of the H743 in the tightly coupled memory, if there is room beside the variables, else in AXI SRAM."""
    board = "nucleo_h743zi"
    for arena_bytes, memory in ((100_000, "DTCM"), (200_000, "AXI_SRAM"), (524_288, "AXI_SRAM")):
        converted(arena_bytes=arena_bytes)
        elf = build.build(board, MODEL)
        listing = subprocess.run(["arm-none-eabi-nm", "-C", elf], check=True, capture_output=True, text=True)
        (address,) = [int(li.split()[0], 16) for li in listing.stdout.splitlines() if "::g_arena" in li]
        place = board_toml.load(board).memory(memory)
        assert place.address <= address < place.address + place.bytes
        used = build.usage(elf)
        assert arena_bytes < used.sram_static < arena_bytes + 9800
        assert len(elf.with_suffix(".bin").read_bytes()) == used.flash_used < 100_000  # no arena in it
    converted(arena_bytes=524_304)
    with pytest.raises(
        UserError, match=r"16 bytes too many in AXI_SRAM \(524,288 bytes\), most of them held"
    ):
        build.build(board, MODEL)


def test_imagenet_does_not_fit_a_small_board():
    converted(blob_bytes=700_000, arena_bytes=150_000)
    with pytest.raises(build.DoesNotFitError) as error:
        build.build("nucleo_f446re", MODEL)
    assert set(error.value.missing) == {"FLASH", "SRAM"}
    for memory, excess in error.value.missing.items():
        assert f"{excess:,} bytes too many in {memory}" in str(error.value)


@pytest.mark.parametrize(
    ("excess", "layer"),
    [(1, "conv10"), (300_000, "conv10"), (300_001, "fire2/squeeze1x1"), (800_000, "fire2/squeeze1x1"),
     (800_001, "conv1"), (5_000_000, "conv1")],
)  # fmt: skip
def test_layer_is_the_one_whose_weights_cross_what_is_left(excess, layer):
    message = build.overflow_message(board_toml.load(BOARD), "m", {"FLASH": excess}, MADE)
    assert f"{excess:,} bytes too many in FLASH" in message
    assert f"from the weights of layer {layer} on;" in message
    assert "\n" not in message


def test_broken_source_is_one_line_with_the_log():
    converted(source="int broken = ;\n")
    with pytest.raises(UserError, match=r"build\.log: the build failed: .*expected expression") as error:
        build.build(BOARD, MODEL)
    assert "\n" not in str(error.value)
    assert "broken" in (paths.BUILD / MODEL / "firmware" / BOARD / "build.log").read_text()


@pytest.mark.parametrize("name", ["model.tflite", "manifest.json"])
def test_model_that_is_not_converted_names_the_fix(name):
    (paths.BUILD / MODEL / name).unlink()
    with pytest.raises(UserError) as error:
        build.build(BOARD, MODEL)
    assert str(error.value) == f"build/{MODEL}/{name}: missing; run: make convert MODEL={MODEL}"


@pytest.mark.parametrize(
    ("program", "package"),
    [("arm-none-eabi-g++", "gcc-arm-none-eabi"), ("cmake", "cmake"), ("ninja", "ninja-build")],
)
def test_missing_program_names_the_package(program, package, tmp_path, monkeypatch):
    for other in ("arm-none-eabi-g++", "cmake", "ninja"):
        if other != program:
            (tmp_path / other).symlink_to(shutil.which(other))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as error:
        build.build(BOARD, MODEL)
    assert str(error.value).startswith(f"{program} is not installed; run: sudo apt-get install {package}")


def test_unknown_board():
    with pytest.raises(UserError, match=r"^no board 'zx81'; boards: "):
        build.build("zx81", MODEL)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], None),
        (["--board", "rp2040", "--cores", "2"], None),
        (["--cores", "2"], "--cores 2: stm32f405 has 1; boards with 2: "),
        (["--board", "pico"], "no board 'pico'; did you mean rp2040?"),
        (["--kernel-family", "mve"], "--kernel-family mve: stm32f405's Cortex-M4F has no Helium"),
        (["--engine", "tflm", "--tflm-include", "x", "--tflm-lib", "y"], "--tflm-include "),
    ],
)
def test_what_cannot_be_built_is_known_before_there_is_a_model(words, said, tmp_path, monkeypatch, capsys):
    """`make train CORES=2` was refused when the training was done."""
    monkeypatch.chdir(tmp_path)
    assert host_tools(["firmware", "--model", "nonesuch", "--only-check", *words]) == (1 if said else 0)
    out, err = capsys.readouterr()
    assert (out, err == "") == ("", said is None) and (said or "") in err
    assert not list(tmp_path.iterdir())


def test_device_says_why_it_refuses_its_model():
    """A blob of zeros: the device answers, and every image gets the engine's status instead of a result."""
    elf = build.build(BOARD, MODEL)
    with emulator.running(BOARD, elf) as url, Device(url) as device:
        info = device.info
        assert (info.board, info.height, info.width, info.channels) == (BOARD, *SHAPE)
        assert info.sram_total_bytes == 131_072
        assert info.flash_used_bytes == build.usage(elf).flash_used
        assert info.static_sram_bytes == build.usage(elf).sram_static
        with pytest.raises(UserError, match="the engine failed by row 0: status 2, truncated"):
            device.infer(np.zeros(SHAPE, np.int8))


@pytest.fixture
def simulation():
    """`python -m host_tools simulate`, and the lines it printed up to the invitation to stop it."""
    build.build(BOARD, MODEL)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "host_tools", "simulate", "--board", BOARD, "--model", MODEL],
        env={**os.environ, "PYTHONPATH": str(board_toml.FIRMWARE.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = [process.stdout.readline() for _ in range(3)]
    yield process, lines
    process.kill()
    process.wait()


def test_simulation_serves_a_device_until_interrupted(simulation):
    process, lines = simulation
    url = re.search(r"socket://127\.0\.0\.1:\d+", lines[0])[0]
    assert lines[1].strip().endswith(f"python -m host_tools validate --model {MODEL} --port {url}")
    with Device(url) as device:
        assert device.info.board == BOARD
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (board_model.ModelRequest(sram_bytes=100), r"^--sram-bytes 100: small would take [\d,]+ bytes"),
        (board_model.ModelRequest(flash_bytes=1), r"^--flash-bytes 1: small would take [\d,]+ bytes"),
        (
            board_model.ModelRequest(kernel_family="mve"),
            r"^--kernel-family mve: stm32f405's Cortex-M4F has no Helium",
        ),
        (
            board_model.ModelRequest(cores=2),
            r"^--cores 2: stm32f405 has 1; boards with 2: (\w+, )*rp2040$",
        ),
    ],
)
def test_what_cannot_be_had_is_said(request_, message):
    folder = paths.BUILD / "small"
    write(folder / "manifest.json", json.dumps(MANIFEST | {"model": "small"}))
    (folder / "model.tflite").write_bytes(small_net.tflite())
    with pytest.raises(UserError, match=message):
        build.build(BOARD, "small", request_)


@pytest.mark.parametrize(
    ("board", "request_", "limit"),
    [
        ("stm32f405", board_model.ModelRequest(), 5000),
        ("stm32f405", board_model.ModelRequest(flash_bytes=9000), 9000),
        ("rp2040", board_model.ModelRequest(), 6000),
        ("stm32f405", board_model.ModelRequest(kernel_family="portable"), 7000),
    ],
)
def test_the_model_s_own_limit_of_flash_holds_for_its_kernels(board, request_, limit):
    manifest = MANIFEST | {"flash_limits": {"dsp": 5000, "portable": 7000, "v6m": 6000}}
    assert board_model.target_for(board_toml.load(board), manifest, request_).flash_bytes == limit


def test_two_cores_share_a_models_steps_and_have_two_stacks():
    pico = board_toml.load("rp2040")
    one, two = (board_model.target_for(pico, MANIFEST, board_model.ModelRequest(cores=n)) for n in (1, 2))
    assert (one.workers, two.workers) == (1, 2)
    assert one.sram_limit - two.sram_limit == STACK_BYTES
    source = paths.BUILD / "small"
    write(source / "manifest.json", json.dumps(MANIFEST | {"model": "small"}))
    made = {"kernels": [], "arena_bytes": 9}
    options = build.options(pico, source, paths.BUILD, board_model.ModelRequest(cores=2), made)
    assert options["SQUEEZE_CORES"] == "2"


def test_other_kernels_have_the_board_s_flash():
    helium = board_toml.load("mps3_an547")
    free = board_model.target_for(helium, MANIFEST, board_model.ModelRequest()).flash_bytes
    limited = MANIFEST | {"flash_limits": {"dsp": 5000}}
    assert board_model.target_for(helium, limited, board_model.ModelRequest()).flash_bytes == free > 1_000_000
