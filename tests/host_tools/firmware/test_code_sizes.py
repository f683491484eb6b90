"""The table of sizes against firmware that is built: to the byte on Arm, within a few bytes on RISC-V."""

import json
import random
import shutil

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.bench import measure
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build, code_sizes, code_table

RANDOM_SETS = 3  # of kernels, for each board and family
# Of model, arena and row of the input: odd ones, which alignment rounds up.
PARTS = {"model_bytes": 5432, "arena_bytes": 3004, "row_bytes": 85}


def built(board, kernels, family, folder, parts):
    """What the linker says of such a firmware: engine's code, other flash, SRAM beside the arena."""
    made = code_table.stand_in(folder / "model", **parts)
    apart = bool(board.total("arena")) and parts["arena_bytes"] > 100_000
    options = {
        "MODEL_DIR": str(made),
        "SQUEEZE_FAMILY": family,
        "SQUEEZE_KERNELS": ";".join(kernels),
        "ARENA_APART": "ON" if apart else "OFF",
    }
    elf = build.compile_target(board, folder, "firmware", options)
    used = build.usage(elf)
    code = measure.code_bytes_of(elf, code_table.ENGINE)
    sram = used.sram_used - parts["arena_bytes"]
    return (code, used.flash_used - code - parts["model_bytes"], sram), apart


def compare(name, kernels, family, folder, parts=PARTS):
    board = board_toml.load(name)
    (code, other, sram), apart = built(board, kernels, family, folder, parts)
    told = code_sizes.of(board, kernels, family, arena_apart=apart, **parts)
    within = 0 if told.exact else code_sizes.INEXACT_BYTES
    assert told.exact == (board.architecture != "riscv")
    assert told.sram == sram, f"{name} {family} {kernels}"
    assert abs(told.engine_code - code) <= within, f"{name} {family} {kernels}"
    assert abs(told.engine_code + told.other_flash - code - other) <= within, f"{name} {family} {kernels}"


@pytest.mark.parametrize(
    ("name", "family", "kernels"),
    [
        ("rp2040", "portable", ["reference", "max_pool", "mean", "softmax", "huffman"]),
        ("stm32f405", "dsp", ["gemm", "sparse_list", "max_pool", "average_pool", "pad"]),
    ],
)
def test_what_is_built_has_these_sizes(name, family, kernels, tmp_path):
    compare(name, kernels, family, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", board_toml.names())
def test_any_set_of_kernels_on_any_board(name, tmp_path):
    draw = random.Random(name)
    for family in code_table.families_of(board_toml.load(name)):
        kernels = code_table.kernels_of(family)
        convolutions = [kernel for kernel in kernels if kernel in code_table.CONVOLUTIONS]
        others = [kernel for kernel in kernels if kernel not in convolutions]
        for _ in range(RANDOM_SETS):
            chosen = draw.sample(convolutions, draw.randint(1, len(convolutions)))
            chosen += draw.sample(others, draw.randint(0, len(others)))
            parts = {
                "model_bytes": draw.randint(1, 60_000),
                "arena_bytes": draw.choice([draw.randint(1, 20_000), 110_000]),
                "row_bytes": draw.randint(1, 700),
            }
            if board_toml.load(name).total("data") + board_toml.load(name).total("arena") < 150_000:
                parts["arena_bytes"] %= 100_000
            compare(name, chosen, family, tmp_path, parts)


def test_the_table_has_every_board_and_what_its_cpu_runs():
    table = json.loads(code_sizes.TABLE.read_text())
    assert sorted(table["boards"]) == board_toml.names()
    for name in board_toml.names():
        board = board_toml.load(name)
        cpu = table["cpus"][" ".join(board.cpu_flags)]
        wanted = {f"{family}{end}" for family in code_table.families_of(board) for end in ("", " huffman")}
        assert set(cpu["engines"]) == wanted
        for family in code_table.families_of(board):
            kernels = [kernel for kernel in code_table.kernels_of(family) if kernel != "huffman"]
            assert cpu["engines"][family]["kernels"].split() == kernels


def test_more_kernels_take_more_and_none_is_counted_twice():
    board = board_toml.load("stm32f405")

    def code(*kernels):
        return code_sizes.of(board, kernels, "dsp", **PARTS).engine_code

    both, one, other, none = code("gemm", "lanes"), code("gemm"), code("lanes"), code()
    assert max(one, other) < both < one + other - none
    assert code("gemm", "mean") > code("gemm")


def test_a_board_of_ones_own_has_the_sizes_of_its_cpu(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(board_toml.load("stm32f405").folder, folder)
    board = board_toml.load(f"{folder}/")
    told = code_sizes.of(board, ["gemm"], "dsp", **PARTS)
    shipped = code_sizes.of(board_toml.load("stm32f405"), ["gemm"], "dsp", **PARTS)
    assert (told.engine_code, told.exact, shipped.exact) == (shipped.engine_code, False, True)


def test_mistakes(tmp_path):
    board = board_toml.load("rp2040")
    with pytest.raises(UserError, match=r"rp2040: its Cortex-M0\+ runs no dsp kernels"):
        code_sizes.of(board, ["gemm"], "dsp", **PARTS)
    with pytest.raises(UserError, match="no kernel gemm of this family; want reference, pixel_pairs, add"):
        code_sizes.of(board, ["gemm"], "portable", **PARTS)
    folder = tmp_path / "mine"
    shutil.copytree(board.folder, folder)
    text = (folder / "board.toml").read_text().replace("cortex-m0plus", "cortex-m3")
    (folder / "board.toml").write_text(text)
    with pytest.raises(
        UserError, match=r"mine: code_sizes.json has no sizes for -mcpu=cortex-m3 -mthumb; run: "
    ):
        code_sizes.of(board_toml.load(f"{folder}/"), ["reference"], "portable", **PARTS)


def test_another_compiler_is_said(tmp_path, monkeypatch):
    board = board_toml.load("rp2040")
    program = tmp_path / "arm-none-eabi-g++"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_sizes.note(board) == ""  # none here
    for version, note in (
        ("12.2.1", ""),
        ("13.2.1", "sizes of GCC 12.2.1; yours is 13.2.1, and makes other code"),
    ):
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
        assert code_sizes.note(board) == note


def test_an_arena_that_lies_apart_leaves_its_memory_to_the_variables():
    board = board_toml.load("nucleo_h743zi")
    together, apart = (
        code_sizes.of(board, ["gemm"], "dsp", 1000, 120_001, 681, arena_apart=apart).sram
        for apart in (False, True)
    )
    assert 0 < together - apart < 16  # what the alignment of the arena and of what follows it takes
