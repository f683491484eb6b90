"""The locks name what pyproject.toml names, at the same versions, and what a file's SHA-256 has to be."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "locks"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
# What each lock has to hold.
WANTED = {
    "full": ("full", "flash", "heic", "dev"),
    "host": ("host",),
}
FILES = ("tflm", "monocypher")  # of packages that are not installed
SYSTEMS = [
    {"python_version": python, "python_full_version": f"{python}.0", "platform_machine": machine, **system}
    for python in ("3.11", "3.12", "3.13")
    for machine in ("x86_64", "aarch64")
    for system in (
        {"sys_platform": "linux", "platform_system": "Linux"},
        {"sys_platform": "darwin", "platform_system": "Darwin"},
        {"sys_platform": "win32", "platform_system": "Windows"},
    )
]


def pinned(name: str) -> list[Requirement]:
    """The requirements of pyproject.toml that the lock is made from."""
    if name in FILES:
        lines = PROJECT["dependency-groups"][name]
    else:
        lines = PROJECT["build-system"]["requires"] + PROJECT["project"]["dependencies"]
        lines = lines + [line for extra in WANTED[name] for line in EXTRAS[extra]]
    return [Requirement(line) for line in lines]


def where(requirement: Requirement) -> list[bool]:
    """For each system, whether the requirement is for it."""
    return [requirement.marker is None or requirement.marker.evaluate(system) for system in SYSTEMS]


def test_every_extra_is_in_a_lock():
    assert {extra for extras in WANTED.values() for extra in extras} == set(EXTRAS)
    assert {path.stem for path in LOCKS.glob("*.txt")} == {*WANTED, *FILES, "constraints"}


@pytest.mark.parametrize("name", [*WANTED, *FILES])
def test_a_lock_has_the_versions_of_pyproject(tool, name):
    lines = tool("locked").read(LOCKS / f"{name}.txt")
    for wanted in pinned(name):
        found = [line for line in lines if line.name == canonicalize_name(wanted.name)]
        assert found, f"{wanted.name} is not in the lock; run: python tools/supply/lock.py"
        assert {f"=={line.version}" for line in found} == {str(wanted.specifier)}, wanted.name
        # The lock's markers may let a package in elsewhere too, where another package needs it.
        for system, *there in zip(
            SYSTEMS, *map(where, [wanted, *(f.requirement for f in found)]), strict=True
        ):
            assert not there[0] or any(there[1:]), f"{wanted.name} is missing on {system}"


@pytest.mark.parametrize("name", [*WANTED, *FILES])
def test_every_line_of_a_lock_has_hashes(tool, name):
    for line in tool("locked").read(LOCKS / f"{name}.txt"):
        assert line.version  # one, not a range
        assert line.hashes, f"{line.name} has no hash"
        assert len(set(line.hashes)) == len(line.hashes)
        assert line.requirement.url is None


def test_no_system_gets_two_versions_of_a_package(tool):
    for name in WANTED:
        lines = tool("locked").read(LOCKS / f"{name}.txt")
        for package in {line.name for line in lines}:
            rows = [where(line.requirement) for line in lines if line.name == package]
            assert all(sum(row) <= 1 for row in zip(*rows, strict=True)), package


def test_the_locks_agree(tool):
    """A light host checks with the very packages that the full environment converted with."""
    read = tool("locked").read
    full = {(line.name, line.version): line.hashes for line in read(LOCKS / "full.txt")}
    for line in read(LOCKS / "host.txt"):
        assert full[line.name, line.version] == line.hashes


def test_a_lock_names_no_place():
    """Packages come from the index that pip is set up for: the hashes hold for mirrors too."""
    for path in LOCKS.glob("*.txt"):
        assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", path.read_text()), path


@pytest.mark.parametrize(
    "line", ["rich==15.0.0 --hash=md5:0123", "rich==15.0.0 --index-url=x", "rich @ file.whl --hash=sha256:12"]
)
def test_other_lines_are_refused(tool, tmp_path, line):
    (tmp_path / "lock.txt").write_text(line + "\n")
    with pytest.raises(ValueError, match="want nothing but SHA-256"):
        tool("locked").read(tmp_path / "lock.txt")


@pytest.mark.long
@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_pip_finds_a_wheel_of_every_line(tool, tmp_path, name, python):
    """That is for this Python: uv does not look at the newest Python that a package is for.

    pip compares the running Python, too, so lines that are not for that one are left out.
    """
    lines = tool("locked").read(LOCKS / f"{name}.txt")
    both = ({}, {"python_version": python, "python_full_version": f"{python}.0"})
    here = [
        line
        for line in lines
        if line.requirement.marker is None or all(map(line.requirement.marker.evaluate, both))
    ]
    assert here
    pins = tmp_path / "pins.txt"
    pins.write_text("".join(f"{line.name}=={line.version}\n" for line in here))
    done = subprocess.run(
        [*(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps"),
         *("--only-binary", ":all:", "--target", tmp_path / "x", "--python-version", python, "-r", pins)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
