"""What a firmware tells the plugin: the numbers of its marks (firmware_cpp/boards/common/marks.h)."""

INFERENCE = 1  # of bench: the whole inference, in one interval; of the firmware: its work on images
BETWEEN = 2  # of bench: a second inference, outside of its layers
FIRST_LAYER = 3  # of bench: a layer of it; the others follow


def layer(index: int) -> int:
    """The mark of bench's layer `index`."""
    return FIRST_LAYER + index
