"""Makes the lock files of locks/ from pyproject.toml: every package, its version, the SHA-256 of its files.

    .venv/bin/python tools/supply/lock.py               keeps the versions that the locks have, where it can
    .venv/bin/python tools/supply/lock.py --upgrade     takes the newest versions that pyproject.toml allows

uv resolves for all systems and all Pythons from 3.11 on at once; a line that is not for all has a marker.
The hashes are those of the package index. setup.sh installs nothing that has another one.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The options of uv for each lock. setuptools is in, too: the project is built without isolation.
LOCKS = {
    "full": ["pyproject.toml", "--extra=full", "--extra=flash", "--extra=heic", "--extra=dev"],
    "host": ["pyproject.toml", "--extra=host"],
    # One file, unpacked for tests and never installed: what it depends on is not wanted.
    "tflm": ["--group=pyproject.toml:tflm", "--no-deps"],
    # One file as well: the source package, whose C file the firmware and the host's signer are built from.
    "monocypher": ["--group=pyproject.toml:monocypher", "--no-deps"],
}
INSTALLED = ("full", "host")


def make(root: Path, name: str, upgrade: bool) -> int:
    """Writes locks/<name>.txt of the checkout `root`; returns uv's exit status."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(LOCKS[name])
    with tempfile.TemporaryDirectory() as folder:
        if name in INSTALLED:
            build = Path(folder) / "build-system.in"
            build.write_text("\n".join(project["build-system"]["requires"]) + "\n", encoding="utf-8")
            wanted.append(str(build))
        command = [
            *(sys.executable, "-m", "uv", "pip", "compile", *wanted, "--quiet"),
            *("--universal", "--python-version=3.11", "--only-binary=:all:"),
            *("--constraints=locks/constraints.txt", f"--output-file=locks/{name}.txt"),
            # Without the lines "# via": they would name the temporary file. No index's address either.
            *("--generate-hashes", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
            *("--custom-compile-command", "python tools/supply/lock.py"),
            *(["--upgrade"] if upgrade else []),
        ]
        return subprocess.run(command, cwd=root, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Make the lock files of locks/ from pyproject.toml; needs the package index.",
        epilog="examples:\n  python tools/supply/lock.py\n  python tools/supply/lock.py --upgrade",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that are allowed")
    upgrade = parser.parse_args().upgrade
    return max(make(ROOT, name, upgrade) for name in LOCKS)


if __name__ == "__main__":
    sys.exit(main())
