"""`make fuzz`, `python -m tests.fuzz [--time SECONDS] [--runs N] [--target NAME] [--minimize]`.

Runs libFuzzer on each target, from the committed corpus and from what earlier runs have found
(build/fuzz/<target>/corpus). An input with which something is wrong is left in build/fuzz/<target>/findings.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from squeezenet_mcu.common import cli, terminal
from squeezenet_mcu.common.errors import UserError
from tests.fuzz import fuzzing
from tests.fuzz import seeds as seeds_of
from tests.fuzz.fuzzing import BUILD, TARGETS, Target

SECONDS = 60
BETWEEN = 10.0  # seconds between two lines, of a log


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--time", type=int, metavar="SECONDS", help=f"of each target ({SECONDS})")
    parser.add_argument("--runs", type=int, metavar="N", help="executions of each target, instead")
    parser.add_argument("--target", choices=[target.name for target in TARGETS], help="this one alone (all)")
    parser.add_argument(
        "--minimize", action="store_true", help="no run: makes the committed corpus of what runs have found"
    )
    return cli.guarded(run, parser.parse_args(), parser.prog)


def run(args: argparse.Namespace) -> int:
    """See cli.guarded."""
    for name, value in (("--time", args.time), ("--runs", args.runs)):
        if value is not None and value < 1:
            raise UserError(f"{name} {value}: want a number above 0")
    if args.time and args.runs:
        raise UserError("--time and --runs: want one of them")
    fuzzing.build()
    for target in TARGETS:
        if args.target in (None, target.name):
            minimize(target) if args.minimize else fuzz(target, args.time or SECONDS, args.runs)
    return 0


def corpus_of(target: Target) -> tuple[Path, Path]:
    """The folders of what runs have found, and of what they begin with."""
    folder = BUILD / target.name
    found = folder / "corpus"
    found.mkdir(parents=True, exist_ok=True)
    seeds = fuzzing.unpack(target, folder)
    for content in seeds_of.OF[target.name]():
        (seeds / hashlib.sha1(content).hexdigest()).write_bytes(content)
    return found, seeds


def fuzz(target: Target, seconds: int, runs: int | None) -> None:
    """Runs one target and prints how far it is."""
    found, seeds = corpus_of(target)
    limits = [f"-runs={runs}"] if runs else [f"-max_total_time={seconds}"]
    over = fuzzing.is_terminal()
    told = fuzzing.lines(
        target,
        0.5 if over else BETWEEN,
        lambda line: terminal.echo(f"\r{line}" if over else line, end="" if over else "\n", flush=True),
    )
    try:
        done = fuzzing.run(target, [found, seeds], BUILD / target.name / "findings", limits, told)
    finally:
        if over:
            terminal.echo()
    terminal.echo(f"{fuzzing.line_of(target, done)}; nothing found", flush=True)


def minimize(target: Target) -> None:
    """Commits the smallest set of short inputs that reaches all that short ones reach."""
    found, seeds = corpus_of(target)
    short, small = (BUILD / target.name / name for name in ("short", "minimized"))
    for folder in (short, small):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    for path in [*found.iterdir(), *seeds.iterdir()]:
        if path.stat().st_size <= target.longest_committed:
            shutil.copy(path, short / hashlib.sha1(path.read_bytes()).hexdigest())
    # Counters apart: how often a place was reached makes no input worth a place here.
    options = ["-merge=1", "-use_counters=0", f"-max_len={target.longest}"]
    command = [target.program, *options, small, short]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = terminal.one_line(done.stderr[-300:])
        raise UserError(f"{target.program}: -merge=1 ended with status {done.returncode}: {said}")
    fuzzing.pack(target, [path.read_bytes() for path in small.iterdir()])
    terminal.echo(f"wrote {target.corpus}: {target.corpus.stat().st_size:,} bytes")


if __name__ == "__main__":
    sys.exit(main())
