"""Real pyserial URLs, and what a user is told when one does not lead to our firmware: one line, the fix."""

import os
import tty

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import (
    DamagedError,
    FaultError,
    LinkError,
    LinkTimeoutError,
    PortError,
    RefusedError,
    ResetError,
    VersionError,
)
from squeezenet_mcu.host_tools.link.frame import Frame
from squeezenet_mcu.host_tools.link.messages import ErrorCode
from squeezenet_mcu.host_tools.link.transport import SerialTransport
from squeezenet_mcu.host_tools.selftest.device import SelftestDevice
from tests.host_tools.link.link_lines import Talker, on_pty, on_socket
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images

OPTIONS = {"height": 28, "width": 28, "receive_bytes": 2048}


@pytest.mark.parametrize("reach", [on_socket, on_pty])
def test_images_over_a_real_port(reach):
    with reach(FakeDevice(**OPTIONS)) as url, Device(url, timeout=2.0) as device:
        assert device.info.board == "fake"
        for image in random_images(5, 28, 28):
            assert_right(device.infer(image), image)


def test_a_second_host_gets_its_own_answers():
    """What the first left in the device and on the line does not disturb the next."""
    image, other = random_images(2, 28, 28)
    with on_socket(FakeDevice(**OPTIONS)) as url:
        for each in (image, other, image):
            with Device(url, timeout=2.0) as device:
                assert_right(device.infer(each), each)


def one_line(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_no_such_port():
    with pytest.raises(PortError) as error:
        Device("/dev/ttyACM97")
    text = one_line(error)
    assert text.startswith("/dev/ttyACM97: no such serial port; ")
    assert "ports here: " in text or "no serial ports were found here" in text
    assert "--board stm32f405" in text


def test_not_a_port(tmp_path):
    path = tmp_path / "file"
    path.write_text("not a port")
    with pytest.raises(PortError) as error:
        Device(str(path))
    assert one_line(error).startswith(f"{path}: cannot be opened as a serial port")


@pytest.mark.parametrize("url", ["socket://127.0.0.1:1", "socket://nowhere.invalid:5"])
def test_nothing_listens(url):
    with pytest.raises(PortError) as error:
        Device(url)
    assert one_line(error).startswith(f"{url}: no connection")
    assert "make simulate" in one_line(error)


def test_no_such_kind_of_url():
    with pytest.raises(PortError) as error:
        Device("gopher://x")
    assert "gopher" in one_line(error) and "want /dev/..., COM..., or socket://" in one_line(error)


def test_a_port_in_use():
    with on_pty(FakeDevice(**OPTIONS)) as url, Device(url, timeout=2.0), pytest.raises(PortError) as error:
        Device(url)
    assert one_line(error) == f"{url}: in use by another program; close it (a serial monitor?) and try again"


def test_a_loop_back_is_recognized():
    with pytest.raises(DamagedError) as error:
        Device("loop://", timeout=0.3, first_wait=0.05)
    assert "only echoes what it is sent" in one_line(error)


def refusing(code: int):
    """Refuses whatever it is asked."""
    return lambda data: Frame(0xFF, sequence(data), bytes([code, 9, 0, 0, 0])).encode()


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (lambda data: b"", LinkTimeoutError, "no answer for 0.2 s; check cable and port"),
        (lambda data: b"login: \0\0boot\0", DamagedError, "are not this link's: check the baud rate"),
        (
            lambda data: Frame(0x81, sequence(data), b"short").encode(),
            DamagedError,
            "its replies are malformed",
        ),
        (
            lambda data: Frame(0x82, sequence(data) ^ 0x8000, b"").encode(),
            LinkTimeoutError,
            "check cable and port",
        ),
        (
            refusing(ErrorCode.VERSION),
            VersionError,
            "speaks version 9 of the link, this program version 2; flash firmware",
        ),
        (refusing(ErrorCode.MALFORMED), RefusedError, "talker: refused HELLO: malformed (3, 9); flash"),
    ],
)
def test_who_is_no_device_of_ours(answer, kind, message):
    with pytest.raises(LinkError) as error:
        Device(Talker(answer), timeout=0.2, first_wait=0.05)
    assert error.type is kind
    assert message in one_line(error)


def test_a_program_can_tell_the_errors_apart():
    """Each is a LinkError, and so a UserError; none is one of the others."""
    kinds = {PortError, LinkTimeoutError, DamagedError, VersionError, RefusedError, FaultError, ResetError}
    assert set(LinkError.__subclasses__()) == kinds
    assert issubclass(LinkError, UserError)
    assert {kind for kind in kinds if kind.__subclasses__()} == {RefusedError}  # CannotWatchError: why


def sequence(data: bytes) -> int:
    from squeezenet_mcu.host_tools.link.frame import FrameReader

    return FrameReader().feed(data)[0].sequence


def test_the_line_goes_away():
    end, other = os.openpty()
    tty.setraw(other)
    with SerialTransport(os.ttyname(other)) as line:
        os.close(other)
        os.close(end)
        with pytest.raises(PortError) as error:
            while True:
                line.read(0.1)
    assert "the connection broke" in one_line(error)
    assert "plug the device in again" in one_line(error)


def test_another_model_after_a_reset_is_an_error():
    fake = FakeDevice(model=1)
    image = random_images(1)[0]
    with Device(fake, timeout=1.0) as device:
        assert_right(device.infer(image), image)
        fake._command[-1] = "model=2"
        fake.reset()
        with pytest.raises(ResetError) as error:
            device.infer(image)
    assert f"was reset and now runs model {'02' * 32}, before it was {'01' * 32}" in one_line(error)


@pytest.mark.parametrize(
    "url", ["spy://loop://?file=spied", "alt:///dev/null?class=x", "x\x1b://y", "hwgrep://."]
)
def test_kinds_of_ports_that_do_more_than_a_port(url, tmp_path, monkeypatch):
    """spy:// writes a file, alt:// takes a class by its name."""
    monkeypatch.chdir(tmp_path)
    for opens in (SerialTransport, SelftestDevice):
        with pytest.raises(PortError, match="no such kind of port; want /dev/") as error:
            opens(url)
        assert str(error.value).isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [0, -1, 10**20])
def test_a_baud_rate_that_is_none(rate):
    with pytest.raises(PortError, match=rf"loop://: baud rate {rate}; want 1 to 100,000,000"):
        SerialTransport("loop://", rate)
