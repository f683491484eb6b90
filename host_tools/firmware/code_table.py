"""Makes code_sizes.json: builds the firmware with each kernel alone, and reads the linker's maps.

What depends on the set of kernels is in two sources of the engine: conv_kernels.cc, which is compiled with
each set of convolution kernels, and layer_steps.cc, a function for each kind of layer. All else is compiled
with or without HUFFMAN, and the linker takes what the kernels reach.
"""

import re
import subprocess
from collections.abc import Collection, Iterable
from itertools import chain, combinations
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.kernel_families import FAMILIES, Family
from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.common.programs import missing_program
from squeezenet_mcu.convert.outputs import c_array
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Board
from squeezenet_mcu.host_tools.firmware import build, linker_map
from squeezenet_mcu.host_tools.firmware.code_sizes import CONVOLUTIONS
from squeezenet_mcu.host_tools.firmware.linker_map import ENGINE, Piece

_DISPATCH = ("conv_kernels.cc.obj", "layer_steps.cc.obj")
# Variables of the model, whose sizes the table does not have; the ends of their sections' names.
MODEL_PARTS = {".rodata.g_model_sqz": "model", "g_arenaE": "arena", "g_rowE": "row"}


def families_of(board: Board) -> list[Family]:
    """Those that the board's CPU runs."""
    return list(FAMILIES[: FAMILIES.index(board.kernel_family) + 1])


def stand_in(folder: Path, model_bytes: int = 64, arena_bytes: int = 1024, row_bytes: int = 32) -> Path:
    """A folder with a model for firmware_cpp's MODEL_DIR that is nothing but its sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    header, source = c_array.c_array("g_model_sqz", bytes(model_bytes), "A stand-in.")
    shape = {"INPUT_HEIGHT": 8, "INPUT_WIDTH": row_bytes, "INPUT_CHANNELS": 1, "CLASSES": 4}
    settings = shape | {"ROW_BYTES": row_bytes, "ARENA_BYTES": arena_bytes}
    lines = "".join(f"#define MODEL_{name} {value}\n" for name, value in settings.items())
    texts = {"model_sqz.h": header, "model_sqz.c": source, "model_settings.h": lines}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder.resolve()


class Tree:
    """A firmware with all kernels of a family, with or without HUFFMAN, of which parts are linked anew."""

    def __init__(self, board: Board, family: Family, huffman: bool, folder: Path) -> None:
        self.board = board
        self.huffman = huffman
        options = {"MODEL_DIR": str(stand_in(folder / "model")), "SQUEEZE_FAMILY": family}
        if not huffman:  # the family's kernels, without it
            kernels = [name for name in kernels_of(family) if name != "huffman"]
            options["SQUEEZE_KERNELS"] = ";".join(kernels)
        elf = build.compile_target(board, folder, "firmware", options)
        self.tree = elf.parent
        listing = self._run(["ninja", "-t", "commands", "firmware"])
        commands = listing.stdout.splitlines()
        self.link_command = next(c for c in commands if " -o firmware.elf " in c)
        self.compile_commands = {name: next(c for c in commands if f"/{name} -c " in c) for name in _DISPATCH}
        self.all = self._pieces(self.tree / "firmware.map")

    def _run(self, command: list[str] | str) -> subprocess.CompletedProcess[str]:
        shell = isinstance(command, str)
        return subprocess.run(command, cwd=self.tree, check=True, capture_output=True, text=True, shell=shell)

    def _pieces(self, path: Path) -> list[Piece]:
        return linker_map.read(path, self.tree, self.board.binutils)

    def compiled(self, source: str, kernels: Iterable[str]) -> Path:
        """The object of one of the two sources, with these kernels."""
        place = self.tree / "some" / source
        place.parent.mkdir(exist_ok=True)
        wanted = [*kernels, "huffman"] if self.huffman else kernels
        defined = "".join(f" -DSQUEEZE_KERNEL_{name.upper()}=1" for name in wanted)
        command = re.sub(r" -DSQUEEZE_KERNEL_\w+=1", "", self.compile_commands[source])
        # -w: with some sets, functions and parameters go unused.
        command = re.sub(r" -M[DTF]\b( \S+\.obj(\.d)?)?", "", command).replace(" -c ", f" -w{defined} -c ")
        self._run(re.sub(r" -o \S+", f" -o {place}", command))
        return place

    def apart(self) -> bool:
        """Whether constants are in another memory than code."""
        listing = self._run([f"{self.board.binutils}objdump", "-h", "firmware.elf"]).stdout
        address = {name: int(at, 16) for name, at in re.findall(r"(\.\w+) +[0-9a-f]+  ([0-9a-f]+)", listing)}
        images = [memory for memory in self.board.memories if memory.use == "image"]
        memories = [
            next(m.name for m in images if m.address <= address[output] < m.address + m.bytes)
            for output in (".text", ".rodata")
        ]
        return memories[0] != memories[1]

    def linked(self, kernels: Iterable[str]) -> list[Piece]:
        """The pieces of the firmware with these kernels and no others."""
        kernels = list(kernels)
        objects = [self.compiled(source, kernels) for source in _DISPATCH]
        archive = self.tree / "some" / ENGINE
        archive.write_bytes((self.tree / "engine" / ENGINE).read_bytes())
        self._run([f"{self.board.binutils}ar", "rs", str(archive), *map(str, objects)])
        command = self.link_command.replace(f"engine/{ENGINE}", f"some/{ENGINE}")
        command = command.replace("-Map=firmware.map", "-Map=some.map")
        self._run(command.replace("-o firmware.elf", "-o some.elf"))
        return self._pieces(self.tree / "some.map")

    def dispatch(self, kernels: Iterable[str]) -> list[tuple[str, int, int]]:
        """Name, size and alignment of the sections of conv_kernels.cc with these kernels.

        RISC-V's linker shortens its calls, so there it is linked; elsewhere the object says the same, sooner.
        """
        kernels = list(kernels)
        if self.board.architecture != "riscv":
            return linker_map.sections(self.compiled(_DISPATCH[0], kernels), self.board.binutils)
        pieces = [piece for piece in self.linked(kernels) if f"({_DISPATCH[0]})" in piece.name]
        return [(piece.section, piece.size, piece.alignment) for piece in pieces]


def kernels_of(family: Family) -> list[str]:
    """All of a family, as engine/CMakeLists.txt lists them."""
    engine = FIRMWARE / "engine"
    text = (engine / "CMakeLists.txt").read_text(encoding="utf-8")
    found = re.search(rf"^set\(kernels_{family} (.*) \$\{{layers\}}\)$", text, re.MULTILINE)
    assert found is not None, f"CMakeLists.txt lists the kernels of {family}"
    layers = sorted(path.name.removesuffix("_row.cc") for path in engine.glob("portable/*_row.cc"))
    return [*found[1].split(), *layers, "huffman"]


def _entry(piece: Piece) -> list[Any]:
    part = next((part for end, part in MODEL_PARTS.items() if piece.section.endswith(end)), None)
    return [part or piece.size, piece.alignment]


def _is_own(piece: Piece) -> bool:
    """Of the firmware, beside the engine and the compiler's libraries."""
    return piece.library in ("", "libsqueeze_protocol.a")


def board_record(tree: Tree) -> dict[str, Any]:
    """What the firmware takes beside the engine: sizes and alignments, in their order; see code_sizes.py."""
    pieces = tree.linked([])
    own = [piece for piece in pieces if _is_own(piece)]
    record: dict[str, Any] = {
        output.removeprefix("."): [_entry(piece) for piece in own if piece.output == output]
        for output in (".vectors", ".text", ".rodata", ".data", ".bss")
    }
    record["apart"] = tree.apart()
    record["libraries"] = sorted(p.name for p in pieces if not _is_own(p) and p.library != ENGINE)
    return record


def engine_record(tree: Tree, family: Family, boards_own: Collection[str]) -> dict[str, Any]:
    """What the engine takes: each piece with the kernels that reach it, "" for all; see code_sizes.py.

    `boards_own`: names of the compiler's pieces that the board itself reaches.
    """
    names = [name for name in kernels_of(family) if name != "huffman"]
    always = {piece.name for piece in tree.linked([])}
    reached: dict[str, list[str]] = {}
    sizes: dict[str, Piece] = {}
    for name in names:
        for piece in tree.linked([name]):
            sizes.setdefault(piece.name, piece)
            if piece.name not in always:
                reached.setdefault(piece.name, []).append(name)
    record: dict[str, Any] = {
        "kernels": " ".join(names),
        "text": [],
        "rodata": [],
        "libraries": {},
        "dispatch": {},
    }
    for piece in tree.all:
        if piece.library == ENGINE and f"({_DISPATCH[0]})" not in piece.name:
            found = sizes[piece.name]
            record[piece.output.removeprefix(".")].append(
                [*_entry(found), " ".join(reached.get(piece.name, []))]
            )
        elif not (_is_own(piece) or piece.library == ENGINE or piece.name in boards_own):
            record["libraries"][piece.name] = " ".join(reached.get(piece.name, []))
    for kernels in _subsets([name for name in names if name in CONVOLUTIONS]):
        dispatch = tree.dispatch(kernels)
        record["dispatch"][" ".join(kernels)] = {
            output: [[size, alignment] for name, size, alignment in dispatch if name.startswith(f".{output}")]
            for output in ("text", "rodata")
        }
    return record


def _subsets(names: list[str]) -> Iterable[tuple[str, ...]]:
    return chain.from_iterable(combinations(names, count) for count in range(len(names) + 1))


class Libraries:
    """The compiler's own pieces, in the order in which they lie."""

    def __init__(self) -> None:
        self.pieces: dict[str, Piece] = {}
        self.order: list[str] = []

    def add(self, pieces: list[Piece]) -> None:
        """Those of a link: each new one after the one that it follows there."""
        at = 0
        for piece in pieces:
            if _is_own(piece) or piece.library == ENGINE:
                continue
            if piece.name not in self.pieces:
                self.pieces[piece.name] = piece
                self.order.insert(at, piece.name)
            at = self.order.index(piece.name) + 1

    def record(self) -> list[list[Any]]:
        """Name, output section, size and alignment of each."""
        found = [self.pieces[name] for name in self.order]
        return [[p.name, p.output.removeprefix("."), p.size, p.alignment] for p in found]


def make(folder: Path, boards: Iterable[str], said: Any = None) -> dict[str, Any]:
    """The table, for these boards. Builds under `folder`. `said`: is told what is being built."""
    cpus: dict[str, Any] = {}
    records: dict[str, Any] = {}
    libraries: dict[str, Libraries] = {}
    for name in boards:
        board = board_toml.load(name)
        flags = " ".join(board.cpu_flags)
        known = libraries.setdefault(flags, Libraries())
        first = flags not in cpus
        if first:
            cpus[flags] = {"compiler": compiler_version(board), "engines": {}}
        families = families_of(board) if first else families_of(board)[:1]
        for family in families:
            for huffman in (False, True) if first else (False,):
                what = f"{family}{' huffman' if huffman else ''}"
                if said:
                    said(f"{name}: {what}")
                tree = Tree(board, family, huffman, folder / f"{name}-{what.replace(' ', '-')}")
                known.add(tree.all)
                if what == "portable":
                    records[name] = {"cpu_flags": flags, **board_record(tree)}
                if first:
                    own = records[name]["libraries"]
                    cpus[flags]["engines"][what] = engine_record(tree, family, own)
    for flags, found in libraries.items():
        cpus[flags]["libraries"] = found.record()
    return {"cpus": cpus, "boards": records}


def compiler_version(board: Board) -> str:
    """Of the board's g++, as installed here. UserError: it is not."""
    program = f"{board.binutils}g++"
    try:
        done = subprocess.run([program, "-dumpfullversion"], check=True, capture_output=True, text=True)
    except OSError as error:
        raise missing_program(program, board.compiler_packages) from error
    return done.stdout.strip()
