"""Measures layers of random networks in an emulator: what fit.py fits the cost formulas to.

  .venv/bin/python -m tools.costs.sample --board mps2_an386 --networks 60
  .venv/bin/python -m tools.costs.sample --board mps2_an386 --family portable --networks 30
  .venv/bin/python -m tools.costs.sample --board rp2040 --networks 40
  .venv/bin/python -m tools.costs.sample --board mps3_an547 --networks 40
  .venv/bin/python -m tools.costs.sample --board mps2_an386 --networks 30 --kernel FAST_FIR

Each network's layers run with kernels, batches and scratch chosen at random. A line of JSON a layer is
added to build/costs/<board>-<family>.jsonl; a run that is repeated goes on behind the last network. It takes
about 10 s a network.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.kernel_families import FAMILIES, Family
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.convert.encode import blob, entropy
from squeezenet_mcu.convert.engine_model import EngineModel
from squeezenet_mcu.convert.network import Kind, Layer, Network
from squeezenet_mcu.convert.outputs import c_array
from squeezenet_mcu.convert.schedule import arena
from squeezenet_mcu.convert.schedule.rows import stages_of
from squeezenet_mcu.convert.select.cost import others
from squeezenet_mcu.convert.select.cost.shape import calls_of, shape_of
from squeezenet_mcu.convert.select.cost_model import FAMILY_KERNELS
from squeezenet_mcu.host_tools.bench import measure
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import build
from tools.costs import networks

FOLDER = BUILD / "costs"
STRIDED = ("FAST_FIR",)  # kernels for 3x3 convolutions of stride 2 alone
_MOST_SCRATCH = 120_000
_MACS = {"dsp": 2_000_000, "mve": 2_000_000, "portable": 400_000, "v6m": 250_000}  # of a layer
_SETTINGS = """#define MODEL_NAME "sample"
#define MODEL_INPUT_HEIGHT {height}
#define MODEL_INPUT_WIDTH {width}
#define MODEL_INPUT_CHANNELS {channels}
#define MODEL_ROW_BYTES ({width} * {channels})
#define MODEL_CLASSES {classes}
#define MODEL_ARENA_BYTES {arena}
"""


def choose_at_random(network: Network, family: Family, seed: int, kernel: str | None = None) -> None:
    """Sets kernel, encoding, batch and scratch of every convolution; `kernel` wherever it can be."""
    rng = np.random.default_rng([seed, 7])
    for stage in stages_of(network):
        if any(layer.kind is not Kind.CONV_2D for layer in stage.layers):
            continue
        out = network.buffers[stage.output]
        batch = int(rng.integers(1, min(8 if kernel else 4, out.height) + 1))
        for layer in stage.layers:
            shape = shape_of(layer, network.buffers[layer.inputs[0]], out, batch)
            models = [
                m for m in FAMILY_KERNELS[family] if m.supports(shape) and m.scratch(shape) <= _MOST_SCRATCH
            ]
            models = [m for m in models if m.kernel.name == kernel] or models
            model = models[int(rng.integers(len(models)))]
            least = model.scratch(shape)
            most = max(min(model.useful_scratch(shape), _MOST_SCRATCH), least)
            layer.batch_rows = batch
            layer.conv_kernel, layer.encoding = model.kernel, model.encoding
            layer.scratch_bytes = int(rng.choice([most, most, rng.integers(least, most + 1)]))
    entropy.code(network)


def compiled(board: str, family: Family, made: EngineModel) -> Path:
    """The measuring program around a model; only the model is compiled anew where the rest is there."""
    hardware = board_toml.load(board)
    folder = FOLDER / f"{board}-{family}"
    shape = made.network.buffers[made.network.input_buffer]
    classes = made.network.buffers[made.network.output_buffer]
    header, source = c_array.c_array("g_model_sqz", made.content, "sample")
    settings = _SETTINGS.format(
        height=shape.height, width=shape.width, channels=shape.channels, classes=classes.row_bytes,
        arena=made.plan.arena_bytes,
    )  # fmt: skip
    for name, text in (("h", header), ("c", source)):
        files.write_text(folder / "model" / f"model_sqz.{name}", text)
    files.write_text(folder / "model" / "model_settings.h", settings)
    tree = folder / "cmake"
    if (tree / "bench.elf").is_file():
        subprocess.run(["cmake", "--build", tree, "--target", "bench"], check=True, capture_output=True)
        return tree / "bench.elf"
    options = {
        "MODEL_DIR": str((folder / "model").resolve()),
        "SQUEEZE_FAMILY": family,
        "SQUEEZE_KERNELS": "",
        "ARENA_APART": "OFF",
    }
    return build.compile_target(hardware, folder, "bench", options)


def described(network: Network, layer: Layer) -> dict[str, Any]:
    """What the formulas need to know of a layer: fit.py makes its work of it."""
    source, out = network.buffers[layer.inputs[0]], network.buffers[layer.output]
    if layer.kind is Kind.CONV_2D:
        calls = [[count, asdict(shape)] for shape, count in calls_of(layer, source, out, layer.batch_rows)]
        how = [layer.conv_kernel.name, layer.encoding.name]
        return {"kernel": " ".join(how), "how": how, "calls": calls, "scratch": layer.scratch_bytes}
    names = ("kernel", "stride", "pad_top", "pad_left", "act_min", "act_max", "out_channels", "params")
    return {
        "kernel": layer.kind.name,
        "layer": {name: getattr(layer, name) for name in names},
        "maps": [[b.height, b.width, b.channels] for b in (source, out)],
    }


def rows_of(seed: int, board: str, family: Family, kernel: str | None = None) -> list[dict[str, Any]]:
    """A network's layers, with instructions and cycles; None where they are not known."""
    network = networks.made(seed, _MACS[family], strided=kernel in STRIDED)
    choose_at_random(network, family, seed, kernel)
    plan = arena.plan(network)
    made = EngineModel(network, plan, blob.serialize(network, plan, []))
    measured = measure.run(board, compiled(board, family, made))
    rows = [
        {"seed": seed, "name": layer.name, **described(network, layer), **counts(measured, index)}
        for index, layer in enumerate(network.layers)
    ]
    whole = counts(measured, None)
    rest: dict[str, Any] = {"seed": seed, "name": "schedule", "kernel": "SCHEDULE"}
    rest["work"] = others.schedule_of(network)
    for unit, total in whole.items():
        known = [row[unit] for row in rows]
        rest[unit] = None if total is None or None in known else total - sum(known)
    return [*rows, rest]


def counts(measured: measure.Measured, index: int | None) -> dict[str, int | None]:
    """Instructions and cycles of layer `index`, or of the whole image; None: not counted."""
    if measured.profile:
        spent = measured.profile.total if index is None else measured.profile.layers[index]
        return {"instructions": spent.instructions, "cycles": spent.cycles}
    counted = measured.total if index is None else measured.layers[index]
    return {unit: counted if unit == measured.unit else None for unit in ("instructions", "cycles")}


def main() -> int:
    """Adds networks to the board's file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--board", required=True)
    parser.add_argument("--family", choices=FAMILIES)
    parser.add_argument("--networks", type=int, default=40)
    parser.add_argument(
        "--kernel", choices=STRIDED, help="in networks of its own: few others have its shapes"
    )
    parser.add_argument("--first", type=int, default=0, help="seed to begin with (that behind the last one)")
    args = parser.parse_args()
    family = args.family or board_toml.load(args.board).kernel_family
    of_kernel = f"-{args.kernel.lower()}" if args.kernel else ""
    path = FOLDER / f"{args.board}-{family}{of_kernel}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line)["seed"] for line in path.read_text().splitlines()] if path.is_file() else []
    first = max([args.first, *(seed + 1 for seed in done)])
    for seed in range(first, args.networks):
        try:
            rows = rows_of(seed, args.board, family, args.kernel)
        except (UserError, subprocess.CalledProcessError) as error:
            print(f"network {seed}: {error}", file=sys.stderr)
            continue
        with path.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in rows)
        print(f"network {seed}: {len(rows)} layers", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
