"""Letters in pictures that Pillow draws: a font that this machine has, and text that fits. No matplotlib."""

import importlib.util
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Pillow's own font has no accents; Noto's has nearly every script. matplotlib (for mlxtend) brings DejaVu.
_FONTS = ("NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "Arial.ttf")
_MATPLOTLIB_FONT = "mpl-data/fonts/ttf/DejaVuSans.ttf"


def font(size: int) -> Font:
    """The font of this machine that knows most letters."""
    names = list(_FONTS)
    package = importlib.util.find_spec("matplotlib")
    if package is not None and package.origin is not None:
        names.append(str(Path(package.origin).parent / _MATPLOTLIB_FONT))
    for name in names:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue  # not on this machine
    return ImageFont.load_default(size)


def fitting(text: str, font: Font, width: int) -> str:
    """`text`, cut to `width` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text}..."


def fitting_middle(text: str, font: Font, width: int) -> str:
    """`text`, its middle cut out so that it takes at most `width` pixels: files often differ at the end."""
    if font.getlength(text) <= width:
        return text
    kept = len(text) - 1
    while kept and font.getlength(_without_middle(text, kept)) > width:
        kept -= 1
    return _without_middle(text, kept)


def _without_middle(text: str, kept: int) -> str:
    behind = -(-kept // 2)
    return f"{text[: kept - behind]}...{text[len(text) - behind :]}"
