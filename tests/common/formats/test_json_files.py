"""JSON that is read back: by type and range, in one line that says where, what is there, what is wanted."""

from typing import Annotated, Any, NotRequired, TypedDict

import pytest
from msgspec import Meta

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import json_files
from squeezenet_mcu.common.formats.json_files import Int8, Scale, Sha256, Share, one_of


class Part(TypedDict):
    n: Int8
    share: NotRequired[Share]


class Whole(TypedDict):
    name: Annotated[str, Meta(pattern=r"\A\w+\Z")]
    parts: list[Part]
    kind: Annotated[str, one_of("a", "b")]
    scale: NotRequired[Scale]
    sha: NotRequired[Sha256]
    by_name: NotRequired[dict[str, int]]


GOOD = b'{"name": "x", "parts": [{"n": 3}], "kind": "a", "more": [1]}'
BAD = {
    b'{"name": "x", "parts": [{"n": 200}], "kind": "a"}': "parts[0].n = 200; want int <= 127",
    b'{"name": "x", "parts": [{"n": 1.5}], "kind": "a"}': "parts[0].n = 1.5; want int",
    b'{"name": "x", "parts": [{"n": true}], "kind": "a"}': "parts[0].n = true; want int",
    b'{"name": "x", "parts": [{}], "kind": "a"}': "parts[0]: n is missing",
    b'{"name": "x", "parts": {}, "kind": "a"}': "parts: want array",
    b'{"name": 7, "parts": [], "kind": "a"}': "name = 7; want str",
    b'{"name": "../x", "parts": [], "kind": "a"}': 'name = "../x"; want str matching regex',
    b'{"name": "x", "parts": [], "kind": "c"}': 'kind = "c"; want one of a, b',
    b'{"name": "x", "parts": [], "kind": "a", "scale": 0}': "scale = 0; want float > 0.0",
    b'{"name": "x", "parts": [], "kind": "a", "scale": 1e39}': "scale = 1e39; want float <= 3.4e+38",
    b'{"name": "x", "parts": [], "kind": "a", "sha": "AB"}': 'sha = "AB"; want str matching regex',
    b'{"name": "x", "parts": [], "kind": "a", "by_name": {"k": "v"}}': "by_name[...]: want int",
    b"[]": "the whole: want object",
    b"null": "the whole = null; want object",
    b"": "not JSON",
    b"{": "not JSON",
    b"\xff": "not JSON",
    b'"\\ud800"': "not JSON",
    b'{"name": NaN}': "not JSON",
    b'{"name": 1e999}': "not JSON",
    b"9" * 5000: "not JSON",
    b"[" * 200_000: "not JSON",
    b'{"a":' * 200_000: "not JSON",
}


def line(data: bytes, kind: Any = Whole) -> str:
    with pytest.raises(UserError) as error:
        json_files.decode(data, kind, "a.json", "run: make it")
    return str(error.value)


@pytest.mark.parametrize("data", BAD, ids=lambda data: data[:60].decode(errors="replace"))
def test_a_mistake_is_one_line(data):
    said = line(data)
    assert said.startswith(f"a.json: {BAD[data]}")
    assert said.endswith("; run: make it")
    assert said.isprintable()
    assert len(said) < 300


def test_a_long_value_is_cut():
    assert len(line(b'{"name": "' + b"-" * 10_000 + b'", "parts": [], "kind": "a"}')) < 300


def test_what_is_not_named_stays():
    assert json_files.decode(GOOD, Whole, "", "")["more"] == [1]


def test_files(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(UserError, match=r"a\.json: missing; run: make it"):
        json_files.read(path, Whole, "run: make it")
    path.write_bytes(GOOD)
    assert json_files.read(path, Whole, "")["name"] == "x"
    with path.open("wb") as stream:
        stream.truncate(json_files.MOST_BYTES + 1)
    with pytest.raises(UserError, match=r"a.json: 16,777,217 bytes; at most 16,777,216 are read; run"):
        json_files.read(path, Whole, "run: make it")
    with pytest.raises(UserError, match="no ordinary file"):
        json_files.read(tmp_path, Whole, "")


@pytest.mark.parametrize("part", [b"[]", b"{}"])
def test_millions_of_empty_parts(part):
    """Each takes thirty times its bytes in memory."""
    with pytest.raises(UserError, match=r"a.json: 200,001 lists and tables; want at most 200,000; fix"):
        json_files.decode(b"[" + b",".join([part] * 200_000) + b"]", list, "a.json", "fix")


@pytest.mark.parametrize("letter", ["\\u001b", "\\u0000", "\\u0085", "\\u2028"])
def test_control_characters_in_the_name_of_a_class(letter):
    data = f'["a", "b{letter}[31m"]'.encode()
    with pytest.raises(UserError, match=r"a.json: \[1\] = \"b.*want it without control characters; fix"):
        json_files.decode(data, list[json_files.ClassName], "a.json", "fix")
    assert json_files.decode('["ä 漢"]'.encode(), list[json_files.ClassName], "a.json", "fix") == ["ä 漢"]
