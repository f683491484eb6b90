"""A contact sheet: each picture as the network sees it, its name, its classes with their probabilities."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, PngImagePlugin

from squeezenet_mcu.common import files, terminal
from squeezenet_mcu.common.data import pictures
from squeezenet_mcu.common.data.pictures import PictureError
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import printable
from squeezenet_mcu.host_tools.classify import answers
from squeezenet_mcu.host_tools.classify.answers import Answer
from squeezenet_mcu.model.card import lettering

MOST = 120  # pictures; more make a sheet that nobody looks through
_MARK = ("Title", "squeezenet-mcu: a contact sheet")  # in the PNG: an older sheet may be written over
_SIDE, _GAP, _EDGE = 224, 18, 22  # pixels
_NAME, _LINE, _HEAD = 21, 22, 40
_COLUMNS = 5
_BACK, _CARD, _RIM = "#ffffff", "#f5f6f8", "#dfe2e6"
_INK, _FAINT = "#16191d", "#5c636b"
_BAR, _BEST = "#dbe3ec", "#a9cbea"


def check(path: Path, json: Path | None = None) -> None:
    """Before long work. UserError: no name of a PNG, or a file stands there that is no sheet of ours, or that

    is to be the `json`, too. OSError where no file can be written there.
    """
    if path.suffix.lower() != ".png":
        raise UserError(f"--save {path}: want a name that ends in .png")
    if not path.parent.is_dir():
        raise UserError(f"--save {path}: there is no folder {path.parent}; want one that is there")
    target = Path(os.path.realpath(path))  # a link still, where links lead round in a circle
    if (target.exists() or target.is_symlink()) and not _ours(path):
        raise UserError(f"--save {path}: is there, and is no contact sheet; want another name")
    files.check_folder(target.parent)
    if json is not None and target == Path(os.path.realpath(json)):
        raise UserError(f"--save {path}: is the same file as --json {json}; want two names")


def _ours(path: Path) -> bool:
    if not path.is_file():  # to open a pipe that nobody fills would wait for ever
        return False
    try:
        with Image.open(path, formats=["PNG"]) as file:
            return file.info.get(_MARK[0]) == _MARK[1]
    except Exception:  # Pillow lets through whatever a broken file leads it to
        return False


def write(path: Path, manifest: dict[str, Any], by: str, given: Sequence[Answer]) -> None:
    """Writes the sheet of the first MOST pictures to `path`, and says so. `by`: what ran the network."""
    noted = PngImagePlugin.PngInfo()
    noted.add_text(*_MARK)
    with files.replacing(path) as temporary:
        drawn(manifest, by, given).save(temporary, format="PNG", pnginfo=noted, optimize=True)
    rest = f" (the first {MOST} of {len(given)} pictures)" if len(given) > MOST else ""
    terminal.echo(f"wrote {printable(str(path))}{rest}")


def drawn(manifest: dict[str, Any], by: str, given: Sequence[Answer]) -> Image.Image:
    """The sheet of the first MOST pictures, in RGB."""
    shown = given[:MOST]
    rows = -(-len(shown) // _COLUMNS)
    columns = -(-len(shown) // rows)  # as even as they get
    wide, high = _box(manifest)
    card = (_SIDE, high + _NAME + _LINE * max(len(answer.shown) for answer in shown) + 8)
    title, font = f"{manifest['model']}, by {printable(by)}", lettering.font(16)
    width = max(columns * (card[0] + _GAP) - _GAP, math.ceil(font.getlength(title)))
    size = (2 * _EDGE + width, _HEAD + rows * (card[1] + _GAP) - _GAP + _EDGE)
    sheet = Image.new("RGB", size, _BACK)
    draw = ImageDraw.Draw(sheet)
    draw.text((_EDGE, _HEAD / 2 + 2), title, _INK, font, anchor="lm")
    for i, answer in enumerate(shown):
        left = _EDGE + i % columns * (card[0] + _GAP)
        top = _HEAD + i // columns * (card[1] + _GAP)
        draw.rectangle((left - 1, top - 1, left + card[0], top + card[1]), _CARD, _RIM)
        sheet.paste(_thumbnail(answer.path, manifest, wide, high), (left + (_SIDE - wide) // 2, top))
        _write_answer(draw, answer, left, top + high)
    return sheet


def _box(manifest: dict[str, Any]) -> tuple[int, int]:
    """Width and height of a picture on the sheet: in the proportions of the network's input."""
    size = manifest["input"]
    scale = _SIDE / max(size["width"], size["height"])
    return max(1, round(size["width"] * scale)), max(1, round(size["height"] * scale))


def _thumbnail(path: Path, manifest: dict[str, Any], wide: int, high: int) -> Image.Image:
    """The part of the picture that the network sees, squeezed where it sees it so; in colour."""
    try:
        return Image.fromarray(pictures.read(path, high, wide, 3, manifest["fit"]).pixels)
    except PictureError:  # gone since, or too narrow for this size
        return Image.new("RGB", (wide, high), _RIM)


def _write_answer(draw: ImageDraw.ImageDraw, answer: Answer, left: int, top: int) -> None:
    """Below a picture: the file's name, and a line a class with a bar as long as its probability."""
    font = lettering.font(12)
    name = lettering.fitting_middle(printable(answer.path.name), font, _SIDE - 12)
    draw.text((left + 6, top + _NAME / 2 + 1), name, _FAINT, font, anchor="lm")
    one_output = answer.count == 1
    for i, found in enumerate(answer.shown):
        y = top + _NAME + i * _LINE
        share = 0.0 if one_output else min(max(found.probability, 0.0), 1.0)
        bar = round((_SIDE - 12) * share)
        if bar:
            draw.rectangle((left + 6, y + 1, left + 5 + bar, y + _LINE - 3), _BAR if i else _BEST)
        said = answers.said(found.probability, one_output)
        room = _SIDE - 12 - 8 - 10 - draw.textlength(said, font)
        text = lettering.fitting(printable(found.name), font, int(room))
        draw.text((left + 10, y + _LINE / 2 - 1), text, _INK if i == 0 else _FAINT, font, anchor="lm")
        draw.text((left + _SIDE - 10, y + _LINE / 2 - 1), said, _INK if i == 0 else _FAINT, font, anchor="rm")
