"""The wheel: our code under one name, all that commands read at run time, nothing left in the checkout."""

import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import board_model

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = ("common", "convert", "host_tools", "model")
PYTHONS = ("3.11", "3.12", "3.13")
NODE = Path("firmware_cpp/boards/rp2040/emulator/node_modules/rp2040js/index.js")


def in_git(*folders: str) -> list[str]:
    """The files that git has, or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    # Nothing of the tests' own environment may help.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=900
    )


def copy_of_checkout(folder: Path) -> Path:
    for name in in_git():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_every_folder_of_ours_is_packed():
    folders = {Path(name).parent for name in in_git(*ROOMS) if name.endswith("/__init__.py")}
    wanted = {"squeezenet_mcu." + ".".join(folder.parts) for folder in folders}
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert set(listed) == wanted | {"squeezenet_mcu.firmware_cpp"}
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("line", [console.main, console.model, console.host_tools])
def test_every_command_line_tells_the_version(capsys, line):
    with pytest.raises(SystemExit) as end:
        line(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"squeezenet-mcu {PROJECT['project']['version']}\n"


def test_convert_tells_the_version():
    done = run(sys.executable, "-m", "convert", "--version", cwd=ROOT)
    assert done.stdout == f"squeezenet-mcu {PROJECT['project']['version']}\n", done.stderr


@pytest.mark.long
def test_the_wheel_holds_our_files_under_one_name_and_leaves_nothing_behind(tmp_path):
    checkout = copy_of_checkout(tmp_path / "checkout")
    (checkout / NODE).parent.mkdir(parents=True)
    (checkout / NODE).write_text("// installed by npm, not ours to pass on\n")
    stale = checkout / "build" / "lib" / "squeezenet_mcu" / "common" / "long_gone.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    before = {path for path in checkout.rglob("*") if "__pycache__" not in path.parts}
    done = run(
        *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path / "out", checkout),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert {path for path in checkout.rglob("*") if "__pycache__" not in path.parts} == before

    (wheel,) = (tmp_path / "out").glob("*.whl")
    version = PROJECT["project"]["version"]
    assert wheel.name == f"squeezenet_mcu-{version}-py3-none-any.whl"
    assert wheel.stat().st_size < 5_000_000
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names} == {
        "squeezenet_mcu",
        f"squeezenet_mcu-{version}.dist-info",
    }
    ours = {name.removeprefix("squeezenet_mcu/") for name in names if name.startswith("squeezenet_mcu/")}
    hidden = {name for name in in_git() if "/." in name}
    assert ours == set(in_git(*ROOMS, "firmware_cpp")) - hidden


@pytest.mark.long
@pytest.mark.parametrize("extra", ["full", "host", "dev", "flash"])
@pytest.mark.parametrize("python", PYTHONS)
def test_every_python_has_wheels_of_all_pinned_packages(tmp_path, python, extra):
    """Of those with a marker only where it holds here: on Linux on x86-64, of all."""
    pinned = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"][extra]
    done = run(
        *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--target", tmp_path / "x"),
        *("--only-binary", ":all:", "--python-version", python, *pinned),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_a_light_host_validates_from_an_empty_folder(tmp_path):
    """`pip install <checkout>[host]` in a fresh environment, two files of a model, an emulator's URL."""
    for command in ("convert", "host_tools"):
        words = ["-m", command, *(["firmware", "--board", "stm32f405"] if command == "host_tools" else [])]
        done = run(sys.executable, *words, "--model", "digits", cwd=ROOT)
        assert done.returncode == 0, done.stderr
    built = ROOT / "build" / "digits"
    place = tmp_path / "empty"
    (place / "build" / "digits").mkdir(parents=True)
    for name in ("manifest.json", "model.tflite"):
        shutil.copy(built / name, place / "build" / "digits")

    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    checkout = copy_of_checkout(tmp_path / "checkout")
    done = run(programs / "python", "-m", "pip", "install", "--quiet", f"{checkout}[host]", cwd=place)
    assert done.returncode == 0, done.stderr
    packages = run(programs / "python", "-m", "pip", "list", cwd=place).stdout.lower()
    assert "tensorflow" not in packages
    elf = board_model.folder_for(built, "stm32f405", "squeeze") / "firmware.elf"
    with emulator.running("stm32f405", elf) as url:
        done = run(programs / "squeezenet-mcu", "validate", "--port", url, "--limit", "20", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "validate: exact, all 400 int8 values are equal" in done.stdout
    for verb in ("flash", "selftest"):
        done = run(programs / "squeezenet-mcu", verb, "--help", cwd=place)
        assert done.returncode == 0, done.stderr
    done = run(programs / "squeezenet-mcu", "info", cwd=place)
    assert done.returncode == 1
    assert done.stderr == (
        "squeezenet-mcu info: error: needs the Python package tensorflow, which is not installed; "
        f"run: pip install '{checkout}[full]'\n"
    )
