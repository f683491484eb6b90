"""`python -m host_tools flash`: the firmware onto a real board, by a program that its board.toml names."""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.command_line.nearest import did_you_mean
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.programs import missing_program
from squeezenet_mcu.host_tools.boards import attached, board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board, Flasher
from squeezenet_mcu.host_tools.firmware import build, own_usb, protocols, tflm_library
from squeezenet_mcu.model.settings import config

NAME = "flash"
HELP = "write the firmware to a real board and verify it"
EXAMPLES = """\
  python -m host_tools flash --board stm32f405 --model digits
  python -m host_tools flash --board stm32f405 --tool stm32loader --port /dev/ttyUSB0
  python -m host_tools flash --board nucleo_h743zi --port /dev/ttyACM0    # then asks the board who it is
  python -m host_tools flash --board nano33ble --elf build/selftest/nano33ble/cmake/selftest.elf
  python -m host_tools flash --board nano33ble --tool pyocd --dry-run"""

_NO_PORT = "PORT"  # stands for it in what --dry-run prints
_NO_DRIVE = "DRIVE"
_DRIVE_TIMEOUT = 20.0  # seconds for a UF2 boot loader to write the last block and restart
_FAILURE_TIMEOUT = 2.0  # seconds for a drive to vanish that writing to has failed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    build.add_build_arguments(parser)
    parser.add_argument("--tool", metavar="NAME", help="one of those in the board's board.toml (the first)")
    parser.add_argument(
        "--port",
        metavar="PORT",
        help="serial port: for the tool, if it needs one; else to ask the board who it is when all is done",
    )
    parser.add_argument(
        "--elf", type=Path, metavar="FILE", help="this program instead of the model's firmware"
    )
    parser.add_argument("--dry-run", action="store_true", help="only print the command")


def flasher(board: Board, tool: str | None = None) -> Flasher:
    """The way to flash `board`. UserError: it cannot be flashed, or not by `tool`."""
    if not board.flash:
        flashable = [name for name in board_toml.names() if board_toml.load(name).flash]
        raise UserError(f"{board.name}: exists in the emulator only; boards to flash: {', '.join(flashable)}")
    if tool is None:
        return board.flash[0]
    for way in board.flash:
        if way.tool == tool:
            return way
    tools = [way.tool for way in board.flash]
    hint = did_you_mean(tool, tools)
    raise UserError(f"--tool {tool}: {board.name} is flashed by {', '.join(tools)}{hint}")


def commands(way: Flasher, elf: Path, port: str = _NO_PORT) -> list[list[str]]:
    """The commands that write `elf` (its .bin lies beside it) and, of some tools, read it back; in order.

    Of a drive, what copy_to_drive() does, as a command.
    `port`: of a tool that needs one. A tool that is not on the PATH, but in our environment, gets its path.
    """
    binary = elf.with_suffix(".bin")
    values = {
        "elf": elf,
        "bin": binary,
        "uf2": _uf2(elf),
        "port": port,
        "readback": readback(elf),
        "bytes": binary.stat().st_size,
    }
    if way.needs == "drive":
        return [["cp", str(_uf2(elf)), _NO_DRIVE]]
    filled = [[part.format(**values) for part in parts] for parts in (way.command, way.read) if parts]
    return [[program(parts[0]) or parts[0], *parts[1:]] for parts in filled]


def readback(elf: Path) -> Path:
    """The file for what the flash holds."""
    return elf.with_suffix(".readback")


def program(name: str) -> str | None:
    """How to call a program: its name if it is on the PATH, its path in our environment, None if nowhere."""
    if shutil.which(name):
        return name
    ours = Path(sys.executable).parent / name
    return str(ours) if ours.is_file() else None


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    board = board_toml.load(args.board)
    way = flasher(board, args.tool)
    model = config.name_of(args.model)
    if args.elf is None:
        elf = build.build(args.board, model, build.request_of(args))
    else:
        elf = args.elf
        if not elf.is_file():
            raise UserError(
                f"{elf}: no such file; want an ELF, as of: make selftest BOARD={board.name} BUILD=1"
            )
        build.write_images(board, elf)
    if args.dry_run:
        for line in commands(way, elf, args.port or _NO_PORT):
            terminal.echo(shlex.join(line))
        return 0
    own_usb.into_loader(board, way)
    if way.needs == "drive":
        copy_to_drive(_uf2(elf), drive(board, way))
    else:
        check_tool(way)
        check_attached(board, way, args.port)
        write(way, elf, args.port or _NO_PORT)
    if args.protocol != "link":
        terminal.echo(protocols.next_step("its serial port"))
    elif args.port and way.needs != "port":
        if board.usb_id:
            own_usb.wait_for(args.port)
        _greet(args.port, board)
    elif args.elf is None:
        _say_next(board, model, tflm_library.make_option(args.engine))
    return 0


def _say_next(board: Board, model: str, engine: str) -> None:
    port = own_usb.after_restart(board) if board.usb_id else None
    if port:
        then = as_typed(f"make validate MODEL={model} PORT={port}{engine}")
        terminal.echo(f"{port}: {board.name} answers; next: {then}")
        return
    cable = "its USB or the serial cable" if board.usb_id else "the serial cable"
    then = as_typed(f"make validate MODEL={model} PORT=<its port>{engine}")
    terminal.echo(f"next, with {cable} connected: {then}")


def write(way: Flasher, elf: Path, port: str) -> None:
    """Runs the commands, and compares what was read back. UserError: one failed, or the flash differs."""
    copy = readback(elf)
    copy.unlink(missing_ok=True)  # dfu-util overwrites nothing
    lines = commands(way, elf, port)
    for line in lines:
        terminal.echo(shlex.join(line), flush=True)
        done = subprocess.run(line, check=False)
        if done.returncode != 0:
            raise UserError(f"{way.tool} ended with status {done.returncode}, see above; {_advice(way)}")
    if any(str(copy) in part for line in lines for part in line):
        compare(elf.with_suffix(".bin"), copy)
        copy.unlink()


def compare(binary: Path, copy: Path) -> None:
    """UserError: what the flash holds, `copy`, is not `binary`, or was not read."""
    if not copy.is_file():
        raise UserError(f"{copy}: the tool read nothing back; flash again")
    wanted, found = binary.read_bytes(), copy.read_bytes()
    if wanted == found:
        terminal.echo(f"verified: all {len(wanted):,} bytes of the flash equal {binary}")
        return
    pairs = enumerate(zip(wanted, found, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(wanted), len(found)))
    raise UserError(f"the flash differs from {binary} from byte {at:,} of {len(wanted):,} on; flash again")


def check_tool(way: Flasher) -> None:
    """UserError: the tool is not installed; says how."""
    if program(way.command[0]) is None:
        if way.package.startswith("apt-get install "):
            raise missing_program(way.command[0], way.package.removeprefix("apt-get install "))
        raise UserError(f"{way.command[0]} is not installed; run: {way.package}")


def check_attached(board: Board, way: Flasher, port: str | None) -> None:
    """UserError: what `way` needs is not connected; says what to do."""
    if way.needs == "port":
        _check_port(board, way, port)
        return
    devices = attached.usb_devices()
    if not way.usb or devices is None:
        return
    found = [device for device in devices if device.matches(way.usb)]
    if not found:
        what = "debug probe" if way.needs == "probe" else "boot loader"
        raise UserError(f"{board.name}: no {what} on USB ({' or '.join(way.usb)}); {_advice(way, board)}")
    nodes = [device.node for device in found if device.node and attached.refused(device.node)]
    if len(nodes) == len(found):
        raise UserError(
            f"{nodes[0]}: no permission to use {found[0].id} {found[0].product}; "
            f"run: sudo chmod a+rw {nodes[0]} (until it is unplugged; for good: a udev rule for it)"
        )


def _check_port(board: Board, way: Flasher, port: str | None) -> None:
    ports = attached.serial_ports()
    here = ", ".join(f"{name} ({what})" for name, what in ports.items()) or "none is connected"
    if port is None:
        raise UserError(f"{board.name}: {way.tool} needs PORT=; serial ports: {here}; {_advice(way, board)}")
    if port not in ports and not Path(port).exists():
        raise UserError(f"{port}: no such serial port; serial ports: {here}; {_advice(way, board)}")
    if attached.refused(Path(port)):
        group = Path(port).group()
        raise UserError(f"{port}: no permission; run: sudo usermod -aG {group} $USER, and log in again")


def _advice(way: Flasher, board: Board | None = None) -> str:
    others = [other.tool for other in board.flash if other != way] if board else []
    first = way.prepare or "plug it in, and see that the board has power"
    return first + (f"; or use TOOL={' or TOOL='.join(others)}" if others else "")


def _uf2(elf: Path) -> Path:
    return elf.with_suffix(".uf2")


def drive(board: Board, way: Flasher) -> Path:
    """The one drive of the board's boot loader. UserError: none, or several."""
    found = attached.uf2_drives(way.usb)
    if not found:
        raise UserError(f"{board.name}: no drive of its boot loader is mounted; {_advice(way, board)}")
    if len(found) > 1:
        raise UserError(f"several boards show a drive: {', '.join(map(str, found))}; leave one connected")
    return found[0]


def copy_to_drive(uf2: Path, mount: Path, timeout: float = _DRIVE_TIMEOUT) -> None:
    """Copies the file; the boot loader checks every block, and restarts once it has them all.

    UserError: the drive is still there after `timeout` seconds, so it did not take the file.
    """
    terminal.echo(f"cp {shlex.quote(str(uf2))} {shlex.quote(str(mount))}", flush=True)
    content = uf2.read_bytes()
    failure: OSError | None = None
    try:
        with (mount / uf2.name).open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except PermissionError as error:
        raise UserError(f"{mount}: no permission to write; mount it for this user, or use sudo") from error
    except OSError as error:  # the board may restart before the system has closed the file
        failure = error
    end = time.monotonic() + (min(timeout, _FAILURE_TIMEOUT) if failure else timeout)
    while attached.is_uf2_drive(mount):
        if time.monotonic() > end:
            why = f": {failure}" if failure else ""
            raise UserError(
                f"{mount}: the boot loader did not take {uf2}{why}; unplug the board and try again"
            )
        time.sleep(0.1)
    terminal.echo(f"written: {len(content):,} bytes; the boot loader took all of them and restarted")


def _greet(port: str, board: Board) -> None:
    from squeezenet_mcu.host_tools.link.device import Device

    with Device(port) as device:
        if device.info.board != board.name:
            raise UserError(f"{port}: {device.info.board} answers, not {board.name}; is it another board's?")
        terminal.echo(f"{port}: {board.name} answers")
