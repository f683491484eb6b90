"""Flashing a board whose own USB is a serial port: no button, no second cable, and the port is found."""

import argparse
import os
import shutil
import termios
import types

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import attached, board_toml
from squeezenet_mcu.host_tools.boards.attached import UsbDevice
from squeezenet_mcu.host_tools.firmware import build as firmware
from squeezenet_mcu.host_tools.firmware import flash, own_usb
from squeezenet_mcu.host_tools.link.errors import LinkTimeoutError
from squeezenet_mcu.host_tools.link.messages import Info
from tests.host_tools.selftest import selftest_device

PICO = board_toml.load("rp2040")
PORT = "/dev/ttyACM3"


class Desk:
    """One Pico on a desk: what runs on it, and whether the desktop has mounted its drive."""

    def __init__(self, folder, monkeypatch) -> None:
        self.runs = "rp2040"  # a board's name: firmware of ours; "loader"; else another program
        self.drive = folder / "RPI-RP2"
        self.ports = [PORT]
        self.touched: list[str] = []
        monkeypatch.setattr(attached, "mount_points", lambda: [self.drive])
        monkeypatch.setattr(attached.list_ports, "comports", self.comports)
        monkeypatch.setattr(own_usb, "touch", self.touch)
        monkeypatch.setattr(own_usb, "_LOADER_TIMEOUT", 0.3)
        monkeypatch.setattr(own_usb, "_POLL", 0.01)
        desk = self

        class Device:
            def __init__(self, port, open_timeout=0.0) -> None:
                if desk.runs not in board_toml.names():
                    raise LinkTimeoutError(f"{port}: silence")
                self.info = Info(**dict.fromkeys(Info.__dataclass_fields__, 0) | {"board": desk.runs})

            def __enter__(self):
                return self

            def __exit__(self, *_) -> None:
                return None

        monkeypatch.setattr("squeezenet_mcu.host_tools.link.device.Device", Device)

    def comports(self):
        def port(name, vid, pid):
            return types.SimpleNamespace(device=name, description="", vid=vid, pid=pid)

        theirs = [] if self.runs == "loader" else [port(name, 0x2E8A, 0x000A) for name in self.ports]
        return [port("/dev/ttyS0", None, None), port("/dev/ttyUSB0", 0x0403, 0x6001), *theirs]

    def touch(self, port) -> None:
        self.touched.append(port)
        self.runs = "loader"
        self.drive.mkdir()
        (self.drive / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2\n")

    def restart(self, *_) -> None:
        shutil.rmtree(self.drive, ignore_errors=True)
        self.runs = "rp2040"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    return Desk(tmp_path, monkeypatch)


@pytest.fixture
def flash_pico(desk, monkeypatch):
    monkeypatch.setattr(firmware, "build", lambda *_: selftest_device.elf("rp2040"))
    monkeypatch.setattr(flash, "copy_to_drive", lambda _uf2, _mount: desk.restart())
    parser = argparse.ArgumentParser()
    flash.add_arguments(parser)
    return lambda *words: flash.run(parser.parse_args(["--board", "rp2040", "--model", "digits", *words]))


def test_ports_are_known_by_their_id(desk):
    desk.ports = ["/dev/ttyACM4", PORT]
    assert attached.serial_ports_of("2e8a:000a") == [PORT, "/dev/ttyACM4"]
    assert attached.serial_ports_of("0403:6001") == ["/dev/ttyUSB0"]
    assert own_usb.ports(board_toml.load("stm32f405")) == []


def test_a_touch_opens_the_port_at_1200_baud():
    master, slave = os.openpty()
    own_usb.touch(os.ttyname(slave))
    assert termios.tcgetattr(slave)[4:6] == [termios.B1200, termios.B1200]
    os.close(master)
    os.close(slave)
    own_usb.touch("/dev/no-such-port")  # it has gone already


def test_flash_needs_no_button_and_finds_the_port(desk, flash_pico, capsys):
    assert flash_pico() == 0
    assert desk.touched == [PORT]
    said = capsys.readouterr().out
    assert f"{PORT}: restarting rp2040 into its boot loader" in said
    assert f"{PORT}: rp2040 answers; next: python -m host_tools validate --model digits --port {PORT}" in said


def test_a_board_in_its_boot_loader_is_left_there(desk, flash_pico, capsys):
    desk.touch("")
    desk.touched.clear()
    assert flash_pico() == 0
    assert desk.touched == []
    assert f"next: python -m host_tools validate --model digits --port {PORT}" in capsys.readouterr().out


@pytest.mark.parametrize("runs", ["pico2", "somebody's own program"])
def test_what_is_not_ours_is_not_restarted(desk, flash_pico, runs):
    """The id is the pico-sdk's: any program may have it, and the Pico 2 has it, too."""
    desk.runs = runs
    with pytest.raises(UserError, match=r"^rp2040: no drive of its boot loader is mounted; hold BOOTSEL "):
        flash_pico()
    assert desk.touched == []


def test_of_two_boards_none_is_restarted(desk, flash_pico):
    desk.ports = [PORT, "/dev/ttyACM4"]
    with pytest.raises(UserError, match=r"no drive of its boot loader is mounted"):
        flash_pico()
    assert desk.touched == []


def test_where_it_is_not_found_again_the_user_is_told_what_to_do(desk, flash_pico, monkeypatch, capsys):
    monkeypatch.setattr(own_usb, "_PORT_TIMEOUT", 0.1)
    monkeypatch.setattr(Desk, "restart", lambda self, *_: setattr(self, "runs", "silent"))
    assert flash_pico() == 0
    wanted = "python -m host_tools validate --model digits --port <its port>"
    wanted = f"next, with its USB or the serial cable connected: {wanted}"
    assert wanted in capsys.readouterr().out


def test_a_port_that_is_given_is_waited_for(desk, flash_pico, capsys):
    assert flash_pico("--port", PORT) == 0
    assert f"{PORT}: rp2040 answers" in capsys.readouterr().out


def test_picotool_finds_the_boot_loader_too(desk, monkeypatch):
    way = flash.flasher(PICO, "picotool")
    devices = [UsbDevice("2e8a:000a", "squeezenet_mcu serial link")]
    monkeypatch.setattr(attached, "usb_devices", lambda: devices)
    monkeypatch.setattr(own_usb, "touch", lambda _: devices.__setitem__(0, UsbDevice("2e8a:0003", "RP2")))
    own_usb.into_loader(PICO, way)
    assert devices[0].matches(way.usb)
