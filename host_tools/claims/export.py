"""Bytes of a new model over the link, to the emulated mps2_an386: all of it new, or its last layer alone."""

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common import files
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.terminal import Console, progress
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.target import ANY_CPU
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.claims import alexnet
from squeezenet_mcu.host_tools.claims.claim import Found
from squeezenet_mcu.host_tools.claims.measured_network import Measured
from squeezenet_mcu.host_tools.emulate import emulator, nor
from squeezenet_mcu.host_tools.firmware import board_model, build
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.link.device import OPEN_TIMEOUT, TIMEOUT, Device
from squeezenet_mcu.host_tools.link.upload_messages import Manifest
from squeezenet_mcu.host_tools.upload import package
from squeezenet_mcu.host_tools.validate.devices import longest_silence

BOARD = "mps2_an386"
_REQUEST = ModelRequest(optimize="flash", update=True)
_PATIENCE = 4  # times as long as with a board: an emulator has a slow share of a busy machine


@dataclass(frozen=True)
class New:
    """A model that the device does not have yet."""

    content: bytes
    manifest: Manifest


def retrained(tflite: bytes, layers: int | None, seed: int) -> bytes:
    """As another training of the last `layers` convolutions (None: of all) might have left them.

    The weights of each filter come in another, random order: shapes, ranges and zeros stay as many.
    """
    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    graph = model.subgraphs[0]
    random = np.random.default_rng(seed)
    convolution = schema.BuiltinOperator.CONV_2D
    found = [op for op in graph.operators if model.operatorCodes[op.opcodeIndex].builtinCode == convolution]
    for op in found[-layers if layers else 0 :]:
        tensor = graph.tensors[op.inputs[1]]
        values = np.frombuffer(bytes(model.buffers[tensor.buffer].data), np.int8)
        filters = random.permuted(values.reshape(tensor.shape[0], -1), axis=1)
        model.buffers[tensor.buffer].data = filters.reshape(-1).view(np.uint8)
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _new(network: Measured, tflite: bytes, counter: int) -> New:
    """The engine's model of `tflite`, which is `network` with other weights, and what is said of it."""
    told = read_manifest(network.folder)
    board = board_toml.load(BOARD)
    maker = engine_model.Maker.of(tflite_file.parse(tflite, network.name), [])
    made = board_model.prepare_on(board, told, board_model.target_for(board, told, _REQUEST), maker)
    with tempfile.TemporaryDirectory() as folder:
        portable = Path(folder) / "model.sqz"
        portable.write_bytes(maker.prepare(ANY_CPU).content)
        golden = package.golden_crc32(portable, made.content)
    described = {"arena_bytes": made.plan.arena_bytes, "kernels": made.kernels}
    sha256 = files.sha256(tflite)
    manifest = package.manifest_of({**told, "tflite_sha256": sha256}, described, made.content, golden)
    return New(made.content, dataclasses.replace(manifest, counter=counter))


@contextmanager
def _booted(elf: Path, macs: int) -> Iterator[Device]:
    """The emulated board, fresh from its factory."""
    with tempfile.TemporaryDirectory() as folder:
        flash = nor.arguments(board_toml.load(BOARD), Path(folder) / "nor")
        silence = _PATIENCE * longest_silence("squeeze", {"macs": macs})
        whole = max(TIMEOUT, _PATIENCE * longest_silence("tflm", {"macs": macs}))
        with (
            emulator.machine(BOARD, elf, extra=flash) as machine,
            Device(
                machine.url, silence, image_timeout=whole, open_timeout=_PATIENCE * OPEN_TIMEOUT
            ) as device,
        ):
            yield device


def _sent(device: Device, new: New, old: bytes, what: str) -> int:
    """Bytes on the line, both directions, of all messages that it took until the device runs `new`."""
    before = device.statistics.bytes_passed
    with progress(what, len(new.content)) as advance:
        had = 0

        def on_progress(received: int) -> None:
            nonlocal had
            advance(received - had)
            had = received

        device.upload(new.manifest, new.content, old, on_progress)
    return device.statistics.bytes_passed - before


def measure(network: Measured, console: Console) -> dict[str, Found]:
    """By the id of a claim. UserError: the firmware cannot be built, or the emulator is missing."""
    elf = build.build(BOARD, network.name, _REQUEST)
    linked = (elf.parent / "model" / "model.sqz").read_bytes()
    tflite = (network.folder / "model.tflite").read_bytes()
    last = _new(network, retrained(tflite, 1, 1), 1)
    whole = _new(network, retrained(tflite, None, 2), 2)
    with _booted(elf, read_manifest(network.folder)["macs"]) as device:
        difference = _sent(device, last, linked, "a new last layer over the link")
        full = _sent(device, whole, last.content, "a new model over the link")
    console.print(
        f"the device has taken {full:,} B and {difference:,} B, and runs each model", soft_wrap=True
    )
    return {
        "export-bytes": _answer(network, full, whole, "all weights are new"),
        "export-difference-bytes": _answer(network, difference, last, "conv10 alone is new"),
    }


def _answer(network: Measured, passed: int, new: New, what: str) -> Found:
    times = alexnet.FLOAT_BYTES / passed
    detail: dict[str, Any] = {
        "wire_bytes": passed,
        "model_bytes": len(new.content),
        "alexnet_bytes": alexnet.FLOAT_BYTES,
        "times_less_than_alexnet": times,
        "weights": network.weights,
        "board": BOARD,
    }
    return Found(
        passed,
        f"{passed:,} B on the link to the emulated {BOARD}, both directions, for {len(new.content):,} B of "
        f"engine's model; {what}; AlexNet's {alexnet.FLOAT_BYTES:,} B are {times:,.0f} times as many; "
        f"{network.weights}",
        detail=detail,
    )
