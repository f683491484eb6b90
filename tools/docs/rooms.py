"""Draws docs/rooms.svg and docs/one_image.svg; `--check` says whether the committed ones are up to date.

    .venv/bin/python tools/docs/rooms.py

A room is a folder of code. The table of docs/architecture.md, and nothing else, says what a room is for. What
it uses is read from the code: from Python's imports (by ast), and from C++'s #include lines.
"""

import argparse
import ast
import re
import sys
from pathlib import Path

from one_image import one_image
from svg import Drawing, wrapped

REPO = Path(__file__).resolve().parents[2]
TOP_DOWN = ("host_tools", "convert", "model", "common")  # a package uses those to the right of it only
COLORS = {
    "host_tools": ("#eaf2fb", "#2f6aa8"),
    "convert": ("#eaf7ee", "#2c7a43"),
    "model": ("#fdf3e4", "#96601a"),
    "common": ("#f1f1f1", "#666666"),
    "firmware_cpp": ("#f5ecf8", "#7b4490"),
}
ENGINE = ("engine/portable", "engine/v6m", "engine/dsp", "engine/mve")
NAME = "squeezenet_mcu"
Uses = dict[str, set[str]]  # room -> the rooms that it uses

WIDTH, MARGIN, GAP, COLUMNS = 1000, 16, 12, 3
LANE, LANES = 16, 6
TEXT = 12  # size of the boxes' text
BOX_WIDTH = (WIDTH - 2 * MARGIN - LANE * LANES - 20 - GAP * (COLUMNS + 1)) / COLUMNS


def package_of(room: str) -> str:
    """The folder at the top that a room is in."""
    return room.split("/", maxsplit=1)[0]


def lines_of_table(page: str) -> dict[str, str]:
    """Rooms and what each is for, from the rows "| `folder/` | text |" of docs/architecture.md."""
    rows = re.findall(r"^\| `([\w/]+)/` \| (.+?) \|$", page, re.M)
    return {room: re.sub(r"[`*]|\[(.+?)\]\(.+?\)", r"\1", text) for room, text in rows}


def python_uses(root: Path) -> Uses:
    """The rooms of the four packages. The files of a package's own folder are the room of its name."""
    uses: Uses = {}
    for package in TOP_DOWN:
        for path in sorted((root / package).rglob("*.py")):
            if path.name == "__main__.py":  # the door of `python -m`: it only calls host_tools/console.py
                continue
            inside = path.relative_to(root).parent.parts[:2]
            uses.setdefault("/".join(inside), set()).update(_imported_rooms(root, path))
    return {room: used - {room} for room, used in uses.items()}


def _imported_rooms(root: Path, path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            modules |= {f"{node.module}.{name.name}" for name in node.names}
    rooms = set()
    for module in modules:
        name, *parts = module.split(".")
        if name == NAME and parts and parts[0] in TOP_DOWN:
            inner = len(parts) > 1 and (root / parts[0] / parts[1]).is_dir()
            rooms.add("/".join(parts[: 2 if inner else 1]))
    return rooms


def firmware_uses(root: Path) -> Uses:
    """The folders of firmware_cpp; the engine's families of kernels are rooms of their own."""
    folder = root / "firmware_cpp"
    uses: Uses = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".h", ".c", ".cc") or len(path.relative_to(folder).parts) == 1:
            continue
        room = _firmware_room(folder, path.relative_to(folder).as_posix())
        used = uses.setdefault(room or "", set())
        for included in re.findall(r'^#include "(.+?)"', path.read_text(encoding="utf-8"), re.M):
            used |= {r for r in [_firmware_room(folder, included)] if r is not None}
    return {
        f"firmware_cpp/{room}": {f"firmware_cpp/{r}" for r in used - {room}} for room, used in uses.items()
    }


def _firmware_room(folder: Path, path: str) -> str | None:
    first = path.split("/", maxsplit=1)[0]
    if (folder / "boards" / first).is_dir():  # boards include one another's shared folders by these names
        return "boards"
    if not (folder / first).is_dir():
        return None
    return next((room for room in ENGINE if path.startswith(f"{room}/")), first)


def _box(
    drawing: Drawing, x: float, y: float, room: str, content: list[tuple[str, str]], height: float
) -> None:
    stroke = COLORS[package_of(room)][1]
    drawing.box(x, y, BOX_WIDTH, height, "#fff", stroke)
    name = room if "/" not in room else room.split("/", 1)[1]
    drawing.text(x + 10, y + 20, name + ("/" if "/" in room else "/*.py"), 14, style='font-weight="bold"')
    for i, (line, color) in enumerate(content):
        drawing.text(x + 10, y + 38 + 16 * i, line, TEXT, color)


def _content(room: str, about: str, used: set[str]) -> list[tuple[str, str]]:
    """The lines of a room's box: what it is for, and which rooms of its own package it uses."""
    content = [(line, "#222") for line in wrapped(about, BOX_WIDTH - 20, TEXT)]
    package = package_of(room)
    mine = sorted(r.removeprefix(f"{package}/") for r in used if package_of(r) == package and r != package)
    if mine:
        content += [
            (line, COLORS[package][1]) for line in wrapped("uses " + ", ".join(mine), BOX_WIDTH - 20, TEXT)
        ]
    return content


def rooms_picture(uses: Uses, about: dict[str, str]) -> str:
    """One band a package, the users above; a box a room; arrows from package to package."""
    drawing = Drawing(WIDTH, "The rooms of the code, and which package uses which")
    right = WIDTH - MARGIN - LANE * LANES - 20
    y: float = MARGIN
    bands: dict[str, tuple[float, float]] = {}
    for package in (*TOP_DOWN, "firmware_cpp"):
        top = y
        rooms = [room for room in uses if package_of(room) == package]
        contents = {room: _content(room, about[room], uses[room]) for room in rooms}
        rows = [rooms[i : i + COLUMNS] for i in range(0, len(rooms), COLUMNS)]
        heights = [46 + 16 * max(len(contents[room]) for room in row) for row in rows]
        height = 38 + sum(heights) + GAP * len(rows)
        fill, stroke = COLORS[package]
        drawing.box(MARGIN, top, right - MARGIN, height, fill, stroke)
        drawing.text(MARGIN + GAP, top + 25, f"{package}/", 17, style='font-weight="bold"')
        drawing.text(MARGIN + GAP + 150, top + 25, SAYS[package], 13)
        y = top + 38
        for row, tall in zip(rows, heights, strict=True):
            for i, room in enumerate(row):
                _box(drawing, MARGIN + GAP + i * (BOX_WIDTH + GAP), y, room, contents[room], tall)
            y += tall + GAP
        bands[package] = (top, y)
        y += 30
    _package_arrows(drawing, uses, bands, right)
    return drawing.finish(y - 30 + MARGIN)


SAYS = {
    "host_tools": "the host's side of the cable: builds, flashes, emulates, validates, measures",
    "convert": "from .keras or .tflite to the engine's model and C sources, proven equal before it writes",
    "model": "SqueezeNet in Keras: settings, training, compression, import of others' weights",
    "firmware_cpp": "C++17 without heap: what runs on the board",
    "common": "what all three need; it uses none of them",
}


def _package_arrows(
    drawing: Drawing, uses: Uses, bands: dict[str, tuple[float, float]], right: float
) -> None:
    pairs = {(package_of(room), package_of(r)) for room, used in uses.items() for r in used}
    order = [p for p in TOP_DOWN if p in bands]
    arrows = sorted(
        (order.index(a), order.index(b)) for a, b in pairs if a != b and a in order and b in order
    )
    leaving = dict.fromkeys(order, 0)
    coming = dict.fromkeys(order, 0)
    # The short ways lie inside, the long ones outside.
    for lane, (a, b) in enumerate(sorted(arrows, key=lambda pair: (abs(pair[1] - pair[0]), pair))):
        x = right + 20 + LANE * lane
        start = bands[order[a]][1] - 14 - 16 * leaving[order[a]]
        end = bands[order[b]][0] + 14 + 16 * coming[order[b]]
        leaving[order[a]] += 1
        coming[order[b]] += 1
        drawing.arrow([(right, start), (x, start), (x, end), (right, end)], "#555" if a < b else "#d00000")


def pictures(root: Path) -> dict[str, str]:
    """File name -> SVG. KeyError for a room that docs/architecture.md does not list."""
    about = lines_of_table((root / "docs/architecture.md").read_text(encoding="utf-8"))
    uses = python_uses(root) | firmware_uses(root)
    missing = sorted(set(uses) - set(about))
    if missing:
        raise KeyError(f"docs/architecture.md: the table of rooms lacks {', '.join(missing)}")
    gone = sorted(room for room in about if room not in uses and room != "firmware_cpp")
    if gone:
        raise KeyError(f"docs/architecture.md: the table of rooms has {', '.join(gone)}, which no folder is")
    in_order = {room: uses[room] for room in about if room in uses}
    return {"rooms.svg": rooms_picture(in_order, about), "one_image.svg": one_image()}


def main() -> int:
    """Writes the pictures, or compares them."""
    parser = argparse.ArgumentParser(description="Draws the pictures of docs/architecture.md.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit status 1 where one is out of date"
    )
    parser.add_argument("--root", type=Path, default=REPO, help="the repository (default: this one)")
    options = parser.parse_args()
    try:
        drawn = pictures(options.root)
    except KeyError as error:
        print(f"rooms.py: error: {error.args[0]}", file=sys.stderr)
        return 1
    stale = []
    for name, svg in drawn.items():
        path = options.root / "docs" / name
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != svg:
                stale.append(f"docs/{name}")
        else:
            path.write_text(svg, encoding="utf-8")
    if stale:
        print(
            f"rooms.py: error: {', '.join(stale)}: out of date; run python tools/docs/rooms.py",
            file=sys.stderr,
        )
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
