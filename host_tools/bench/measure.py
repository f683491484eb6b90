"""One network on one emulated board: built, booted, measured, and its logits compared with the host's."""

import dataclasses
import re
import socket
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np

from squeezenet_mcu.common import paths
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.convert.verify.engine_status import describe
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.bench import networks, results
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.cycles import profile
from squeezenet_mcu.host_tools.cycles.profile import Profile
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.firmware import board_model, linker_map
from squeezenet_mcu.host_tools.firmware import build as firmware
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest
from squeezenet_mcu.host_tools.firmware.build import DoesNotFitError
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.validate.devices import longest_silence

_SILENCE = 900.0  # seconds: the portable kernels take half a minute for ImageNet, on a machine to themselves


class NotExactError(UserError):
    """The board computes other logits than the host."""


@dataclass(frozen=True)
class Built:
    """The measuring program and the real firmware around one engine model. `made`: its engine.json."""

    bench: Path
    firmware: Path
    content: bytes
    made: dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What the measuring program printed. `layers`: counts of each, in the engine model's order."""

    unit: str  # "instructions" or "cycles"
    step: int
    total: int
    layers: list[int]
    arena: int
    stack: int
    logits_crc: int
    profile: Profile | None = None  # cycles, where host_tools/cycles knows them


def build(name: str, board: str, request: ModelRequest) -> Built:
    """Builds both programs under build/bench/, apart from what `make firmware` has built for the user.

    DoesNotFitError: the board is too small.
    """
    hardware = board_toml.load(board)
    family = request.kernel_family or hardware.kernel_family
    source = paths.BUILD / name
    cores = "" if request.cores == 1 else f"-{request.cores}-cores"
    folder = paths.BUILD / "bench" / name / f"{hardware.name}-{family}-{request.optimize}{cores}"
    made = board_model.prepare(hardware, source, folder / "model", request)
    held, wanted = hardware.total("image"), made["engine_model_bytes"]
    if wanted > held:
        message = f"its model of {wanted:,} bytes exceeds the {held:,} bytes of {board}'s flash"
        raise DoesNotFitError(message, {hardware.memories[0].name: wanted - held})
    options = firmware.options(hardware, source, folder, request, made)
    try:
        programs = [firmware.compile_target(hardware, folder, t, options) for t in ("firmware", "bench")]
    except firmware.LinkOverflowError as error:
        message = firmware.overflow_message(hardware, name, error.regions, made)
        raise DoesNotFitError(message, error.regions) from error
    return Built(programs[1], programs[0], (folder / "model" / "model.sqz").read_bytes(), made)


def run(board: str, program: Path) -> Measured:
    """Boots the measuring program; its figures. UserError: it failed, or counts the time of a clock."""
    with profile.counting(board_toml.load(board), program) as counting:
        measured = _run(board, program, counting.arguments)
        found = counting.profile(len(measured.layers))
    return dataclasses.replace(measured, profile=found)


def _run(board: str, program: Path, extra: Sequence[str]) -> Measured:
    with emulator.machine(board, program, extra) as machine:
        place = urlparse(machine.url)
        with socket.create_connection((place.hostname, place.port)) as line:
            line.settimeout(_SILENCE)
            try:
                measured = parse(line.makefile("r", encoding="ascii", errors="replace"))
            except TimeoutError as error:
                raise UserError(f"{program}: silent for {_SILENCE:.0f} s on {board}") from error
    if measured.unit not in results.UNITS:  # as firmware_cpp/bench/main.cc names them
        raise UserError(f"{board}: counts {measured.unit}, not instructions; QEMU wants -icount shift=0")
    return measured


def parse(lines: Iterator[str]) -> Measured:
    """Reads the lines that firmware_cpp/bench/main.cc prints."""
    found: dict[str, list[str]] = {}
    layers: list[int] = []
    for line in lines:
        label, *values = line.split() or [""]
        if label == "FAULT":
            raise UserError(f"the firmware faulted: {line.strip()}")
        if label == "end":
            break
        if label == "layer":
            layers.append(int(values[1]))
        else:
            found[label] = values
    else:
        raise UserError("the emulator ended before the figures came")
    status = int(found["status"][0])
    if status:
        raise UserError(f"the engine on the board: {describe(status)}")
    return Measured(
        unit=found["unit"][0],
        step=int(found["step"][0]),
        total=int(found["total"][0]),
        layers=layers,
        arena=int(found["arena"][0]),
        stack=int(found["stack"][0]),
        logits_crc=int(found["logits"][1]),
    )


def pseudo_image(content: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    """The image that firmware_cpp/bench/pseudo_image.h cuts out of an engine model."""
    height, width, channels = shape
    row_bytes = width * channels
    starts = (row * row_bytes % (len(content) - row_bytes) // 4 * 4 for row in range(height))
    rows = b"".join(content[start : start + row_bytes] for start in starts)
    return np.frombuffer(rows, np.int8).reshape(shape)


def check_exact(name: str, content: bytes, measured: Measured) -> None:
    """NotExactError where the portable kernels on the host give other logits."""
    engine = HostEngine((paths.BUILD / name / "model.sqz").read_bytes())
    logits, _ = engine.infer(pseudo_image(content, engine.input_shape))
    wanted = zlib.crc32(logits.tobytes())
    if measured.logits_crc != wanted:
        raise NotExactError(
            f"NOT exact: CRC-32 of the logits {measured.logits_crc:08x}, the host's engine has {wanted:08x}"
        )


def stack_of_firmware(name: str, board: str, built: Built) -> int:
    """Bytes of the real firmware's deepest stack for the pseudo-image, sent over its link. NotExactError."""
    engine = HostEngine((paths.BUILD / name / "model.sqz").read_bytes())
    image = pseudo_image(built.content, engine.input_shape)
    # A burst of a large network's rows takes minutes in the Pico's emulator.
    silence = longest_silence("tflm", read_manifest(paths.BUILD / name))
    with emulator.running(board, built.firmware) as url, Device(url, silence) as device:
        answer = device.infer(image)
    if not np.array_equal(answer.logits, engine.infer(image)[0]):
        raise NotExactError("NOT exact: the firmware's logits over the link differ from the host's engine")
    return answer.stack_high_water


def code_bytes_of(program: Path, library: str) -> int:
    """Bytes of flash that a library's (lib*.a) objects take in `program`, from the linker's map beside it."""
    text = program.with_suffix(".map").read_text(encoding="utf-8")
    linked = text[text.index("Linker script and memory map") :]
    section = rf"^ \.(?:text|rodata|data)\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+\S*{re.escape(library)}\("
    return sum(int(size, 16) for _, size in re.findall(section, linked, re.MULTILINE))


def record(name: str, board: str, request: ModelRequest) -> dict[str, Any]:
    """Measures; the object for results.json.

    DoesNotFitError, NotExactError; UserError for what else goes wrong.
    """
    hardware = board_toml.load(board)
    built = build(name, board, request)
    measured = run(board, built.bench)
    check_exact(name, built.content, measured)
    manifest = read_manifest(paths.BUILD / name)
    stack = stack_of_firmware(name, board, built)
    rows = built.made["plan"][1:]  # the first is the input
    common = figures(
        name, board, request.kernel_family or hardware.kernel_family, measured, built.firmware, stack,
        (len(built.content), linker_map.ENGINE), manifest,
    )  # fmt: skip
    return common | {
        "optimize": request.optimize,
        "sram_bytes_asked": request.sram_bytes,
        "flash_bytes_asked": request.flash_bytes,
        "cores": request.cores,
        "weights_stored_bytes": built.made["weights_stored_bytes"],
        "layers": [
            layer_figures(row["layer"], row.get("kernel"), row["macs"], measured, index)
            for index, row in enumerate(rows)
        ],
    }


def figures(
    name: str, board: str, engine: str, measured: Measured, elf: Path, stack: int,
    inside: tuple[int, str], manifest: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """What results.json says of any engine.

    Args:
        name: of the model.
        board: name or folder.
        engine: the kernels' family, or "tflm".
        measured: what the measuring program printed.
        elf: the firmware.
        stack: its deepest, in bytes.
        inside: of the firmware: the model's bytes, and the file name of the engine's library.
        manifest: of the model.
    """
    used = firmware.usage(elf)
    model_bytes, library = inside
    hardware, macs = board_toml.load(board), manifest["macs"]
    counts = _counts(measured, hardware)
    theirs = {
        "instructions": networks.tflm_instructions(name, hardware.cpu, engine, macs),
        "cycles": networks.tflm_cycles(name, hardware, engine, macs),
    }
    return {
        "model": name,
        "board": hardware.name,
        "engine": engine,
        **counts,
        "macs": macs,
        "sram_bytes": used.sram_static + stack,
        "sram_reserved_bytes": used.sram_used,
        "arena_bytes": measured.arena,
        "stack_bytes": stack,
        "engine_model_bytes": model_bytes,
        "flash_bytes": used.flash_used,
        "code_bytes": used.flash_used - model_bytes,
        "engine_code_bytes": code_bytes_of(elf, library),
        **{f"tflm_{unit}": count for unit, count in theirs.items()},
        "tflm": networks.tflm_memory(name, manifest),
        **{f"{unit}_of_tflm": _share(counts[unit], count) for unit, count in theirs.items()},
        "tflite_sha256": manifest["tflite_sha256"],
        "functions": _functions(measured),
    }


def _share(ours: float | None, theirs: int | None) -> float | None:
    return round(ours / theirs, 4) if ours and theirs else None


def _counts(measured: Measured, hardware: Board) -> dict[str, Any]:
    """Instructions, cycles and times of an image; None where nobody counted them.

    `cycles` and `milliseconds` are without wait states; with those that the board's flash has, by the model
    of host_tools/cycles: `cycles_with_flash` and `milliseconds_with_flash`.
    """
    instructions = cycles = with_flash = None
    if measured.profile:
        total = measured.profile.total
        instructions, cycles = total.instructions, total.cycles
        with_flash = profile.with_flash(total, hardware)
    if measured.unit == "instructions":  # the board's own counter needs no marks
        instructions = measured.total
    return {
        "instructions": instructions,
        "cycles": cycles,
        "cycles_with_flash": with_flash,
        "milliseconds": profile.milliseconds(cycles, hardware),
        "milliseconds_with_flash": profile.milliseconds(with_flash, hardware),
    }


def _functions(measured: Measured) -> list[dict[str, Any]] | None:
    if measured.profile is None:
        return None
    return [
        {"function": name} | dataclasses.asdict(spent) for name, spent in measured.profile.functions.items()
    ]


def layer_figures(
    layer: str, kernel: str | None, macs: int, measured: Measured, index: int
) -> dict[str, Any]:
    """What results.json says of layer `index`."""
    spent = measured.profile.layers[index] if measured.profile else None
    counted = measured.layers[index] if measured.unit == "instructions" else None
    return {
        "layer": layer,
        "kernel": kernel,
        "macs": macs,
        "instructions": counted if counted is not None else spent.instructions if spent else None,
        "cycles": spent.cycles if spent else None,
        "waits": spent.waits if spent else None,
    }
