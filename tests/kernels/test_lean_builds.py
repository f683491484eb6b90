"""The engine compiles with any one kernel: a firmware leaves out those that its model does not use."""

import re
import subprocess

import pytest

from squeezenet_mcu.host_tools.boards import board_toml

ENGINE = board_toml.FIRMWARE / "engine"
SHARED = ("conv_kernels.cc", "layer_steps.cc", "layers.cc", "model.cc")
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion")


def families():
    """Kernels by family, as engine/CMakeLists.txt finds them."""
    text = (ENGINE / "CMakeLists.txt").read_text()
    layers = [path.name.removesuffix("_row.cc") for path in ENGINE.glob("portable/*_row.cc")] + ["huffman"]
    lists = dict(re.findall(r"^set\(kernels_(\w+) (.*) \$\{layers\}\)$", text, re.M))
    return {family: [*kernels.split(), *layers] for family, kernels in lists.items()}


@pytest.mark.parametrize("board", ["stm32f405", "mps3_an547", "rp2040"])
def test_any_one_kernel_alone(board):
    hardware = board_toml.load(board)
    for kernel in families()[hardware.kernel_family]:
        for source in SHARED:
            command = ["arm-none-eabi-g++", "-std=c++17", "-O1", *WARNINGS, *hardware.cpu_flags]
            command += ["-fno-exceptions", "-fno-rtti", f"-DSQUEEZE_KERNEL_{kernel.upper()}=1"]
            command += ["-I", board_toml.FIRMWARE, "-fsyntax-only", ENGINE / source]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{kernel}: {done.stderr}"


def test_the_families_are_found():
    assert {"portable", "v6m", "dsp", "mve", "all"} == set(families())
    assert "winograd" in families()["dsp"]
    assert "softmax" in families()["mve"]


@pytest.mark.parametrize(
    "source", sorted(path.name for path in ENGINE.glob("dsp/*.cc") if "adr" in path.read_text())
)
def test_address_of_a_label_needs_an_aligned_function(source, tmp_path):
    """ADR counts from Align(PC, 4) (ARMv7-M ARM, A7.7.7), and -Os aligns functions by 2 only."""
    built = tmp_path / "object.o"
    command = ["arm-none-eabi-g++", "-std=c++17", "-Os", "-mcpu=cortex-m4", "-mthumb", "-ffunction-sections"]
    subprocess.run(
        [*command, "-I", board_toml.FIRMWARE, "-c", ENGINE / "dsp" / source, "-o", built], check=True
    )
    code = subprocess.run(
        ["arm-none-eabi-objdump", "-hd", built], capture_output=True, text=True, check=True
    ).stdout
    alignments = dict(re.findall(r"^ +\d+ (\.text\.\S+) .* 2\*\*(\d)$", code, re.M))
    sections = re.split(r"^Disassembly of section (\S+):$", code, flags=re.M)[1:]
    using = [name for name, text in zip(sections[::2], sections[1::2], strict=True)
             if re.search(r"\baddw?\t\w+, pc, #|\badr", text)]  # fmt: skip
    assert using
    for name in using:
        assert int(alignments[name]) >= 2, f"{name}: aligned by {2 ** int(alignments[name])}"
