"""clang-format over the C and C++ of firmware_cpp and tools.

    python tools/lint/clang_format.py [--fix]

Exit status 1 with a line for each file that .clang-format would change, 2 where clang-format is missing.
--fix changes them. Versions differ in details; Debian 12's is 14.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("firmware_cpp", "tools")
SUFFIXES = {".c", ".cc", ".h"}
FINDING = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):\d+: error: ", re.MULTILINE)


def main(arguments: list[str]) -> int:
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        print("clang_format: clang-format not found: run ./setup.sh", file=sys.stderr)
        return 2
    listed = subprocess.run(
        ["git", "ls-files", "-z", *FOLDERS], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    names = [name for name in listed.split("\0") if Path(name).suffix in SUFFIXES and (ROOT / name).is_file()]
    how = ["-i"] if "--fix" in arguments else ["--dry-run", "--Werror"]
    done = subprocess.run([tool, *how, *names], cwd=ROOT, check=False, capture_output=True, text=True)
    first: dict[str, str] = {}
    for match in FINDING.finditer(done.stderr):
        first.setdefault(match["file"], match["line"])
    for name, line in first.items():
        print(f"{name}:{line}: not as clang-format has it: python tools/lint/clang_format.py --fix")
    if done.returncode != 0 and not first:
        print(f"clang_format: {done.stderr.strip()}", file=sys.stderr)
    return 1 if done.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
