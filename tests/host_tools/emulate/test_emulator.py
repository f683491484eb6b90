"""Emulated boards: they boot, answer, end, and say what is wrong."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.selftest.device import SelftestDevice
from tests.host_tools.selftest import selftest_device

BOARD = "stm32f405"


@pytest.fixture(scope="module")
def elf():
    return selftest_device.elf(BOARD)


def with_emulator(monkeypatch, tool):
    board = dataclasses.replace(board_toml.load(BOARD), emulator=tool)
    monkeypatch.setattr(board_toml, "load", lambda _name: board)


def test_two_machines_do_not_meet(elf):
    with emulator.running(BOARD, elf) as one, emulator.running(BOARD, elf) as other:
        assert one != other
        for url in (one, other):
            device = SelftestDevice(url)
            assert device.ask("n") == [BOARD]
            device.line.close()


def test_line_can_be_closed_and_opened_again(elf):
    with emulator.running(BOARD, elf) as url:
        first = SelftestDevice(url)
        first.ask("k", 1200)
        first.line.close()
        second = SelftestDevice(url)
        assert second.numbers("m")[3] > 1200  # the same machine, not a fresh one
        second.line.close()


def test_machine_ends_with_the_context(elf):
    with contextlib.suppress(ZeroDivisionError), emulator.machine(BOARD, elf) as machine:
        assert machine.ended() is None
        raise ZeroDivisionError  # however it is left
    with pytest.raises(serial.SerialException):
        serial.serial_for_url(machine.url)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system does not tell threads their CPU")
@pytest.mark.parametrize(("load", "cpus"), [(0.0, [1, 1]), (99.0, [2, 2])])
def test_on_one_cpu_while_the_machine_has_nothing_else_to_do(load, cpus, elf, monkeypatch):
    """Measured: 200 images of digits take 8 s on one CPU, 18 s on two that sleep in between."""
    before = os.sched_getaffinity(0)
    if len(before) < 2:
        pytest.skip("one CPU")
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0, 0))
    with emulator.machine(BOARD, elf) as one, emulator.machine(BOARD, elf) as other:
        found = [os.sched_getaffinity(machine.pid) for machine in (one, other)]
        assert [min(len(allowed), 2) for allowed in found] == cpus
        assert load or found[0] != found[1]
        assert os.sched_getaffinity(0) == before


HOLDS = """
import sys
from pathlib import Path
from squeezenet_mcu.common import cli
from squeezenet_mcu.host_tools.emulate import emulator

def hold(args):
    with emulator.machine({board!r}, Path({elf!r})) as machine:
        print(machine.pid, flush=True)
        machine.wait()
    return 0

sys.exit(cli.guarded(hold, None, "hold"))
"""


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
@pytest.mark.parametrize(
    ("board", "name"), [(BOARD, "SIGTERM"), (BOARD, "SIGHUP"), (BOARD, "SIGKILL"), ("rp2040", "SIGKILL")]
)
def test_machine_ends_with_who_started_it(board, name):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who runs the tests by nohup ignores it, and so would these
    code = HOLDS.format(board=board, elf=str(selftest_device.elf(board)))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        assert runs(pid)
        holder.send_signal(getattr(signal, name))
        holder.wait(10)
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(pid)


def test_unknown_board(elf):
    with pytest.raises(UserError, match=r"^no board 'nowhere'; boards: "), emulator.running("nowhere", elf):
        pass


def test_missing_firmware_names_the_fix(tmp_path):
    path = tmp_path / "firmware.elf"
    with pytest.raises(UserError) as error, emulator.running(BOARD, path):
        pass
    assert str(error.value) == f"{path}: no such firmware; run: make firmware BOARD={BOARD}"


def test_board_without_emulator_lists_those_with_one(elf, monkeypatch):
    monkeypatch.setattr(board_toml, "emulated", lambda: ["this", "that"])
    with_emulator(monkeypatch, None)
    with (
        pytest.raises(UserError, match=r"no emulator; boards with one: this, that$"),
        emulator.running(BOARD, elf),
    ):
        pass


def test_missing_emulator_names_the_package(elf, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as error, emulator.running(BOARD, elf):
        pass
    assert str(error.value) == "qemu-system-arm is not installed; run: sudo apt-get install qemu-system-arm"


def test_words_of_an_emulator_that_ends_are_in_the_error(elf, monkeypatch):
    with_emulator(monkeypatch, board_toml.Tool("qemu-system-arm", ("qemu-system-arm", "-M", "toaster")))
    with (
        pytest.raises(UserError, match=r"^qemu-system-arm ended with status 1: .*unsupported machine type"),
        emulator.machine(BOARD, elf) as machine,
    ):
        machine.wait()
        serial.serial_for_url(machine.url)


def test_a_trouble_of_the_caller_stays_what_it_is(elf):
    with pytest.raises(KeyError), emulator.running(BOARD, elf):
        time.sleep(0.2)
        raise KeyError
