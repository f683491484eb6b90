"""A board whose own USB is a serial port, around a flash: into its boot loader without a button, and back."""

import contextlib
import time
from pathlib import Path

import serial

from squeezenet_mcu.common import terminal
from squeezenet_mcu.host_tools.boards import attached
from squeezenet_mcu.host_tools.boards.board_toml import Board, Flasher
from squeezenet_mcu.host_tools.link.errors import LinkError

LOADER_BAUD = 1200  # a port that is opened at it and closed asks for the boot loader
_LOADER_TIMEOUT = 15.0  # seconds for the boot loader to show itself; a desktop mounts its drive by then
_PORT_TIMEOUT = 8.0  # seconds for a board that has restarted to show its port
_ASKED_TIMEOUT = 2.0  # seconds to answer; a board of ours needs milliseconds
_POLL = 0.2


def ports(board: Board) -> list[str]:
    """The serial ports with the id of this board's own USB, which other boards may have, too."""
    return attached.serial_ports_of(board.usb_id) if board.usb_id else []


def is_at(port: str, board: Board) -> bool:
    """Whether firmware of ours answers there that is this board's."""
    from squeezenet_mcu.host_tools.link.device import Device

    try:
        with Device(port, open_timeout=_ASKED_TIMEOUT) as device:
            return device.info.board == board.name
    except LinkError:
        return False


def into_loader(board: Board, way: Flasher) -> None:
    """Restarts the one such board that runs firmware of ours into its boot loader, if `way` needs that.

    Nothing happens where the boot loader is there already, or where not exactly one board answers.
    """
    if not board.usb_id or way.needs not in ("drive", "usb") or _loader_is_there(way):
        return
    found = [port for port in ports(board) if is_at(port, board)]
    if len(found) != 1:
        return
    terminal.echo(f"{found[0]}: restarting {board.name} into its boot loader", flush=True)
    touch(found[0])
    end = time.monotonic() + _LOADER_TIMEOUT
    while not _loader_is_there(way) and time.monotonic() < end:
        time.sleep(_POLL)


def touch(port: str) -> None:
    """Opens the port at LOADER_BAUD and closes it; the board may be gone before that is done."""
    with (
        contextlib.suppress(serial.SerialException, OSError),
        contextlib.closing(serial.Serial(port, LOADER_BAUD)) as line,
    ):
        line.dtr = False


def _loader_is_there(way: Flasher) -> bool:
    if way.needs == "drive":
        return bool(attached.uf2_drives(way.usb))
    devices = attached.usb_devices()
    return devices is None or any(device.matches(way.usb) for device in devices)


def wait_for(port: str) -> None:
    """Returns when there is such a port, or some seconds later."""
    end = time.monotonic() + _PORT_TIMEOUT
    while not Path(port).exists() and port not in attached.serial_ports() and time.monotonic() < end:
        time.sleep(_POLL)


def after_restart(board: Board) -> str | None:
    """The one port where this board answers, once it has restarted; None: none, or several."""
    end = time.monotonic() + _PORT_TIMEOUT
    while True:
        found = [port for port in ports(board) if is_at(port, board)]
        if found or time.monotonic() > end:
            return found[0] if len(found) == 1 else None
        time.sleep(_POLL)
