"""Zip files that would take gigabytes before a member is read."""

import struct
import zipfile

import pytest

from squeezenet_mcu.common.archives import zips


def packed(path, kind=zipfile.ZIP_DEFLATED, members=3):
    with zipfile.ZipFile(path, "w", kind) as archive:
        for number in range(members):
            archive.writestr(f"{number}.npy", b"x" * 1000)
    return path


def test_a_sound_one_is_read_and_closed(tmp_path):
    path = packed(tmp_path / "a.zip")
    for source in (path, path.read_bytes()):
        with zips.opened(source) as archive:
            assert archive.read("2.npy") == b"x" * 1000
        assert archive._file.closed


def test_a_list_of_many_members(tmp_path):
    """Of 46 bytes each; zipfile makes an object of some hundred of each, before anything else."""
    path = packed(tmp_path / "a.zip", members=30_000)
    with pytest.raises(
        ValueError, match=r"its list of members has 1,\d{3},\d{3} bytes; want at most 1,048,576"
    ):
        zips.opened(path)


def test_a_list_that_says_it_is_large(tmp_path):
    data = packed(tmp_path / "a.zip").read_bytes()
    end = data.rindex(b"PK\5\6")
    start = struct.pack("<I", 0)
    lying = bytes(3 << 20) + data[: end + 12] + struct.pack("<I", 3 << 20) + start + data[end + 20 :]
    with pytest.raises(ValueError, match="its list of members has 3,145,728 bytes"):
        zips.opened(lying)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing(tmp_path, kind):
    with pytest.raises(ValueError, match=f"a member is packed by method {kind}; want it deflated"):
        zips.opened(packed(tmp_path / "a.zip", kind))
