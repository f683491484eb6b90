"""docs/link.md is right: its example is what both ends send, its numbers are those of the code."""

import re
import zlib

import pytest

from squeezenet_mcu.host_tools.link import messages
from squeezenet_mcu.host_tools.link.frame import MAX_FRAME, Frame, FrameReader
from squeezenet_mcu.host_tools.link.messages import (
    Cost,
    DataBlock,
    ErrorCode,
    Info,
    LastFault,
    Request,
    State,
    Status,
)
from squeezenet_mcu.host_tools.link.upload_messages import UploadRequest
from tests.host_programs import ROOT
from tests.protocol.link_binaries import LinkFunctions

TEXT = (ROOT / "docs" / "link.md").read_text(encoding="utf-8")
SESSION, IMAGE, PIXELS = 0x12345678, 77, bytes(range(12))


@pytest.fixture(scope="module")
def conversation() -> list[tuple[str, bytes]]:
    """The example's frames: who sends, bytes."""
    lines = re.findall(r"^(host|device) +([0-9a-f ]+)$", TEXT, re.MULTILINE)
    frames: list[tuple[str, bytes]] = []
    for who, text in lines:
        if frames and frames[-1][0] == who:
            frames[-1] = (who, frames[-1][1] + bytes.fromhex(text))
        else:
            frames.append((who, bytes.fromhex(text)))
    return frames


def test_the_host_sends_the_example(conversation):
    requests = [
        (Request.HELLO, messages.hello(SESSION)),
        (Request.BEGIN, messages.begin(IMAGE)),
        (Request.ROWS, messages.rows(IMAGE, 0, PIXELS[:6])),
        (Request.ROWS, messages.rows(IMAGE, 9, PIXELS[9:])),
        (Request.ROWS, messages.rows(IMAGE, 6, PIXELS[6:])),
        (Request.RESULT, messages.begin(IMAGE)),
        (Request.READ, messages.read(IMAGE, messages.Data.LOGITS, 0, 10)),
        (Request.READ, messages.read(IMAGE, messages.Data.PROBABILITIES, 0, 10)),
        (Request.LAST_FAULT, b""),
    ]
    sent = [data for who, data in conversation if who == "host"]
    assert sent == [Frame(kind, i + 1, data).encode() for i, (kind, data) in enumerate(requests)]


def test_the_device_answers_the_example(conversation):
    functions = LinkFunctions()
    answer = functions.call("l", b"".join(data for who, data in conversation if who == "host"))
    functions.close()
    assert answer == b"".join(data for who, data in conversation if who == "device")


def test_the_host_reads_the_example(conversation):
    received = b"".join(data for who, data in conversation if who == "device")
    replies = [messages.parse(frame) for frame in FrameReader().feed(received)]
    assert isinstance(replies[0], Info)
    assert [reply.next_byte for reply in replies if isinstance(reply, Status)] == [0, 6, 6, 12]
    assert isinstance(replies[5], Cost)
    assert [type(reply) for reply in replies[6:]] == [DataBlock, DataBlock, LastFault]


def test_the_crc_of_the_first_frame():
    covered, value = re.search(r"CRC-32 of `([0-9a-f ]+)`: 0x([0-9A-F]+)", TEXT).groups()
    assert zlib.crc32(bytes.fromhex(covered)) == int(value, 16)


def test_the_tables_name_every_message_with_its_type():
    rows = dict(re.findall(r"^\| 0x([0-9A-F]{2}) \| ([A-Z_]+) \|", TEXT, re.MULTILINE))
    assert {name: int(code, 16) for code, name in rows.items() if int(code, 16) < 0x80} == {
        kind.name: kind.value for kind in (*Request, *UploadRequest)
    }
    assert {int(code, 16) for code in rows if int(code, 16) >= 0x80} == set(messages._PARSERS)
    codes = re.findall(r"^\| (\d) \| ", TEXT, re.MULTILINE)
    assert [int(code) for code in codes] == list(ErrorCode)
    for state in State:
        assert re.search(rf"\b{state.value} {state.name.lower()}\b", TEXT)


def test_the_limits():
    assert f"at most {MAX_FRAME:,} bytes on the wire" in TEXT
    assert f"data (1 to {messages.max_row_data(MAX_FRAME):,})" in TEXT
    assert f"length u16 (up to {messages.max_read_data(MAX_FRAME):,})" in TEXT
