"""setup.sh on machines that lack everything: what it would install, and what it says when it may not."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETUP = ROOT / "setup.sh"
DEBIAN = (
    "g++ cmake ninja-build gcc-arm-none-eabi libnewlib-arm-none-eabi "
    "libstdc++-arm-none-eabi-newlib qemu-system-arm gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf "
    "qemu-system-misc openocd dfu-util clang-format clang-tidy clang lld libclang-rt-dev"
)
PACKAGES = f"python3.12-venv {DEBIAN}"
LINE = f"apt-get install -y --no-install-recommends {PACKAGES}"


@pytest.fixture
def empty(tmp_path):
    """A folder for PATH with the shell's basics, and programs that only write down how they were called."""
    for name in ("bash", "dirname", "grep", "env", "cat", "mkdir", "cp", "touch", "true"):
        (tmp_path / name).symlink_to(shutil.which(name))
    program(tmp_path, "dpkg-query", "exit 1")
    (tmp_path / "checkout").mkdir()
    shutil.copy(SETUP, tmp_path / "checkout")
    shutil.copytree(ROOT / "locks", tmp_path / "checkout" / "locks")
    return tmp_path


@pytest.fixture
def bare(empty):
    """The same with a Python 3.12 as Debian has it: without ensurepip until python3.12-venv is there."""
    python(empty, "3.12", ensurepip=False)
    return empty


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


def python(folder: Path, version: str, ensurepip: bool = True) -> None:
    """A Python that makes a .venv whose programs write down how they were called."""
    program(folder, "made", f'echo "{version} $*" >> {folder}/log')
    program(
        folder,
        f"python{version}",
        f"""case "$*" in
        "-c ") ;;
        "-c import ensurepip") exit {0 if ensurepip else 1} ;;
        "-m venv .venv")
          echo "{version} venv" >> {folder}/log
          mkdir -p .venv/bin; cp {folder}/made .venv/bin/python; cp {folder}/made .venv/bin/npm ;;
        *) exit 3 ;;
        esac""",
    )


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "bash", folder / "checkout" / "setup.sh", *words],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def log(folder: Path) -> list[str]:
    path = folder / "log"
    return path.read_text().splitlines() if path.exists() else []


def test_neither_root_nor_sudo_prints_the_exact_line(bare):
    program(bare, "id", "echo 1000")
    program(bare, "apt-get", f"echo called >> {bare}/log")
    done = run(bare)
    assert done.returncode == 1
    assert done.stderr == f"setup: as root, type: apt-get update && {LINE}\n"
    assert not log(bare)


@pytest.mark.parametrize("way", ["root", "sudo"])
def test_root_or_sudo_installs_what_is_missing(bare, way):
    program(bare, "id", "echo 0" if way == "root" else "echo 1000")
    program(bare, "apt-get", f'echo "{way} $*" >> {bare}/log')
    if way == "sudo":
        program(bare, "sudo", '"$@"')
    done = run(bare)
    assert done.returncode == 0, done.stderr
    assert log(bare)[:3] == [f"{way} update -qq", f"{way} {LINE.removeprefix('apt-get ')}", "3.12 venv"]


@pytest.mark.parametrize(
    ("known", "wanted"),
    [("clang libclang-rt-dev", DEBIAN), ("clang", DEBIAN[: -len(" libclang-rt-dev")]), ("", DEBIAN)],
)
def test_of_what_the_archive_lacks_it_asks_for_nothing(bare, known, wanted):
    """Ubuntu 22.04 has no libclang-rt-dev; and a machine that has never asked its archive knows nothing."""
    program(
        bare, "apt-cache", f'for name in {known}; do if [ "$2" = "$name" ]; then exit 0; fi; done; exit 100'
    )
    done = run(bare)
    assert done.returncode == 1
    assert done.stderr.endswith(f": python3.12-venv {wanted}\n")


def test_without_apt_it_names_the_packages(bare):
    done = run(bare)
    assert done.returncode == 1
    assert "not a Debian or Ubuntu" in done.stderr
    assert PACKAGES in done.stderr


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (("3.11",), "3.11"),
        (("3.11", "3.12"), "3.12"),
        (("3.11", "3.13"), "3.13"),
        (("3.10", "3.12", "3.14"), "3.12"),
    ],
)
def test_it_takes_the_newest_python_that_the_packages_have_wheels_for(empty, there, taken):
    for version in there:
        python(empty, version)
    program(empty, "dpkg-query", "echo installed")
    assert run(empty).returncode == 0
    assert log(empty)[0] == f"{taken} venv"


def test_a_name_on_the_path_that_starts_no_python_is_passed_over(empty):
    """As the shims of version managers do."""
    program(empty, "python3.13", "exit 127")
    python(empty, "3.11")
    program(empty, "dpkg-query", "echo installed")
    assert run(empty).returncode == 0
    assert log(empty)[0] == "3.11 venv"


def test_without_a_python_it_says_so_before_it_installs_anything(empty):
    program(empty, "id", "echo 0")
    program(empty, "apt-get", f"echo called >> {empty}/log")
    program(empty, "python3", "echo Python 3.9.2")
    python(empty, "3.9")
    done = run(empty)
    assert done.returncode == 1
    assert done.stderr == (
        "setup: no Python 3.13, 3.12 or 3.11 found (python3 is Python 3.9.2); install one, then run again\n"
    )
    assert not log(empty)


@pytest.mark.parametrize("there", [False, True])
def test_pip_takes_only_files_with_the_hashes_of_the_locks(empty, there):
    python(empty, "3.12")
    program(empty, "dpkg-query", "echo installed")
    program(empty, "uname", "echo Linux x86_64")
    program(empty, "ls", f"exit {0 if there else 2}")
    assert run(empty).returncode == 0
    pip = "3.12 -m pip --disable-pip-version-check"
    hashed = "--quiet --require-hashes --only-binary :all: --requirement"
    source = hashed.replace("--only-binary", "--no-binary")
    downloads = [
        f"{pip} download --no-deps --dest .venv/wheels {hashed} locks/tflm.txt",
        f"{pip} download --no-deps --no-build-isolation --dest .venv/sources {source} locks/monocypher.txt",
    ]
    assert log(empty)[1:] == [
        f"{pip} install {hashed} locks/full.txt",
        f"{pip} install --quiet --no-deps --no-build-isolation --editable .",
        "3.12 ci --loglevel=error --prefix firmware_cpp/boards/rp2040/emulator",
        *([] if there else downloads),
    ]


CHROMIUM = "apt-get install -y --no-install-recommends chromium"


@pytest.fixture
def ready(empty):
    """A machine that is set up but for what tests need; it has a browser once there is a file `browser`."""
    venv = empty / "checkout" / ".venv"
    program(venv, "bin/python", f'[ "$*" = tools/browser/chromium.py ] && [ -e {empty}/browser ]')
    program(venv, "bin/npm", f'echo "npm $*" >> {empty}/log')
    (venv / ".ready").touch()
    python(empty, "3.12")
    program(empty, "id", "echo 0")
    program(empty, "apt-get", f'echo "$*" >> {empty}/log; [ "$1" = update ] || touch {empty}/browser')
    return empty


AXE = "npm ci --loglevel=error --prefix tests/browser"


def archive(folder: Path, *fields: str, known_after_update: bool = False) -> None:
    """An apt-cache that knows of chromium what `fields` say."""
    asked = f"grep -qs update {folder}/log || exit 100" if known_after_update else ""
    lines = "\n".join(f"echo '{field}'" for field in ("Package: chromium", *fields))
    program(folder, "apt-cache", f'[ "$2" = chromium ] || exit 0\n{asked}\n{lines}')


def stamped(folder: Path) -> bool:
    return (folder / "checkout" / ".venv" / ".ready-tests").exists()


@pytest.mark.parametrize("known_after_update", [False, True])
def test_for_tests_it_installs_a_browser(ready, known_after_update):
    archive(ready, "Depends: libc6, chromium-common", known_after_update=known_after_update)
    done = run(ready, "--tests")
    assert (done.returncode, done.stderr) == (0, "") and "skipped" not in done.stdout
    assert log(ready) == ["update -qq"] * (1 + known_after_update) + [CHROMIUM[len("apt-get ") :], AXE]
    assert stamped(ready)


def test_a_browser_that_is_there_is_left_alone(ready):
    archive(ready)
    (ready / "browser").touch()
    assert run(ready, "--tests").returncode == 0
    assert log(ready) == [AXE] and stamped(ready)


@pytest.mark.parametrize("fields", [("Version: 2:1snap1",), ("Pre-Depends: debconf, snapd (>= 2)",), None])
def test_without_a_real_package_the_browsers_tests_are_skipped(ready, fields):
    """On Ubuntu, and where there is no apt: one line, and on it goes."""
    if fields:
        archive(ready, *fields)
    done = run(ready, "--tests")
    assert (done.returncode, done.stderr) == (0, "")
    (said,) = [line for line in done.stdout.splitlines() if "Chromium" in line]
    assert "tests in a browser will be skipped" in said
    assert log(ready) == [AXE] and stamped(ready)


def test_the_line_for_root_that_installs_a_browser(ready):
    archive(ready, "Depends: libc6")
    program(ready, "id", "echo 1000")
    done = run(ready, "--tests")
    assert done.returncode == 1
    assert done.stderr == f"setup: as root, type: apt-get update && {CHROMIUM}\n"
    assert not log(ready) and not stamped(ready)


def test_for_tests_it_first_sets_up_all_else(empty):
    python(empty, "3.12")
    program(empty, "dpkg-query", "echo installed")
    done = run(empty, "--tests")
    assert done.returncode == 0, done.stderr
    assert log(empty)[0] == "3.12 venv"
    assert log(empty)[-1] == "3.12 ci --loglevel=error --prefix tests/browser"


def test_the_packages_alone(empty):
    """For `make licences`: with a command for those whose programs may come from elsewhere."""
    python(empty, "3.12")
    done = run(empty, "--packages")
    *lines, only_for_tests = done.stdout.splitlines()
    assert only_for_tests == "chromium chromium tests"
    assert [line.split()[0] for line in lines] == PACKAGES.split()
    assert {"python3.12-venv python3.12", "g++ g++", "ninja-build ninja", "gcc-arm-none-eabi "} <= set(lines)
    assert not log(empty)


def test_make_sets_up_again_when_what_is_installed_has_changed(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    emulator = "firmware_cpp/boards/rp2040/emulator/package-lock.json"
    said = [
        "pyproject.toml",
        "setup.sh",
        "locks/full.txt",
        "locks/tflm.txt",
        "locks/monocypher.txt",
        emulator,
    ]
    program(tmp_path, "setup.sh", "echo again; touch .venv/.ready")
    for name in [*said, ".venv/.ready"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000, 1000))

    def make() -> str:
        # Under another make, this one would say which folder it is in: its name has "again" in it.
        command = ["make", "--no-print-directory", "setup"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    assert "again" not in make()
    for name in said:
        os.utime(tmp_path / ".venv/.ready", (1000, 1000))
        (tmp_path / name).touch()
        assert "again" in make(), name
        os.utime(tmp_path / name, (1000, 1000))


def test_only_tests_and_pictures_ask_for_a_browser():
    """`make setup` and what users type install no browser of 350 MB."""
    verbs = re.search(r"^VERBS := (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split()
    asking = set()
    for verb in verbs:
        # As if setup.sh had changed; with -n nothing is done.
        more = ["MODEL=digits"] if verb == "zoo" else []
        command = ["make", "-n", "-W", "setup.sh", "--no-print-directory", verb, *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        said = done.stdout.splitlines()
        assert "./setup.sh" in said or verb in ("help", "clean"), verb
        if "./setup.sh --tests" in said:
            asking.add(verb)
    assert asking == {"test", "test-long", "pictures"}
