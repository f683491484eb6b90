"""A model as it is sent: the engine's model for one board, and the signed manifest that goes before it."""

import hashlib
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.paths import BUILD
from squeezenet_mcu.convert.encode import blob
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.bench.measure import pseudo_image
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware import board_model
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.link.upload import kernels
from squeezenet_mcu.host_tools.link.upload_messages import Manifest
from squeezenet_mcu.host_tools.signing import monocypher

ALEXNET_BYTES = 243_860_896
"""AlexNet's float32 parameters: docs/distributed.md."""

_MANIFEST = "offer.bin"  # beside model.sqz
_SENT = "sent"  # the folder with all models that a device has taken, by their SHA-256
_MOST_MODEL = 64 << 20  # bytes; no microcontroller's flash holds more
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True)
class Package:
    """`content`: the engine's model; `folder`: where it is kept; `float_bytes`: of it dense, in float32."""

    content: bytes
    manifest: Manifest
    folder: Path
    float_bytes: int


def prepare(
    model: str,
    board: Board,
    request: ModelRequest,
    keys: tuple[bytes, bytes] | None,
    fresh: bool = False,
    least_counter: int = 0,
) -> Package:
    """The model in build/<model> for `board`; made, proven and signed, where not up to date.

    `keys`: the secret and the public key that sign it; None: it is not signed. The manifest of an earlier
    time serves again for the same model, so that an interrupted upload goes on; `fresh`: not so, its counter
    is that of now, or `least_counter` where that is more.
    UserError: not converted, or what board_model.prepare says.
    """
    source = BUILD / model
    folder = board_model.folder_for(source, board.name, "squeeze") / "upload"
    made = board_model.prepare(board, source, folder, request)
    content = (folder / "model.sqz").read_bytes()
    offered = manifest_of(described(model), made, content, golden_crc32(source / "model.sqz", content))
    kept = None if fresh else _kept(folder / _MANIFEST)
    manifest = _signed(offered, keys, kept, least_counter)
    files.write_bytes(folder / _MANIFEST, manifest.pack())
    return Package(content, manifest, folder, float_bytes(source / "model.tflite"))


def described(model: str) -> dict[str, Any]:
    """The manifest.json of build/<model>. UserError: it is not converted."""
    source = BUILD / model
    for name in ("manifest.json", "model.tflite", "model.sqz"):
        if not (source / name).is_file():
            raise UserError(f"{source / name}: missing; run: make convert MODEL={model}")
    return read_manifest(source)


def golden_crc32(portable: Path, content: bytes) -> int:
    """CRC-32 of the right logits for the image that the engine's model `content` makes.

    `portable`: the same network's engine model of plain kernels, which `make convert` proved equal to LiteRT.
    """
    engine = HostEngine(portable.read_bytes())
    logits, _ = engine.infer(pseudo_image(content, engine.input_shape))
    return zlib.crc32(logits.tobytes())


def manifest_of(manifest: dict[str, Any], made: dict[str, Any], content: bytes, golden: int) -> Manifest:
    """What is said of the engine's model `content`, before it is counted and signed.

    `manifest`: manifest.json's input, output and tflite_sha256; `made`: engine.json's arena_bytes, kernels;
    `golden`: golden_crc32().
    """
    size = manifest["input"]
    return Manifest(
        size=len(content),
        counter=0,
        arena_bytes=made["arena_bytes"],
        height=size["height"],
        width=size["width"],
        channels=size["channels"],
        classes=manifest["output"]["classes"],
        kernels=kernels.word(made["kernels"], blob.VERSION),
        golden_crc32=golden,
        sha256=hashlib.sha256(content).digest(),
        source_sha256=bytes.fromhex(manifest["tflite_sha256"]),
    )


def _kept(path: Path) -> Manifest | None:
    """The manifest of an earlier time; None where there is none that can be read."""
    return Manifest.parse(path.read_bytes()[:4096]) if path.is_file() else None


def _signed(
    offered: Manifest, keys: tuple[bytes, bytes] | None, kept: Manifest | None, least_counter: int = 0
) -> Manifest:
    """`offered` with a counter and a signature: those of `kept` where it says the same, signed by the same.

    The counter is the time, in seconds since 1970: who signs later signs something newer.
    """
    if kept is not None and replace(offered, counter=kept.counter, signature=kept.signature) == kept:
        unsigned = kept.signature == bytes(monocypher.SIGNATURE_BYTES)
        if keys is None and unsigned:
            return kept
        if keys is not None and monocypher.check(kept.signature, keys[1], kept.signed_part()):
            return kept
    counted = replace(offered, counter=max(int(time.time()), least_counter))
    if keys is None:
        return counted
    return replace(counted, signature=monocypher.sign(keys[0], counted.signed_part()))


def keep_sent(package: Package) -> None:
    """Keeps what a device runs now: the next upload then knows what that device has, and needs no hashes."""
    files.write_bytes(package.folder / _SENT / f"{package.manifest.sha256.hex()}.sqz", package.content)


def known(sha256: bytes) -> bytes | None:
    """The engine model of this SHA-256, where it is anywhere in build/."""
    for path in _candidates(sha256.hex()):
        if path.stat().st_size <= _MOST_MODEL:
            content = path.read_bytes()
            if hashlib.sha256(content).digest() == sha256:
                return content
    return None


def _candidates(name: str) -> Iterator[Path]:
    yield from BUILD.glob(f"*/firmware/*/upload/{_SENT}/{name}.sqz")
    yield from BUILD.glob("*/firmware/*/model/model.sqz")
    yield from BUILD.glob("*/firmware/*/upload/model.sqz")


def float_bytes(path: Path) -> int:
    """Bytes of all weights and biases of a .tflite, had they been stored as dense float32."""
    file = tflite_file.read(path)
    constants = {
        index
        for op in file.ops
        if op.name in _WEIGHTED
        for index in op.inputs[1:]
        if index >= 0 and file.tensors[index].data is not None
    }
    return 4 * sum(data.size for i in constants if (data := file.tensors[i].data) is not None)
