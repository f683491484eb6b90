"""Numbers of the link that stand both in firmware_cpp/protocol and in host_tools/link are the same."""

import pytest

from squeezenet_mcu.host_tools.firmware import build_id
from squeezenet_mcu.host_tools.link import cobs, exchange, frame, messages, transport, upload_messages, watch
from squeezenet_mcu.host_tools.link.rates import agreement
from tests import cpp_facts

ENUMS = {
    "link::Request": messages.Request,
    "link::State": messages.State,
    "link::ErrorCode": messages.ErrorCode,
    "link::Data": messages.Data,
    "link::Feature": messages.Feature,
}
CONSTANTS = {
    "kProtocolVersion": messages.VERSION,
    "kMaxFrame": frame.MAX_FRAME,
    "kHeaderSize": frame._HEADER.size,
    "kCrcSize": frame._CRC.size,
    "kMaxBody": frame.MAX_BODY,
    "kMaxPayload": frame.MAX_BODY - frame.OVERHEAD,
    "kRowsHeader": messages._ROWS.size,
    "kMaxRowData": messages.max_row_data(frame.MAX_FRAME),
    "kDataHeader": messages._DATA.size,
    "kMaxReadData": messages.max_read_data(frame.MAX_FRAME),
    "kMaxBoardName": None,  # the device's own limit: the host reads as many characters as it is told
    "kProbeReserve": exchange.PROBE_RESERVE,
    "kBuildIdBytes": build_id.BYTES,
    "kDefaultBaud": transport.BAUDRATE,
    "kDoubtSeconds": agreement.DOUBT,
    "CobsEncoder::kMaxBlock": cobs._FULL + 1,
}
# What parses each reply.
REPLIES = {
    "info": messages.Info,
    "status": messages.Status,
    "result": messages.Cost,
    "data": messages.DataBlock,
    "watching": watch.Watching,
    "seen": watch.SeenPart,
    "counts": messages.Counts,
    "speed": messages.Speed,
    "lastfault": messages.LastFault,
    "error": messages.Refusal,
}
INFO_TAIL = (bytes(8), bytes(32), 0, 0, 0)
# A payload of each reply that is well formed but for what a device would say.
PAYLOADS = {
    "info": messages._INFO.pack(1, 2, bytes(32), 3, 4, 5, 6, 1024, 999, 1, 2, 3, 4, 5, 0, 6, *INFO_TAIL),
    "status": messages._STATUS.pack(1, 2, 0, 0, 3, 4),
    "result": messages._RESULT.pack(1, 2, 3, 4),
    "data": messages._DATA.pack(1, 0, 2),
    "watching": watch._WATCHING.pack(1, 2, 3, 4, 5, 6, 7),
    "seen": watch._SEEN.pack(1, 1, 2, 3, 4, 5, 6),
    "counts": messages._COUNTS.pack(1, 2, 3),
    "speed": messages._SPEED.pack(1),
    "lastfault": b"",
    "error": messages._ERROR.pack(1, 2),
}


@pytest.mark.parametrize("name", ENUMS)
def test_enums_have_the_same_members(name):
    assert {cpp_facts.camel(member.name): int(member) for member in ENUMS[name]} == cpp_facts.enum(name)


def test_counters_are_numbered_alike():
    kinds = {cpp_facts.camel(kind): number for number, kind in enumerate(messages.COUNTER_KINDS)}
    assert kinds == cpp_facts.enum("link::CounterKind")


def test_reset_causes_are_numbered_alike():
    shown = {"kPin": "reset pin", "kPowerOn": "power-on"}
    causes = {
        number: shown.get(name.rpartition("::")[2], cpp_facts.camel(name))
        for name, number in cpp_facts.host()["enums"]["link::ResetCause"].items()
    }
    assert [causes[number] for number in range(len(causes))] == list(messages.RESET_CAUSES)


def test_replies_are_parsed_by_their_numbers():
    replies = cpp_facts.enum("link::Reply")
    of_uploads = set(upload_messages.PARSERS)  # tests/update compares these
    assert set(replies.values()) == set(messages._PARSERS) - of_uploads
    assert set(replies) == set(REPLIES)
    for name, number in replies.items():
        parsed = messages.parse(frame.Frame(number, 0, PAYLOADS[name]))
        assert type(parsed) is REPLIES[name]


@pytest.mark.parametrize("name", [name for name, value in CONSTANTS.items() if value is not None])
def test_constants_are_equal(name):
    assert cpp_facts.host()["link_constants"][name] == CONSTANTS[name]


def test_every_constant_of_wire_h_is_compared():
    names = cpp_facts.constants_of("protocol/wire.h") | {"CobsEncoder::kMaxBlock"}
    assert names == set(CONSTANTS) == set(cpp_facts.host()["link_constants"])


def test_frames_are_as_long_on_the_wire():
    sizes = cpp_facts.host()["encoded_sizes"]
    assert len(sizes) == frame.MAX_BODY + 1
    assert sizes[1:] == [frame.encoded_size(body) for body in range(1, frame.MAX_BODY + 1)]


def test_probes_fit_into_what_is_kept_for_them():
    """wire.h: so many probes, of at most 16 bytes each."""
    probe = frame.encoded_size(frame.OVERHEAD + len(messages.begin(1)))
    assert exchange.MAX_PROBES * probe <= cpp_facts.host()["link_constants"]["kProbeReserve"]
