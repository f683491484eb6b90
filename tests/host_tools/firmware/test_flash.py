"""Flashing: the tools accept what is printed; what is missing is said; what was written is compared."""

import argparse
import re
import shlex
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import attached, board_toml
from squeezenet_mcu.host_tools.boards.attached import UsbDevice
from squeezenet_mcu.host_tools.boards.board_toml import Flasher
from squeezenet_mcu.host_tools.firmware import build as firmware
from squeezenet_mcu.host_tools.firmware import flash
from squeezenet_mcu.host_tools.link.messages import Info
from tests.host_tools.selftest import selftest_device

WAYS = [(name, way) for name in board_toml.names() for way in board_toml.load(name).flash]
IDS = [f"{name}-{way.tool}" for name, way in WAYS]
PROBE = Flasher("tool", "probe", "apt-get install tool", ("sh",), usb=("0483:37*", "CMSIS-DAP"))
DRIVE = Flasher("uf2", "drive", "", usb=("RPI-RP2",), prepare="hold BOOTSEL")


@pytest.fixture
def built(monkeypatch):
    """firmware.build() is the selftest program: real, and no model needed."""

    def build(board, _model, _request):
        elf = selftest_device.elf(board)
        command = [f"{board_toml.binutils(elf)}objcopy", "-O", "binary", elf, elf.with_suffix(".bin")]
        subprocess.run(command, check=True)
        return elf

    monkeypatch.setattr(firmware, "build", build)


def options(*words):
    parser = argparse.ArgumentParser()
    flash.add_arguments(parser)
    return parser.parse_args(words)


def call(line, timeout=60):
    """What a tool says where no board is connected, and its exit status."""
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=timeout)
    return done.stdout + done.stderr, done.returncode


# What OpenOCD's `program` is made of, said instead of done: no probe is needed.
OPENOCD_MOCK = """
proc init {} {echo "did init"}
proc reset {args} {echo "did reset $args"}
proc flash {args} {echo "did flash $args"}
proc verify_image {args} {echo "did verify_image $args"}
proc poll {args} {}
"""


def accepted_by_openocd(line, scripts):
    """Debian's OpenOCD does not know the RP2350: there the RP2040's file stands in, and the rest is tried."""
    mocked = [*line[1:-2], "-c", OPENOCD_MOCK, *line[-2:]]
    said, status = call([line[0], *mocked])
    if "Can't find target/rp2350.cfg" in said:
        (scripts / "target").mkdir()
        (scripts / "target/rp2350.cfg").write_text("source [find target/rp2040.cfg]\n")
        said, status = call([line[0], "-s", scripts, *mocked])
    assert status == 0, said
    did = re.findall(r"^did (.*)$", said, re.M)
    (elf,) = [word for word in line[-1].split() if word.endswith(".elf")]
    assert did == ["init", "reset init", f"flash write_image erase {elf}", f"verify_image {elf}", "reset run"]


def accepted_by_pyocd(line, _):
    from pyocd.commands import commands
    from pyocd.target import TARGET

    assert line[line.index("--target") + 1] in TARGET
    classes = [
        c for c in vars(commands).values() if isinstance(c, type) and "nargs" in getattr(c, "INFO", {})
    ]
    known = {name: c.INFO["nargs"] for c in classes for name in c.INFO["names"]}
    for word in (line[i + 1].split() for i, part in enumerate(line) if part == "--command"):
        allowed = known[word[0]]
        assert len(word) - 1 in (allowed if isinstance(allowed, list) else [allowed])
    said, status = call(line)
    assert (said.strip(), status) == ("No connected debug probes", 3)


def accepted_by_dfu_util(line, _):
    said, status = call(line)
    assert status == 74, said  # EX_IOERR; 64 is EX_USAGE
    assert "No DFU capable USB device available" in said


def accepted_by_stm32loader(line, _):
    said, status = call([part.replace("PORT", "/dev/no-such-port") for part in line])
    assert status == 1
    assert "could not open port /dev/no-such-port" in said


def accepted_by_bossac(line, _):
    said, status = call([part.replace("=PORT", "=/dev/no-such-port") for part in line])
    assert status == 1
    assert "No device found on /dev/no-such-port" in said


def accepted_by_picotool(line, _):
    said, _ = call(line)
    assert "No accessible RP-series devices" in said or "No accessible RP2040 devices" in said


ACCEPTED = {
    "openocd": accepted_by_openocd,
    "pyocd": accepted_by_pyocd,
    "dfu-util": accepted_by_dfu_util,
    "stm32loader": accepted_by_stm32loader,
    "bossac": accepted_by_bossac,
    "picotool": accepted_by_picotool,
}
# Not in Debian, or not in setup.sh because it serves a single board.
OPTIONAL = ("bossac", "picotool")


@pytest.mark.parametrize(("name", "way"), WAYS, ids=IDS)
def test_what_dry_run_prints_is_accepted_by_the_tool(name, way, built, capsys, tmp_path):
    assert flash.run(options("--board", name, "--tool", way.tool, "--dry-run")) == 0
    lines = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    elf = selftest_device.elf(name)
    if way.needs == "drive":
        assert lines == [["cp", str(elf.with_suffix(".uf2")), "DRIVE"]]
        return
    assert len(lines) == 1 + bool(way.read)
    if way.tool in OPTIONAL and flash.program(way.command[0]) is None:
        pytest.skip(f"{way.command[0]} is not installed: {way.package}")
    elf.with_suffix(".readback").unlink(missing_ok=True)
    for line in lines:
        assert any(str(elf.with_suffix("")) in part for part in line)
        ACCEPTED[way.tool](line, tmp_path)


@pytest.mark.parametrize(("name", "way"), WAYS, ids=IDS)
def test_addresses_are_those_of_the_board(name, way):
    start = board_toml.load(name).memories[0].address
    words = [word for part in way.command + way.read for word in re.findall(r"\b0x[0-9a-f]{8}\b", part)]
    assert {int(word, 16) for word in words} <= {start}


@pytest.mark.parametrize(("name", "way"), WAYS, ids=IDS)
def test_settings_say_what_a_user_must_know(name, way):
    board = board_toml.load(name)
    assert board.buy
    assert board.wiring
    assert way.package or way.needs == "drive"
    assert (way.needs in ("probe", "usb", "drive")) == bool(way.usb)
    assert ("{port}" in " ".join(way.command)) == (way.needs == "port")
    assert way.command or way.needs == "drive"


def test_the_first_way_is_the_default():
    assert flash.flasher(board_toml.load("stm32f405")).tool == "openocd"
    assert flash.flasher(board_toml.load("stm32f405"), "dfu-util").tool == "dfu-util"
    with pytest.raises(
        UserError, match=r"^--tool jtag: stm32f405 is flashed by openocd, dfu-util, stm32load"
    ):
        flash.flasher(board_toml.load("stm32f405"), "jtag")
    with pytest.raises(UserError, match=r"^mps2_an500: exists in the emulator only; boards to flash: .*f405"):
        flash.flasher(board_toml.load("mps2_an500"))


def test_a_faulty_way_names_the_file(tmp_path):
    text = (board_toml.FOLDER / "stm32f405/board.toml").read_text()
    (tmp_path / "mine").mkdir()
    for old, new, says in (
        ('needs = "usb"', 'needs = "luck"', 'needs = "luck"; want one of probe, port, usb, drive'),
        ('prepare = "', 'prepair = "', "prepair"),
    ):
        (tmp_path / "mine/board.toml").write_text(text.replace(old, new))
        with pytest.raises(UserError, match=re.escape(says)) as error:
            board_toml.load("mine", tmp_path)
        assert str(tmp_path / "mine/board.toml") in str(error.value)


def test_usb_devices_of_linux(tmp_path):
    for folder, texts in {
        "usb1": {"idVendor": "1d6b", "idProduct": "0002", "product": "xHCI Host Controller"},
        "1-2": {
            "idVendor": "0483",
            "idProduct": "374b",
            "product": "STM32 STLink",
            "busnum": "1",
            "devnum": "14",
        },
        "1-3": {"idVendor": "1fc9", "idProduct": "0143", "product": "MCU-LINK"},
        "1-2:1.0": {},
        "1-3:1.0": {"interface": "CMSIS-DAP V2"},
    }.items():
        (tmp_path / folder).mkdir()
        for name, text in texts.items():
            (tmp_path / folder / name).write_text(text + "\n")
    found = attached.usb_devices(tmp_path)
    assert found == [
        UsbDevice("0483:374b", "STM32 STLink", Path("/dev/bus/usb/001/014")),
        UsbDevice("1fc9:0143", "MCU-LINK CMSIS-DAP V2"),
        UsbDevice("1d6b:0002", "xHCI Host Controller"),
    ]
    assert [device.matches(["0483:37*"]) for device in found] == [True, False, False]
    assert [device.matches(["CMSIS-DAP"]) for device in found] == [False, True, False]


def test_what_the_user_may_not_open_is_said(monkeypatch, tmp_path):
    """Of several probes one may be enough: which one the tool takes is its affair."""
    ours, theirs = tmp_path / "014", tmp_path / "015"
    for node in (ours, theirs):
        node.touch()
    monkeypatch.setattr(attached.os, "access", lambda node, _: node != theirs)
    probes = [UsbDevice("0483:374b", "STLINK-V3", node) for node in (theirs, ours)]
    board = board_toml.load("stm32f405")
    monkeypatch.setattr(attached, "usb_devices", lambda: probes)
    flash.check_attached(board, PROBE, None)
    monkeypatch.setattr(attached, "usb_devices", lambda: probes[:1])
    with pytest.raises(
        UserError, match=f"^{theirs}: no permission to use 0483:374b STLINK-V3; run: sudo chmod"
    ):
        flash.check_attached(board, PROBE, None)
    way = flash.flasher(board, "stm32loader")
    monkeypatch.setattr(attached, "serial_ports", lambda: {str(theirs): "USB serial"})
    with pytest.raises(
        UserError, match=rf"^{theirs}: no permission; run: sudo usermod -aG {theirs.group()} "
    ):
        flash.check_attached(board, way, str(theirs))


@pytest.mark.parametrize(
    ("devices", "found"),
    [
        ([], False),
        ([UsbDevice("0483:df11", "STM32 BOOTLOADER")], False),
        ([UsbDevice("0483:374e", "STLINK-V3")], True),
        ([UsbDevice("c251:f001", "Some cmsis-dap v2")], True),
        (None, True),  # the system does not say: the tool will
    ],
)
def test_a_missing_probe_is_said_in_one_line(monkeypatch, devices, found):
    monkeypatch.setattr(attached, "usb_devices", lambda: devices)
    board = board_toml.load("stm32f405")
    if found:
        flash.check_attached(board, PROBE, None)
        return
    with pytest.raises(UserError) as error:
        flash.check_attached(board, PROBE, None)
    assert str(error.value) == (
        "stm32f405: no debug probe on USB (0483:37* or CMSIS-DAP); plug it in, and see that the board has "
        "power; or use TOOL=openocd or TOOL=dfu-util or TOOL=stm32loader"
    )


def test_a_missing_port_lists_those_there(monkeypatch, tmp_path):
    board = board_toml.load("nano33ble")
    way = flash.flasher(board, "bossac")
    monkeypatch.setattr(attached, "serial_ports", dict)
    with pytest.raises(
        UserError, match=r"bossac needs PORT=; serial ports: none is connected; press reset twi"
    ):
        flash.check_attached(board, way, None)
    monkeypatch.setattr(attached, "serial_ports", lambda: {"/dev/ttyACM7": "Nano 33 BLE"})
    with pytest.raises(UserError, match=r"^/dev/tty0815: no such .* ports: /dev/ttyACM7 \(Nano 33 BLE\);"):
        flash.check_attached(board, way, "/dev/tty0815")
    flash.check_attached(board, way, "/dev/ttyACM7")
    (tmp_path / "by-id").touch()  # a link that udev made
    flash.check_attached(board, way, str(tmp_path / "by-id"))


def test_a_missing_tool_says_how_to_install_it():
    with pytest.raises(UserError, match=r"^no-tool is not installed; run: sudo apt-get install no$"):
        flash.check_tool(Flasher("x", "probe", "apt-get install no", ("no-tool",)))
    with pytest.raises(UserError, match=r"^no-tool is not installed; run: pip install no$"):
        flash.check_tool(Flasher("x", "probe", "pip install no", ("no-tool",)))


def test_another_program_needs_no_model(tmp_path, monkeypatch, capsys):
    """The self-test of a new board, say."""
    monkeypatch.setattr(firmware, "build", lambda *_: pytest.fail("a model's firmware was built"))
    elf = tmp_path / "selftest.elf"
    shutil.copyfile(selftest_device.elf("nucleo_h743zi"), elf)
    words = ("--board", "nucleo_h743zi", "--tool", "dfu-util", "--dry-run", "--elf")
    assert flash.run(options(*words, str(elf))) == 0
    size = elf.with_suffix(".bin").stat().st_size
    assert f":{size}:leave" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"no-such.elf: no such file; want an ELF"):
        flash.run(options(*words, str(tmp_path / "no-such.elf")))


@pytest.mark.parametrize("board", ["rp2040", "stm32f405"])
@pytest.mark.parametrize("content", [b"", b"no program\n", b"\x7fELF cut off"])
def test_what_is_no_program_is_one_line(tmp_path, board, content):
    path = tmp_path / "some.elf"
    path.write_bytes(content)
    with pytest.raises(
        UserError, match=rf"some\.elf: no program for {board} \(.*\); want an ELF file"
    ) as error:
        flash.run(options("--board", board, "--dry-run", "--elf", str(path)))
    assert "\n" not in str(error.value)
    assert not path.with_suffix(".bin").exists()


def test_run_stops_before_the_tool_where_nothing_is_connected(built, monkeypatch):
    monkeypatch.setattr(attached, "usb_devices", list)
    monkeypatch.setattr(flash, "write", lambda *_: pytest.fail("the tool was started"))
    with pytest.raises(UserError, match="no debug probe on USB"):
        flash.run(options("--board", "stm32f405"))


def scripted(script, **more):
    return Flasher("tool", "usb", "", ("sh", "-c", script), **more)


@pytest.fixture
def elf(tmp_path):
    path = tmp_path / "firmware.elf"
    path.with_suffix(".bin").write_bytes(bytes(range(200)))
    return path


def test_what_was_read_back_is_compared(elf, capsys):
    flash.write(scripted("test {bytes} = 200; cp {bin} {readback}"), elf, "")
    assert "verified: all 200 bytes" in capsys.readouterr().out
    assert not flash.readback(elf).exists()
    flash.write(scripted("true", read=("sh", "-c", "cp {bin} {readback}")), elf, "")
    assert "verified: all 200 bytes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("head -c 199 {bin} > {readback}", "from byte 199 of 200 on"),
        ("tr '\\005' x < {bin} > {readback}", "from byte 5 of 200 on"),
        ("true {readback}", "the tool read nothing back"),
        ("exit 3; cp {bin} {readback}", "tool ended with status 3, see above; hold it"),
    ],
)
def test_a_flash_that_differs_is_an_error(elf, script, says):
    flash.readback(elf).write_bytes(elf.with_suffix(".bin").read_bytes())  # of an earlier run
    with pytest.raises(UserError, match=says):
        flash.write(scripted(script, prepare="hold it"), elf, "")


def test_the_port_goes_to_the_tool(elf, tmp_path):
    flash.write(scripted(f"echo {{port}} > {tmp_path}/seen"), elf, "/dev/ttyS7")
    assert (tmp_path / "seen").read_text() == "/dev/ttyS7\n"


@pytest.fixture
def pico(tmp_path):
    """A folder that looks like the drive of a Pico's boot loader."""
    mount = tmp_path / "RPI-RP2"
    mount.mkdir()
    (mount / "INFO_UF2.TXT").write_text(
        "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"
    )
    return mount


def test_drives_are_found_by_what_they_say(pico, tmp_path, monkeypatch):
    (tmp_path / "stick").mkdir()
    mounts = [tmp_path / "stick", tmp_path / "gone", pico]
    assert attached.uf2_drives(["RPI-RP2"], mounts) == [pico]
    assert attached.uf2_drives((), mounts) == [pico]
    assert attached.uf2_drives(["Feather"], mounts) == []
    monkeypatch.setattr(attached, "mount_points", lambda: mounts)
    board = board_toml.load("stm32f405")
    assert flash.drive(board, DRIVE) == pico
    monkeypatch.setattr(attached, "mount_points", lambda: [pico, pico])
    with pytest.raises(UserError, match="several boards show a drive"):
        flash.drive(board, DRIVE)
    monkeypatch.setattr(attached, "mount_points", list)
    with pytest.raises(
        UserError, match=r"no drive of its boot loader is mounted; hold BOOTSEL; or use TOOL="
    ):
        flash.drive(board, DRIVE)


def test_a_picos_drive_is_not_a_pico_2s(pico, tmp_path):
    (tmp_path / "RP2350").mkdir()
    text = "UF2 Bootloader v1.0\nModel: Raspberry Pi RP2350\nBoard-ID: RP2350\n"  # bootrom's info_uf2_txt.h
    (tmp_path / "RP2350/INFO_UF2.TXT").write_text(text)
    mounts = [pico, tmp_path / "RP2350"]
    for board, mount in zip(("rp2040", "pico2"), mounts, strict=True):
        way = flash.flasher(board_toml.load(board))
        assert (way.needs, attached.uf2_drives(way.usb, mounts)) == ("drive", [mount])


def test_a_drive_that_takes_the_file_vanishes(pico, tmp_path, capsys):
    uf2 = tmp_path / "firmware.uf2"
    uf2.write_bytes(bytes(5120))
    taken = []

    def boot_loader():
        while not (pico / uf2.name).is_file() or (pico / uf2.name).stat().st_size < 5120:
            time.sleep(0.01)
        taken.append((pico / uf2.name).read_bytes())
        shutil.rmtree(pico)

    thread = threading.Thread(target=boot_loader)
    thread.start()
    flash.copy_to_drive(uf2, pico)
    thread.join()
    assert taken == [bytes(5120)]
    assert "5,120 bytes; the boot loader took all" in capsys.readouterr().out


def test_a_drive_mounted_by_hand_stays_mounted_when_it_has_gone(pico, tmp_path, monkeypatch):
    device = tmp_path / "sdb1"
    (tmp_path / "mounts").write_text(f"{device} {pico} vfat rw 0 0\n")
    monkeypatch.setattr(attached, "_MOUNTS", tmp_path / "mounts")
    device.touch()
    assert attached.uf2_drives(["RPI-RP2"], [pico]) == [pico]
    uf2 = tmp_path / "firmware.uf2"
    uf2.write_bytes(bytes(512))
    thread = threading.Timer(0.3, device.unlink)
    thread.start()
    flash.copy_to_drive(uf2, pico)  # INFO_UF2.TXT is still there to be read
    thread.join()
    assert attached.uf2_drives(["RPI-RP2"], [pico]) == []


def test_a_drive_that_cannot_be_written_is_said(pico, tmp_path, monkeypatch):
    uf2 = tmp_path / "firmware.uf2"
    uf2.write_bytes(bytes(512))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "read_bytes", lambda _: bytes(512))
    with pytest.raises(UserError, match=r"no permission to write; mount it for this user"):
        flash.copy_to_drive(uf2, pico)


def test_a_drive_that_stays_did_not_take_it(pico, tmp_path):
    uf2 = tmp_path / "firmware.uf2"
    uf2.write_bytes(b"not blocks")
    with pytest.raises(UserError, match="the boot loader did not take"):
        flash.copy_to_drive(uf2, pico, timeout=0.2)
    (pico / uf2.name).unlink()
    (pico / uf2.name).mkdir()
    with pytest.raises(UserError, match=r"did not take .*Is a directory"):
        flash.copy_to_drive(uf2, pico, timeout=0.2)


def test_mount_points_of_linux(tmp_path, monkeypatch):
    table = tmp_path / "mounts"
    table.write_text(
        "/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /media/me/RPI-RP2 vfat rw 0 0\n"
        "/dev/sdc1 /media/a\\040b vfat rw 0 0\n"
    )
    monkeypatch.setattr(attached, "_MOUNTS", table)
    monkeypatch.setattr(attached.sys, "platform", "linux")
    assert attached.mount_points() == [Path("/media/me/RPI-RP2"), Path("/media/a b")]


class FakeDevice:
    """Answers as a board that has just been flashed."""

    board = "stm32f405"

    def __init__(self, port: str) -> None:
        self.port = port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    @property
    def info(self):
        return Info(**dict.fromkeys(Info.__dataclass_fields__, 0) | {"board": self.board})


def test_with_a_port_the_board_is_asked_who_it_is(built, monkeypatch, capsys):
    monkeypatch.setattr("squeezenet_mcu.host_tools.link.device.Device", FakeDevice)
    monkeypatch.setattr(flash, "check_attached", lambda *_: None)
    monkeypatch.setattr(flash, "write", lambda *_: None)
    assert flash.run(options("--board", "stm32f405", "--port", "/dev/ttyUSB9")) == 0
    assert "/dev/ttyUSB9: stm32f405 answers" in capsys.readouterr().out
    monkeypatch.setattr(FakeDevice, "board", "nano33ble")
    with pytest.raises(UserError, match=r"^/dev/ttyUSB9: nano33ble answers, not stm32f405"):
        flash.run(options("--board", "stm32f405", "--port", "/dev/ttyUSB9"))
