"""A command that talks to a board that lies: in a process of its own, and how it ended.

As a program: `python -m tests.host_tools.liars.lied_to validate|selftest [--hurry] argument...` runs the real
command in the working folder. Python's answers come from the fake device's rule, not from LiteRT, and the
selftest program is not compiled: nothing else is changed. --hurry: less patience, for a quick test.
"""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.manifests import manifest

ROOT = Path(__file__).resolve().parents[3]
MOST_SECONDS = 20
MOST_BYTES = 500e6
_PEAK = "peak.txt"


@dataclass(frozen=True)
class Ending:
    """How a command ended: exit status, output, wall seconds, and the most bytes of memory it had."""

    status: int
    out: str
    err: str
    seconds: float
    peak: int


def make_folder(folder: Path) -> Path:
    """A folder with build/toy, as `convert` leaves it."""
    toy = folder / "build" / "toy"
    toy.mkdir(parents=True)
    (toy / "model.tflite").write_bytes(b"the model")
    (toy / "manifest.json").write_text(json.dumps(manifest(b"the model")))
    return folder


def run(folder: Path, *arguments: str) -> Ending:
    """Runs this module as a program in `folder`; see there."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    began = time.monotonic()
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments], cwd=folder, env=environment, stdout=out, stderr=err
        )
        try:
            status = process.wait(3 * MOST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    seconds = time.monotonic() - began
    peak = folder / _PEAK
    return Ending(
        status,
        (folder / "out").read_text(),
        (folder / "err").read_text(),
        seconds,
        int(peak.read_text()) if peak.exists() else 0,
    )


def assert_harmless(ending: Ending, wanted: str) -> None:
    """It ended as `wanted` says: success (""), exact or not, or else with a line that holds these words."""
    assert ending.seconds <= MOST_SECONDS, ending
    assert 0 < ending.peak <= MOST_BYTES, ending
    assert all(line.isprintable() for line in ending.out.splitlines()), ending
    if wanted in ("", "exact", "NOT exact"):
        assert (ending.status, ending.err) == (int(wanted == "NOT exact"), ""), ending
        assert f": {wanted}" in ending.out, ending
        return
    assert ending.status == 1, ending
    lines = ending.err.split("\n")
    assert len(lines) == 2, ending
    assert not lines[1], ending
    assert lines[0].isprintable(), ending
    assert len(lines[0]) < 500, ending
    assert wanted in lines[0], ending


def assert_all_harmless(ending, lies: dict, names, folder: Path) -> None:
    """Of the lies called `names`, side by side: most of the time passes in waiting."""
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda lie: ending(folder / lie.replace(" ", "_"), lies[lie], "--hurry"), names)
        for lie, one in zip(names, found, strict=True):
            assert_harmless(one, lies[lie].ends)


class _Python:
    """Stands for LiteRT's Reference."""

    def infer(self, x, logits_tensor):
        from tests.protocol.link_binaries import fake_answer

        return fake_answer(x, 10)[:2]


def _prepare_validate(hurry: bool):
    from squeezenet_mcu.common import litert
    from squeezenet_mcu.host_tools.link import device
    from squeezenet_mcu.host_tools.link.images import transfer
    from squeezenet_mcu.host_tools.validate import command

    litert.Reference.of = lambda manifest, tflite: _Python()
    if hurry:
        device.OPEN_TIMEOUT = 1.0
        transfer._FRUITLESS_SECONDS = 0.5
        command._LEAST_SILENCE = 1.0
    return command


def _prepare_selftest(hurry: bool):
    from squeezenet_mcu.host_tools.firmware import build
    from squeezenet_mcu.host_tools.selftest import command, device

    build.compile_target = lambda *_: Path("selftest.elf")
    build.usage = lambda _elf: build.Usage(3000, 1 << 20, 2000, 4096, 131_072)
    if hurry:
        device._TIMEOUT = device._OPEN_TIMEOUT = 0.5
        command._PATIENCE = 1.5
    return command


def main() -> int:
    """See above."""
    from squeezenet_mcu.common import cli

    name, *arguments = sys.argv[1:]
    hurry = "--hurry" in arguments
    command = {"validate": _prepare_validate, "selftest": _prepare_selftest}[name](hurry)
    try:
        return cli.main("host_tools", "test", [command], [name, *(a for a in arguments if a != "--hurry")])
    finally:
        peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
        Path(_PEAK).write_text(str(int(peak[1]) * 1024))


if __name__ == "__main__":
    sys.exit(main())
