"""Runs the engine's host build under ASan and UBSan, and hands back every row of every buffer."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.verify import host_engine


@dataclass(frozen=True)
class Run:
    """What run_model printed, and for each image the maps of all buffers, [height, width * channels].

    `state`: where the engine's counters begin. `unwritten`: [begin, end) of the
    bytes that the engine never wrote.
    """

    status: int
    arena: int
    state: int
    unwritten: list[tuple[int, int]]
    maps: list[list[np.ndarray]]


def parse_rows(content: bytes, network: Network) -> list[list[np.ndarray]]:
    """The rows that run_model wrote, image by image; asserts that each row came exactly once."""
    images: list[list[np.ndarray]] = []
    seen: list[list[int]] = []
    at = 0
    while at < len(content):
        buffer, row = np.frombuffer(content, "<i4", 2, at)
        b = network.buffers[buffer]
        if buffer == network.input_buffer and row == 0:
            images.append([np.zeros((x.height, x.row_bytes), np.int8) for x in network.buffers])
            seen.append([0] * len(network.buffers))
        assert seen[-1][buffer] == row, "rows come top to bottom, each once"
        seen[-1][buffer] += 1
        images[-1][buffer][row] = np.frombuffer(content, np.int8, b.row_bytes, at + 8)
        at += 8 + b.row_bytes
    for counts in seen:
        assert counts == [b.height for b in network.buffers]
    return images


def run_model(blob: bytes, images: np.ndarray, folder: Path, network: Network | None = None) -> Run:
    """Runs int8 `images` [n, h, w, c]; a sanitizer's report fails the test with its text."""
    program = host_engine.build(sanitize=True)
    model, pixels, rows = folder / "model.sqz", folder / "images.bin", folder / "rows.bin"
    model.write_bytes(blob)
    pixels.write_bytes(images.tobytes())
    done = subprocess.run([program, model, pixels, rows], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said = re.fullmatch(r"status (\d+) arena (\d+) state (\d+) unwritten((?: \d+-\d+)*)\n", done.stdout)
    assert said is not None, done.stdout
    unwritten = [(int(begin), int(end)) for begin, end in re.findall(r"(\d+)-(\d+)", said[4])]
    maps = parse_rows(rows.read_bytes(), network) if network is not None else []
    return Run(int(said[1]), int(said[2]), int(said[3]), unwritten, maps)
