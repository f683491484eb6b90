"""The Pico's own USB as a serial port: what hosts find there, and what gets through where packets do not."""

import argparse
import contextlib
import json
import random
import subprocess
import types
from pathlib import Path

import pytest
import serial

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator, simulate
from squeezenet_mcu.host_tools.link.messages import RESET_CAUSES
from squeezenet_mcu.host_tools.selftest.device import RING_BYTES, SelftestDevice
from squeezenet_mcu.host_tools.validate import command as validate
from tests.host_tools.selftest import selftest_device

BOARD = "rp2040"
PROBE = Path(__file__).with_name("rp2040_usb.mjs")
LED = 1 << 25
# Of the packets, without those that no bus loses.
MANY_FAULTS = "refused=0.1,delayed=0.05,unheard=0.1"


@pytest.fixture(scope="module")
def elf():
    return selftest_device.elf(BOARD)


def probe(elf, *arguments):
    board = board_toml.load(BOARD)
    command = [emulator.program(board.emulator), PROBE, board.folder / "emulator", elf, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# What a host finds


def test_a_host_finds_a_cdc_serial_port(elf):
    found = probe(elf, "found")
    device = bytes.fromhex(found["descriptor"])
    assert device[:2] == bytes([18, 1])
    assert f"{device[9]:02x}{device[8]:02x}:{device[11]:02x}{device[10]:02x}" == board_toml.load(BOARD).usb_id
    assert tuple(device[4:8]) == (0xEF, 2, 1, 64)  # an association of interfaces; packets of 64 bytes
    configuration = bytes.fromhex(found["configuration"])
    assert int.from_bytes(configuration[2:4], "little") == len(configuration)
    kinds = []
    while configuration:
        kinds.append((configuration[1], *configuration[2:4]))
        configuration = configuration[configuration[0] :]
    # USB 2.0 table 9-5, CDC 1.2 table 13: what there is, in this order.
    assert [kind for kind, *_ in kinds] == [2, 11, 4, 0x24, 0x24, 0x24, 0x24, 5, 4, 5, 5]
    assert [address for kind, address, _ in kinds if kind == 5] == [0x81, 0x02, 0x82]
    assert found["strings"] == ["squeezenet_mcu", "squeezenet_mcu serial link", BOARD]


def test_a_host_that_is_not_ours_finds_it_too(elf):
    """That of rp2040js, on its own model of the controller."""
    assert probe(elf, "theirs") == {"connected": True, "heard": f"{BOARD}\n"}


def test_requests_of_chapter_9_and_of_cdc(elf):
    assert probe(elf, "requests") == {
        "status": "0000",
        "configuration": "01",
        "interface": "00",
        "other configuration": "stall",
        "no such descriptor": "stall",
        "no such string": "stall",
        "vendor": "stall",
        "after the stalls": "12010002ef020140",
        "line coding": "00c20100000008",
        "set line coding": "",
        "new line coding": "00100e00020107",
        "break": "",
        "unhalt": "",
        "firstAgain": "ack",
        "toHost": [False, f"{BOARD}"],
        "unhalt to host": "",
        "toHostAgain": [False, f"{BOARD}"],
    }


def test_a_packet_that_comes_twice_counts_once(elf):
    assert probe(elf, "toggles") == {"answers": ["ack", "ack"], "heard": f"{BOARD}\n" * 2}


def test_a_port_of_1200_baud_that_is_closed_restarts_into_the_boot_loader(elf):
    """Datasheet 2.8.3: reset_to_usb_boot, with the LED for activity, and both interfaces of the loader."""
    assert probe(elf, "loader", 1200) == {"opened": [], "closed": [[LED, 0]]}
    assert probe(elf, "loader", 115_200) == {"opened": [], "closed": []}
    # The fault handler leaves the board to who wants to mend it.
    assert probe(elf, "loader", 1200, "f") == {"opened": [], "closed": [[LED, 0]]}


def test_the_led_shows_life(elf):
    """Lit while it waits, dark while it works; after a fault it stays dark."""
    assert probe(elf, "lamp") == {"asleep": True, "atWork": False, "after": True, "fault": False}


def test_an_acknowledgement_that_gets_lost_does_not_stop_a_request(elf):
    """USB 2.0, 8.5.3.3: who goes on to the next stage, or request, has had what came before."""
    assert probe(elf, "unheard", 4) == 4


# Over the emulator's second socket


def test_everything_gets_through_whatever_happens_to_packets(elf, tmp_path):
    counts = tmp_path / "counts.json"
    data = random.Random(4).randbytes(RING_BYTES - 5)
    extra = [f"--usb-faults=seed=3,{MANY_FAULTS}", f"--usb-counts={counts}"]
    with emulator.machine(BOARD, elf, extra, usb=True) as machine:
        device = SelftestDevice(machine.usb_url)
        assert device.ask("n") == [BOARD]
        for size in (1, 63, 64, 65, 128, len(data)):
            assert device.echo(data[:size]) == data[:size]
        assert device.numbers("r") == [0, RING_BYTES, 0]
        device.close()
    told = json.loads(counts.read_text())
    assert told["packets"] > 100
    assert min(told["refused"], told["delayed"], told["unheard"]) > 0
    assert told["lost"] == 0


def test_a_full_ring_makes_the_host_wait_and_loses_nothing(elf):
    with emulator.machine(BOARD, elf, usb=True) as machine:
        device = SelftestDevice(machine.usb_url)
        # While it counts, three times what the ring holds comes, in commands that do nothing.
        spent, came = device.numbers("c", 4_000_000, bytes(3 * RING_BYTES))
        assert RING_BYTES - 128 < came <= RING_BYTES  # and what came with the command itself
        assert spent > 12_000_000
        assert device.numbers("r") == [0, RING_BYTES, 0]
        device.close()


def test_a_packet_that_found_no_room_is_taken_as_soon_as_there_is(elf):
    """Without any other interrupt: none comes of packets to the host, which reads nothing."""
    found = probe(elf, "held")
    assert found["meanwhile"] > 6000 - RING_BYTES - 128
    assert found["after"] == 0


def test_the_interrupts_of_usb_do_not_count(elf):
    with emulator.machine(BOARD, elf, usb=True) as machine:
        device = SelftestDevice(machine.usb_url)
        quiet, _ = device.numbers("c", 2_000_000)
        busy, came = device.numbers("c", 2_000_000, bytes(1000))
        assert busy == quiet
        assert came > 900
        device.close()


def test_the_answer_goes_to_the_port_that_asked(elf):
    with emulator.machine(BOARD, elf, usb=True) as machine:
        over_usb, over_uart = SelftestDevice(machine.usb_url), SelftestDevice(machine.url)
        for device in (over_uart, over_usb, over_usb, over_uart):
            assert device.ask("n") == [BOARD]
        assert over_usb.echo(b"usb" * 100) == b"usb" * 100
        over_usb.close()
        over_uart.close()


def test_a_program_that_goes_does_not_stop_the_board(elf):
    """What nobody takes any more is lost after a quarter of a second; both ports serve who comes next."""
    answer = f"{BOARD}\n"
    found = probe(elf, "gone")
    assert found["early"] == ""
    # What was left of the echo follows the last byte, to the other port.
    assert found["said"].lstrip("x") == answer
    assert found["heard"] == answer


@pytest.mark.parametrize(
    ("command", "number"), [("f", None), ("k", 5000)], ids=["undefined instruction", "stack overflow"]
)
def test_a_fault_is_told_on_both_ports_and_the_board_restarts(elf, command, number):
    """Then the host finds its USB again."""
    with emulator.machine(BOARD, elf, usb=True) as machine:
        uart = serial.serial_for_url(machine.url, timeout=20)
        device = SelftestDevice(machine.usb_url)
        device.ask(command, number)
        first = device.line.readline().decode()
        assert first.startswith("FAULT exception=00000003 ")
        uart.read_until(b"\r\n")
        assert uart.readline().decode() == first
        assert device.line.read(1) == b"\0"
        assert device.restarted() == [RESET_CAUSES.index("fault"), 1]
        uart.close()
        device.close()


def test_boards_whose_emulator_has_no_usb_say_so(elf):
    with (
        pytest.raises(UserError, match=r"^stm32f405: its emulator has no USB; boards whose has: rp2040$"),
        emulator.machine("stm32f405", elf, usb=True),
    ):
        pass
    with (
        pytest.raises(UserError, match=r"^node ended with status 1: lots=1: want seed=, refused=, "),
        emulator.machine(BOARD, elf, ["--usb-faults=lots=1"], usb=True) as machine,
    ):
        machine.wait()
        serial.serial_for_url(machine.usb_url)


# The commands


def test_simulate_prints_both_urls(monkeypatch, capsys):
    plugged = []

    @contextlib.contextmanager
    def machine(board, _elf, extra, usb):
        plugged.append((board, usb))

        def wait():
            raise KeyboardInterrupt

        yield types.SimpleNamespace(url="socket://a:1", usb_url="socket://a:2" if usb else "", wait=wait)

    monkeypatch.setattr(emulator, "machine", machine)
    monkeypatch.setattr(simulate.build, "build", lambda *_: Path("firmware.elf"))
    said = {}
    for board in (BOARD, "stm32f405"):
        parser = argparse.ArgumentParser()
        simulate.add_arguments(parser)
        assert simulate.run(parser.parse_args(["--board", board, "--model", "digits"])) == 0
        said[board] = capsys.readouterr().out
    assert plugged == [(BOARD, True), ("stm32f405", False)]
    assert "its own USB is a serial port, too: socket://a:2\n" in said[BOARD]
    assert "USB" not in said["stm32f405"]


def test_a_real_port_needs_no_usb_option():
    parser = argparse.ArgumentParser()
    validate.add_arguments(parser)
    with pytest.raises(UserError, match=r"^--usb: is for an emulated board; the port is given: COM3; leave "):
        validate.run(parser.parse_args(["--port", "COM3", "--usb"]))
