"""Damages files as accidents and attackers do: their bytes, their JSON's values, their zip's members."""

import io
import json
import struct
import zipfile
import zlib
from random import Random

_NUMBERS = (0, 1, -1, 0x7FFFFFFF, -0x80000000, 0x10000000, 255, 1000)
_VALUES = (
    None, True, 0, -1, 1, 7, 1.5, -0.0, 1e308, 2**31, 2**63, 10**30, "", "x", "../../x", "\x1b[31m", "a\nb",
    "*/", "[/b]", "é" * 300, "f" * 64, [], [[]], {}, {"x": 1}, [1, 2, 3], ["x"] * 3000,
)  # fmt: skip
_TEXTS = (b"NaN", b"Infinity", b"-1e999", b"9" * 5000, b'"\\ud800"', b"[" * 5000, b"{", b"\xff", b"\x00", b"")


def in_bytes(random: Random, data: bytes) -> bytes:
    """One to eight places of `data` are changed, cut out, doubled, or the end is cut off."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 8))):
        at = random.randrange(len(changed) or 1)
        what = random.randrange(7)
        if what == 0 and changed:
            changed[at] ^= 1 << random.randrange(8)
        elif what == 1 and changed:
            changed[at] = random.choice((0, 1, 127, 128, 255))
        elif what == 2:
            at &= ~3
            changed[at : at + 4] = struct.pack("<i", random.choice(_NUMBERS))
        elif what == 3:
            del changed[at : at + random.choice((1, 4, 100))]
        elif what == 4:
            changed[at:at] = changed[at : at + random.choice((1, 4, 100))]
        elif what == 5:
            changed[at:at] = random.randbytes(random.choice((1, 4, 100)))
        elif random.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def in_json(random: Random, data: bytes) -> bytes:
    """One to three values are others, or gone, or doubled; now and then what is no JSON stands there."""
    tree = {"": json.loads(data)}
    for _ in range(random.choice((1, 1, 2, 3))):
        places = list(_places(tree))
        holder, key = random.choice(places)
        what = random.randrange(10)
        if what < 6:
            holder[key] = random.choice(_VALUES)
        elif what < 8:
            other, its = random.choice(places)
            holder[key] = json.loads(json.dumps(other[its]))
        elif isinstance(holder, dict) and key:
            del holder[key]
        elif isinstance(holder, list):
            holder.extend(holder[:3])
    text = json.dumps(tree.get("")).encode()
    if random.random() < 0.2:
        numbers = text.split(b": ")
        numbers[random.randrange(len(numbers))] = random.choice(_TEXTS)
        text = b": ".join(numbers)
    return in_bytes(random, text) if random.random() < 0.1 else text


def _places(holder: dict | list):
    """Every value of the tree, as its holder and the key or index there."""
    for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
        yield holder, key
        if isinstance(value, dict | list):
            yield from _places(value)


def in_zip(random: Random, data: bytes) -> bytes:
    """A member is damaged, renamed, gone or doubled; packed again, so that the checksums are right."""
    if random.random() < 0.25:
        return in_bytes(random, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    number = random.randrange(len(members))
    name, content = members[number]
    what = random.randrange(12)
    if what < 8:
        members[number] = name, (in_json if name.endswith(".json") else in_bytes)(random, content)
    elif what == 8:
        del members[number]
    elif what == 9:
        members[number] = random.choice(("../" + name, name + "\x1b[31m", "/etc/x", "x")), content
    elif what == 10:
        members.append((name, in_bytes(random, content)))
    else:
        members[number] = name, bytes(random.choice((0, 10_000_000)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def in_png(random: Random, data: bytes) -> bytes:
    """A PNG's chunk is damaged, with its checksum made right again; else any bytes are."""
    if random.random() < 0.4 or not data.startswith(b"\x89PNG"):
        return in_bytes(random, data)
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    number = random.randrange(len(chunks))
    kind, content = chunks[number]
    chunks[number] = kind, in_bytes(random, content)
    made = data[:8]
    for kind, content in chunks:
        checksum = zlib.crc32(kind + content)
        made += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
    return made


def in_toml(random: Random, data: bytes) -> bytes:
    """Values and keys are others, lines doubled or gone; else any bytes are."""
    if random.random() < 0.2:
        return in_bytes(random, data)
    lines = data.split(b"\n")
    for _ in range(random.choice((1, 1, 2, 4))):
        number = random.randrange(len(lines))
        key, equals, value = lines[number].partition(b" = ")
        what = random.randrange(8)
        if what < 5 and equals:
            strange = random.choice((*_TOML_VALUES, *_TEXTS, random.choice(lines).partition(b" = ")[2]))
            lines[number] = key + b" = " + strange
        elif what == 5 and equals:
            lines[number] = random.choice((b"x", b'"a\\nb"', b"a.b", key + b"x")) + b" = " + value
        elif what == 6:
            lines.insert(number, random.choice(lines))
        elif len(lines) > 1:
            del lines[number]
    return b"\n".join(lines)


_TOML_VALUES = (
    b"0", b"-1", b"1", b"3", b"1.5", b"-0.0", b"nan", b"inf", b"1e308", b"0x7fffffffffffffff", b"true", b'""',
    b'"x"', b'"../../x"', b'"\\u001b[31m"', b'"a\\nb"', b"[]", b"[[]]", b"{}", b"{ x = 1 }", b"[1, 2]",
    b"2020-01-01", b'["x", "y"]', b'"' + b"f" * 9000 + b'"',
)  # fmt: skip


def in_lines(random: Random, data: bytes) -> bytes:
    """Cells of a CSV are others, lines doubled or gone; else any bytes are."""
    if random.random() < 0.2:
        return in_bytes(random, data)
    lines = [line.split(b",") for line in data.split(b"\n")]
    for _ in range(random.choice((1, 2, 5))):
        number = random.randrange(len(lines))
        cell = random.randrange(len(lines[number]))
        what = random.randrange(8)
        if what < 5:
            strange = random.choice((*_VALUES[:14], *_TEXTS, b'"', b"0.png", b"pipe.png", b"-0", b" 1", "٣"))
            lines[number][cell] = strange if isinstance(strange, bytes) else str(strange).encode()
        elif what == 5:
            lines.append(list(lines[number]))
        elif what == 6:
            lines[number].append(b"x")
        elif len(lines) > 1:
            del lines[number]
    return b"\n".join(b",".join(line) for line in lines)
