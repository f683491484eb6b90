"""`python -m host_tools key`: a pair of keys, for models that a firmware takes from their owner alone."""

import argparse
import os
import re
import secrets
import shlex
from pathlib import Path

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.command_line.spoken import as_typed
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.signing import monocypher

NAME = "key"
HELP = "make a pair of keys: the private one signs models, the public one goes into the firmware"
EXAMPLES = """\
  python -m host_tools key --key keys/mine              # writes keys/mine (keep it secret) and keys/mine.pub
  python -m host_tools firmware --model digits --board mps2_an386 --update --key keys/mine.pub
  python -m host_tools upload --model digits --port /dev/ttyACM0 --key keys/mine"""

_PRIVATE, _PUBLIC = "squeezenet-mcu private key 1", "squeezenet-mcu public key 1"
_MOST = 1000  # bytes of a file with a key
_WANT = "want a file that make key KEY=file has written"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See common.cli.Command."""
    parser.add_argument(
        "--key",
        type=Path,
        required=True,
        metavar="FILE",
        help="for the private key; the public one: FILE.pub",
    )


def run(args: argparse.Namespace) -> int:
    """See common.cli.Command."""
    public = make(args.key)
    terminal.echo(
        f"wrote {args.key}: signs models; keep it secret, and a copy of it: it cannot be made again"
    )
    then = as_typed(f"make firmware UPDATE=1 KEY={public}")
    terminal.echo(f"wrote {public}: for the firmware; next: {then}")
    return 0


def make(private: Path) -> Path:
    """Writes a new private key, mode 0600, and beside it the public one; the path of that.

    UserError: one of the files is there already, or its name is one of a public key.
    """
    if private.suffix == ".pub":
        raise UserError(f"{private}: would hold the private key, and be taken for a public one; want no .pub")
    public = private.with_name(f"{private.name}.pub")
    for path in (private, public):
        if path.exists() or path.is_symlink():
            raise UserError(f"{path}: is there already; want a new name: models signed by it would be lost")
    seed = secrets.token_bytes(monocypher.SEED_BYTES)
    _, key = monocypher.key_pair(seed)  # before anything is written
    private.parent.mkdir(parents=True, exist_ok=True)
    # Nobody else may read it at any moment. O_EXCL: two at once do not overwrite each other's.
    handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(_text(_PRIVATE, seed))
        files.write_bytes(public, _text(_PUBLIC, key))
    except BaseException:  # of a full disk, say: half a pair would stand in the way of the next try
        private.unlink(missing_ok=True)
        raise
    return public


def _text(what: str, key: bytes) -> bytes:
    return f"{what}: {key.hex()}\n".encode()


def _read(path: Path, what: str) -> bytes:
    """The 32 bytes in a key's file. UserError: it holds none, or another kind. The text is never shown."""
    text = files.read_input(path, _MOST, _WANT).decode(errors="replace")
    found = re.fullmatch(rf"{what}: ([0-9a-f]{{64}})\s*", text)
    if found:
        return bytes.fromhex(found[1])
    kinds = {
        _PRIVATE: "a private key; want the public one, which lies beside it as FILE.pub",
        _PUBLIC: "a public key; want the private one",
        what: f"a damaged key; {_WANT}",
    }
    kind = next((said for name, said in kinds.items() if text.startswith(f"{name}:")), None)
    raise UserError(f"{path}: holds {kind or f'no key; {_WANT}'}")


def read_public(path: Path) -> bytes:
    """The public key [32] in `path`. UserError: there is none."""
    return _read(path, _PUBLIC)


def read_private(path: Path) -> tuple[bytes, bytes]:
    """The secret key [64] and its public key [32], of the seed in `path`.

    UserError: there is none, or others than its owner may read the file.
    """
    seed = _read(path, _PRIVATE)
    mode = path.stat().st_mode & 0o777
    if os.name != "nt" and mode & 0o077:
        fix = f"chmod 600 {shlex.quote(str(path))}"
        raise UserError(f"{path}: mode {mode:04o} lets others read this private key; run: {fix}")
    return monocypher.key_pair(seed)
