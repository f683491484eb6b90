"""model_input() of model_settings.h, compiled: for all 256 values and every channel what Python feeds."""

import subprocess

import numpy as np
import pytest

from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.convert.outputs.settings_header import settings_header
from tests.manifests import manifest

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Werror"]
COMPILERS = {"c99": ["gcc", "-std=c99", "-xc"], "c++17": ["g++", "-std=c++17", "-xc++"]}
MAIN = """
#include <stdio.h>
#include "model_settings.h"
int main(void) {
  uint8_t pixel[MODEL_INPUT_CHANNELS];
  while (fread(pixel, 1, MODEL_INPUT_CHANNELS, stdin) == MODEL_INPUT_CHANNELS) {
    for (int c = 0; c < MODEL_INPUT_CHANNELS; ++c) putchar((unsigned char)model_input(pixel, c));
  }
  return 0;
}
"""
# Rule, channels, scale, zero point, the input's type.
CASES = [
    ("byte", 3, 1.0, -128, "int8"),
    ("byte", 1, 0.95, -128, "int8"),
    ("unit", 1, 0.003921568859368563, -128, "int8"),
    ("unit", 3, 0.007843137718737125, -1, "float32"),
    ("tf", 3, 0.007843137718737125, -1, "uint8"),
    ("torch", 3, 0.0187, -14, "int8"),
    ("caffe", 3, 1.0745, -14, "float32"),
    ("mean=128,std=1,order=bgr", 3, 1.0, 0, "int8"),
    ("mean=0,std=1,order=bgr", 3, 1.0, -128, "int8"),
    ("mean=10:20:30:40,std=-2:3:4:5", 4, 0.5, 3, "int8"),
]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_c_and_python_agree(tmp_path, case, compiler):
    rule, channels, scale, zero_point, edge = case
    source = {
        "height": 4, "width": 3, "channels": channels, "scale": scale, "zero_point": zero_point,
        "preprocess": rule, "edge": edge,
    }  # fmt: skip
    header = settings_header(manifest(input=source), ["AddConv2D"])
    (tmp_path / "model_settings.h").write_text(header)
    (tmp_path / "main.c").write_text(MAIN)
    command = [*COMPILERS[compiler], *STRICT, f"-I{tmp_path}", tmp_path / "main.c", "-o", tmp_path / "main"]
    subprocess.run(command, check=True)
    ramp = np.arange(256)
    channel = [ramp, 255 - ramp, ramp * 7 % 256, ramp * 5 % 256][:channels]
    pixels = np.stack(channel, -1).astype(np.uint8)
    done = subprocess.run([tmp_path / "main"], input=pixels.tobytes(), capture_output=True, check=True)
    wanted = quantize_images(pixels.reshape(1, 16, 16, channels), source)
    np.testing.assert_array_equal(np.frombuffer(done.stdout, np.int8), wanted.ravel())


def test_our_own_networks_need_no_table():
    source = manifest()["input"] | {"scale": 0.003921568859368563, "preprocess": "unit"}
    header = settings_header(manifest(input=source), [])
    assert "return (int8_t)(pixel[channel] - 128);" in header
    assert "values" not in header.split("model_input")[1].split("}")[0]
