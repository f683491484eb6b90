"""Counts what git tracks: folders with too many Python files, and source files that are too long.

    python tools/lint/sizes.py [FOLDER]    of a git work tree; this one if not given

A folder outside tests/ holds at most 15 Python files of its own. A source file has at most 400 lines, but for
tests, tables of data and what another program made. Exit status 1 with a line for each that is larger.
Kernels of more than 150 lines are told as notes.
"""

import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePosixPath

MOST_FILES = 15
MOST_LINES = 400
MOST_KERNEL_LINES = 150
SOURCES = {".py", ".cc", ".h", ".c", ".js", ".sh"}
KERNELS = tuple(PurePosixPath("firmware_cpp/engine") / family for family in ("portable", "v6m", "dsp", "mve"))
# Files that hold nothing but data, or that another program makes. None is tracked today.
EXEMPT: frozenset[PurePosixPath] = frozenset()


def tracked(root: Path) -> list[PurePosixPath]:
    """The files of git's index that are in the work tree, from its root."""
    told = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    return [PurePosixPath(name) for name in told.split("\0") if name and (root / name).is_file()]


def is_test(path: PurePosixPath) -> bool:
    return path.parts[0] == "tests"


def crowded(paths: list[PurePosixPath]) -> list[str]:
    """A line for each folder with too many Python files."""
    counts = Counter(path.parent for path in paths if path.suffix == ".py" and not is_test(path))
    return [
        f"{folder}/: {count} Python files, at most {MOST_FILES}"
        for folder, count in sorted(counts.items())
        if count > MOST_FILES
    ]


def long_files(root: Path, paths: list[PurePosixPath]) -> tuple[list[str], list[str]]:
    """A line for each source file that is too long, and for each kernel that is rather long."""
    errors, notes = [], []
    for path in sorted(paths):
        if path.suffix not in SOURCES or is_test(path) or path in EXEMPT:
            continue
        lines = len((root / path).read_bytes().splitlines())
        if lines > MOST_LINES:
            errors.append(f"{path}: {lines} lines, at most {MOST_LINES}")
        elif lines > MOST_KERNEL_LINES and path.parent in KERNELS:
            notes.append(f"note: {path}: {lines} lines, a kernel should have at most {MOST_KERNEL_LINES}")
    return errors, notes


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    try:
        paths = tracked(root)
    except (OSError, subprocess.CalledProcessError):
        print(f"sizes: {root}: not a git work tree", file=sys.stderr)
        return 2
    errors, notes = long_files(root, paths)
    errors += crowded(paths)
    for line in [*notes, *errors]:
        print(line)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
