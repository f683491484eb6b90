"""`make licences`: what packages state, from stand-ins; and that something missing is one line."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from squeezenet_mcu.common.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
EMULATOR = Path("firmware_cpp/boards/rp2040/emulator")
HASH = f"--hash=sha256:{'0' * 64}"


@pytest.fixture
def licences(tool):
    return tool("licences")


def package(folder: Path, name: str, version: str, *fields: str) -> metadata.Distribution:
    """An installed Python package, with the text of its licence."""
    info = folder / f"{name}-{version}.dist-info"
    (info / "licenses").mkdir(parents=True)
    (info / "licenses" / "LICENSE").write_text("all of it")
    (info / "RECORD").write_text(f"{info.name}/licenses/LICENSE,,\n")
    (info / "METADATA").write_text(
        "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *fields])
    )
    return metadata.PathDistribution(info)


@pytest.fixture
def checkout(tmp_path):
    """A folder with locks and an emulator, one package each."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "full.txt").write_text(
        f"one==1.0 \\\n    {HASH}\nabroad==1.0 ; sys_platform == 'nowhere' \\\n    {HASH}\n"
    )
    (tmp_path / "locks" / "tflm.txt").write_text(f"the-wheel==1.4 \\\n    {HASH}\n")
    folder = tmp_path / EMULATOR / "node_modules" / "pico"
    folder.mkdir(parents=True)
    lock = {"packages": {"": {}, "node_modules/pico": {"version": "2.0"}}}
    (tmp_path / EMULATOR / "package-lock.json").write_text(json.dumps(lock))
    (folder / "package.json").write_text(json.dumps({"version": "2.0", "license": "MIT"}))
    (folder / "LICENSE").write_text("all of it")
    return tmp_path


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        (["License-Expression: MIT OR 0BSD", "License: other"], ["MIT OR 0BSD"]),
        (
            ["License: BSD", "Classifier: License :: OSI Approved :: BSD License", "Classifier: Topic :: X"],
            ["BSD License"],
        ),
        (["License: Apache 2.0"], ["Apache 2.0"]),
        (["License: Copyright somebody", "        Permission is granted"], []),
        ([], []),
    ],
)
def test_what_a_python_package_states(licences, tmp_path, fields, wanted):
    assert licences.stated(package(tmp_path, "one", "1.0", *fields).metadata) == wanted


def test_python_packages_of_the_lock_and_others(licences, checkout):
    one = package(checkout, "One", "1.0", "License-Expression: MIT", "License-File: LICENSE")
    other = package(checkout, "other", "3", "License: BSD")
    rows = licences.python_packages(checkout, [other, one])
    assert rows == [
        licences.Row("Python", "One", "1.0", ["MIT"], "One-1.0.dist-info/licenses/LICENSE"),
        licences.Row("Python", "other", "3", ["BSD"]),
    ]


def test_a_python_package_that_is_missing_or_another_version(licences, checkout):
    with pytest.raises(UserError, match=r"^one: not installed; want 1.0 of locks/full.txt; run: ./setup.sh$"):
        licences.python_packages(checkout, [])
    with pytest.raises(UserError, match=r"^one: 1.1; want 1.0 of locks/full.txt; run: ./setup.sh$"):
        licences.python_packages(checkout, [package(checkout, "one", "1.1")])


def test_the_wheel_that_is_not_installed(licences, checkout):
    with pytest.raises(UserError, match=r"holds no the_wheel-1.4-\*.whl; run: ./setup.sh$"):
        licences.tflm_wheel(checkout, checkout)
    with zipfile.ZipFile(checkout / "the_wheel-1.4-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            "the_wheel-1.4.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: the_wheel\nVersion: 1.4\nLicense: Own\n",
        )
    assert licences.tflm_wheel(checkout, checkout) == [licences.Row("Python", "the_wheel", "1.4", ["Own"])]


def test_the_source_package_that_is_not_installed(licences, checkout):
    (checkout / "locks" / "monocypher.txt").write_text("pymono==4.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(UserError, match=r"pymono-4.0.tar.gz: missing; run: ./setup.sh$"):
        licences.monocypher(checkout, checkout)
    told = b"Metadata-Version: 2.1\nName: pymono\nVersion: 4.0\nLicense: CC0\n"
    with tarfile.open(checkout / "pymono-4.0.tar.gz", "w:gz") as package:
        member = tarfile.TarInfo("pymono-4.0/PKG-INFO")
        member.size = len(told)
        package.addfile(member, io.BytesIO(told))
    wanted = licences.Row("Python", "pymono", "4.0", ["CC0"], "pymono-4.0.tar.gz: pymono-4.0/LICENSE.txt")
    assert licences.monocypher(checkout, checkout) == [wanted]


def test_npm_packages(licences, checkout):
    folder = EMULATOR / "node_modules" / "pico"
    wanted = licences.Row("npm", "pico", "2.0", ["MIT"], f"{folder}/LICENSE")
    assert licences.npm_packages(checkout, EMULATOR) == [wanted]
    (checkout / folder / "package.json").write_text(json.dumps({"version": "2.1"}))
    with pytest.raises(UserError, match=r'version "2.1"; want 2.0 of package-lock.json; run: ./setup.sh$'):
        licences.npm_packages(checkout, EMULATOR)
    shutil.rmtree(checkout / folder)
    with pytest.raises(UserError, match=r"pico: not installed; run: ./setup.sh$"):
        licences.npm_packages(checkout, EMULATOR)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Format: x\n\nLicense: GPL-3+\n text\n\nLicense: Expat\nLicense:\n text", ["Expat", "GPL-3+"]),
        ("/usr/share/common-licenses/LGPL-2.1, /usr/share/common-licenses/GPL-2.\n", ["GPL-2", "LGPL-2.1"]),
        ("License: Permission is hereby granted to all\n", []),
    ],
)  # fmt: skip
def test_what_a_debian_copyright_file_names(licences, text, wanted):
    assert licences.named(text) == wanted


def programs(folder: Path, monkeypatch, packages: str, installed: str) -> None:
    """A setup.sh that names `packages`, and a dpkg-query that knows only `installed`."""
    for name, body in {
        "setup.sh": f"printf '{packages}'",
        "dpkg-query": f'[ "$4" = {installed} ] && echo -n "installed 1:2-3"',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_debian_packages_and_the_same_programs_from_elsewhere(licences, tmp_path, monkeypatch):
    programs(tmp_path, monkeypatch, "tool tool\\nshell sh\\n", "tool")
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "copyright").write_text("/usr/share/common-licenses/GPL-2")
    assert licences.debian_packages(tmp_path, tmp_path) == [
        licences.Row("Debian", "tool", "1:2-3", ["GPL-2"], str(tmp_path / "tool" / "copyright")),
        licences.Row("elsewhere", shutil.which("sh"), "", []),
    ]


def test_what_only_tests_need_may_be_missing(licences, checkout, monkeypatch):
    """No browser is installed by `make setup`; but what is there has to be what the lock says."""
    programs(checkout, monkeypatch, "browser nowhere tests\\nshell sh tests\\n", "tool")
    assert [row.source for row in licences.debian_packages(checkout, checkout)] == ["elsewhere"]
    folder = checkout / "tests/browser"
    shutil.copytree(checkout / EMULATOR, folder)
    shutil.rmtree(folder / "node_modules" / "pico")
    with pytest.raises(UserError, match=r"pico: not installed; run: ./setup.sh --tests$"):
        licences.npm_packages(checkout, licences.FOR_TESTS, licences.FIX_TESTS)


def test_a_debian_package_that_is_missing(licences, tmp_path, monkeypatch):
    programs(tmp_path, monkeypatch, "headers \\n", "tool")
    with pytest.raises(UserError, match=r"^headers: Debian's package is not installed; run: ./setup.sh$"):
        licences.debian_packages(tmp_path, tmp_path)


def test_the_table_cannot_be_steered_and_tells_what_is_silent(licences, capsys):
    rows = [
        licences.Row("Python", "a[/b]\x1b[31m", "1", []),
        licences.Row("npm", "x", "2", list("ABCDEFGH"), "f"),
    ]
    licences.show(licences.Console(width=100), rows)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "a[/b]?[31m" in shown
    assert "A; B; C; D; E; F; 2 more" in shown
    assert "1 state no licence by name: a[/b]?[31m" in shown


def call(*words: str | Path) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "tools/supply/licences.py", *words]
    wide = {**os.environ, "COLUMNS": "300"}
    return subprocess.run(command, capture_output=True, text=True, env=wide, check=False)


def test_help_has_examples():
    assert "make licences JSON=licences.json" in call("--help").stdout


def test_all_that_is_installed_here(tmp_path):
    done = call("--json", tmp_path / "licences.json")
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "licences.json").read_text())
    assert {row["source"] for row in rows} >= {"Python", "npm"}
    of = {row["name"]: row["licences"] for row in rows}
    assert of["squeezenet-mcu"] == ["Apache-2.0"]
    assert of["rp2040js"] == ["MIT"]
    if (ROOT / "tests/browser/node_modules").is_dir():
        assert of["axe-core"] == ["MPL-2.0"]
    for row in rows:
        assert row["name"] in done.stdout
