"""Lists the licences of all that setup.sh installs: packages of Python, of npm and of Debian.

    .venv/bin/python tools/supply/licences.py [--json FILE]

A licence is what the package itself states in its metadata. Of Debian's, it is every name in the copyright
file, which says what each is for. Debian packages are those that setup.sh names; the copyright files of the
packages that these need lie beside theirs, in /usr/share/doc.
"""

import argparse
import email
import json
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import locked
from packaging.utils import canonicalize_name
from rich.table import Table

from squeezenet_mcu.common import cli, files, start
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console, shown

ROOT = Path(__file__).resolve().parents[2]
EMULATOR = Path("firmware_cpp/boards/rp2040/emulator")
FOR_TESTS = Path("tests/browser")
FIX = "run: ./setup.sh"
FIX_TESTS = "run: ./setup.sh --tests"
SHOWN = 6  # names of licences in a line of the table


@dataclass(frozen=True)
class Row:
    """A package and its licences by name; `file` has the text, where the package names or brings one."""

    source: str
    name: str
    version: str
    licences: list[str]
    file: str = ""


def stated(package: metadata.PackageMetadata) -> list[str]:
    """The licences that a Python package's metadata names: by its newest field, else the older ones."""
    expression = package.get("License-Expression", "")
    if expression:
        return [expression]
    classifiers = package.get_all("Classifier") or []
    kinds = [kind.rpartition(" :: ")[2] for kind in classifiers if kind.startswith("License :: ")]
    field = package.get("License", "").strip()
    return kinds or ([field] if field and "\n" not in field else [])  # several lines are the text, not a name


def _text_of(package: metadata.Distribution) -> str:
    """Where the text of the licence lies, from the folder of packages on, if the package brings it."""
    for name in package.metadata.get_all("License-File") or []:
        for path in package.files or []:
            if ".dist-info" in path.parts[0] and path.as_posix().endswith(f"/{name}"):
                return path.as_posix()
    return ""


def _row(package: metadata.Distribution) -> Row:
    return Row("Python", package.name, package.version, stated(package.metadata), _text_of(package))


def python_packages(root: Path, installed: list[metadata.Distribution]) -> list[Row]:
    """All that are installed. UserError: one that the lock has for this system is missing or differs."""
    versions = {canonicalize_name(package.name): package.version for package in installed}
    for line in locked.read(root / "locks" / "full.txt"):
        if line.requirement.marker is None or line.requirement.marker.evaluate():
            there = versions.get(line.name)
            if there != line.version:
                raise UserError(
                    f"{line.name}: {there or 'not installed'}; want {line.version} of locks/full.txt; {FIX}"
                )
    rows = {canonicalize_name(package.name): _row(package) for package in installed}
    return [rows[name] for name in sorted(rows)]


def tflm_wheel(root: Path, folder: Path) -> list[Row]:
    """TFLM's wheel, which is kept as a file on Linux on x86-64. UserError: it is not there."""
    (line,) = locked.read(root / "locks" / "tflm.txt")
    stem = f"{line.name.replace('-', '_')}-{line.version}"
    found = sorted(folder.glob(f"{stem}-*.whl"))
    if not found:
        raise UserError(f"{folder}: holds no {stem}-*.whl; {FIX}")
    with zipfile.ZipFile(found[0]) as wheel:
        return [_row(metadata.PathDistribution(zipfile.Path(wheel, f"{stem}.dist-info/")))]


def monocypher(root: Path, folder: Path) -> list[Row]:
    """Monocypher's source package, which is kept as a file. UserError: it is not there."""
    (line,) = locked.read(root / "locks" / "monocypher.txt")
    stem = f"{line.name}-{line.version}"
    path = folder / f"{stem}.tar.gz"
    if not path.is_file():
        raise UserError(f"{path}: missing; {FIX}")
    with tarfile.open(path) as package:
        told = package.extractfile(f"{stem}/PKG-INFO")
        assert told is not None
        found = email.message_from_bytes(told.read())
    return [Row("Python", line.name, line.version, stated(found), f"{path.name}: {stem}/LICENSE.txt")]


def npm_packages(root: Path, home: Path, fix: str = FIX) -> list[Row]:
    """Those of the lock file in `home`, a folder of `root`. UserError: one is not installed, and `fix`."""
    lock = json.loads((root / home / "package-lock.json").read_text(encoding="utf-8"))
    rows = []
    for place in sorted(filter(None, lock["packages"])):  # "" is what needs them
        folder = root / home / place
        try:
            told = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{folder}: not installed; {fix}") from error
        wanted = lock["packages"][place]["version"]
        if told.get("version") != wanted:
            raise UserError(
                f"{folder}: version {shown(told.get('version'))}; want {wanted} of package-lock.json; {fix}"
            )
        text = sorted(path for path in folder.glob("LICEN[CS]E*") if path.is_file())
        licence = told.get("license")
        rows.append(
            Row(
                *("npm", place.rpartition("node_modules/")[2], wanted),
                [licence] if isinstance(licence, str) else [],
                text[0].relative_to(root).as_posix() if text else "",
            )
        )
    return rows


def named(text: str) -> list[str]:
    """The licences that a Debian copyright file names: in fields if it is machine-readable; common ones."""
    names = set(re.findall(r"/usr/share/common-licenses/([\w.+-]*[\w+])", text))
    if text.startswith("Format:"):
        names |= {name.strip() for name in re.findall(r"^License:[ \t]*(\S.*)$", text, re.M)}
    return sorted(names)


def _debian_version(package: str) -> str | None:
    """Of an installed package, else None."""
    if shutil.which("dpkg-query") is None:
        return None
    told = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    status, _, version = told.partition(" ")
    return version if status == "installed" else None


def debian_packages(root: Path, docs: Path = Path("/usr/share/doc")) -> list[Row]:
    """Those that setup.sh names; of those for tests, what is installed.

    UserError: one is not installed, nor the command that we start of it.
    """
    told = subprocess.run([root / "setup.sh", "--packages"], capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise UserError(told.stderr.strip() or f"{root / 'setup.sh'}: failed")
    rows = []
    for line in told.stdout.splitlines():
        package, command, *only = line.split(" ")
        version = _debian_version(package)
        copyright_file = docs / package / "copyright"
        if version is not None and copyright_file.is_file():
            text = copyright_file.read_text(encoding="utf-8", errors="replace")
            rows.append(Row("Debian", package, version, named(text), str(copyright_file)))
        elif version is not None:
            rows.append(Row("Debian", package, version, []))
        elif command and (program := shutil.which(command)):
            rows.append(Row("elsewhere", program, "", []))
        elif only != ["tests"]:
            raise UserError(f"{package}: Debian's package is not installed; {FIX}")
    return rows


def rows_of(root: Path) -> Iterator[Row]:
    """All rows; UserError: something is not installed."""
    yield from python_packages(root, list(metadata.distributions()))
    if sys.platform == "linux" and platform.machine() == "x86_64":
        yield from tflm_wheel(root, Path(sys.prefix) / "wheels")
    yield from monocypher(root, Path(sys.prefix) / "sources")
    yield from npm_packages(root, EMULATOR)
    if (root / FOR_TESTS / "node_modules").is_dir():
        yield from npm_packages(root, FOR_TESTS, FIX_TESTS)
    yield from debian_packages(root)


def show(console: Console, rows: list[Row]) -> None:
    """The table."""
    table = Table(title="licences, as each package states them", title_justify="left")
    for name in ("from", "package", "version", "licence"):
        table.add_column(name, overflow="fold")
    for row in rows:
        names = "; ".join(row.licences[:SHOWN]) or "no name stated"
        more = f"; {len(row.licences) - SHOWN} more" if len(row.licences) > SHOWN else ""
        where = f": {row.file}" if row.file and not row.licences else ""
        table.add_row(row.source, row.name, row.version, names + more + where)
    console.print(table)
    console.print(
        "Debian's copyright files: /usr/share/doc/PACKAGE/copyright; they say what each licence is for"
    )
    silent = [row.name for row in rows if not row.licences]
    if silent:
        console.print(f"{len(silent)} state no licence by name: {', '.join(silent)}", soft_wrap=True)


def main() -> int:
    parser = cli.Parser(
        prog="licences.py",
        description="List the licences of all that setup.sh installs.",
        epilog="examples:\n  make licences\n  make licences JSON=licences.json\n"
        "  .venv/bin/python tools/supply/licences.py --json licences.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table to FILE")
    return cli.guarded(run, parser.parse_args(), "licences.py")


def run(args: argparse.Namespace) -> int:
    """Prints the table, and writes the JSON."""
    outputs = files.outputs(args.json)
    rows = list(rows_of(ROOT))
    console = Console()
    show(console, rows)
    if not {"chromium", "axe-core"} <= {row.name for row in rows}:
        console.print("of what only tests need, what is missing here is not listed; to have it, " + FIX_TESTS)
    for path in outputs:
        files.write_json(path, [asdict(row) for row in rows])
        console.print(f"wrote {path}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    start.begin()
    sys.exit(main())
