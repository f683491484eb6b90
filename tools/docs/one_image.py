"""The picture of one image's way: from Keras and a photo to the comparison of the board's answers."""

from svg import Drawing, wrapped

_WIDTH, _HEIGHT = 1240, 628
_BOX = (232.0, 112.0)
_COLUMNS = (48.0, 356.0, 660.0, 968.0)
_ROWS = (60.0, 270.0, 478.0)
_COLORS = {"host": ("#fff", "#2f6aa8"), "board": ("#fff", "#7b4490")}


def _box(drawing: Drawing, column: int, row: int, side: str, title: str, text: str, where: str) -> None:
    x, y = _COLUMNS[column], _ROWS[row]
    width, height = _BOX
    drawing.box(x, y, width, height, *_COLORS[side])
    drawing.text(x + 12, y + 24, title, 15, style='font-weight="bold"')
    for i, line in enumerate(wrapped(text, width - 20, 13)):
        drawing.text(x + 12, y + 44 + 17 * i, line, 13)
    drawing.text(x + 12, y + height - 10, where, 12, _COLORS[side][1])


def _across(drawing: Drawing, column: int, row: int, label: str, back: bool = False) -> None:
    """An arrow from the box of `column` to the next one, or back from there."""
    start, end = _COLUMNS[column] + _BOX[0], _COLUMNS[column + 1]
    y = _ROWS[row] + _BOX[1] / 2
    drawing.arrow([(end, y), (start, y)] if back else [(start, y), (end, y)])
    drawing.text((start + end) / 2, y - 8, label, 13, "#333", anchor="middle")


def one_image() -> str:
    """The drawing, as SVG."""
    drawing = Drawing(_WIDTH, "One image's way through the system")
    middle = _BOX[0] / 2
    drawing.box(20, 24, _WIDTH - 40, 168, "#eaf2fb", "#d5e4f5")
    drawing.text(32, 46, "Once for each network, on the host", 15, style='font-weight="bold"')
    drawing.box(20, 232, 596, 376, "#eaf2fb", "#d5e4f5")
    drawing.text(32, 254, "For each image, on the host", 15, style='font-weight="bold"')
    drawing.box(646, 232, _WIDTH - 666, 376, "#f5ecf8", "#e6d3ec")
    drawing.text(658, 254, "For each image, on the board or in its emulator", 15, style='font-weight="bold"')

    _box(
        drawing, 0, 0, "host", "Keras network", "trained, pruned and quantized, or imported weights", "model/"
    )
    _box(
        drawing,
        1,
        0,
        "host",
        "int8 .tflite",
        "the truth that all others are compared with",
        "model/, convert/ptq/",
    )
    _box(
        drawing,
        2,
        0,
        "host",
        "engine's model",
        "kernels, encodings, memory plan; proven equal layer by layer",
        "convert/",
    )
    _box(
        drawing,
        3,
        0,
        "host",
        "firmware",
        "engine, model and link in one image, .elf, .bin or .uf2",
        "host_tools/firmware/",
    )
    for column, label in enumerate(("quantize", "convert", "build")):
        _across(drawing, column, 0, label)

    _box(
        drawing,
        0,
        1,
        "host",
        "image",
        "read, cropped or resized, made int8 like the network's input",
        "common/preprocess.py",
    )
    _box(
        drawing,
        1,
        1,
        "host",
        "host's end of the link",
        "sends rows in frames, and again what was lost",
        "host_tools/link/",
    )
    _box(
        drawing,
        2,
        1,
        "board",
        "device's end of the link",
        "checks each frame, grants room for further rows",
        "firmware_cpp/protocol/",
    )
    _box(
        drawing,
        3,
        1,
        "board",
        "engine",
        "takes row after row; holds a few rows of each layer",
        "firmware_cpp/engine/",
    )
    for column, label in enumerate(("", "serial", "")):
        _across(drawing, column, 1, label)

    _box(
        drawing,
        0,
        2,
        "host",
        "LiteRT's reference",
        "runs the same .tflite on the same image",
        "common/litert/reference.py",
    )
    _box(
        drawing,
        1,
        2,
        "host",
        "comparison",
        "each logit and each probability; one that differs is a failure",
        "host_tools/validate/",
    )
    _box(
        drawing,
        2,
        2,
        "board",
        "answers",
        "logits, probabilities, instructions or cycles, deepest stack",
        "firmware_cpp/app/",
    )
    _across(drawing, 0, 2, "")
    _across(drawing, 1, 2, "serial", back=True)

    x = _COLUMNS[3] + middle
    drawing.arrow([(x, _ROWS[0] + _BOX[1]), (x, _ROWS[1])])
    drawing.text(x - 8, 216, "flash, or boot the emulator", 13, "#333", anchor="end")
    drawing.arrow([(x, _ROWS[1] + _BOX[1]), (x, _ROWS[2] + 56), (_COLUMNS[2] + _BOX[0], _ROWS[2] + 56)])
    x = _COLUMNS[0] + middle
    drawing.arrow([(x, _ROWS[1] + _BOX[1]), (x, _ROWS[2])])
    x = _COLUMNS[1] + middle
    y = _ROWS[2] + 56
    drawing.arrow([(x, _ROWS[0] + _BOX[1]), (x, 212), (8, 212), (8, y), (_COLUMNS[0], y)])
    drawing.text(x - 8, 206, "the same file, read by LiteRT", 13, "#333", anchor="end")
    return drawing.finish(_HEIGHT)
