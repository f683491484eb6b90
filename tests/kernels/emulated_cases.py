"""Runs cases on an emulated CPU and reads what firmware_cpp/bench/cases.cc says of them."""

import dataclasses
import fcntl
import functools
import socket
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlparse

from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.common.paths import ROOT
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import build
from tests.kernels import case_file

_CHUNK_BYTES = 8 << 20
_SILENCE = 60.0  # seconds: no case takes that long


@dataclasses.dataclass
class Outcome:
    """What the cases of a run came to. `complaints`: the firmware's lines about cases that failed."""

    cases: int = 0
    rows: int = 0
    failed: int = 0
    ticks: int = 0
    complaints: list[str] = dataclasses.field(default_factory=list)


@functools.cache
def elf(board: str, family: Family) -> Path:
    """The program for `board`, with all kernels of `family`; processes take turns."""
    folder = ROOT / "build" / "tests" / "kernel_cases" / f"{board}-{family}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return build.compile_target(
            board_toml.load(board), folder, "kernel_cases", {"SQUEEZE_FAMILY": family}
        )


def _symbol(path: Path, name: str) -> int:
    listing = subprocess.run(["arm-none-eabi-nm", path], check=True, capture_output=True, text=True).stdout
    return {words[-1]: int(words[0], 16) for words in map(str.split, listing.splitlines())}[name]


def _collect(stream: Iterable[str], outcome: Outcome) -> None:
    last = "nothing"
    for line in stream:
        word, *numbers = line.split() or [""]
        if word == "case":
            last = line.strip()
        elif word == "done":
            cases, rows, failed, ticks = map(int, numbers)
            outcome.cases += cases
            outcome.rows += rows
            outcome.failed += failed
            outcome.ticks += ticks
            return
        elif word in ("differs", "refused", "missing", "outside"):
            outcome.complaints.append(line.strip())
        elif "FAULT" in line:
            raise AssertionError(f"after {last}: {line.strip()}")
    raise AssertionError(f"the emulator ended after {last}")


def _run_chunk(board: str, program: Path, content: bytes, outcome: Outcome) -> None:
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(content)
        file.flush()
        address = _symbol(program, "linker_spare")
        assert len(content) <= _symbol(program, "linker_spare_bytes")
        if board_toml.load(board).emulator.command[0].startswith("qemu-"):
            loader = ["-device", f"loader,file={file.name},addr={address:#x},force-raw=on"]
        else:
            loader = [file.name, f"{address:#x}"]
        with emulator.machine(board, program, loader) as machine:
            place = urlparse(machine.url)
            with socket.create_connection((place.hostname, place.port)) as line:
                line.settimeout(_SILENCE)
                _collect(line.makefile("r", encoding="ascii", errors="replace"), outcome)


def run(board: str, family: Family, records: Iterable[bytes], first_id: int = 0) -> Outcome:
    """Runs records (case_file.record) numbered from `first_id`, in as many boots as it takes."""
    program = elf(board, family)
    outcome = Outcome()
    for group in case_file.chunks(records, _CHUNK_BYTES):
        _run_chunk(board, program, case_file.case_file(first_id, group), outcome)
        first_id += len(group)
    return outcome
