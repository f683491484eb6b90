"""What the host does when a device lies about an upload: one line, in time, whatever it says."""

import random
import struct
import threading

import pytest

from squeezenet_mcu.host_tools.link import device
from squeezenet_mcu.host_tools.link.errors import (
    DamagedError,
    LinkError,
    LinkTimeoutError,
    PortError,
    ResetError,
    UploadRefusedError,
)
from squeezenet_mcu.host_tools.link.upload import sender, session
from squeezenet_mcu.host_tools.link.upload_messages import (
    Manifest,
    UploadReason,
    UploadRequest,
    UploadState,
)
from tests.update.fake_device import FakeDevice
from tests.update.tuned import digest

OLD = random.Random(1).randbytes(5000)
NEW = OLD[:3000] + random.Random(2).randbytes(500) + OLD[3000:]
MANIFEST = Manifest(len(NEW), 1, 4704, 28, 28, 1, 10, 3 << 24, 0, digest(NEW), bytes(32))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sender, "_FRUITLESS_SECONDS", 0.2)
    monkeypatch.setattr(session, "_RESTART_TIMEOUT", 0.2)
    monkeypatch.setattr(session, "_BETWEEN", 0.01)


def upload(line: FakeDevice | str, old: bytes | None = None) -> None:
    with device.Device(line, timeout=0.3, first_wait=0.05, image_timeout=0.3) as opened:
        opened.upload(MANIFEST, NEW, old)


def changed(layout: str, place: int, value: object):
    """What puts another value into a reply's fixed part."""

    def lie(payload: bytes) -> bytes:
        size = struct.calcsize(layout)
        fields = list(struct.unpack(layout, payload[:size]))
        fields[place] = value
        return struct.pack(layout, *fields) + payload[size:]

    return lie


STATE, HELD, HASHES = "<IBBIII", "<32sIBBIIIII8sI8s", "<HI"


@pytest.mark.parametrize("known", [True, False])
def test_an_honest_one(known):
    line = FakeDevice(OLD)
    upload(line, OLD if known else None)
    assert line.running == NEW
    assert (UploadRequest.HASHES in line.seen) == (not known)


@pytest.mark.parametrize(
    ("lies", "error", "words"),
    [
        (
            {"x90": changed(STATE, 3, 1 << 30)},
            DamagedError,
            "it has 1,073,741,824 bytes of a model of 5,500",
        ),
        ({"x90": changed(STATE, 3, 5)}, LinkTimeoutError, "the device answers, but takes nothing; reset it"),
        (
            {"x90": changed(STATE, 0, 7)},
            ResetError,
            "was reset 6 times during one upload; check its power supply",
        ),
        ({"x90": changed(STATE, 1, 9)}, DamagedError, "its replies are malformed"),
        ({"x90": lambda payload: None}, LinkTimeoutError, "no answer for"),
        ({"x90": lambda payload: payload[:-1]}, DamagedError, "its replies are malformed"),
        ({"x92": changed(HELD, 1, 1 << 31)}, DamagedError, "its model has 2,147,483,648 bytes"),
        ({"x92": changed(HELD, 8, 1 << 20)}, DamagedError, "its flash takes 1,048,576 ms for a sector"),
        ({"x92": changed(HELD, 8, 10_001)}, DamagedError, "its flash takes 10,001 ms for a sector"),
        ({"x92": changed(HELD, 1, 1 << 28)}, DamagedError, "its model has 268,435,456 bytes"),
        ({"x91": lambda payload: payload[:6]}, DamagedError, "but other blocks than these"),
        ({"x91": lambda payload: payload + bytes(600)}, DamagedError, "but other blocks than these"),
        ({"x91": changed(HASHES, 0, 64)}, DamagedError, "but other blocks than these"),
        ({"x91": lambda payload: payload + b"x"}, DamagedError, "its replies are malformed"),
    ],
)
def test_lies(lies, error, words):
    with pytest.raises(LinkError, match=words) as raised:
        upload(FakeDevice(OLD, **lies))
    assert type(raised.value) is error and "\n" not in str(raised.value)


def test_a_device_that_never_finishes():
    """It has all bytes, again and again, and each time says that some are missing."""
    for forgets in (False, True):
        line = FakeDevice(OLD)

        def finish(payload: bytes, line=line, forgets=forgets):
            line.new = bytearray() if forgets else line.new
            return line._status()

        line._finish = finish
        with pytest.raises(DamagedError, match="had all bytes 4 times, and does not begin to check them"):
            upload(line, OLD)
        assert line.seen.count(UploadRequest.FINISH) == 4


def test_a_device_that_knows_no_session_after_the_restart():
    line = FakeDevice(OLD)
    offer = line._offer

    def forgets(payload: bytes):
        return (0xFF, struct.pack("<BI", 4, 0)) if UploadRequest.FINISH in line.seen else offer(payload)

    line._offer = forgets
    with pytest.raises(ResetError, match="knows no session since it restarted; reset it"):
        upload(line, OLD)


def test_a_device_that_takes_byte_after_byte():
    line = FakeDevice(OLD)

    def one(payload: bytes):
        line.new += b"x"
        return line._status()

    line._copy = line._data = one
    with pytest.raises(DamagedError, match="it has 1 bytes of a model of which"):
        upload(line, OLD)


def test_hashes_one_at_a_time(monkeypatch):
    monkeypatch.setattr(sender, "_HASHES_PATIENCE", 0.5)
    line = FakeDevice(OLD, x92=changed(HELD, 1, 4096 * 4096))

    def one(payload: bytes):
        threading.Event().wait(0.01)
        return 0x91, payload + bytes(6)

    line._hashes = one
    with pytest.raises(LinkTimeoutError, match=r"hashes of its model came in 0\.15 s; reset the board"):
        upload(line)
    assert line.seen.count(UploadRequest.HASHES) < 100


def test_wrong_hashes_cost_bytes_and_no_more():
    """Each block is said to be another one: the copies are wrong, so all is sent again without copies."""
    line = FakeDevice(OLD)
    finish, tries = line._finish, []

    def checked(payload: bytes):
        tries.append(bytes(line.new))
        if line.new != NEW:
            line.state, line.refuse = 3, UploadReason.WRONG_SHA
            answer = line._status()
            line.state, line.refuse = 0, UploadReason.NONE
            return answer
        return finish(payload)

    line._finish = checked
    line.lies["x91"] = lambda payload: payload[:6] + payload[12:] + payload[6:12]
    upload(line)
    assert len(tries) == 2 and tries[0] != NEW and line.running == NEW


def test_all_reasons_are_said():
    for reason in list(UploadReason)[1:]:
        line = FakeDevice(OLD)
        line.refuse = reason
        with pytest.raises(UploadRefusedError, match=r"^fake: the device keeps its model: .{20}") as raised:
            upload(line)
        assert raised.value.reason == reason and "\n" not in str(raised.value)
        assert f"reason {reason}" not in str(raised.value)


def test_a_new_model_that_did_not_answer_after_the_restart():
    line = FakeDevice(OLD)
    line._finish = lambda payload: (0x90, struct.pack(STATE, MANIFEST.id, 2, 0, len(NEW), 0, 0))
    with pytest.raises(ResetError, match="runs its old model: the new one did not answer after the restart"):
        upload(line, OLD)


class Vanishing(FakeDevice):
    """A board whose own USB goes away when it restarts, and comes back at the third try to open it."""

    tries = 0

    def read(self, timeout: float) -> bytes:
        if self.state == UploadState.DONE and UploadRequest.FINISH in self.seen and self.tries < 3:
            raise PortError("gone")
        return super().read(timeout)

    def opened(self, url: str, baudrate: int) -> "Vanishing":
        if UploadRequest.FINISH in self.seen:
            self.tries += 1
            if self.tries < 3:
                raise PortError("not there yet")
        return self


def test_a_port_that_vanishes_with_the_restart(monkeypatch):
    monkeypatch.setattr(session, "_RESTART_TIMEOUT", 5.0)
    line = Vanishing(OLD)
    monkeypatch.setattr(device, "SerialTransport", line.opened)
    finish = line._finish

    def answered(payload: bytes):
        reply = finish(payload)
        line.state = UploadState.RECEIVING  # until the answer is out
        return reply

    line._finish = answered
    upload_and_restart(line)
    assert line.tries == 3 and line.running == NEW


def upload_and_restart(line: Vanishing) -> None:
    """Its FINISH is answered, and then it is gone."""
    read = line.read

    def then_gone(timeout: float) -> bytes:
        data = read(timeout)
        if UploadRequest.FINISH in line.seen and line.tries < 3 and data:
            line.state = UploadState.DONE
        return data

    line.read = then_gone
    upload("/dev/ttyACM9", OLD)
