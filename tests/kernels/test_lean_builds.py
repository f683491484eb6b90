"""The engine compiles with any one kernel: a firmware leaves out those that its model does not use."""

import re
import subprocess

import pytest

from host_tools import boards

ENGINE = boards.FIRMWARE / "engine"
SHARED = ("conv_kernels.cc", "layers.cc", "model.cc")
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion")


def families():
    """Kernels by family, as engine/CMakeLists.txt lists them."""
    text = (ENGINE / "CMakeLists.txt").read_text()
    layers = re.search(r"^set\(layers (.*)\)$", text, re.M)[1].split()
    lists = dict(re.findall(r"^set\(kernels_(\w+) (.*) \$\{layers\}\)$", text, re.M))
    return {family: [*kernels.split(), *layers] for family, kernels in lists.items()}


@pytest.mark.parametrize("board", ["stm32f405", "mps3_an547"])
def test_any_one_kernel_alone(board):
    hardware = boards.load(board)
    for kernel in families()[hardware.kernels]:
        for source in SHARED:
            command = ["arm-none-eabi-g++", "-std=c++17", "-O1", *WARNINGS, *hardware.cpu_flags]
            command += ["-fno-exceptions", "-fno-rtti", f"-DSQUEEZE_KERNEL_{kernel.upper()}=1"]
            command += ["-I", boards.FIRMWARE, "-fsyntax-only", ENGINE / source]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{kernel}: {done.stderr}"


def test_the_families_are_found():
    assert {"portable", "dsp", "mve", "all"} == set(families())
    assert "winograd" in families()["dsp"]
    assert "softmax" in families()["mve"]
