"""What the C++ of an upload and its Python both say: types, states, reasons, sizes, bits."""

import re

import pytest

from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.network import ConvKernel, Kind
from squeezenet_mcu.host_tools.link import upload_messages as messages
from squeezenet_mcu.host_tools.link.upload import kernels
from tests.update import tuned

UPLOAD = (FIRMWARE / "protocol" / "upload.h").read_text()
MANIFEST = (FIRMWARE / "update" / "manifest.h").read_text()
BITS = (FIRMWARE / "engine" / "built_kernels.h").read_text()


def enum(name: str) -> dict[str, int]:
    """A C++ enum's numbers, by names without underscores in lower case."""
    body = re.search(rf"enum class {name} : uint8_t {{(.*?)}};", UPLOAD, re.S)[1]
    return {key.lower(): int(value, 0) for key, value in re.findall(r"k(\w+) = (\w+),", body)}


def constant(text: str, name: str) -> int:
    return int(re.search(rf"{name} = (\w+);", text)[1], 0)


@pytest.mark.parametrize("of", [messages.UploadRequest, messages.UploadState, messages.UploadReason])
def test_enums(of):
    assert enum(of.__name__) == {member.name.replace("_", "").lower(): int(member) for member in of}


def test_replies():
    assert sorted(enum("UploadReply").values()) == sorted(messages.PARSERS)


def test_sizes():
    assert constant(UPLOAD, "kMaxCopy") == messages.MAX_COPY
    assert constant(UPLOAD, "kStrongBytes") == messages.STRONG_BYTES
    assert constant(UPLOAD, "kPieceHeader") == messages.PIECE_HEADER
    assert constant(UPLOAD, "kLinkedModel") == messages.LINKED
    manifest = tuned.digits().manifest
    assert len(manifest.pack()) == constant(MANIFEST, "kManifestBytes")
    assert constant(MANIFEST, "kManifestVersion") == messages.MANIFEST_VERSION
    assert messages.Manifest.parse(manifest.pack()) == manifest
    assert messages.Manifest.parse(b"\2" + manifest.pack()[1:]) is None
    assert messages.Manifest.parse(manifest.pack()[1:]) is None


def test_bits_of_kernels():
    """As BuiltKernels() sets them."""
    of_kinds, huffman, version = (
        constant(BITS, f"kKernelBit{end}") for end in ("OfKinds", "Huffman", "sVersion")
    )
    wanted = {kernel.name.lower(): int(kernel) for kernel in ConvKernel} | {"huffman": huffman}
    wanted |= {kind.name.lower(): of_kinds + kind for kind in Kind if kind is not Kind.CONV_2D}
    assert len(set(wanted.values())) == len(wanted)
    for name, bit in wanted.items():
        assert kernels.word([name], blob.VERSION) == 1 << bit | blob.VERSION << version
        assert kernels.names_of(1 << bit) == [name]
