"""Keys: who may read them, what is never shown, and that a signature is checked."""

import re
import stat

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.signing import keys, monocypher


def test_a_pair_is_written_once_and_never_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert console.host_tools(["key", "--key", "keys/mine"]) == 0
    private, public = tmp_path / "keys/mine", tmp_path / "keys/mine.pub"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    said = capsys.readouterr()
    secret = private.read_text().split()[-1]
    assert re.fullmatch(r"[0-9a-f]{64}", secret) and secret not in said.out + said.err
    before = private.read_bytes(), public.read_bytes()
    assert console.host_tools(["key", "--key", "keys/mine"]) == 1
    assert "keys/mine: is there already; want a new name" in capsys.readouterr().err
    assert (private.read_bytes(), public.read_bytes()) == before
    assert keys.read_private(private)[1] == keys.read_public(public)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("squeezenet-mcu public key 1: " + "0" * 64, "holds a public key; want the private one"),
        ("squeezenet-mcu private key 1: secret", "holds a private key; want the public one"),
        ("squeezenet-mcu public key 1: 0123", "holds a public key; want the private one"),
        ("-----BEGIN secret-----", "holds no key; want a file that make key KEY=file has written"),
        ("secret" * 1000, "6,000 bytes; at most 1,000 are read"),
    ],
)
def test_another_file_is_refused_and_not_shown(tmp_path, text, words):
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    read = keys.read_public if "private" in text else keys.read_private
    with pytest.raises(UserError, match=words) as error:
        read(path)
    assert "secret" not in str(error.value).replace("; want", "")


def test_a_private_key_that_others_may_read(tmp_path):
    keys.make(tmp_path / "key")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(UserError, match=r"mode 0640 lets others read this private key; run: chmod 600"):
        keys.read_private(tmp_path / "key")


def test_half_a_key_is_not_taken_for_one_of_the_other_kind(tmp_path):
    private = keys.make(tmp_path / "key").with_suffix("")
    for path, read in ((private, keys.read_private), (private.with_name("key.pub"), keys.read_public)):
        path.write_bytes(path.read_bytes()[:50])
        with pytest.raises(UserError, match="holds a damaged key; want a file that make key KEY=file"):
            read(path)


def test_no_private_key_is_called_pub(tmp_path):
    with pytest.raises(UserError, match=r"key\.pub: would hold the private key, and be taken"):
        keys.make(tmp_path / "key.pub")
    assert not list(tmp_path.iterdir())


def test_half_a_pair_does_not_stay(tmp_path):
    """The public key's temporary name is too long for the file system, say."""
    private = tmp_path / ("n" * 248)
    with pytest.raises(OSError, match="too long"):
        keys.make(private)
    assert not list(tmp_path.iterdir())


def test_the_fix_can_be_pasted(tmp_path):
    keys.make(tmp_path / "a b;id")
    (tmp_path / "a b;id").chmod(0o644)
    with pytest.raises(UserError, match=r"run: chmod 600 '.*a b;id'"):
        keys.read_private(tmp_path / "a b;id")


def test_signatures():
    secret, public = monocypher.key_pair(bytes(range(32)))
    other = monocypher.key_pair(bytes(32))[1]
    signature = monocypher.sign(secret, b"a model")
    assert monocypher.check(signature, public, b"a model")
    assert not monocypher.check(signature, public, b"a mode1")
    assert not monocypher.check(signature, other, b"a model")
    assert not monocypher.check(signature[:-1] + b"\0", public, b"a model")
    with pytest.raises(ValueError, match="64 bytes"):
        monocypher.check(b"", public, b"")


def test_the_source_package_is_that_of_the_lock(tmp_path, monkeypatch):
    lock = (FIRMWARE.parent / "locks" / "monocypher.txt").read_text()
    assert f"--hash=sha256:{monocypher.ARCHIVE_SHA256}" in lock
    name, version = re.search(r"^(\w+)==(\S+)", lock, re.M).groups()
    assert f"{name}-{version}.tar.gz" == monocypher.ARCHIVE
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    with pytest.raises(UserError, match=r"no such file; want Monocypher's source package; run: ./setup.sh"):
        monocypher.sources()
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / monocypher.ARCHIVE).write_bytes(b"another")
    with pytest.raises(
        UserError, match=rf"SHA-256 is \w+; want {monocypher.ARCHIVE_SHA256}; remove the file"
    ):
        monocypher.sources()
