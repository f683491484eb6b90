"""The Pico 2's USB serial port, compiled for this machine, on simulated registers of the RP2350."""

import subprocess
from pathlib import Path

import pytest

from squeezenet_mcu.host_tools.boards import board_toml

HERE = Path(__file__).parent
DEVICE = "12010002ef020140" + "8a2e0a00" + "0001" + "01020301"
DEVICE_SIZE, CONFIGURATION_SIZE, PACKET = 18, 75, 64


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    board = board_toml.load("pico2")
    vendor, product = board.usb_id.split(":")
    usb = board_toml.FOLDER / "usb"
    made = tmp_path_factory.mktemp("usb") / "pico2"
    subprocess.run(
        ["g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Wno-unused-macros", "-fsanitize=undefined",
         "-fno-sanitize-recover=undefined", f"-I{HERE}/usb", f"-I{HERE}/start_up", f"-I{board_toml.FOLDER}",
         f"-I{board.folder}", f"-DBOARD_USB_VENDOR=0x{vendor}", f"-DBOARD_USB_PRODUCT=0x{product}",
         HERE / "start_up/cells.cc",
         HERE / "usb/main.cc", HERE / "usb/rp2350_usb.cc", *sorted(usb.glob("*.cc")),
         board.folder / "board.cc", "-o", made],
        check=True,
    )  # fmt: skip
    return made


def run(program, step):
    done = subprocess.run([program, str(step)], check=True, capture_output=True, text=True, timeout=30)
    return done.stdout.splitlines()


def found(address):
    """Of a host that looks for its device, and gives it this address; before, it had the other one."""
    configuration = [
        "09024b00020100807d", "080b000202020000", "090400000102020000", "0524002001", "0524010001",
        "04240202", "0524060001", "07058103080010", "09040100020a000000", "07050202400000", "07058202400000",
    ]  # fmt: skip
    whole = "".join(configuration)
    assert len(whole) == 2 * CONFIGURATION_SIZE
    return [
        f"device: DATA1 {DEVICE}",
        "its status: DATA1",
        "address before its status: 0",
        "address: DATA1 ",
        f"address after its status: {address}",
        f"configuration: DATA1 {whole[: 2 * PACKET]}",
        f"its rest: DATA0 {whole[2 * PACKET :]}",
        "its end: nak",  # a packet that is not full has said it
        "its status: DATA1",
        "configured: DATA1 ",
    ]


def test_a_host_is_served(program):
    """Toggles, flow control, packets that end a transfer, the call into the boot ROM (datasheet 5.4.8.24)."""
    serial = "pico2".encode("utf-16-le").hex()
    assert run(program, -1) == [
        "pull-up: 1",
        *found(9),
        "from the host: DATA0",
        "the next at once: nak",
        "in the ring: hello",
        "the next then: DATA1",
        "in the ring: again",
        f"to the host: DATA0 {'61' * 64}",
        "its rest: DATA1 6263",
        f"a full packet: DATA0 {'64' * 64}",
        "its end: DATA1 ",
        "nothing more: nak",
        f"late: DATA0 {'65' * 64}",
        f"late: DATA1 {'65' * 64}",
        "later: DATA0 ",
        f"serial number: DATA1 0c03{serial}",
        "address after a reset: 0",
        *found(9),
        "from the host: DATA0",
        "line coding: DATA1",
        "its status: DATA1 ",
        *found(9),
        "closed by another host: DATA1 ",
        "line coding: DATA1",
        "its status: DATA1 ",
        "open: DATA1 ",
        "before the status",
        f"call 4567 {ord('R') | ord('B') << 8:x} 4 0 0",  # for the secure Arm core
        "call 89ab 102 a 0 0",  # BOOTSEL, without a return, after 10 ms
        "closed: DATA1 ",
    ]


@pytest.mark.parametrize("step", [0, 1, 2])
def test_without_its_clock_no_device_is_shown_and_nothing_hangs(program, step):
    assert run(program, step) == ["pull-up: 0"]


def test_an_abort_that_never_ends_is_given_up(program):
    """RP2040-E2, of the first steppings: the bits of an abort stay as they are."""
    assert run(program, 3) == run(program, -1)
