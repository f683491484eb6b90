"""The device that a command talks to: a board at a port, or an emulated one with firmware from build/."""

import argparse
import contextlib
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.faults import where
from squeezenet_mcu.host_tools.firmware import board_model, tflm_library
from squeezenet_mcu.host_tools.link.device import OPEN_TIMEOUT, REOPEN_TIMEOUT, TIMEOUT, Device
from squeezenet_mcu.host_tools.link.faulty_line import Faults, FaultyLine
from squeezenet_mcu.host_tools.link.messages import Feature, Info
from squeezenet_mcu.host_tools.link.trace import Trace, TracedLine
from squeezenet_mcu.host_tools.link.transport import BAUDRATE, Transport
from squeezenet_mcu.host_tools.validate.inputs import Artefacts

_LEAST_SILENCE = 7.0  # seconds; what the smallest network is given
_PATIENCE_WITH_OURS = (
    4  # times as long: an emulator that we have started is no stranger, and has a slow share
)
_MORE = 1.0  # seconds for an image beyond the longest silence
_SLOWEST_MACS = 1e6  # a second: reference kernels in an emulator on a busy machine


@dataclass(frozen=True)
class Way:
    """To a device: at `port`, a pyserial URL, or else an emulated `board`, a name or a folder.

    `engine`: that its firmware has, "squeeze" or "tflm"; `baudrate`: of a real UART; `usb`: over the emulated
    board's own USB, not its UART; `inspect`: its firmware is the one that can watch its layers; `faults`:
    done to the bytes on the way; `trace`: of what passes; `speed`: the baud rate to agree on, None: none;
    `reopens`: the device waits itself for a port that went away.
    """

    port: str | None
    board: str | None
    engine: str
    baudrate: int
    usb: bool = False
    inspect: bool = False
    faults: Faults | None = None
    trace: Trace | None = None
    speed: int | None = None
    reopens: bool = True

    def over(self, line: Transport) -> Transport:
        """`line`, with what is to stand between."""
        if self.faults:
            line = FaultyLine(line, self.faults)
        return TracedLine(line, self.trace) if self.trace else line

    @classmethod
    def of(cls, args: argparse.Namespace, inspect: bool = False) -> "Way":
        """What the options of add_arguments say; `inspect`: so they must. UserError: they contradict."""
        inspect = inspect or args.inspect
        if inspect and args.engine != "squeeze":
            raise UserError(
                f"--engine {args.engine}: only our own engine's layers can be watched; leave it out"
            )
        if args.usb and not args.board:
            given = f"the port is given: {args.port}" if args.port else "there is no --board"
            raise UserError(f"--usb: is for an emulated board; {given}; leave --usb out")
        return cls(args.port, args.board, args.engine, args.baudrate, args.usb, inspect, speed=args.speed)


def add_arguments(
    parser: argparse.ArgumentParser, required: bool = True
) -> "argparse._MutuallyExclusiveGroup":
    """--port or --board, --usb, --engine, --baudrate, --speed. `required`: one of the first two.

    Returns the group of these, for more that say where the device is.
    """
    where = parser.add_mutually_exclusive_group(required=required)
    where.add_argument("--port", metavar="URL", help="serial port or pyserial URL of a device")
    where.add_argument("--board", metavar="NAME", help="emulate this board, with its firmware from build/")
    parser.add_argument(
        "--usb", action="store_true", help="with --board: over the emulated board's own USB, not its UART"
    )
    parser.add_argument(
        "--inspect",
        action="store_true",
        help="with --board: the firmware that can watch its layers (INSPECT=1)",
    )
    tflm_library.add_engine_argument(parser)
    parser.add_argument("--baudrate", type=int, default=BAUDRATE, help=f"of a real UART ({BAUDRATE})")
    add_speed_argument(parser)
    return where


def add_speed_argument(parser: argparse.ArgumentParser) -> None:
    """--speed."""
    parser.add_argument(
        "--speed", type=int, metavar="BAUD", help="ask the board for this faster baud rate (SPEED=921600)"
    )


def longest_silence(engine: str, manifest: dict[str, Any]) -> float:
    """Seconds after which a device is given up: TFLite Micro answers nothing while it runs a whole image.

    Our engine answers between the bursts of rows that it computes.
    """
    computing: float = manifest["macs"] / _SLOWEST_MACS
    return min(TIMEOUT, _LEAST_SILENCE + computing) if engine == "squeeze" else TIMEOUT + computing


def longest_image(silence: float, manifest: dict[str, Any], baudrate: int) -> float:
    """Seconds for an image that a device may take that is never silent for `silence` seconds."""
    size = manifest["input"]
    bits = 10 * size["height"] * size["width"] * size["channels"]  # on a UART, with start and stop bit
    found: float = silence + _MORE + manifest["macs"] / _SLOWEST_MACS + 2 * bits / max(1, baudrate)
    return found


def opener(way: Way, artefacts: Artefacts) -> Callable[[str], Device]:
    """What opens the device at a URL, with as much patience as the model wants."""
    # A line that is made to fail takes its time, too.
    patience = 1 if way.port and not way.faults else _PATIENCE_WITH_OURS
    silence = patience * longest_silence(way.engine, artefacts.manifest)
    if not way.port:  # in an emulator a burst of a large network's rows may take minutes, too
        silence = max(silence, longest_silence("tflm", artefacts.manifest))
    whole = patience * longest_image(silence, artefacts.manifest, way.baudrate)

    def device_at(url: str) -> Device:
        return Device(
            url,
            silence,
            way.baudrate,
            image_timeout=whole,
            open_timeout=patience * OPEN_TIMEOUT,
            # An emulator of ours does not come back.
            reopen_timeout=REOPEN_TIMEOUT if way.port and way.reopens else 0.0,
            over=way.over,
            speed=way.speed,
            tell=notice,
        )

    return device_at


@contextlib.contextmanager
def connected(
    way: Way, artefacts: Artefacts, on_emulator: Callable[[int], None] = lambda pid: None
) -> Iterator[Device]:
    """The device, which runs the model of `artefacts`; an emulator runs as long as the context.

    `on_emulator`: told its process id.

    UserError: no firmware in build/, no such board or port, or it runs another model.
    """
    ours = firmware_of(way, artefacts) if way.board else None
    seen: list[Info] = []

    def running() -> Path | None:
        return where.firmware(seen[0], ours) if seen else ours

    with (
        _url(way, artefacts, on_emulator) as url,
        where.named(running),
        opener(way, artefacts)(url) as device,
    ):
        seen.append(device.info)
        if said := where.restarted(device.info, device.fault_before, ours):
            notice(said)
        check_model(device.info, artefacts, url, way.engine, ours=bool(way.board))
        if said := other_engine_model(device.info, artefacts, way.engine):
            notice(said)
        if way.inspect and not device.watches():
            fix = _new_firmware(device.info, artefacts, url, way.engine, ours=bool(way.board))
            raise UserError(f"{url}: its firmware cannot watch its layers; {fix} INSPECT=1")
        yield device


def other_engine_model(info: Info, artefacts: Artefacts, engine: str) -> str:
    """Says that the firmware's engine model is not what build/ has for the board.

    "" where it is, or there is nothing to compare. Both come from the same .tflite, which is compared before.
    """
    wanted = artefacts.manifest["tflite_sha256"] if engine == "tflm" else None
    if engine == "squeeze" and info.board in board_toml.names():
        wanted = board_model.made_for(artefacts.folder, info.board).get("engine_sha256")
    if wanted is None or wanted == info.engine_sha256:
        return ""
    folder = board_model.folder_for(artefacts.folder, info.board, engine)
    return (
        f"the device's engine model is {info.engine_sha256[:16]}..., that of {folder} is {wanted[:16]}...: "
        "from an earlier build, or with other options; the answers are the same, time and memory may not be"
    )


def check_model(info: Info, artefacts: Artefacts, url: str, engine: str, ours: bool) -> None:
    """UserError where the device runs another model than the one that it would be compared with, or says
    that it does and takes other images.

    `ours`: we have started the emulator at `url` ourselves, from a firmware in build/.
    """
    wanted = artefacts.manifest["tflite_sha256"]
    if info.model_sha256 == wanted:
        check_sizes(info, artefacts, url)
        return
    fix = _new_firmware(info, artefacts, url, engine, ours)
    if info.features & Feature.UPLOAD and not ours:
        fix = f"run: make upload MODEL={artefacts.model} PORT={shlex.quote(url)}; or {fix}"
    raise UserError(
        f"{url}: the device runs model {info.model_sha256}, {artefacts.folder} has {wanted}; {fix}"
    )


def _new_firmware(info: Info, artefacts: Artefacts, url: str, engine: str, ours: bool) -> str:
    """How to give the device at `url` the firmware of `artefacts`."""
    names = f"MODEL={artefacts.model} BOARD={shlex.quote(info.board)}{tflm_library.make_option(engine)}"
    if ours:
        return f"run: make firmware {names}"
    if url.startswith("socket://"):
        return f"end the emulator, then: make simulate {names}"
    return f"run: make flash {names}"


def check_sizes(info: Info, artefacts: Artefacts, url: str) -> None:
    """UserError where the device names the right model, but sizes that are not its, or impossible."""
    size = artefacts.manifest["input"]
    wanted = (size["height"], size["width"], size["channels"], artefacts.manifest["output"]["classes"])
    seen = (info.height, info.width, info.channels, info.classes)
    if seen != wanted:
        said, want = ("{} x {} x {}, {} classes".format(*of) for of in (seen, wanted))
        raise UserError(f"{url}: the device says {said}; {artefacts.folder} has {want}; {_FLASH_AGAIN}")
    for what, used, total in (
        ("SRAM for its arena", info.arena_bytes, info.sram_total_bytes),
        ("SRAM for variables", info.static_sram_bytes, info.sram_total_bytes),
        ("flash", info.flash_used_bytes, info.flash_total_bytes),
    ):
        if used > total:
            raise UserError(
                f"{url}: the device says that it uses {used:,} bytes of {what}; there are {total:,}; "
                f"{_FLASH_AGAIN}"
            )


_FLASH_AGAIN = "its firmware is damaged, or not ours: flash it again"


def firmware_of(way: Way, artefacts: Artefacts) -> Path:
    """The firmware for the board, which may not be there yet."""
    assert way.board is not None
    name = board_toml.load(way.board).name  # an unknown one is a better complaint than a missing file
    return board_model.folder_for(artefacts.folder, name, way.engine, way.inspect) / "firmware.elf"


@contextlib.contextmanager
def _url(way: Way, artefacts: Artefacts, on_emulator: Callable[[int], None]) -> Iterator[str]:
    """The URL to talk to: the port given, or an emulator that runs as long as the context."""
    if way.port:
        yield way.port
        return
    assert way.board is not None
    from squeezenet_mcu.host_tools.emulate import emulator

    elf = firmware_of(way, artefacts)
    if not elf.is_file():
        more = " ENGINE=tflm TFLM_INCLUDE= TFLM_LIB=" if way.engine == "tflm" else ""
        more += " INSPECT=1" if way.inspect else ""
        raise UserError(f"{elf}: missing; run: make firmware MODEL={artefacts.model} BOARD={way.board}{more}")
    with emulator.machine(way.board, elf, usb=way.usb) as machine:
        on_emulator(machine.pid)
        yield machine.usb_url if way.usb else machine.url
