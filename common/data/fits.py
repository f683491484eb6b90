"""How an image of another size comes to the size that a network takes."""

from collections.abc import Sequence

FITS = ("resize", "crop")
AS_THE_PICTURES_ARE = ""
"""Not a fit, but that nobody has said which: `of_pictures` decides."""

_SQUARE = 1.2  # a long side of less than so many short ones; photographs have 4:3 or 3:2


def of_pictures(height: int, width: int, sizes: Sequence[tuple[int, int]]) -> str:
    """The fit for a network's input of height x width and pictures of `sizes`, two sides in any order each.

    "crop" where the input is square and most pictures are not: resized, what is in them would become thinner.
    """
    long = sum(max(size) >= _SQUARE * min(size) for size in sizes)
    return "crop" if height == width and 2 * long > len(sizes) else "resize"
