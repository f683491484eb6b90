"""Faults for users: what FAULTS= may say, what it does to bytes, and that answers stay right under it."""

import time

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.faulty_line import KINDS, Faults, FaultyLine, parse
from tests.protocol.link_binaries import FakeDevice, assert_right, random_images

WRONG = [
    "", "drop", "drop=", "drop=x", "drop=2", "drop=-1", "drop=nan", "dorp=0.1", "drop=0", "seed=1",
    "drop=0.6,flip=0.6", "drop=0.1,seed=x", "drop=0.1,seed=-1", "drop=0.1,", "a" * 1000, "\x1b[31m=1",
]  # fmt: skip


class Memory:
    """A line that keeps what is written, and gives it back."""

    name = "memory"

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def read(self, timeout: float) -> bytes:
        data, self.data = self.data, b""
        return data

    def close(self) -> None:
        pass


def test_what_may_be_said():
    assert parse("drop=0.001, flip=0.5,seed=3") == Faults({"drop": 0.001, "flip": 0.5}, 3)
    assert parse("all=0.06").rates == pytest.approx(dict.fromkeys(KINDS, 0.01))
    assert parse("all=0.06,delay=0.01").rates["delay"] == pytest.approx(0.02)


@pytest.mark.parametrize("text", WRONG)
def test_what_may_not(text):
    with pytest.raises(UserError, match="FAULTS: ") as error:
        parse(text)
    assert str(error.value).isprintable() and len(str(error.value)) < 300


@pytest.mark.parametrize("kind", KINDS)
def test_what_each_kind_does(kind):
    sent = bytes(range(1, 256)) * 40 + b"\0"
    memory = Memory()
    line = FaultyLine(memory, Faults({kind: 0.001}, 5))
    began = time.monotonic()
    line.write(sent)
    while (due := line._out.due()) is not None:
        time.sleep(max(0.0, due - time.monotonic()))
        line._flush()
    found = memory.data
    assert 3 <= line.damaged <= 30
    if kind == "delay":
        assert found == sent
        assert time.monotonic() - began >= 0.02 * line.damaged
    elif kind == "flip":
        assert sum((a ^ b).bit_count() for a, b in zip(sent, found, strict=True)) == line.damaged
    elif kind == "truncate":
        assert found[-1] == 0 and len(found) <= len(sent) - 1024
    else:
        more = len(found) - len(sent)
        assert {"drop": more == -line.damaged, "duplicate": more == line.damaged}.get(
            kind, more > line.damaged
        )


def test_the_same_seed_does_the_same():
    found = []
    for seed in (1, 1, 2):
        memory = Memory()
        FaultyLine(memory, Faults({"flip": 0.1, "drop": 0.1}, seed)).write(bytes(1000))
        found.append(memory.data)
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("kind", [*KINDS, "all"])
def test_answers_stay_right_where_one_byte_in_a_hundred_is_hit(kind):
    faults = parse(f"{kind}={0.003 if kind == 'delay' else 0.01}")
    images = random_images(3, 28, 28)
    with Device(
        FakeDevice(height=28, width=28), timeout=10, over=lambda line: FaultyLine(line, faults)
    ) as device:
        for image, result in zip(images, device.infer_many(images), strict=True):
            assert_right(result, image)
        assert kind == "delay" or device.statistics.lost > 10
