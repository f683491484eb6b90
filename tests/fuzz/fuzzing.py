"""libFuzzer's programs: built by clang, given a corpus, run; and what they say of it."""

import functools
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import filelock

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import ROOT
from squeezenet_mcu.common.programs import ending_with_us, missing_program

FOLDER = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "fuzz"
PACKAGES = "clang libclang-rt-dev"
_TRIAL = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n'
_MOST_MEMORY = 2048  # MB
_OLDEST, _NEWEST = 14, 30  # of the versions that may stand behind clang++-


@dataclass(frozen=True)
class Target:
    """A program; bytes of the longest input that is of use to it, and of the longest that is committed."""

    name: str
    longest: int
    longest_committed: int

    @property
    def corpus(self) -> Path:
        """Inputs that found something once, or reach what others do not: what each run begins with."""
        return FOLDER / f"{self.name}_corpus.tar.xz"

    @property
    def program(self) -> Path:
        return BUILD / "cmake" / f"fuzz_{self.name}"


TARGETS = (
    Target("link", 1600, 1600),
    Target("model", 6000, 600),
    Target("commands", 400, 400),
    Target("handlers", 1600, 1600),
)


@dataclass(frozen=True)
class Progress:
    """How far a run is. `edges`: places in the code that were reached."""

    executions: int
    edges: int
    seconds: float


class FindingError(UserError):
    """A run found something."""


@functools.cache
def compiler() -> str | None:
    """A clang++ that has libFuzzer and the sanitizers; None: there is none."""
    names = ["clang++", *(f"clang++-{version}" for version in range(_NEWEST, _OLDEST - 1, -1))]
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial.cc"
        trial.write_text(_TRIAL)
        for name in filter(shutil.which, names):
            command = [name, "-fsanitize=fuzzer,address,undefined", trial, "-o", trial.with_suffix("")]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return name
    return None


@functools.cache
def build() -> None:
    """Builds the programs of all targets where they are stale.

    UserError: no clang++ with libFuzzer, no CMake, or what the compiler says.
    """
    found = compiler()
    if found is None:
        raise missing_program("clang++ with libFuzzer", PACKAGES)
    tree = BUILD / "cmake"
    tree.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(BUILD / ".lock"):
        for command in (
            ["cmake", "--fresh", "-G", "Ninja", "-S", FOLDER, "-B", tree, f"-DCMAKE_CXX_COMPILER={found}"],
            ["cmake", "--build", tree],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                log = BUILD / "build.log"
                log.write_text(done.stdout + done.stderr)
                raise UserError(f"{log}: the build failed, see there")


def unpack(target: Target, folder: Path) -> Path:
    """The committed corpus of a target as files in `folder`/seeds; its path."""
    seeds = folder / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(corpus(target)):
        (seeds / f"{number:03}").write_bytes(content)
    return seeds


def corpus(target: Target) -> list[bytes]:
    """The committed inputs of a target."""
    with tarfile.open(target.corpus) as archive:
        streams = [archive.extractfile(member) for member in archive.getmembers()]
        return [stream.read() for stream in streams if stream is not None]


def pack(target: Target, contents: list[bytes]) -> None:
    """Makes `contents` the committed corpus; the same ones make the same archive."""
    with tarfile.open(target.corpus, "w:xz", preset=9) as archive:
        for number, content in enumerate(sorted(set(contents), key=lambda c: (len(c), c))):
            member = tarfile.TarInfo(f"{number:03}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def run(
    target: Target,
    folders: list[Path],
    findings: Path,
    limits: list[str],
    told: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Runs a target's program to its end; how far it came.

    `folders`: of inputs; what is new goes into the first. `findings`: folder for the inputs that something
    is wrong with. `limits`: libFuzzer's options that say when to end. `told`: is told on the way.

    FindingError: an input made the program stop: the error names it.
    """
    findings.mkdir(parents=True, exist_ok=True)
    command = [
        str(target.program),
        *limits,
        f"-max_len={target.longest}",
        "-timeout=20",
        # Its limit of memory looks at the most that the process had, and that of a process which is started
        # includes its parent's: so the limit is the sanitizer's, which looks at what there is now.
        "-rss_limit_mb=0",
        f"-malloc_limit_mb={_MOST_MEMORY}",
        "-print_final_stats=1",
        f"-artifact_prefix={findings}/",
        *map(str, folders),
    ]
    began = time.monotonic()
    process = subprocess.Popen(
        ending_with_us(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"ASAN_OPTIONS": f"hard_rss_limit_mb={_MOST_MEMORY}"},
    )
    assert process.stderr is not None
    words: list[str] = []
    progress = Progress(0, 0, 0.0)
    try:
        for line in process.stderr:
            words = [*words[-200:], line]
            if found := re.match(r"#(\d+)\s.* cov: (\d+)", line):
                progress = Progress(int(found[1]), int(found[2]), time.monotonic() - began)
                told(progress)
        process.wait()
    finally:
        process.kill()
        process.wait()
    said = "".join(words)
    if process.returncode != 0:
        raise FindingError(_finding(target, said, process.returncode))
    executions = re.search(r"number_of_executed_units: (\d+)", said)
    assert executions is not None, said
    return Progress(int(executions[1]), progress.edges, time.monotonic() - began)


def _finding(target: Target, said: str, status: int) -> str:
    what = re.search(r"^fuzz_\w+: (.*)$", said, re.M) or re.search(r"^SUMMARY: (.*)$", said, re.M)
    found = re.search(r"Test unit written to (\S+)", said)
    place = f"the input: {found[1]}; again: {target.program} {found[1]}" if found else said[-300:]
    return f"fuzz_{target.name}: {what[1] if what else f'status {status}'}; {' '.join(place.split())}"


def lines(target: Target, seconds_between: float, out: Callable[[str], None]) -> Callable[[Progress], None]:
    """For run's `told`: a line for `out`, but none within so many seconds after another."""
    last = [0.0]

    def told(progress: Progress) -> None:
        if progress.seconds - last[0] < seconds_between:
            return
        last[0] = progress.seconds
        out(line_of(target, progress))

    return told


def line_of(target: Target, progress: Progress) -> str:
    """A run so far, in words."""
    rate = progress.executions / max(progress.seconds, 0.001)
    return (
        f"{target.name}: {progress.executions:,} executions in {progress.seconds:,.0f} s ({rate:,.0f}/s), "
        f"{progress.edges} edges reached"
    )


def is_terminal() -> bool:
    return sys.stdout.isatty()
