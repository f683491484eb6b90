"""A light machine beside the board validates without the packages of the converter."""

import subprocess
import sys

BLOCKED = ("tensorflow", "tf_keras", "ai_edge_litert", "flatbuffers", "tflite_micro")
PROGRAM = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Blocker())
import runpy
sys.argv = ["host_tools", *sys.argv[1:]]
runpy.run_module("host_tools", run_name="__main__")
"""


def test_the_commands_load_without_the_converter():
    for words in (
        ["--help"],
        *([name, "--help"] for name in ("validate", "bench", "flash", "firmware", "sizes")),
    ):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "usage: python -m host_tools" in done.stdout


def test_the_blocker_blocks():
    program = PROGRAM.replace("import runpy", "import ai_edge_litert")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "blocked: ai_edge_litert" in done.stderr
