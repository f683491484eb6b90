"""What the host makes of a fault: the FAULT line, LAST_FAULT, the cause in words, and the end of the wait."""

import dataclasses
import itertools
import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeezenet_mcu.host_tools.link import faults
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import FaultError
from squeezenet_mcu.host_tools.link.faults import Fault, FaultWatch
from squeezenet_mcu.host_tools.link.frame import Frame
from squeezenet_mcu.host_tools.link.messages import Request
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images

LINE = (
    b"\0\r\nFAULT exception=00000003 pc=08000e9a lr=0800115b sp=20000718 cfsr=00008200 hfsr=40000000 "
    b"mmfar=00000000 bfar=a5000000\r\n\0"
)
FAULT = Fault(
    "ARMv7-M", 3, 0x08000E9A, 0x0800115B, 0x20000718, False,
    (("cfsr", 0x8200), ("hfsr", 0x40000000), ("mmfar", 0), ("bfar", 0xA5000000)),
)  # fmt: skip


def test_the_line_is_read_and_the_cause_is_told():
    found = faults.from_line(LINE)
    assert found == FAULT
    assert found.cause == "bus error at 0xa5000000"
    assert found.registers == LINE.decode().strip("\0\r\n").removeprefix("FAULT ")


def of_cfsr(cfsr: int) -> Fault:
    status = tuple((name, cfsr if name == "cfsr" else value) for name, value in FAULT.status)
    return dataclasses.replace(FAULT, status=status)


def of_mcause(mcause: int) -> Fault:
    return Fault("RISC-V", mcause, 4, 5, 6, False, (("mtval", 16),))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (of_cfsr(1 << 16), "illegal instruction: __builtin_trap(), or a damaged program"),
        (of_cfsr(1 << 24), "unaligned access"),
        (of_cfsr(1 << 9), "bus error"),  # BFAR is not valid
        (of_cfsr(1 << 1 | 1 << 7), "no access to 0x00000000 is allowed"),
        (of_cfsr(0), "exception 3"),
        (dataclasses.replace(of_cfsr(0), exception=16 + 37), "interrupt 37, which nobody asked for"),
        (dataclasses.replace(FAULT, stack_overflow=True), "stack overflow"),
        (Fault("ARMv6-M", 3, 4, 5, 6, False),
         "illegal instruction, unaligned access or bus error: this CPU does not tell which"),
        (of_mcause(2), "illegal instruction: __builtin_trap(), or a damaged program"),
        (of_mcause(7), "bus error: a store to 0x00000010"),
        (of_mcause(1 << 31 | 5), "interrupt 5, which nobody asked for"),
        (of_mcause(77), "exception 77"),
    ],
)  # fmt: skip
def test_causes(fault, said):
    assert fault.cause == said


def test_an_overflow_leaves_no_pc():
    found = faults.from_line(b"FAULT exception=00000003 stack overflow lr=10001b07 sp=1fffff60\r\n")
    assert found == Fault("ARMv6-M", 3, None, 0x10001B07, 0x1FFFFF60, True)


def words(flags=0x102, number=3, exception=3):
    status = [value for _, value in FAULT.status]
    return struct.pack("<10I", number, flags, exception, FAULT.pc, FAULT.lr, FAULT.sp, *status)


def test_the_words_of_last_fault_say_the_same_and_which_one_it_was():
    assert faults.from_words(words()) == dataclasses.replace(FAULT, number=3)
    assert faults.from_words(b"") is None
    assert faults.from_words(words(flags=0x101)).pc is None
    assert faults.from_words(words(flags=0x105)).lr == FAULT.lr
    assert faults.from_words(words(flags=0x002)).status == ()
    for damaged in (words()[:-1], words() + b"\0", words(flags=0x302)):
        with pytest.raises(ValueError, match="want"):
            faults.from_words(damaged)


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 500), max_size=6))
def test_the_watch_finds_it_in_any_noise_and_in_any_pieces(data, cuts):
    stream = data.replace(b"FAULT", b"") + LINE + b"\x07" * 9
    bounds = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    watch = FaultWatch()
    found = [watch.feed(stream[a:b]) for a, b in itertools.pairwise(bounds)]
    assert [fault for fault in found if fault] == [FAULT]


@pytest.mark.parametrize("damage", [b"pc=0800xe9a", b"pc=08000e9", b"exception", b"FAULT pc=08000e9a"])
def test_what_is_no_line_is_none(damage):
    changed = LINE.replace(b"pc=08000e9a", damage) if damage.startswith(b"pc") else damage + b"\r\n"
    assert FaultWatch().feed(changed) is None


def test_the_watch_remembers_no_more_than_a_line():
    watch = FaultWatch()
    for _ in range(100):
        watch.feed(b"FAULT " + b"x" * 5000)
    assert len(watch._tail) <= 256


# On the link


class Faulting:
    """A line to a fake device that faults at its request number `at`, and restarts."""

    name = "fake device"

    def __init__(self, at: int, say: bool = True, **options) -> None:
        self._device = FakeDevice(**options)
        self._left, self._say, self._pending = at, say, b""

    def write(self, data: bytes) -> None:
        self._left -= 1
        if self._left:
            self._device.write(data)
            return
        self._device.process.kill()
        self._device._close_pipes()
        self._device._command.append("faults=1")
        self._device._start()
        self._pending = LINE if self._say else b""

    def read(self, timeout: float) -> bytes:
        if self._pending:
            pending, self._pending = self._pending, b""
            return pending
        return self._device.read(timeout)

    def close(self) -> None:
        self._device.close()


def test_a_fault_ends_the_wait_at_once():
    with Device(Faulting(4), timeout=20.0) as device:
        begun = time.monotonic()
        with pytest.raises(FaultError) as caught:
            device.infer(random_images(1)[0])
        assert time.monotonic() - begun < 1
    assert caught.value.fault == FAULT
    said = "fake device: the firmware faulted at 0x08000e9a: bus error at 0xa5000000; the board restarts by"
    assert str(caught.value).startswith(said)


def test_a_device_that_has_restarted_says_why():
    with Device(FakeDevice(faults=2), timeout=5.0) as device:
        assert device.info.reset_cause == "fault"
        assert device.fault_before == Fault(
            "ARMv7-M", 3, 0x08001234, 0x08005679, 0x20000700, False,
            (("cfsr", 0x10000), ("hfsr", 0x40000000), ("mmfar", 0), ("bfar", 0)), 2,
        )  # fmt: skip
        image = random_images(1)[0]
        assert_right(device.infer(image), image)


def test_a_fault_whose_line_got_lost_is_told_after_the_restart():
    """Not as one of the resets that the image is sent again for."""
    with Device(Faulting(4, say=False), timeout=20.0) as device:
        assert device.fault_before is None
        with pytest.raises(FaultError) as caught:
            device.infer(random_images(1)[0])
        assert caught.value.fault.number == 1


def test_a_reset_without_a_fault_is_cured_as_ever():
    """Even after an earlier fault, of which the device says the same before and after."""
    device = FakeDevice(faults=1)
    with Device(device, timeout=5.0) as opened:
        device.reset()
        for image in random_images(2):
            assert_right(opened.infer(image), image)


def test_last_fault_takes_no_payload():
    with Device(FakeDevice(), timeout=5.0) as device:
        assert device.info.reset_cause == "power-on"
        exchange = device._exchange
        exchange.send(Request.LAST_FAULT, b"x")
        _, reply = exchange.answer(1.0, lambda: None, 1.0)
        assert (reply.code, reply.detail) == (3, Request.LAST_FAULT)
        exchange.send(Request.LAST_FAULT, b"")
        assert exchange.answer(1.0, lambda: None, 1.0)[1].fault is None


def test_a_frame_that_carries_the_words_is_no_line():
    """Whatever the registers are: as text they would have to be hexadecimal digits."""
    text = np.frombuffer(LINE.strip(b"\0")[:40], np.uint32)
    frame = Frame(0x8B, 1, struct.pack("<10I", *text)).encode()
    assert FaultWatch().feed(frame) is None
