"""`python -m host_tools sizes`: the SRAM of ImageNet's SqueezeNets against the size of their input."""

import argparse
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.model.settings.architecture import Architecture, Fire, layout

NAME = "sizes"
HELP = "SRAM against input size for SqueezeNet v1.0 and v1.1, beside TFLite Micro's arena"
EXAMPLES = """\
  python -m host_tools sizes
  python -m host_tools sizes --network v1.1 --side 96 --side 224 --json sizes.json"""

RESULTS = Path("build/bench/sizes.json")
_CLASSES = 1000
_SEED = 1602_07360
_SMALLEST = 64  # v1.0's last pool needs three rows


@dataclass(frozen=True)
class Kind:
    """A network: its usual side, the share of its weights that are not 0, the padding round conv10."""

    side: int
    density: float
    conv10_padding: int


# v1.0 as the authors publish it: a third of the weights kept, conv10 padded. v1.1's weights are dense.
NETWORKS = {"v1.0": Kind(227, 0.334, 1), "v1.1": Kind(224, 1.0, 0)}
SIDES = (96, 128, 160, 192)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--network", action="append", choices=NETWORKS, help="(both)")
    usual = ", ".join(map(str, SIDES))
    parser.add_argument(
        "--side", action="append", type=int, metavar="PIXELS", help=f"({usual}, and 227 or 224)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help=f"also write the figures to FILE ({RESULTS})"
    )


def tflite(network: str, side: int) -> bytes:
    """An int8 .tflite of `network` for images of side x side x 3 pixels, with random weights."""
    from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

    kind = NETWORKS[network]
    shape = layout(Architecture(network, _CLASSES, "none", None, (), False, True))
    g = RandomGraph(_SEED, f"SqueezeNet {network} with random weights")
    image = g.map("image", [1, side, side, 3], 1.0)
    first = shape.conv1
    x = g.conv("conv1", image, first.filters, first.kernel, stride=first.stride, same=False)
    fire, pool = 2, 1
    for stage in shape.stages:
        if isinstance(stage, Fire):
            x = g.fire(f"fire{fire}", x, stage.squeeze, stage.expand1x1, kind.density)
            fire += 1
        else:
            x = g.pool(f"pool{pool}", x, same=g.side(x) % 2 == 0)
            pool += 1
    if kind.conv10_padding:
        x = g.pad("pad10", x, kind.conv10_padding)
    x = g.conv("conv10", x, _CLASSES, 1, same=False, density=kind.density)
    return g.packed(image, g.softmax(g.mean(x)))


def measure(network: str, side: int) -> dict[str, Any]:
    """One line of the table, for programs: sizes in bytes; tflm_arena_bytes is None without its wheel."""
    from squeezenet_mcu.convert import engine_model
    from squeezenet_mcu.convert.lowering import tflite_file
    from squeezenet_mcu.convert.outputs import tflm_arena
    from squeezenet_mcu.convert.target import ANY_CPU, Target

    content = tflite(network, side)
    file = tflite_file.parse(content)
    arenas = [engine_model.prepare(file, [], target).plan.arena_bytes for target in (ANY_CPU, Target("dsp"))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        theirs = tflm_arena.arena_bytes(str(path), network) if tflm_arena.available() else None
    return {
        "network": network,
        "side": side,
        "leanest_arena_bytes": arenas[0],
        "dsp_arena_bytes": arenas[1],
        "tflm_arena_bytes": theirs,
        "leanest_bytes_per_side": round(arenas[0] / side, 1),
        "dsp_bytes_per_side": round(arenas[1] / side, 1),
    }


def growth(rows: list[dict[str, Any]]) -> dict[str, float]:
    """For each arena the power p of the side that it grows with, from the first to the last of `rows`.

    1: with the side; 2: with the area. One network's rows, sides rising, at least two.
    """
    first, last = rows[0], rows[-1]
    names = {"leanest": "leanest_arena_bytes", "default": "dsp_arena_bytes", "TFLM": "tflm_arena_bytes"}
    sides = math.log(last["side"] / first["side"])
    return {
        name: math.log(last[key] / first[key]) / sides
        for name, key in names.items()
        if first[key] is not None
    }


def _times(value: float | None, of: float | None) -> str:
    return f"{value / of:.2f}" if value and of else ""


def show(console: Console, rows: list[dict[str, Any]]) -> None:
    """A table for each network; every figure beside its ratio to that of the smallest side."""
    for network in dict.fromkeys(row["network"] for row in rows):
        of_network = [row for row in rows if row["network"] == network]
        base = of_network[0]
        table = Table(
            title=f"SqueezeNet {network}: arena in bytes, x = times that of {base['side']} pixels",
            title_justify="left", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0),
        )  # fmt: skip
        for name in ("side", "x", "area x", "leanest", "x", "a pixel", "default, M4", "x", "TFLM", "x"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in of_network:
            ratio = row["side"] / base["side"]
            theirs = row["tflm_arena_bytes"]
            table.add_row(
                str(row["side"]), f"{ratio:.2f}", f"{ratio**2:.2f}",
                f"{row['leanest_arena_bytes']:,}",
                _times(row["leanest_arena_bytes"], base["leanest_arena_bytes"]),
                f"{row['leanest_bytes_per_side']:.0f}",
                f"{row['dsp_arena_bytes']:,}", _times(row["dsp_arena_bytes"], base["dsp_arena_bytes"]),
                "" if theirs is None else f"{theirs:,}", _times(theirs, base["tflm_arena_bytes"]),
            )  # fmt: skip
        console.print(table)
        if len(of_network) > 1:
            powers = ", ".join(f"{name} {value:.2f}" for name, value in growth(of_network).items())
            console.print(f"from {base['side']} to {of_network[-1]['side']} pixels it grows with the side "
                          f"to the power of: {powers}\n", soft_wrap=True)  # fmt: skip
    console.print(
        "leanest: the plan with the smallest arena; a pixel: its bytes a pixel of side.\n"
        "default, M4: the plan for speed on a Cortex-M4, which takes up to twice as much.\n"
        "A firmware takes 5 to 9 KB more: stack, serial buffers, variables. The weights\n"
        "are random: the leanest plan depends on shapes only, the default one also on how\n"
        "many weights are 0 (v1.0: two thirds, as in the authors' file; v1.1: none).\n"
        "TFLM: the arena that its interpreter takes on a 64-bit host.",
        soft_wrap=True,
    )


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    for side in args.side or ():
        if not _SMALLEST <= side <= 1024:
            raise UserError(f"--side {side}: wanted {_SMALLEST} to 1024 pixels")
    console = Console()
    outputs = files.outputs(RESULTS, args.json)
    rows = []
    for network in args.network or NETWORKS:
        for side in sorted(set(args.side or (*SIDES, NETWORKS[network].side))):
            started = time.monotonic()
            rows.append(measure(network, side))
            took = time.monotonic() - started
            console.print(f"{network} at {side}x{side}: {rows[-1]['leanest_arena_bytes']:,} B ({took:.0f} s)")
    show(console, rows)
    for path in outputs:
        files.write_json(path, rows)
    console.print(f"wrote {' and '.join(map(str, outputs))}", soft_wrap=True)
    return 0
