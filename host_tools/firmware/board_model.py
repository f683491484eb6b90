"""The engine's model for one board: its kernels, its memory. Written beside the board's firmware."""

import dataclasses
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats import engine_record
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.common.paths import ROOT
from squeezenet_mcu.convert.target import Cpu, Optimize, Target
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware import protocols
from squeezenet_mcu.host_tools.firmware.code_sizes import STACK_BYTES
from squeezenet_mcu.host_tools.firmware.protocols import Protocol
from squeezenet_mcu.host_tools.firmware.tflm_library import TflmLibrary

if TYPE_CHECKING:
    from squeezenet_mcu.convert.engine_model import EngineModel, Maker
    from squeezenet_mcu.convert.network import Network

# What a firmware takes beside the arena: stack, the UART's ring, variables, and 4 KB for the user's own; and
# beside the engine's model: code.
SRAM_RESERVE = 9800
FLASH_RESERVE = 60 * 1024
SLOT_RESERVE = 9 * 1024  # and in a slot beside the model: its records, on the flash with the largest units
# By board.toml's `cpu`.
_CPUS: dict[str, Cpu] = {
    "Cortex-M4F": "cortex_m4",
    "Cortex-M33": "cortex_m4",
    "Cortex-M0+": "cortex_m0plus",
}
# CPUs whose own cycles nobody knows, and the one whose cycles are taken: it runs the same instructions.
STAND_INS = {"Cortex-M33": "Cortex-M4"}
_FILES = ("model_sqz.c", "model_sqz.h", "model_settings.h", "model.sqz")


@dataclass(frozen=True)
class ModelRequest:
    """What the user asks of a firmware's model; None: as the board has it.

    `tflm`: with it in place of our engine, whose settings the others are. `cores`: that share the work.
    `inspect`: firmware that can watch its layers, docs/inspect.md.
    `update`: the firmware takes new models, with `public_key` (32 bytes) only those that its owner signed.
    `protocol`: that the firmware speaks.
    """

    kernel_family: Family | None = None
    optimize: Optimize = "speed"
    sram_bytes: int | None = None
    flash_bytes: int | None = None
    encoding: str | None = None
    tflm: TflmLibrary | None = None
    cores: int = 1
    inspect: bool = False
    update: bool = False
    public_key: bytes = b""
    protocol: Protocol = "link"


def folder_for(
    source: Path, board: str, engine: str, inspect: bool = False, protocol: Protocol = "link"
) -> Path:
    """Where the firmware of a board and an engine ("squeeze" or "tflm") is. `source`: build/<model>.

    `inspect`: the one that can watch its layers.
    """
    name = board if engine == "squeeze" else f"{board}-{engine}"
    name = f"{name}-inspect" if inspect else name
    return source / "firmware" / f"{name}{protocols.folder_suffix(protocol)}"


def want_cores(board: Board, cores: int) -> None:
    """UserError: the board has fewer."""
    if cores > board.cores:
        have = [name for name in board_toml.names() if board_toml.load(name).cores >= cores]
        raise UserError(
            f"--cores {cores}: {board.name} has {board.cores}; boards with {cores}: {', '.join(have)}"
        )


def check(board: Board, request: ModelRequest) -> None:
    """UserError: no model can be made so for this board: of another CPU's kernels, or for more cores."""
    want_cores(board, request.cores)
    if request.kernel_family == "mve" and board.kernel_family != "mve":
        raise UserError(
            f"--kernel-family mve: {board.name}'s {board.cpu} has no Helium; it runs dsp or portable"
        )
    if request.update and request.cores > 1:
        raise UserError("--update: with one core only: the other one stands still while the flash is written")
    if request.update and board.update is None:
        have = [name for name in board_toml.names() if board_toml.load(name).update]
        raise UserError(
            f"--update: {board.name} has no slots for new models; boards with slots: {', '.join(have)}"
        )


def target_for(board: Board, manifest: dict[str, Any], request: ModelRequest) -> Target:
    """The converter's target: the board's kernels and the memory that a firmware leaves for the model.

    The model's own limit of flash for these kernels, from its TOML, holds unless the user gives another.
    The arena's limit is that of the memory of the variables, the fastest one there is.

    UserError: see check.
    """
    check(board, request)
    flash = _flash_budget(board, request)
    family = request.kernel_family or board.kernel_family
    own = manifest.get("flash_limits", {}).get(family, flash)
    return Target(
        family=family,
        optimize=request.optimize,
        flash_bytes=request.flash_bytes or min(flash, own),
        sram_bytes=request.sram_bytes,
        sram_limit=_sram_budget(board, manifest, request.cores, request.protocol),
        encoding=request.encoding,
        cpu=_CPUS.get(board.cpu, "any"),
        workers=request.cores,
    )


def _flash_budget(board: Board, request: ModelRequest) -> int:
    """Bytes that a model may take: beside the code, and where it may be updated in a slot, too."""
    if not request.update or board.update is None:
        return max(board.total("image") - FLASH_RESERVE, 1)
    slot = min(slot.bytes for slot in board.update.slots)
    return max(min(board.program_bytes() - FLASH_RESERVE, slot - SLOT_RESERVE), 1)


def _sram_budget(board: Board, manifest: dict[str, Any], cores: int, protocol: Protocol) -> int:
    """Bytes that an arena may take beside the variables and the stacks."""
    taken = SRAM_RESERVE + (cores - 1) * STACK_BYTES + protocols.input_bytes(manifest, protocol)
    found: int = max(board.total("data") - taken, 1)
    return found


def check_room(board: Board, manifest: dict[str, Any], protocol: Protocol) -> None:
    """UserError: the board's SRAM has no room for the input that the protocol keeps, whatever the engine."""
    protocols.check_room(board.name, manifest, protocol, board.total("data") - SRAM_RESERVE)


def arena_apart(
    board: Board, manifest: dict[str, Any], arena_bytes: int, cores: int = 1, protocol: Protocol = "link"
) -> bool:
    """True if the arena goes to the board's memory for arenas, because it does not fit with the variables."""
    return bool(board.total("arena")) and arena_bytes > _sram_budget(board, manifest, cores, protocol)


def prepare_on(
    board: Board,
    manifest: dict[str, Any],
    target: Target,
    maker: "Maker",
    like: "Network | None" = None,
    protocol: Protocol = "link",
) -> "EngineModel":
    """The engine's model for the board, unproven; its arena in the board's memory for arenas if it must.

    `target`: of target_for; `like`: see convert/select/choose.py.
    """
    made = maker.prepare(target, like)
    if arena_apart(board, manifest, made.plan.arena_bytes, target.workers, protocol):
        made = maker.prepare(dataclasses.replace(target, sram_limit=board.total("arena")), like)
    return made


def made_for(source: Path, board: str) -> dict[str, Any]:
    """engine_sha256 of what `make firmware` made for a board; `source`: build/<model>. {} if nothing."""
    folder = source / "firmware" / board / "model"
    if not (folder / engine_record.NAME).is_file():
        return {}
    return {"engine_sha256": engine_record.read(folder)["engine_sha256"]}


def cores_of(source: Path, board: Board, engine: str) -> int | None:
    """How many share the work in what `make firmware` made for a board; None: nobody knows.

    `source`: build/<model>; `engine`: as for folder_for. TFLite Micro uses one.
    """
    folder = folder_for(source, board.name, engine) / "model"
    if engine != "squeeze" or not (folder / engine_record.NAME).is_file():
        return 1 if engine != "squeeze" else None
    target = engine_record.read(folder)["made_from"].get("target")
    found = target.get("workers") if isinstance(target, dict) else None
    return found if isinstance(found, int) else None


def made_from(target: Target, tflite_bytes: bytes, board: Board) -> dict[str, Any]:
    """Everything that a board's engine model depends on."""
    return {
        "target": dataclasses.asdict(target),
        "arena_memory_bytes": board.total("arena"),
        "tflite_sha256": files.sha256(tflite_bytes),
        "tools_sha256": tools_digest(ROOT),
    }


@cache
def tools_digest(root: Path) -> str:
    """SHA-256 of the sources that decide what a model's bytes are: converter and engine, sub-folders too."""
    digest = hashlib.sha256()
    for folder, pattern in (
        ("convert", "**/*.py"),
        ("convert", "**/*.json"),
        ("firmware_cpp/engine", "**/*.*"),
    ):
        for path in sorted((root / folder).glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def prepare(board: Board, source: Path, folder: Path, request: ModelRequest) -> dict[str, Any]:
    """Writes model_sqz.c, model_sqz.h, model_settings.h and engine.json into `folder`, where not up to date.

    Args:
        board: for its kernels and memories.
        source: build/<model>, with manifest.json and model.tflite.
        folder: where to.
        request: what the user asks for.

    Returns:
        engine.json: arena_bytes, engine_model_bytes, weights_stored_bytes, kernels, plan, peak.

    Raises:
        UserError: the memory asked for is too little, the kernels are another CPU's, or the proof on the
            host found a value that differs from LiteRT's.
    """
    manifest = read_manifest(source)
    target = target_for(board, manifest, request)
    content = (source / "model.tflite").read_bytes()
    key = made_from(target, content, board)
    try:
        made = engine_record.read(folder)
    except UserError:  # none yet, or damaged: it is written anew
        made = {}
    if made.get("made_from") == key and all((folder / name).is_file() for name in _FILES):
        return made
    return _write(source / "model.tflite", manifest, target, board, folder, key, request)


def _write(
    path: Path,
    manifest: dict[str, Any],
    target: Target,
    board: Board,
    folder: Path,
    key: dict[str, Any],
    request: ModelRequest,
) -> dict[str, Any]:
    # Here, because a light host, which only validates, has no converter.
    from squeezenet_mcu.convert import engine_model
    from squeezenet_mcu.convert.encode import weights
    from squeezenet_mcu.convert.lowering import tflite_file
    from squeezenet_mcu.convert.outputs import c_array, report, settings_header, tflm_arena

    file = tflite_file.read(path)
    # No labels: nothing on a board reads them, and ImageNet's take 20 KB. The host names the classes.
    made = prepare_on(board, manifest, target, engine_model.Maker.of(file, []), protocol=request.protocol)
    engine_model.prove(file, made)
    stored = sum(len(weights.stored_weights(layer)) for layer in made.network.layers)
    for option, limit, least in (
        ("--sram-bytes", request.sram_bytes, made.plan.arena_bytes),
        ("--flash-bytes", request.flash_bytes, len(made.content)),
    ):
        if limit is not None and least > limit:
            raise UserError(f"{option} {limit:,}: {manifest['model']} would take {least:,} bytes; give more")
    summary = {
        "made_from": key,
        "engine_sha256": files.sha256(made.content),
        "arena_bytes": made.plan.arena_bytes,
        "engine_model_bytes": len(made.content),
        "weights_stored_bytes": stored,
        "kernels": made.kernels,
        "plan": report.plan_rows(made.network),
        "peak": report.peak_rows(made.network, made.plan),
    }
    described = {**manifest, "engine_sram_bytes": made.plan.arena_bytes}
    what = f"{manifest['model']}: the engine's model for {target.family} kernels; made by `make firmware`."
    header, source = c_array.c_array("g_model_sqz", made.content, what)
    outputs = {
        "model_sqz.c": source,
        "model_sqz.h": header,
        "model_settings.h": settings_header.settings_header(described, tflm_arena.resolver_methods(file)),
    }
    contents = {name: text.encode() for name, text in outputs.items()}
    contents |= {"model.sqz": made.content, engine_record.NAME: files.as_json(summary)}
    files.write_together(folder, contents, engine_record.NAME)
    return summary
