"""setup.sh on machines that lack everything: what it would install, and what it says when it may not."""

import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[1] / "setup.sh"
PACKAGES = (
    "python3-venv g++ cmake ninja-build gcc-arm-none-eabi libnewlib-arm-none-eabi "
    "libstdc++-arm-none-eabi-newlib qemu-system-arm gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf "
    "qemu-system-misc openocd dfu-util"
)
LINE = f"apt-get install -y --no-install-recommends {PACKAGES}"


@pytest.fixture
def bare(tmp_path):
    """A folder for PATH with the shell's basics, and programs that only write down how they were called."""
    for name in ("bash", "dirname", "grep", "env", "cat"):
        (tmp_path / name).symlink_to(shutil.which(name))
    program(tmp_path, "dpkg-query", "exit 1")
    return tmp_path


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "bash", SETUP], env={"PATH": str(folder)}, capture_output=True, text=True, check=False
    )


def test_neither_root_nor_sudo_prints_the_exact_line(bare):
    program(bare, "id", "echo 1000")
    program(bare, "apt-get", "echo called >> " + str(bare / "log"))
    done = run(bare)
    assert done.returncode == 1
    assert done.stderr == f"setup: as root, type: apt-get update && {LINE}\n"
    assert not (bare / "log").exists()


@pytest.mark.parametrize("way", ["root", "sudo"])
def test_root_or_sudo_installs_what_is_missing(bare, way):
    log = bare / "log"
    program(bare, "id", "echo 0" if way == "root" else "echo 1000")
    program(bare, "apt-get", f'echo "{way} $*" >> {log}')
    if way == "sudo":
        program(bare, "sudo", '"$@"')
    done = run(bare)
    assert done.returncode == 1
    assert "python3.11 not found" in done.stderr  # these fake packages bring no Python
    assert log.read_text().splitlines() == [f"{way} update -qq", f"{way} {LINE.removeprefix('apt-get ')}"]


def test_without_apt_it_names_the_packages(bare):
    done = run(bare)
    assert done.returncode == 1
    assert "not a Debian or Ubuntu" in done.stderr
    assert PACKAGES in done.stderr
