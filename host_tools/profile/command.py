"""`python -m host_tools profile`: what each layer takes on a board, by the counter of its firmware."""

import argparse
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import engine_record
from squeezenet_mcu.common.programs import missing_package
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools.link.messages import Info
from squeezenet_mcu.host_tools.profile import figures
from squeezenet_mcu.host_tools.profile.figures import Profile
from squeezenet_mcu.host_tools.validate import devices
from squeezenet_mcu.host_tools.validate.devices import Way
from squeezenet_mcu.host_tools.validate.inputs import Artefacts, load_artefacts, load_tests
from squeezenet_mcu.model.settings import config

NAME = "profile"
HELP = "say what each layer takes on a board, or on an emulated one: table, JSON and picture"
EXAMPLES = """\
  python -m host_tools profile --model digits --board stm32f405
  python -m host_tools profile --model digits --port /dev/ttyACM0 --json report.json
It writes build/<model>/profile.json and profile.png.
The firmware is one that can watch its layers: python -m host_tools firmware --inspect
exit status: 0, or 1: the layers' sum is not the image's count, or a user's mistake"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument("--model", default="digits", metavar="NAME", help="as in build/<model>/ (digits)")
    devices.add_arguments(parser)
    parser.add_argument("--data", metavar="SOURCE", help="whose first test image it is (the model's own)")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="also write the figures to FILE (build/<model>/profile.json)",
    )


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    console = Console()
    way = Way.of(args, inspect=True)
    artefacts = load_artefacts(config.name_of(args.model))
    picture = artefacts.folder / "profile.png"
    tests = load_tests(artefacts, args.data, 1)
    for text in tests.notices:
        notice(text)
    plan = plan_of(way, artefacts)
    with devices.connected(way, artefacts) as device:
        outputs = files.outputs(
            picture.with_suffix(".json"), args.json
        )  # a wrong board or port costs no old one
        files.clear(picture)
        profile = figures.measure(device, tests.images[0], plan)
        info = device.info
    show(console, profile, artefacts.model, info)
    for path in outputs:
        files.write_json(path, figures.as_json(profile, artefacts.model, info))
        console.print(f"wrote {path}", soft_wrap=True)
    _draw(profile, f"{artefacts.model} on {info.board}", picture)
    if profile.sound:
        return 0
    terminal.error(
        f"profile: error: the layers' sum is {profile.off:+.1%} off the image's count, want "
        f"{figures.TOLERANCE:.0%} at most; something else uses the board's CPU, or stops its counter: "
        "run it again"
    )
    return 1


def plan_of(way: Way, artefacts: Artefacts) -> list[dict[str, Any]]:
    """The engine's layers: of the board's own model, with kernels, or as any board has them."""
    if way.board:
        folder = devices.firmware_of(way, artefacts).parent / "model"
        if (folder / engine_record.NAME).is_file():
            found: list[dict[str, Any]] = engine_record.read(folder)["plan"]
            return found
    plan: list[dict[str, Any]] = artefacts.manifest["plan"]
    if not plan or "layer" not in plan[0]:
        raise UserError(
            f"{artefacts.folder}: converted for TFLite Micro alone; run: make convert MODEL={artefacts.model}"
        )
    return [{**entry, "kernel": ""} for entry in plan]


def _draw(profile: Profile, title: str, path: Path) -> None:
    """The picture; a notice where a light host has no matplotlib."""
    from squeezenet_mcu.host_tools.profile import picture

    try:
        picture.draw(profile, title, path)
    except ModuleNotFoundError as error:
        notice(f"no picture: {missing_package(error, 'full')}")
        return
    terminal.echo(f"wrote {path}")


def show(console: Console, profile: Profile, model: str, info: Info) -> None:
    """Prints the table and what the memory was used for."""
    unit = profile.unit
    table = Table(title=f"{model} on {info.board}", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("layer", overflow="fold")
    table.add_column("kernel", overflow="fold")
    for name in ("MACs", unit, *(("ms",) if profile.hertz else ()), "a MAC", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    whole = figures.Layer("sum", "", sum(layer.macs for layer in profile.layers), profile.total, 0)
    for layer in (*profile.layers, whole):
        if layer is whole:
            table.add_section()
        milliseconds = profile.milliseconds(layer.count)
        table.add_row(
            layer.name, layer.kernel, f"{layer.macs:,}" if layer.macs else "", f"{layer.count:,}",
            *([] if milliseconds is None else [f"{milliseconds:,.3f}"]),
            f"{layer.count / layer.macs:.3f}" if layer.macs else "", f"{profile.share(layer.count):.1%}",
        )  # fmt: skip
    console.print(table)
    console.print(
        f"an image that is not watched: {profile.image_count:,} {unit}; the sum is {profile.off:+.2%} off",
        soft_wrap=True,
    )
    console.print(
        f"stack {profile.stack_high_water:,} B, SRAM {profile.sram_high_water:,} of "
        f"{info.sram_total_bytes:,} B at their fullest, by the firmware that watches its layers",
        soft_wrap=True,
    )
    if not profile.hertz:
        console.print(
            as_typed(
                f"no milliseconds: an emulator counts instructions; cycles: make bench MODEL={model} LAYERS=1"
            ),
            soft_wrap=True,
        )
