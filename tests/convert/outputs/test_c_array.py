"""C arrays: compiled as C and as C++, read back, they are the bytes that went in."""

import subprocess

import pytest

from squeezenet_mcu.convert.outputs.c_array import c_array

DATA = bytes(range(256)) * 3 + b"\x00\xff\x80tail"

MAIN = """
#include <stdint.h>
#include <stdio.h>
#include "model_x.h"
#include "model_x.h"
int main(void) {
  if (((uintptr_t)g_model_x) % 16 != 0 || sizeof(g_model_x) != g_model_x_len) return 1;
  return fwrite(g_model_x, 1, g_model_x_len, stdout) == g_model_x_len ? 0 : 1;
}
"""


@pytest.mark.parametrize(
    ("array_suffix", "main_suffix"), [("c", "c"), ("cc", "cc"), ("c", "cc")], ids=["c", "c++", "c in c++"]
)
def test_array_is_the_bytes(tmp_path, array_suffix, main_suffix):
    header, source = c_array("g_model_x", DATA, "test: made here")
    (tmp_path / "model_x.h").write_text(header)
    array, main = tmp_path / f"model_x.{array_suffix}", tmp_path / f"main.{main_suffix}"
    array.write_text(source)
    main.write_text(MAIN)
    program = tmp_path / "program"
    compilers = {"c": ["gcc", "-std=c11"], "cc": ["g++", "-std=c++17"]}
    objects = []
    for file, suffix in ((array, array_suffix), (main, main_suffix)):
        out = file.with_suffix(".o")
        command = [*compilers[suffix], "-Wall", "-Wextra", "-Werror", "-c", file, "-o", out]
        subprocess.run(command, check=True, cwd=tmp_path)
        objects.append(out)
    subprocess.run(["g++", *objects, "-o", program], check=True)
    assert subprocess.run([program], check=True, capture_output=True).stdout == DATA
