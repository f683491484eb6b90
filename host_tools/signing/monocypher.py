"""Monocypher: EdDSA over Curve25519 with BLAKE2b, from the C file that its Python package's source carries.

setup.sh keeps that package as a file (locks/monocypher.txt). Firmware is built with the C file, and the host
signs with the same, as a shared library: nothing of it is copied into the repository.
"""

import ctypes
import functools
import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import filelock

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import tool_build
from squeezenet_mcu.common.programs import missing_program
from squeezenet_mcu.common.terminal import one_line

ARCHIVE = "pymonocypher-4.0.3.4.tar.gz"
ARCHIVE_SHA256 = "5e56e3d3eb770a53e0b9f6274146663c11a11f3d0de5cd48e3be0428d1b07a4a"  # as the lock has it
_MEMBERS = ("monocypher.c", "monocypher.h")
_MOST_ARCHIVE = 4 << 20  # bytes; it has 0.5 MB
_MOST_MEMBER = 1 << 20  # bytes; the larger of the two has 0.1 MB
_FIX = "run: ./setup.sh"

SEED_BYTES = 32
SECRET_BYTES = 64  # the seed, then the public key
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64


def archive() -> Path:
    """Where setup.sh keeps the source package."""
    return Path(sys.prefix) / "sources" / ARCHIVE


def sources() -> Path:
    """The folder with its C file and the header of that, unpacked where they are not yet.

    UserError: the package is missing, or is not the one of the lock.
    """
    content = files.read_input(archive(), _MOST_ARCHIVE, f"want Monocypher's source package; {_FIX}")
    if (found := files.sha256(content)) != ARCHIVE_SHA256:
        raise UserError(
            f"{archive()}: SHA-256 is {found}; want {ARCHIVE_SHA256}; remove the file, then {_FIX}"
        )
    folder = tool_build() / "monocypher"
    stem = ARCHIVE.removesuffix(".tar.gz")
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as package:
        for name in _MEMBERS:
            member = package.extractfile(f"{stem}/{name}")
            assert member is not None  # its SHA-256 says that it is there
            data, path = member.read(_MOST_MEMBER), folder / name
            if not path.is_file() or path.read_bytes() != data:  # else make's clocks would run for nothing
                files.write_bytes(path, data)
    return folder


@functools.cache
def _library() -> ctypes.CDLL:
    folder = sources()
    if shutil.which("gcc") is None:
        raise missing_program("gcc", "g++")
    with filelock.FileLock(folder / ".lock"):  # test workers may come at once
        path = folder / "libmonocypher.so"
        source = folder / "monocypher.c"
        if not path.is_file() or path.stat().st_mtime < source.stat().st_mtime:
            with files.replacing(path) as temporary:
                command: list[str | Path] = ["gcc", "-O2", "-shared", "-fPIC", "-o", temporary, source]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode != 0:
                    raise UserError(f"{source}: gcc fails: {one_line(done.stderr)}; {_FIX}")
    library = ctypes.CDLL(str(path))
    library.crypto_eddsa_key_pair.restype = None
    library.crypto_eddsa_sign.restype = None
    library.crypto_eddsa_sign.argtypes = (
        ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t,
    )  # fmt: skip
    library.crypto_eddsa_check.argtypes = library.crypto_eddsa_sign.argtypes
    return library


def key_pair(seed: bytes) -> tuple[bytes, bytes]:
    """The secret key [64] and the public key [32] of a seed of 32 random bytes."""
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
    secret, public = ctypes.create_string_buffer(SECRET_BYTES), ctypes.create_string_buffer(PUBLIC_BYTES)
    # A copy: the library wipes the seed that it is given.
    _library().crypto_eddsa_key_pair(secret, public, ctypes.create_string_buffer(seed, SEED_BYTES))
    return secret.raw, public.raw


def sign(secret: bytes, message: bytes) -> bytes:
    """The signature [64] of a message; `secret`: of key_pair."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret key has {SECRET_BYTES} bytes, not {len(secret)}")
    signature = ctypes.create_string_buffer(SIGNATURE_BYTES)
    _library().crypto_eddsa_sign(signature, secret, message, len(message))
    return signature.raw


def check(signature: bytes, public: bytes, message: bytes) -> bool:
    """True where `signature` is that of `message` by the owner of `public`."""
    if len(signature) != SIGNATURE_BYTES or len(public) != PUBLIC_BYTES:
        raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes, a public key {PUBLIC_BYTES}")
    found: int = _library().crypto_eddsa_check(signature, public, message, len(message))
    return found == 0
