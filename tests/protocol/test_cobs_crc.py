"""COBS, CRC-32 and SHA-256, in Python and in C++: the same bytes, there and back."""

import hashlib
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squeezenet_mcu.host_tools.link import cobs
from tests.protocol.link_binaries import LinkFunctions

# Few distinct bytes make zeros and long runs without them likely; sizes reach past two full blocks of 254.
BYTES = st.one_of(
    st.binary(max_size=600),
    st.lists(st.sampled_from([0, 1, 255]), max_size=600).map(bytes),
    st.tuples(st.integers(250, 260), st.integers(0, 3), st.integers(0, 260)).map(
        lambda sizes: b"\x07" * sizes[0] + b"\0" * sizes[1] + b"\xff" * sizes[2]
    ),
)


@pytest.fixture(scope="module")
def functions():
    called = LinkFunctions()
    yield called
    called.close()


@given(data=BYTES)
def test_crc32_is_zlibs(functions, data):
    assert int.from_bytes(functions.call("c", data), "little") == zlib.crc32(data)


def test_crc32_of_the_catalogue(functions):
    """The check value of CRC-32/ISO-HDLC in every catalogue of CRCs."""
    assert int.from_bytes(functions.call("c", b"123456789"), "little") == 0xCBF43926


@given(data=BYTES, piece=st.integers(1, 700))
def test_sha256_is_hashlibs(functions, data, piece):
    assert functions.call("s", struct.pack("<I", piece) + data) == hashlib.sha256(data).digest()


def test_sha256_of_every_size_around_two_blocks(functions):
    """Where the padding takes a block more, and where it does not."""
    for size in range(130):
        data = bytes(range(size))
        assert functions.call("s", struct.pack("<I", 64) + data) == hashlib.sha256(data).digest(), size


@pytest.mark.parametrize(
    ("data", "encoded"),
    [
        # Table 1 of the paper, and the edges of a full block.
        (b"", b"\x01"),
        (b"\0", b"\x01\x01"),
        (b"\0\0", b"\x01\x01\x01"),
        (b"\x11\x22\0\x33", b"\x03\x11\x22\x02\x33"),
        (b"\x11\0\0\0", b"\x02\x11\x01\x01\x01"),
        (b"\x07" * 253, b"\xfe" + b"\x07" * 253),
        (b"\x07" * 254, b"\xff" + b"\x07" * 254),
        (b"\x07" * 254 + b"\0", b"\xff" + b"\x07" * 254 + b"\x01\x01"),
        (b"\x07" * 255, b"\xff" + b"\x07" * 254 + b"\x02\x07"),
        (b"\0" + b"\x07" * 254, b"\x01\xff" + b"\x07" * 254),
    ],
)
def test_cobs_examples(functions, data, encoded):
    assert cobs.encode(data) == encoded
    assert functions.call("e", data) == encoded
    assert cobs.decode(encoded) == data


@given(data=BYTES)
def test_cobs_there_and_back(functions, data):
    encoded = cobs.encode(data)
    assert functions.call("e", data) == encoded
    assert 0 not in encoded
    assert len(encoded) <= max(1, len(data) + (len(data) + 253) // 254 + (data[-1:] == b"\0"))
    assert cobs.decode(encoded) == data
    assert functions.call("d", encoded) == b"\x01" + data


@settings(max_examples=300)
@given(encoded=BYTES)
def test_cobs_decoders_agree_on_anything(functions, encoded):
    data = cobs.decode(encoded)
    assert functions.call("d", encoded) == (b"\0" if data is None else b"\x01" + data)
